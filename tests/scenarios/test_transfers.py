"""To a colleague: rung first and connected inside Asterisk, not answered, or sent there blindly."""

from __future__ import annotations

import time
from typing import Any

import pytest
from callers import (
    AWAY,
    CHANGE,
    HOURS,
    PERSON,
    SPEECH,
    YES,
    Listener,
    agent_said,
    asked,
    console,
    greeted,
    held_by,
    newest_call,
    nothing_left,
    transferred,
    until,
    wanted_words,
)

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_both_hear_each_other_and_the_agent_is_out_of_the_way(
    site: Installation, ua: SipCaller, listener: Listener
) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6001", "secret-6001")
        call = await greeted(ua)
        await asked(call, PERSON)
        colleague = await desk.incoming()
        colleague.ring()
        rung = time.monotonic()
        await call.hear_start(rung + 0.5)  # music: no caller waits in silence
        await colleague.answer()
        await until(lambda: held_by(site, "connected"), "the two are connected")

        await _each_hears_the_other(call, colleague, listener)
        # Caller and colleague, and nobody else: the audio stays in Asterisk
        assert "2 active channels" in await console(site, "core show channels count")
        await colleague.hang_up()
        assert not (await call.wait_ended()).by_us
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_the_caller_hangs_up_on_the_colleague(site: Installation, ua: SipCaller) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6001", "secret-6001")
        call = await transferred(ua)
        colleague = await desk.incoming()
        await colleague.answer()
        await until(lambda: held_by(site, "connected"), "the two are connected")
        await call.hang_up()
        await colleague.wait_ended()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "hung_up"


@pytest.mark.parametrize("refused", [True, False], ids=["busy", "rings out"])
async def test_nobody_takes_the_call_and_the_agent_goes_on(site: Installation, ua: SipCaller, refused: bool) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6001", "secret-6001")
        call = await transferred(ua)
        colleague = await desk.incoming()
        colleague.ring()
        if refused:
            colleague.refuse()
        await colleague.wait_ended()
        await until(lambda: "nobody is free" in agent_said(site), "the agent is back")
        await until(lambda: call.ears.last_voiced < time.monotonic() - 0.8, "the agent has finished")
        await asked(call, PERSON)
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert agent_said(site).count("putting you through") == 2


async def test_sent_away_blindly_they_talk_without_us(site: Installation, ua: SipCaller, listener: Listener) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6002", "secret-6002")
        call = await greeted(ua, AWAY)
        await asked(call, YES)
        colleague = await desk.incoming()
        await colleague.answer()
        await _each_hears_the_other(call, colleague, listener)
        assert (await site.health())["calls"] == 0
        await call.hang_up()
        await colleague.wait_ended()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "transferred"


async def test_sent_away_blindly_and_not_taken_the_caller_comes_back(site: Installation, ua: SipCaller) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6002", "secret-6002")
        before = len(_taken(site, AWAY))
        call = await greeted(ua, AWAY)
        await asked(call, YES)
        colleague = await desk.incoming()
        colleague.refuse()
        await until(lambda: len(_taken(site, AWAY)) == before + 2, "the call is taken again")
        await call.hear_start()
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def _each_hears_the_other(call: Call, colleague: Call, listener: Listener) -> None:
    began = time.monotonic()
    await call.say(SPEECH / CHANGE)
    await until(lambda: colleague.ears.last_voiced > began, "the colleague hears the caller")
    await colleague.say(SPEECH / HOURS)
    await colleague.hear(began, 0.5)
    await call.hear(began, 0.5)
    assert "boston to seattle" in wanted_words(await listener.heard(colleague.stereo(), since=began))
    assert "christmas day" in wanted_words(await listener.heard(call.stereo(), since=began))


def _taken(site: Installation, number: str) -> list[dict[str, Any]]:
    return site.rows("SELECT call_id FROM calls WHERE dnis = ?", number)
