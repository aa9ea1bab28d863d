"""kill -9 of the controller at bad moments: callers hear music, then the agent again, and nothing is done twice."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

import numpy as np
import pytest
from callers import (
    AFTER,
    BEFORE,
    BORN,
    CHANGE,
    PAID_AFTER,
    QUICK,
    SPEECH,
    YES,
    Bookings,
    Listener,
    agent_said,
    ask,
    asked,
    flights,
    greeted,
    held_by,
    locked,
    newest_call,
    nothing_left,
    payments,
    transferred,
    until,
    wanted_words,
)

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_in_mid_sentence(site: Installation, ua: SipCaller, listener: Listener, bookings: Bookings) -> None:
    before = len(site.rows("SELECT 1 FROM calls"))
    call = await greeted(ua)
    await ask(call, CHANGE)
    await asked(call, BORN)
    dead, killed = await site.kill_controller(), time.monotonic()
    await call.hear_start(killed + 0.5, 5.0)  # music: no caller waits in silence
    await site.ready(dead)
    await _back(site, call)
    await call.say(SPEECH / YES)
    await until(lambda: "You now leave" in agent_said(site), "the agent says that it is done")
    await call.say(np.zeros(4 * 8000, dtype=np.int16))  # The caller listens
    await call.hang_up()

    heard = wanted_words(await listener.heard(call.stereo(), since=killed))
    assert "lost you for a moment" in heard
    assert "you now leave tomorrow" in heard
    assert (flights(site), payments(site)) == (AFTER, PAID_AFTER)
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert len(site.rows("SELECT 1 FROM calls")) == before + 1  # one call, whoever looked after it


async def test_with_a_colleague_on_the_line(site: Installation, ua: SipCaller) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6001", "secret-6001")
        call = await transferred(ua)
        colleague = await desk.incoming()
        await colleague.answer()
        await until(lambda: held_by(site, "connected"), "the two are connected")
        dead, killed = await site.kill_controller(), time.monotonic()
        await call.say(SPEECH / CHANGE)
        assert await colleague.hear_start(killed) > killed  # they talk on while nobody looks after them
        await site.ready(dead)
        await until(lambda: held_by(site, "connected"), "the new controller knows them")
        again = time.monotonic()
        await colleague.say(SPEECH / CHANGE)
        await call.hear_start(again)
        await colleague.hang_up()
        assert not (await call.wait_ended()).by_us
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_while_the_colleague_s_phone_rings(site: Installation, ua: SipCaller) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as desk:
        await desk.register("6001", "secret-6001")
        call = await transferred(ua)
        colleague = await desk.incoming()
        colleague.ring()
        dead = await site.kill_controller()
        await site.ready(dead)
        await colleague.wait_ended()  # rings for nobody any more
        await _back(site, call, "nobody is free")
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


@pytest.mark.parametrize("made", [False, True], ids=["before it is made", "after it is made"])
async def test_in_mid_write_the_booking_changes_once(
    site: Installation, ua: SipCaller, bookings: Bookings, made: bool
) -> None:
    call = await greeted(ua, QUICK)
    with ExitStack() as journal:
        with bookings.locked():
            await call.say(SPEECH / YES)
            await until(lambda: _write(site) == "intended", "the change is about to be made")
            if made:
                journal.enter_context(locked(site.state / "journal.sqlite"))
            else:
                dead = await site.kill_controller()
        if made:
            await until(lambda: flights(site) == AFTER, "the change is made, and nobody knows yet")
            dead = await site.kill_controller()
    assert flights(site) == (AFTER if made else BEFORE)
    await site.ready(dead)
    await _back(site, call)
    await ask(call, YES)
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (flights(site), payments(site)) == (AFTER, PAID_AFTER)
    assert _write(site) == "done"
    assert "It is changed" in agent_said(site)


async def test_a_restart_that_was_asked_for(site: Installation, ua: SipCaller) -> None:
    call = await greeted(ua, QUICK)
    old = int((await site.health())["pid"])
    site.signal(signal.SIGHUP)
    await site.ready(old)
    await _back(site, call)
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def _back(site: Installation, call: Call, words: str = "I lost you for a moment.") -> None:
    """The agent has the call again and has said what it wants to know."""
    await until(lambda: words in agent_said(site), "the agent is back", 40.0)
    await call.hear(time.monotonic(), 1.0, 30.0)
    assert call.is_up


def _write(site: Installation) -> str:
    """How the newest call's only write stands, by the journal."""
    rows = site.rows(
        "SELECT outcome FROM tool_runs WHERE effect = 'write' AND call_id = ?", newest_call(site)["call_id"]
    )
    assert len(rows) <= 1
    return rows[0]["outcome"] if rows else ""
