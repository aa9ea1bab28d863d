"""Callers who say nothing, talk nonsense, or hang up at a bad moment: the call ends, and nothing is half done."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from callers import (
    AFTER,
    BEFORE,
    CHANGE,
    HOURS,
    PAID_AFTER,
    PAID_BEFORE,
    QUICK,
    SPEECH,
    YES,
    Bookings,
    Listener,
    agent_said,
    flights,
    greeted,
    newest_call,
    nothing_left,
    payments,
    until,
    wanted_words,
)

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_who_says_nothing_is_asked_and_then_let_go(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await greeted(ua)
    assert not (await call.wait_ended(40.0)).by_us
    heard = wanted_words(await listener.heard(call.stereo()))
    for wanted in ("are you still there", "take your time", "hang up now"):
        assert wanted in heard
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "dismissed"


async def test_hums_and_noise_are_no_turns_and_the_call_ends(site: Installation, ua: SipCaller) -> None:
    noise = np.random.default_rng(1).normal(0, 300, 8000).astype(np.int16)
    call = await greeted(ua)
    await call.say(SPEECH / "dev-bc-001.wav")
    await call.say(noise, 8000)
    await call.say(SPEECH / "dev-bc-006.wav")
    assert not (await call.wait_ended(60.0)).by_us
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "dismissed"
    assert site.rows("SELECT 1 FROM tool_runs WHERE call_id = ?", newest_call(site)["call_id"]) == []


async def test_nonsense_is_answered_and_changes_nothing(site: Installation, ua: SipCaller) -> None:
    call = await greeted(ua)
    backwards, rate = soundfile.read(SPEECH / HOURS, dtype="int16")
    said = await call.say(backwards[::-1], rate)
    await call.hear_start(said.finished.result())
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    call_id = newest_call(site)["call_id"]
    assert site.rows("SELECT 1 FROM tool_runs WHERE effect = 'write' AND call_id = ?", call_id) == []


async def test_keys_pressed_in_speech_change_nothing(site: Installation, ua: SipCaller, bookings: Bookings) -> None:
    call = await greeted(ua)
    pcm, rate = soundfile.read(SPEECH / CHANGE, dtype="int16")
    call.start_saying(pcm[: len(pcm) // 2], rate)
    await call.press("59#*7")
    said = await call.say(pcm[len(pcm) // 2 :], rate)
    await call.hear_start(said.finished.result())
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "hung_up"
    assert (flights(site), payments(site)) == (BEFORE, PAID_BEFORE)
    assert _write(site) == ""


async def test_what_is_said_in_mid_write_is_answered_and_the_booking_changed_once(
    site: Installation, ua: SipCaller, bookings: Bookings
) -> None:
    call = await greeted(ua, QUICK)
    with bookings.locked():
        await call.say(SPEECH / YES)
        await until(lambda: _write(site) == "intended", "the change is being made")
        await call.say(SPEECH / HOURS)
    await until(lambda: "is there anything else" in agent_said(site).lower(), "what was said meanwhile is answered")
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    said = site.rows(
        "SELECT json_extract(record, '$.caller_text') AS text FROM turns WHERE call_id = ? AND turn_id = 't2'",
        newest_call(site)["call_id"],
    )
    assert "christmas" in said[0]["text"].lower()
    assert (flights(site), payments(site)) == (AFTER, PAID_AFTER)
    assert _write(site) == "done"


async def test_hanging_up_in_mid_sentence_leaves_nothing(site: Installation, ua: SipCaller, bookings: Bookings) -> None:
    call = await greeted(ua)
    pcm, rate = soundfile.read(SPEECH / CHANGE, dtype="int16")
    await call.say(pcm[: len(pcm) // 2], rate)
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "hung_up"
    assert (flights(site), payments(site)) == (BEFORE, PAID_BEFORE)


async def test_hanging_up_while_the_agent_speaks_leaves_nothing(site: Installation, ua: SipCaller) -> None:
    call = await ua.dial("1000")
    await call.hear_start(await call.answered())
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_hanging_up_before_the_answer_leaves_nothing(site: Installation, ua: SipCaller) -> None:
    call = await ua.dial("1000")
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_hanging_up_in_mid_write_changes_the_booking_once(
    site: Installation, ua: SipCaller, bookings: Bookings
) -> None:
    call = await greeted(ua, QUICK)
    with bookings.locked():
        await call.say(SPEECH / YES)
        await until(lambda: _write(site) == "intended", "the change is being made")
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (flights(site), payments(site)) == (AFTER, PAID_AFTER)
    assert _write(site) == "done"


async def test_a_booking_system_that_does_not_answer_changes_nothing_and_the_caller_hears_so(
    site: Installation, ua: SipCaller, listener: Listener, bookings: Bookings
) -> None:
    call = await greeted(ua, QUICK)
    with bookings.locked():
        await call.say(SPEECH / YES)
        await call.wait_ended(20.0)
    assert "nothing has changed" in wanted_words(await listener.heard(call.stereo()))
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (flights(site), payments(site)) == (BEFORE, PAID_BEFORE)


def _write(site: Installation) -> str:
    """How the newest call's only write stands, by the journal."""
    rows = site.rows(
        "SELECT outcome FROM tool_runs WHERE effect = 'write' AND call_id = ?", newest_call(site)["call_id"]
    )
    assert len(rows) <= 1
    return rows[0]["outcome"] if rows else ""
