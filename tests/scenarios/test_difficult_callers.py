"""Callers who say nothing, talk nonsense, or hang up at a bad moment: the call ends, and nothing is half done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from callers import (
    AFTER,
    BEFORE,
    CHANGE,
    EXAMPLE,
    PAID_AFTER,
    PAID_BEFORE,
    PATIENT,
    SPEECH,
    YES,
    Bookings,
    Listener,
    agent_said,
    ask,
    asked,
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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def impatient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation that prompts after a second of silence."""
    changes = {"conversation": {"silence_s": 1.0}, "limits": PATIENT}
    async with Installation(tmp_path_factory.mktemp("impatient"), EXAMPLE, changes) as running:
        yield running


async def test_who_says_nothing_is_asked_and_then_let_go(impatient: Installation, listener: Listener) -> None:
    async with SipCaller("127.0.0.1", impatient.sip_port) as ua:
        call = await greeted(ua)
        assert not (await call.wait_ended(40.0)).by_us
    heard = wanted_words(await listener.heard(call.stereo()))
    for wanted in ("are you still there", "take your time", "hang up now"):
        assert wanted in heard
    await until(lambda: nothing_left(impatient), "the call left nothing behind")
    assert newest_call(impatient)["end_reason"] == "dismissed"


async def test_hums_and_noise_are_no_turns_and_the_call_ends(impatient: Installation) -> None:
    noise = np.random.default_rng(1).normal(0, 300, 8000).astype(np.int16)
    async with SipCaller("127.0.0.1", impatient.sip_port) as ua:
        call = await greeted(ua)
        await call.say(SPEECH / "dev-bc-001.wav")
        await call.say(noise, 8000)
        await call.say(SPEECH / "dev-bc-006.wav")
        assert not (await call.wait_ended(60.0)).by_us
    await until(lambda: nothing_left(impatient), "the call left nothing behind")
    assert newest_call(impatient)["end_reason"] == "dismissed"
    assert impatient.rows("SELECT 1 FROM tool_runs WHERE effect = 'write'") == []


async def test_nonsense_is_asked_about_and_brings_a_colleague(site: Installation, ua: SipCaller) -> None:
    call = await greeted(ua)
    for _ in range(4):
        backwards, rate = soundfile.read(SPEECH / CHANGE, dtype="int16")
        said = await call.say(backwards[::-1], rate)
        await call.hear(said.finished.result(), 0.9, 30.0)
        if "colleague" in agent_said(site):
            break
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert "colleague" in agent_said(site)


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
    call = await greeted(ua)
    await ask(call, CHANGE)
    with bookings.locked():
        await call.say(SPEECH / YES)
        await until(lambda: _write(site) == "intended", "the change is being made")
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (flights(site), payments(site)) == (AFTER, PAID_AFTER)
    assert _write(site) == "done"


async def test_a_booking_system_that_does_not_answer_changes_nothing_and_the_caller_hears_so(
    site: Installation, ua: SipCaller, bookings: Bookings
) -> None:
    call = await greeted(ua)
    await ask(call, CHANGE)
    with bookings.locked():
        await asked(call, YES)
        await until(lambda: "nothing has changed" in agent_said(site), "the agent says so")
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (flights(site), payments(site)) == (BEFORE, PAID_BEFORE)


def _write(site: Installation) -> str:
    """How the newest call's only write stands, by the journal."""
    rows = site.rows(
        "SELECT outcome FROM tool_runs WHERE effect = 'write' AND call_id = ?", newest_call(site)["call_id"]
    )
    assert len(rows) <= 1
    return rows[0]["outcome"] if rows else ""
