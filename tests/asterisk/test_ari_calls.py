"""The switch with a SIP phone at the other end: codecs, hold, transfers and prompts as they go over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.ports.media import Codec
from ccaas.telephony.events import Answered, Ended, EndReason, Held, Left, Offered, Unheld
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.watch import Watch


@pytest.fixture
async def switch(asterisk: RunningAsterisk) -> AsyncIterator[AsteriskSwitch]:
    switch = AsteriskSwitch(asterisk.access)
    await switch.open()
    yield switch
    await switch.close()


@pytest.fixture
async def watch(switch: AsteriskSwitch) -> AsyncIterator[Watch]:
    async with Watch(switch) as watch:
        yield watch


@pytest.fixture
async def phone(asterisk: RunningAsterisk, tmp_path: Path) -> AsyncIterator[SipCaller]:
    async with SipCaller("127.0.0.1", asterisk.settings.sip.udp, log=tmp_path / "phone.log") as phone:
        yield phone


async def talk(
    phone: SipCaller, switch: AsteriskSwitch, watch: Watch, codec: str | tuple[str, ...] = "PCMU"
) -> tuple[Call, str]:
    """A call from the phone that we have answered."""
    call = await phone.dial("1000", codec=codec, from_number="+16175550142")
    offered = await watch.next(Offered)
    await switch.answer(offered.leg_id)
    await watch.next(Answered, offered.leg_id)
    await call.answered()
    return call, offered.leg_id


@pytest.mark.parametrize(
    ("offer", "codec"),
    [("PCMU", Codec.ULAW), ("PCMA", Codec.ALAW), ("G722", Codec.G722), (("PCMA", "PCMU"), Codec.ALAW)],
)
async def test_the_callers_own_codec_is_reported(
    phone: SipCaller, switch: AsteriskSwitch, watch: Watch, offer: str | tuple[str, ...], codec: Codec
) -> None:
    call, leg_id = await talk(phone, switch, watch, offer)
    assert (watch.of(Offered)[0].codec, watch.of(Answered)[0].codec) == (codec, codec)
    assert watch.of(Offered)[0].ani == "+16175550142"
    await call.hang_up()
    assert (await watch.next(Ended, leg_id)).reason is EndReason.HUNG_UP


async def test_a_caller_who_holds_us_is_told(phone: SipCaller, switch: AsteriskSwitch, watch: Watch) -> None:
    call, leg_id = await talk(phone, switch, watch)
    await call.hold()
    await watch.next(Held, leg_id)
    await call.unhold()
    await watch.next(Unheld, leg_id)
    await call.hang_up()
    await watch.next(Ended, leg_id)


async def test_a_caller_who_gives_up_before_the_answer_ends_once(
    phone: SipCaller, switch: AsteriskSwitch, watch: Watch
) -> None:
    call = await phone.dial("1000")
    offered = await watch.next(Offered)
    await switch.ring(offered.leg_id)
    await call.wait_ringing()
    await call.hang_up()
    assert (await watch.next(Ended, offered.leg_id)).reason is EndReason.HUNG_UP
    assert len(watch.ends(offered.leg_id)) == 1


@pytest.mark.parametrize(("cause", "status"), [(17, 486), (21, 403), (34, 503)])
async def test_the_phone_hears_why_it_was_refused(
    phone: SipCaller, switch: AsteriskSwitch, watch: Watch, cause: int, status: int
) -> None:
    call = await phone.dial("1000")
    offered = await watch.next(Offered)
    await switch.hang_up(offered.leg_id, EndReason.REJECTED, cause)
    end = await call.wait_ended()
    assert end.status == status
    assert (await watch.next(Ended, offered.leg_id)).cause == cause


async def test_an_answered_caller_is_referred_elsewhere(
    asterisk: RunningAsterisk, phone: SipCaller, switch: AsteriskSwitch, watch: Watch
) -> None:
    call, leg_id = await talk(phone, switch, watch)
    await switch.redirect(leg_id, f"PJSIP/{asterisk.uri('milliwatt')}")
    elsewhere = await call.moved()
    await elsewhere.answered()
    left = await watch.next(Left, leg_id)
    await call.wait_ended()
    assert await elsewhere.hear_start() > 0
    assert watch.ends(leg_id) == [left]
    await elsewhere.hang_up()


async def test_a_caller_whom_nobody_takes_comes_back(
    asterisk: RunningAsterisk, phone: SipCaller, switch: AsteriskSwitch, watch: Watch
) -> None:
    call, leg_id = await talk(phone, switch, watch)
    await switch.redirect(leg_id, "PJSIP/6002")
    await watch.next(Left, leg_id)
    again = await watch.next(Offered, leg_id, count=2)
    assert again.arguments == ("transfer_failed", "1000")
    await switch.answer(leg_id)
    await watch.next(Answered, leg_id, count=2)
    await switch.hang_up(leg_id, EndReason.DISMISSED, 16)
    await call.wait_ended()
    assert (await watch.next(Ended, leg_id)).reason is EndReason.DISMISSED


async def test_a_caller_is_sent_to_another_phone(
    asterisk: RunningAsterisk, phone: SipCaller, switch: AsteriskSwitch, watch: Watch
) -> None:
    async with SipCaller("127.0.0.1", asterisk.settings.sip.udp) as desk:
        await desk.register("6001", asterisk.password("6001"))
        call, leg_id = await talk(phone, switch, watch)
        await switch.redirect(leg_id, "PJSIP/6001")
        left = await watch.next(Left, leg_id)
        rings = await desk.incoming()
        await rings.answer()
        await call.hang_up()
        await rings.wait_ended()
        assert watch.ends(leg_id) == [left]


async def test_a_prompt_is_heard_to_its_end_before_the_leg_goes_back(
    phone: SipCaller, switch: AsteriskSwitch, watch: Watch
) -> None:
    call, leg_id = await talk(phone, switch, watch)
    await switch.play_prompt(leg_id, "vm-goodbye")
    await switch.return_to_dialplan(leg_id, "ccaas-test", "silence")
    heard = await call.hear()
    await watch.next(Left, leg_id)
    assert heard.end - heard.start > 0.5
    await call.hang_up()
