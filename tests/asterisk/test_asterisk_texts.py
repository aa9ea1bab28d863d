"""SIP MESSAGE both ways through a real Asterisk, with a real phone at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ccaas.asterisk.texts import AsteriskTexts
from ccaas.comfort import play_music
from ccaas.errors import MessageFailed
from ccaas.ports.messaging import SipText
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.caller import SipCaller

OURS = "sip:+15550100@ccaas.example"


class Texts:
    """The adapter under test, and what it handed over."""

    def __init__(self, asterisk: RunningAsterisk) -> None:
        self.adapter = AsteriskTexts(asterisk.access)
        self.arrived: asyncio.Queue[SipText] = asyncio.Queue()

    async def next(self) -> SipText:
        async with asyncio.timeout(10):
            return await self.arrived.get()


@pytest.fixture
async def texts(asterisk: RunningAsterisk) -> AsyncIterator[Texts]:
    texts = Texts(asterisk)
    await texts.adapter.listen(texts.arrived.put_nowait)
    yield texts
    await texts.adapter.close()


@pytest.fixture
async def phone(asterisk: RunningAsterisk) -> AsyncIterator[SipCaller]:
    host, port = asterisk.sip_address.split(":")
    async with SipCaller(host, int(port)) as phone:
        yield phone


async def test_a_text_from_anybody_arrives_with_the_way_back(texts: Texts, phone: SipCaller) -> None:
    assert await phone.write("2000", "Ist der Flug am 1. März um 9 Uhr? ✈", from_number="+16145550109") == 202
    text = await texts.next()
    assert (text.to, text.text, text.endpoint) == ("2000", "Ist der Flug am 1. März um 9 Uhr? ✈", "anonymous")
    assert text.sender.startswith("sip:+16145550109@")
    await texts.adapter.send(text.reply_to, OURS, "Ja, um 9 Uhr. ✓")
    answer = await phone.text()
    assert answer.text == "Ja, um 9 Uhr. ✓"
    assert "+15550100" in answer.sender


async def test_a_registered_phone_is_known_and_is_written_to_by_its_name(
    texts: Texts, phone: SipCaller, asterisk: RunningAsterisk
) -> None:
    await phone.register("6001", asterisk.managed.secrets.phones["6001"])
    assert await phone.write("2000", "YES") == 202
    text = await texts.next()
    assert (text.endpoint, text.reply_to, text.text) == ("6001", "PJSIP/6001", "YES")
    await texts.adapter.send("PJSIP/6001", OURS, "Thank you.")
    assert (await phone.text()).text == "Thank you."


async def test_each_text_has_an_id_of_its_own(texts: Texts, phone: SipCaller) -> None:
    for _ in range(2):
        await phone.write("2000", "again")
    assert (await texts.next()).id != (await texts.next()).id


@pytest.mark.parametrize(
    ("to", "again", "said"),
    [
        ("PJSIP/anonymous", True, "no phone is registered as anonymous"),
        ("PJSIP/6002", True, "no phone is registered as 6002"),
        ("PJSIP/nobody", False, "no way to PJSIP/nobody"),
        ("PJSIP/nobody/sip:+1555@127.0.0.1", False, "no way to PJSIP/nobody"),
        ("+15550100", False, "is no SIP destination"),
        ("PJSIP/6001 x", False, "is no SIP destination"),
    ],
)
async def test_where_no_phone_is_the_text_is_refused_and_asterisk_lives(
    texts: Texts, asterisk: RunningAsterisk, to: str, again: bool, said: str
) -> None:
    """An endpoint without an address of record killed Asterisk when a message was sent to it."""
    with pytest.raises(MessageFailed, match=said) as failed:
        await texts.adapter.send(to, OURS, "hello")
    assert failed.value.again is again
    assert "Asterisk" in await asterisk.console("core show version")


async def test_a_text_is_refused_when_we_are_not_there(asterisk: RunningAsterisk, phone: SipCaller) -> None:
    """The phone knows then that it was not delivered."""
    texts = Texts(asterisk)
    await texts.adapter.listen(texts.arrived.put_nowait)
    await texts.adapter.close()
    assert await phone.write("2000", "anybody?") >= 400
    assert texts.arrived.empty()


async def test_a_text_is_refused_once_the_guard_has_seen_the_controller_die(
    asterisk: RunningAsterisk, phone: SipCaller
) -> None:
    texts = Texts(asterisk)
    await texts.adapter.listen(texts.arrived.put_nowait)
    await texts.adapter._transport.close()  # As a killed process leaves it
    await play_music(asterisk.access)
    assert await phone.write("2000", "anybody?") >= 400
