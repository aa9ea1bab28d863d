"""The first call: a customer is recognised, changes a flight by speaking, and hears that it is done."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from callers import (
    AFTER,
    BEFORE,
    BOOKING,
    BORN,
    BYE,
    CHANGE,
    ISABELLA,
    PAID_AFTER,
    YES,
    Bookings,
    Listener,
    ask,
    flights,
    greeted,
    newest_call,
    nothing_left,
    payments,
    until,
    wanted_words,
)
from numpy.typing import NDArray

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_flight_is_changed_once_and_the_caller_hears_it(
    site: Installation, ua: SipCaller, listener: Listener, bookings: Bookings
) -> None:
    assert flights(site) == BEFORE

    call = await greeted(ua)
    await ask(call, CHANGE)
    await ask(call, BORN)
    assert flights(site) == BEFORE  # offered, not yet confirmed
    await ask(call, YES)
    await ask(call, BYE)
    end = await call.wait_ended()
    assert (end.by_us, end.status, end.cause) == (False, 200, 16)

    stereo = call.stereo()
    heard = wanted_words(await listener.heard(stereo))
    # Isabella, as a recogniser writes it: sabella, it's Abele, I say Bella …
    assert any(sound in heard.replace(" ", "") for sound in ("abel", "bella"))
    assert heard.index("birth") < heard.index("shall i change it")
    assert "you now leave tomorrow" in heard
    assert heard.endswith(("goodbye", "good bye"))

    assert flights(site) == AFTER
    assert payments(site) == PAID_AFTER

    await until(lambda: nothing_left(site), "the call left nothing behind")
    journalled = newest_call(site)
    assert journalled["ani"] == ISABELLA
    assert journalled["customer_id"] == "isabella_anderson_8228"
    assert journalled["end_reason"] == "dismissed"
    call_id = journalled["call_id"]
    (run,) = site.rows("SELECT * FROM tool_runs WHERE effect = 'write' AND call_id = ?", call_id)
    assert (run["tool"], run["outcome"], run["confirmed_by"]) == ("change_flight", "done", "t3")
    assert json.loads(run["arguments"])["reservation_id"] == BOOKING
    assert json.loads(run["before"])["flights"][0]["date"] == "2024-05-19"
    assert json.loads(run["after"])["flights"][0]["date"] == "2024-05-16"
    turns = [json.loads(row["record"]) for row in site.rows("SELECT record FROM turns WHERE call_id = ?", call_id)]
    assert [turn["turn_id"] for turn in turns] == ["agent-0", "t1", "t2", "t3", "t4"]
    assert all(turn["heard_text"] == turn["agent_text"] for turn in turns)
    steps = [
        json.loads(row["event"])["type"]
        for row in site.rows("SELECT event FROM transitions WHERE call_id = ? ORDER BY seq", call_id)
    ]
    assert steps[:2] == ["Offered", "Answered"]
    assert steps[-1] == "Ended"

    file = site.recordings / f"{call_id}.wav"
    await until(file.exists, "the recording is written")
    ours, rate = soundfile.read(file, dtype="int16")
    assert rate == stereo.sample_rate
    lags = [_lag_s(ours[:, channel], stereo.audio[:, channel], rate) for channel in (0, 1)]
    # The recording begins when the audio opens, the caller's with its first packet: one shift for both channels.
    assert abs(lags[0] - lags[1]) <= 0.05
    assert len(list(site.recordings.glob(f"{call_id}.jsonl"))) == 1


def _lag_s(ours: NDArray[np.int16], theirs: NDArray[np.int16], rate: int) -> float:
    """By how many seconds `theirs` lies behind `ours`; both hold the same speech.

    Loudness by 5 ms is compared, smoothed over 40 ms: packets stand at their instants, which a busy machine shifts.
    """
    size = rate // 200
    loud = [
        np.sqrt(np.mean(pcm[: len(pcm) // size * size].reshape(-1, size).astype(np.float64) ** 2, 1))
        for pcm in (ours, theirs)
    ]
    loud = [np.convolve(blocks, np.ones(8) / 8, "same") for blocks in loud]
    likeness = np.correlate(loud[1], loud[0], "full")
    best = int(np.argmax(likeness))
    assert likeness[best] / np.sqrt(np.sum(loud[0] ** 2) * np.sum(loud[1] ** 2)) > 0.9
    return (best - len(loud[0]) + 1) * size / rate
