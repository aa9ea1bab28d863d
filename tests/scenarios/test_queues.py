"""Queues on a real Asterisk with SIP phones as agents: the right one rings, nobody waits in silence, nobody is lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Self

import pytest
import pytest_asyncio
import soundfile
from callers import (
    CHANGE,
    CHANGES,
    EXAMPLE,
    HOURS,
    PERSON,
    SPEECH,
    YES,
    Listener,
    ask,
    asked,
    greeted,
    held_by,
    listening,
    newest_call,
    nothing_left,
    until,
    wanted_words,
)

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTRAGEOUS = "dev-em-011-angry.wav"
"""You lost my suitcase and nobody cares, this is outrageous!"""

QUEUES: dict[str, Any] = {
    "destinations": {"front": {"endpoint": "PJSIP/6002", "blind": True}},
    "agents": {
        "ann": {"name": "Ann", "skills": {"general": 5}, "endpoint": "PJSIP/6001"},
        "sue": {"name": "Sue", "skills": {"general": 3, "complaints": 8}, "endpoint": "PJSIP/6002"},
    },
    "queues": {
        "agents": {
            "skills": {"general": 1},
            "strategy": "skills-first",
            "ring_s": 5,
            "callback_s": 18,
            "announce_s": 600,
        },
        "senior": {"skills": {"complaints": 5}, "ring_s": 20, "brief": True, "callback_s": 0},
    },
    "handoff": {"call_back": "PJSIP/6003"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The airline with two agents and two queues; 6003 is the customer's own phone."""
    phones = ("6001", "6002", "6003")
    async with Installation(tmp_path_factory.mktemp("queues"), EXAMPLE, CHANGES | QUEUES, phones=phones) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ua(centre: Installation) -> AsyncIterator[SipCaller]:
    """A SIP phone beside it."""
    async with SipCaller("127.0.0.1", centre.sip_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def listener(centre: Installation) -> AsyncIterator[Listener]:
    """The real recogniser."""
    async with listening(centre) as one:
        yield one


class Phones:
    """The agents' phones, and what the board says of them."""

    def __init__(self, site: Installation) -> None:
        self._site = site
        self._stack = AsyncExitStack()
        self.phones: dict[str, SipCaller] = {}

    async def __aenter__(self) -> Self:
        for name in ("6001", "6002", "6003"):
            phone = await self._stack.enter_async_context(SipCaller("127.0.0.1", self._site.sip_port))
            await phone.register(name, f"secret-{name}")
            self.phones[name] = phone
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def set(self, login: str, state: str, reason: str = "") -> None:
        await self._site.ask("POST", f"/agents/{login}", {"state": state, "reason": reason})

    async def agent(self, login: str) -> dict[str, Any]:
        board = await self._site.ask("GET", "/board")
        return next(one for one in board["agents"] if one["login"] == login)

    async def state(self, login: str) -> str:
        return str((await self.agent(login))["state"])

    async def waiting(self, queue: str) -> list[dict[str, Any]]:
        board = await self._site.ask("GET", "/board")
        return next(list(one["waiting"]) for one in board["queues"] if one["name"] == queue)


async def test_only_the_senior_rings_for_an_angry_caller_and_knows_why(
    centre: Installation, ua: SipCaller, listener: Listener
) -> None:
    async with Phones(centre) as desk:
        for login in ("ann", "sue"):
            await desk.set(login, "available")
        other = asyncio.create_task(desk.phones["6001"].incoming(600.0))
        call = await greeted(ua)
        await ask(call, CHANGE)
        said = await call.say(SPEECH / OUTRAGEOUS)
        ringing = await desk.phones["6002"].incoming(20.0)
        ringing.ring()
        assert await desk.state("sue") == "ringing"
        rung = time.monotonic()
        await call.hear_start(rung + 0.5)  # music: no caller waits in silence
        answered = await ringing.answer()
        await until(lambda: held_by(centre, "connected"), "the two are connected")
        joined = time.monotonic()
        assert (await desk.agent("sue"))["conversation_id"] != ""
        await _each_hears_the_other(call, ringing, listener)
        await until(lambda: len(_overheard(centre)) >= 2, "what the two say is on the timeline")
        assert not other.done(), "nobody else's phone has rung"
        other.cancel()
        compassion = wanted_words(await listener.heard(call.stereo(), since=said.finished.result(), until=rung))
        assert "senior colleague" in compassion
        whisper = wanted_words(await listener.heard(ringing.stereo(), since=answered, until=joined))
        assert "upset" in whisper
        assert "upset" not in wanted_words(await listener.heard(call.stereo(), since=rung))
        await ringing.hang_up()
        await call.wait_ended()
        await until(lambda: _is(desk, "sue", "wrap-up"), "her wrap-up")
        for login in ("ann", "sue"):
            await desk.set(login, "offline")
    await until(lambda: nothing_left(centre), "the call left nothing behind")
    talk = {row["source"]: row for row in _overheard(centre)}
    assert "boston to seattle" in wanted_words(talk["customer"]["text"])
    assert "christmas day" in wanted_words(talk["human:sue"]["text"])
    for row, track in ((talk["customer"], 0), (talk["human:sue"], 1)):
        file, _, second = row["recording"].partition("#t=")
        both, rate = soundfile.read(centre.state / file, dtype="int16")
        piece = both[int(float(second) * rate) : int((float(second) + 5) * rate), track]
        assert wanted_words(row["text"]) in wanted_words(await listener.words(piece, rate))
    level = next(one for one in (await centre.ask("GET", "/board"))["queues"] if one["name"] == "senior")
    assert (level["answered"], level["abandoned"], level["service_level"]) == (1, 0, 1.0)


async def test_no_answer_goes_to_the_next_one_and_a_call_back_keeps_the_place(
    centre: Installation, ua: SipCaller, listener: Listener
) -> None:
    async with Phones(centre) as desk:
        for login in ("ann", "sue"):
            await desk.set(login, "available")
        first = await greeted(ua)
        await asked(first, PERSON)
        ann = await desk.phones["6001"].incoming(20.0)
        ann.ring()
        sue = await desk.phones["6002"].incoming(20.0)
        away = await desk.agent("ann")
        assert (away["state"], away["reason"]) == ("away", "did not answer")
        await sue.answer()
        await until(lambda: _is(desk, "sue", "on call"), "sue has the caller")

        async with SipCaller("127.0.0.1", centre.sip_port) as another:
            second = await greeted(another)
            await asked(second, PERSON)
            await until(lambda: desk.waiting("agents"), "the second one waits")
            began = time.monotonic()
            await until(lambda: _said(centre, "we'll call you."), "the offer", 40.0)
            await second.say(SPEECH / YES)
            await second.wait_ended(20.0)
            heard = wanted_words(await listener.heard(second.stereo(), since=began))
        assert "next in line" in heard
        assert "minutes" not in heard, "a waiting time that is not known is not told"
        assert "call you back" in heard
        (kept,) = await desk.waiting("agents")
        assert (kept["callback"], kept["position"]) == (True, 1)

        await sue.hang_up()
        await first.wait_ended()
        await desk.set("sue", "available")
        back = await desk.phones["6003"].incoming(20.0)
        called = await back.answer()
        sue = await desk.phones["6002"].incoming(20.0)
        await sue.answer()
        await until(lambda: _is(desk, "sue", "on call"), "sue has them")
        assert await desk.waiting("agents") == []
        await _each_hears_the_other(back, sue, listener)
        assert "call back" in wanted_words(await listener.heard(back.stereo(), since=called))
        await back.hang_up()
        await sue.wait_ended()
        for login in ("ann", "sue"):
            await desk.set(login, "offline")
    await until(lambda: nothing_left(centre), "the calls left nothing behind")


async def test_a_killed_controller_leaves_the_waiting_caller_their_place(
    centre: Installation, ua: SipCaller, listener: Listener
) -> None:
    async with Phones(centre) as desk:
        await desk.set("ann", "available")
        await desk.set("ann", "away", "lunch")
        call = await greeted(ua)
        await asked(call, PERSON)
        (before,) = await until(lambda: desk.waiting("agents"), "they wait")
        dead, killed = await centre.kill_controller(), time.monotonic()
        await call.hear_start(killed + 0.5, 5.0)  # music goes on
        await centre.ready(dead)
        (after,) = await until(lambda: desk.waiting("agents"), "they wait with the new controller")
        assert (after["handoff_id"], after["since"]) == (before["handoff_id"], before["since"])
        assert await desk.agent("ann") | {"since": 0, "until": None} == await desk.agent("ann") | {"since": 0}
        assert (await desk.agent("ann"))["reason"] == "lunch"
        await desk.set("ann", "available")
        ann = await desk.phones["6001"].incoming(20.0)
        await ann.answer()
        await until(lambda: _is(desk, "ann", "on call"), "ann has them")
        await _each_hears_the_other(call, ann, listener)

        dead = await centre.kill_controller()  # and once more, while they talk
        await centre.ready(dead)
        await until(lambda: _is(desk, "ann", "on call"), "the new controller knows who has them")
        before = len(_overheard(centre))
        await _each_hears_the_other(call, ann, listener)
        await until(lambda: len(_overheard(centre)) >= before + 2, "and writes down what they say")
        await ann.hang_up()
        await call.wait_ended()
        await until(lambda: _is(desk, "ann", "wrap-up"), "the call is over for ann too")
    await until(lambda: nothing_left(centre), "the call left nothing behind")


async def _is(desk: Phones, login: str, state: str) -> bool:
    return await desk.state(login) == state


def _overheard(site: Installation) -> list[dict[str, Any]]:
    """What stands on the customer's timeline of the newest call's talk with a person."""
    return site.rows(
        "SELECT source, text, recording || moment AS recording FROM facts WHERE conversation_id = ? AND id LIKE '%:overheard:%' ORDER BY at",
        newest_call(site)["call_id"],
        file="journey.sqlite",
    )


def _said(site: Installation, words: str) -> bool:
    rows = site.rows("SELECT record FROM turns ORDER BY id DESC LIMIT 3")
    turns = [json.loads(row["record"]) for row in rows]
    return any(words in turn["heard_text"] for turn in turns)


async def _each_hears_the_other(caller: Call, agent: Call, listener: Listener) -> None:
    began = time.monotonic()
    await caller.say(SPEECH / CHANGE)
    await until(lambda: agent.ears.last_voiced > began, "the agent hears the caller")
    await agent.say(SPEECH / HOURS)
    await agent.hear(began, 0.5)
    await caller.hear(began, 0.5)
    assert "boston to seattle" in wanted_words(await listener.heard(agent.stereo(), since=began))
    assert "christmas day" in wanted_words(await listener.heard(caller.stereo(), since=began))
