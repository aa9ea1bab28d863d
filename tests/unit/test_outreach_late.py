"""A yes that comes when its offer is over is answered by what became of the offer, and never by anything general."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from outreach_world import PLAY, Record, World

from ccaas.outreach import cases
from ccaas.outreach.late import Late, answer_in
from ccaas.ports.journey import JourneyContext, Profile, Thread, ThreadState
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext
from ccaas.testing.fakes.reasoning import FakeReasoner, Line

OTHER = "What can I do for you?"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("YES", "yes"),
        (" Yes! ", "yes"),
        ("ok.", "yes"),
        ("No, thanks", "no"),
        ("yes, but later", ""),
        ("", ""),
        ("1", ""),
    ],
)
def test_only_a_lone_word_is_such_an_answer(text: str, word: str) -> None:
    assert answer_in(text) == word


def dialogue(world: World, *, journey: JourneyContext | None = None, snapshot: Any = None) -> Dialogue:
    reasoner = FakeReasoner({}, otherwise=Line(OTHER))
    known = journey or JourneyContext(Profile("ann"))
    context = DialogueContext("t1", "sms", "+1", "2000", None, cast("Any", None), datetime.now(UTC), journey=known)
    late: Callable[..., Awaitable[str]] = world.plays.late
    return Late(reasoner, late, time.time).open(context, snapshot)


async def say(there: Dialogue, words: str) -> str:
    draft = await there.draft(CallerTurn(words, words))
    return " ".join([reply.text async for reply in there.commit(draft)])


async def test_a_second_yes_is_told_that_it_is_done_and_what(tmp_path: Path) -> None:
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        await world.happens()
        there = dialogue(world)
        assert await say(there, "yes") == OTHER, "the offer still waits: that is the flow's own to take"
        await world.durable.answer("e-1:0", "yes")
        told = "About your seat: That is done already. You have seat 1A."
        assert await say(there, "YES") == told, "in the conversation that it was taken in"
        assert await say(dialogue(world), "YES") == told, "and in one that begins later"
        assert await say(dialogue(world), "No") == told


async def test_a_yes_after_its_time_is_told_that_it_is_too_late(tmp_path: Path) -> None:
    play = PLAY | {"wait": PLAY["wait"] | {"too_late": "Seat {option.seat} is gone."}}
    async with World(tmp_path, Record({"ann": "gold"}), plays={"rebook": play}) as world:
        await world.happens()
        await world.store.write(cases.setting("e-1:0", due=time.time() - 1))
        await world.plays.expire("e-1:0")
        assert await say(dialogue(world), "yes") == "About your seat: Seat 1A is gone."
        assert world.record.states() == ["released"]


async def test_a_yes_to_something_else_is_not_taken_for_it(tmp_path: Path) -> None:
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        await world.happens()
        await world.durable.answer("e-1:0", "no")
        there = dialogue(world)
        assert await say(there, "Can I bring a bag?") == OTHER
        assert await say(there, "yes") == OTHER, "something else was spoken of since"
        assert await say(dialogue(world, snapshot={}), "yes") == OTHER, "what was asked before a restart is not known"
        later = Thread("t", "ann", "upgrade", "the upgrade", ThreadState.OPEN, "chat", 1.0, time.time() + 60)
        known = JourneyContext(Profile("ann"), threads=(later,))
        assert "seat" not in await say(dialogue(world, journey=known), "yes"), "another matter is open since"
        stranger = JourneyContext(Profile("bob"))
        assert await say(dialogue(world, journey=stranger), "yes") == OTHER


async def test_while_another_offer_waits_a_yes_is_for_that(tmp_path: Path) -> None:
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        await world.happens("e-1")
        await world.durable.answer("e-1:0", "yes")
        await world.happens("e-2")
        assert await say(dialogue(world), "yes") == OTHER


async def test_who_was_never_offered_anything_is_told_nothing_of_it(tmp_path: Path) -> None:
    record = Record({"ann": "gold"})
    record.seats.clear()
    async with World(tmp_path, record) as world:
        await world.happens()
        assert await say(dialogue(world), "yes") == OTHER
