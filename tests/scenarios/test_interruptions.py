"""The caller speaks over the agent's long answer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from callers import LONG, OKAY, SPEECH, WAIT, Listener, newest_call, nothing_left, until, wanted_words

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

_INTO_IT = np.zeros(4 * 8000, dtype=np.int16)
"""The caller listens for 4 s before speaking."""


async def test_the_agent_falls_silent_and_listens(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await _long_answer(ua)
    said = await call.say(SPEECH / WAIT)
    answer = await call.hear_start(said.finished.result(), 10.0)
    await call.hang_up()

    # Silent before the caller had finished, until the answer to it
    assert [heard for heard in call.ears.stretches if said.started.result() + 0.5 < heard.end < answer] == []
    assert "boarding" not in wanted_words(await listener.heard(call.stereo()))
    first = (await _turns(site))[0]
    assert first["times"]["interrupted"] is not None
    assert len(first["heard_text"].split()) < len(first["agent_text"].split()) / 2
    assert first["heard_text"].split()[-1] in first["agent_text"].split()


async def test_a_back_channel_does_not_stop_the_agent(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await _long_answer(ua)
    said = await call.say(SPEECH / OKAY)
    await until(lambda: call.ears.last_voiced > said.finished.result() + 6, "the agent goes on")
    assert call.ears.longest_pause(said.started.result()) < 1.5
    await call.hang_up()

    heard = wanted_words(await listener.heard(call.stereo()))
    assert "before you leave" in heard
    assert "minutes before departure" in heard
    first, *others = await _turns(site)
    assert others == []
    assert first["caller_text"] == ""


async def _long_answer(ua: SipCaller) -> Call:
    call = await ua.dial(LONG, from_number="+12025550100")
    await call.hear_start(await call.answered())
    await call.say(_INTO_IT)
    return call


async def _turns(site: Installation) -> list[dict[str, Any]]:
    await until(lambda: nothing_left(site), "the call left nothing behind")
    call_id = newest_call(site)["call_id"]
    rows = site.rows("SELECT record FROM turns WHERE call_id = ? ORDER BY id", call_id)
    return [json.loads(row["record"]) for row in rows]
