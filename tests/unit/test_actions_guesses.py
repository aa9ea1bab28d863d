"""Wrong answers to a check are the customer's: over conversations, at the same time, over restarts, for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from ccaas.actions import Books, CallTools, Limits, ToolRun, Tools
from ccaas.actions.guesses import Guesses
from ccaas.actions.settings import CheckSettings
from ccaas.errors import ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Effect, Tool, ToolContext

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = 60.0


class Word(BaseModel):
    """An answer."""

    word: str


class Who(BaseModel):
    """Whom it proves."""

    customer_id: str


class Nothing(BaseModel):
    """No arguments, no result."""


class Rows:
    """An audit in memory."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


@dataclass
class World:
    """An installation's books, a clock, and a check whose answer is "apple"."""

    books: Books
    now: float = 1_000_000.0
    asked: list[str] = field(default_factory=list)
    """Every answer that a system of record was given."""
    rows: Rows = field(default_factory=Rows)

    def guesses(self, **settings: float) -> Guesses:
        return Guesses(self.books, CheckSettings.model_validate(settings), lambda: self.now)

    def box(self, customer_id: str = "ann", **settings: float) -> CallTools:
        tools = [
            Tool("check", "Checks.", Word, Who, self._check, Effect.READ, verifies=True),
            Tool("look", "Looks.", Nothing, Nothing, self._look, Effect.READ, private=True),
        ]
        return CallTools(
            Tools(tools),
            Limits(),
            self.rows,
            call_id=f"c{len(self.rows.runs)}",
            customer_id=customer_id,
            now=lambda: NOON,
            assurance=Assurance.CLAIMED,
            guesses=self.guesses(**settings),
        )

    async def _check(self, answer: Word, context: ToolContext) -> Who:
        self.asked.append(answer.word)
        await asyncio.sleep(0)
        if answer.word == "down":
            raise ToolError("unavailable", "The system cannot be reached.")
        if answer.word != "apple":
            raise ToolError("wrong", "That is not the word.")
        return Who(customer_id="ann")

    async def _look(self, _: Nothing, context: ToolContext) -> Nothing:
        return Nothing()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(await Books.open(tmp_path / "actions.sqlite"))
    yield world
    await world.books.close()


async def guess(box: CallTools, word: str) -> str:
    """What the check says: "" when it was right."""
    try:
        await box.read("check", {"word": word}, "t1")
    except ToolError as error:
        return error.code
    return ""


async def test_they_add_up_over_conversations_and_the_last_one_says_so(world: World) -> None:
    first, second = world.box(), world.box()
    assert [await guess(first, "pear"), await guess(first, "plum")] == ["wrong", "wrong"]
    assert await guess(second, "fig") == "locked"
    for box in (first, second, world.box()):
        assert await guess(box, "apple") == "locked", "not even the right answer is looked at"
    assert world.asked == ["pear", "plum", "fig"]
    assert "fig" not in repr(world.rows.runs)
    with pytest.raises(ToolError, match="couldn't verify") as refused:
        await world.box().read("look", {}, "t1")
    assert refused.value.code == "locked", "nobody is asked a question whose answer would not count"
    assert await guess(world.box("bob"), "apple") == "another_customer", "another customer is not locked out"


async def test_they_are_forgotten_after_a_while_and_by_a_right_answer(world: World) -> None:
    for word in ("pear", "plum", "fig"):
        await guess(world.box(), word)
    world.now += 59 * MINUTE
    assert await guess(world.box(), "apple") == "locked"
    world.now += 2 * MINUTE
    assert await guess(world.box(), "pear") == "wrong"
    assert await guess(world.box(), "apple") == ""
    for word in ("pear", "plum"):
        assert await guess(world.box(), word) == "wrong"


async def test_those_that_are_far_apart_do_not_add_up(world: World) -> None:
    for _ in range(6):
        assert await guess(world.box(within_minutes=10), "pear") == "wrong"
        world.now += 6 * MINUTE


async def test_what_nobody_could_tell_does_not_count(world: World) -> None:
    box = world.box()
    for _ in range(5):
        assert await guess(box, "down") == "unavailable"
    assert await guess(box, "apple") == ""


async def test_conversations_at_the_same_time_get_no_guess_more(world: World) -> None:
    answers = await asyncio.gather(*(guess(world.box(), f"word-{n}") for n in range(10)))
    assert len(world.asked) == 3
    assert answers.count("locked") >= 7


async def test_how_many_is_a_setting_also_for_who_is_not_known(world: World) -> None:
    box = world.box("", wrong_answers=2)
    assert [await guess(box, "pear"), await guess(box, "plum")] == ["wrong", "locked"]
    assert await guess(world.box("", wrong_answers=2), "apple") == "", "nobody else is locked out for a stranger"


async def test_they_outlive_a_restart_and_go_with_the_customer(tmp_path: Path) -> None:
    world = World(await Books.open(tmp_path / "actions.sqlite"))
    for word in ("pear", "plum", "fig"):
        await guess(world.box(), word)
    await world.books.close()
    world = World(await Books.open(tmp_path / "actions.sqlite"))
    assert await guess(world.box(), "apple") == "locked"
    await world.books.forget(["ann"], [])
    assert await guess(world.box(), "apple") == ""
    await world.books.close()


async def test_books_that_fail_let_nobody_guess(world: World) -> None:
    box = world.box()
    await world.books.close()
    assert await guess(box, "apple") == "unavailable"
    assert world.asked == []
    with pytest.raises(ToolError) as refused:
        await box.read("look", {}, "t1")
    assert refused.value.code == "unverified"
