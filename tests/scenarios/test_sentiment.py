"""Feelings on the line: a calm caller stays with the agent, an angry one is heard out and reaches a senior colleague."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from callers import (
    CHANGE,
    LONG,
    SPEECH,
    Listener,
    ask,
    asked,
    greeted,
    held_by,
    newest_call,
    nothing_left,
    until,
    wanted_words,
)

from ccaas.ports.reasoning import NOT_KEPT
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANCELLED, BILL = "dev-em-009-calm.wav", "dev-em-014-calm.wav"
"""My flight to Tampa was cancelled and I'd like to know my options. It looks like my card was charged a few days early."""
OUTRAGEOUS = "dev-em-011-angry.wav"
"""You lost my suitcase and nobody cares, this is outrageous!"""
UNACCEPTABLE = "dev-em-010-angry.wav"
"""This is the third time I've called about this refund, it's unacceptable!"""
WITHHELD = "anonymous"
_INTO_IT = np.zeros(4 * 8000, dtype=np.int16)
"""The caller listens for 4 s before speaking."""


async def test_a_calm_caller_with_bad_news_stays_with_the_agent(site: Installation, ua: SipCaller) -> None:
    async with _phone(site, "6001") as colleague, _phone(site, "6002") as senior:
        ringing = [asyncio.create_task(phone.incoming(600.0)) for phone in (colleague, senior)]
        call = await ua.dial(LONG, from_number=WITHHELD)
        await call.hear_start(await call.answered())
        await call.say(_INTO_IT)
        for said in (CANCELLED, BILL):
            await asked(call, said)
        await call.say(_INTO_IT)
        assert await held_by(site, "talking")
        assert not any(phone.done() for phone in ringing), "nobody's phone has rung"
        for phone in ringing:
            phone.cancel()
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    turns = [turn for turn in _turns(site) if turn["caller_text"]]
    assert len(turns) >= 2
    assert all(turn["sentiment"] is not None and turn["sentiment"] < 0.55 for turn in turns)
    assert [turn["escalated"] for turn in turns] == [""] * len(turns)


async def test_an_angry_caller_reaches_the_senior_alone(site: Installation, ua: SipCaller, listener: Listener) -> None:
    async with _phone(site, "6001") as colleague, _phone(site, "6002") as senior:
        ringing = asyncio.create_task(colleague.incoming(600.0))
        call = await greeted(ua)
        await ask(call, CHANGE)
        said = await call.say(SPEECH / OUTRAGEOUS)
        taken = await senior.incoming(20.0)
        await taken.answer()
        await until(lambda: held_by(site, "connected"), "the two are connected")
        assert not ringing.done(), "nobody else's phone has rung"
        ringing.cancel()
        heard = wanted_words(await listener.heard(call.stereo(), since=said.finished.result()))
        await taken.hang_up()
        await call.wait_ended()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert "sorry about" in heard
    assert "senior colleague" in heard
    last = [turn for turn in _turns(site) if turn["caller_text"]][-1]
    assert last["caller_text"] == NOT_KEPT, "said where an answer to a check was due"
    assert last["intent"] == "baggage", "and understood all the same"
    assert last["escalated"] == "senior"
    assert last["sentiment"] >= 0.55
    assert "?" not in last["agent_text"], "asked nothing again"
    felt = await until(lambda: _felt(site), "the journey knows")
    assert felt["score"] == last["sentiment"]
    assert felt["words"] >= 0.3


async def test_anger_over_the_agents_own_sentence_stops_it(
    site: Installation, ua: SipCaller, listener: Listener
) -> None:
    async with _phone(site, "6002") as senior:
        call = await ua.dial(LONG, from_number=WITHHELD)
        await call.hear_start(await call.answered())
        await call.say(_INTO_IT)
        said = await call.say(SPEECH / UNACCEPTABLE)
        taken = await senior.incoming(20.0)
        heard = wanted_words(await listener.heard(call.stereo(), since=said.finished.result()))
        assert "senior colleague" in heard
        assert "boarding" not in heard, "the long answer did not go on"
        taken.refuse()
        await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


def _felt(site: Installation) -> dict[str, Any] | None:
    """What the customer's timeline says of how they felt last in the newest call."""
    rows = site.rows(
        "SELECT text, data FROM facts WHERE conversation_id = ? AND kind = 'felt' ORDER BY at DESC LIMIT 1",
        newest_call(site)["call_id"],
        file="journey.sqlite",
    )
    return json.loads(rows[0]["data"]) if rows and rows[0]["text"] == "upset" else None


def _phone(site: Installation, name: str) -> Any:
    return _Registered(site, name)


class _Registered:
    """A colleague's phone."""

    def __init__(self, site: Installation, name: str) -> None:
        self._phone = SipCaller("127.0.0.1", site.sip_port)
        self._name = name

    async def __aenter__(self) -> SipCaller:
        phone = await self._phone.__aenter__()
        await phone.register(self._name, f"secret-{self._name}")
        return phone

    async def __aexit__(self, *gone: object) -> None:
        await self._phone.__aexit__(*gone)


def _turns(site: Installation) -> list[dict[str, Any]]:
    rows = site.rows("SELECT record FROM turns WHERE call_id = ? ORDER BY id", newest_call(site)["call_id"])
    return [json.loads(row["record"]) for row in rows]
