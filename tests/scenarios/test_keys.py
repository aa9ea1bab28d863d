"""Keys: over the agent's voice, after the caller's own, and as an answer."""

from __future__ import annotations

import json
import time

import pytest
import soundfile
from callers import CHANGE, CODE, SPEECH, Listener, agent_said, greeted, newest_call, nothing_left, until, wanted_words

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_key_silences_the_agent_and_is_answered(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await ua.dial("1000", from_number="+12025550100")
    await call.hear_start(await call.answered())
    await call.press("0")
    await _put_through(site, call)

    heard = wanted_words(await listener.heard(call.stereo()))
    assert "how can i help" not in heard
    assert "putting you through" in heard


async def test_a_key_in_mid_sentence_counts(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await greeted(ua)
    pcm, rate = soundfile.read(SPEECH / CHANGE, dtype="int16")
    call.start_saying(pcm[: 2 * rate], rate)
    await call.press("0")
    pressed = time.monotonic()
    await _put_through(site, call)

    assert "putting you through" in wanted_words(await listener.heard(call.stereo(), since=pressed))


async def test_digits_answer_a_question_for_a_code(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await greeted(ua, CODE)
    asked_at = call.ears.last_voiced
    await call.press("482913")
    await call.hear(asked_at + 0.1)
    await call.hang_up()

    assert "all right" in wanted_words(await listener.heard(call.stereo(), since=asked_at))
    await until(lambda: nothing_left(site), "the call left nothing behind")
    (turn,) = site.rows("SELECT record FROM turns WHERE call_id = ? AND turn_id = 't1'", newest_call(site)["call_id"])
    assert json.loads(turn["record"])["keys"] == "482913"


async def _put_through(site: Installation, call: Call) -> None:
    """Hear the answer to the key 0; nobody is there to take the call, which ends the sentence."""
    await until(lambda: "nobody is free" in agent_said(site), "the agent has tried")
    await call.hang_up()
