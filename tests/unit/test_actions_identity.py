"""Private tools and checks: a claimed caller id opens nothing, an answer that only the customer knows does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from ccaas.actions import CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.conversation.watched import WatchedToolbox
from ccaas.errors import CcaasError, ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext

WORDS = {"ann": "apple", "bob": "banana"}


class Answer(BaseModel):
    """What only the customer knows."""

    word: str


class Who(BaseModel):
    """Whom it proves."""

    customer_id: str


class Nothing(BaseModel):
    """No arguments, no result."""


class Rows:
    """An audit in memory; `broken` has it refuse."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []
        self.broken = False

    async def store(self, run: ToolRun) -> None:
        if self.broken:
            raise CcaasError("the disk is full")
        await asyncio.sleep(0)
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


class World:
    """A customer's secrets, and how often they were told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def _check(self, answer: Answer, context: ToolContext) -> Who:
        if answer.word == "down":
            raise ToolError("unavailable", "The system cannot be reached.")
        who = next((name for name, word in WORDS.items() if word == answer.word), None)
        if who is None:
            raise ToolError("wrong", "That is not the word.")
        return Who(customer_id=who)

    async def _private(self, _: Nothing, context: ToolContext) -> Nothing:
        self.told.append(context.customer_id)
        return Nothing()

    def box(
        self,
        audit: Rows,
        customer_id: str = "ann",
        assurance: Assurance = Assurance.CLAIMED,
        earlier: Iterable[ToolRun] = (),
    ) -> CallTools:
        tools = Tools(
            [
                Tool("check", "Checks.", Answer, Who, self._check, Effect.READ, verifies=True),
                Tool("look", "Looks.", Nothing, Nothing, self._private, Effect.READ, private=True),
                Tool(
                    "change",
                    "Changes.",
                    Nothing,
                    Nothing,
                    self._private,
                    Effect.WRITE,
                    Phase.TRANSACTIONAL,
                    private=True,
                ),
            ]
        )
        return CallTools(
            tools,
            Limits(Phase.TRANSACTIONAL),
            audit,
            call_id="call",
            customer_id=customer_id,
            now=lambda: datetime.now(UTC),
            earlier=earlier,
            assurance=assurance,
        )


async def code_of(running: Any) -> str:
    try:
        await running
    except ToolError as error:
        return error.code
    return ""


@pytest.mark.parametrize("assurance", list(Assurance))
async def test_private_tools_run_for_verified_customers_alone(assurance: Assurance) -> None:
    world, audit = World(), Rows()
    box = world.box(audit, assurance=assurance)
    expected = "" if assurance is Assurance.VERIFIED else "unverified"
    assert await code_of(box.read("look", {}, "t1")) == expected
    assert await code_of(box.write("change", {}, "t1", "")) == expected
    assert world.told == ([] if expected else ["ann", "ann"])
    assert {run.outcome for run in audit.runs} >= {Outcome.REFUSED if expected else Outcome.DONE}


async def test_the_right_answer_opens_them_and_is_audited_without_being_kept() -> None:
    world, audit = World(), Rows()
    box = world.box(audit)
    assert await box.read("check", {"word": "apple"}, "t1") == {"customer_id": "ann"}
    assert box.assurance is Assurance.VERIFIED
    await box.read("look", {}, "t2")
    assert world.told == ["ann"]
    (check, _) = audit.runs
    assert (check.tool, check.outcome, check.customer_id, check.turn_id) == ("check", Outcome.DONE, "ann", "t1")
    assert check.arguments == {"word": "[secret]"}
    assert "apple" not in repr(audit.runs)


async def test_an_unknown_person_becomes_whom_they_prove_to_be() -> None:
    world = World()
    box = world.box(Rows(), customer_id="", assurance=Assurance.NONE)
    await box.read("check", {"word": "banana"}, "t1")
    await box.read("look", {}, "t2")
    assert world.told == ["bob"]


async def test_proving_to_be_somebody_else_proves_nothing() -> None:
    world, audit = World(), Rows()
    box = world.box(audit, customer_id="ann")
    assert await code_of(box.read("check", {"word": "banana"}, "t1")) == "another_customer"
    assert box.assurance is Assurance.CLAIMED
    assert await code_of(box.read("look", {}, "t2")) == "unverified"
    assert audit.runs[0].result is None


async def test_three_wrong_answers_end_the_checks() -> None:
    world, audit = World(), Rows()
    box = world.box(audit)
    codes = [await code_of(box.read("check", {"word": word}, "t1")) for word in ("a", "b", "c", "apple")]
    assert codes == ["wrong", "wrong", "locked", "locked"]
    assert box.assurance is Assurance.CLAIMED
    assert await code_of(box.read("look", {}, "t2")) == "unverified"
    assert len({run.key for run in audit.runs if run.key}) == 3


async def test_a_system_that_cannot_be_reached_is_no_wrong_answer() -> None:
    audit = Rows()
    box = World().box(audit)
    codes = [await code_of(box.read("check", {"word": word}, "t1")) for word in ("down", "down", "down", "apple")]
    assert codes == ["unavailable", "unavailable", "unavailable", ""]
    assert box.assurance is Assurance.VERIFIED
    assert await code_of(World().box(Rows(), earlier=audit.runs[:3]).read("check", {"word": "apple"}, "t")) == ""


async def test_answers_at_the_same_time_are_counted_one_by_one() -> None:
    world, audit = World(), Rows()
    box = world.box(audit)
    words = [f"guess {n}" for n in range(19)] + ["apple"]
    codes = await asyncio.gather(*(code_of(box.read("check", {"word": word}, "t1")) for word in words))
    assert codes == ["wrong", "wrong"] + ["locked"] * 18
    assert box.assurance is Assurance.CLAIMED


async def test_what_is_no_answer_is_not_counted_and_not_kept() -> None:
    audit = Rows()
    box = World().box(audit)
    for _ in range(5):
        assert await code_of(box.read("check", {"wrd": "apple"}, "t1")) == "bad_arguments"
    assert "apple" not in repr(audit.runs)
    assert await code_of(box.read("check", {"word": "apple"}, "t1")) == ""


async def test_after_a_crash_who_was_verified_is_and_wrong_answers_are_remembered() -> None:
    audit = Rows()
    await World().box(audit).read("check", {"word": "apple"}, "t1")
    world = World()
    again = world.box(Rows(), earlier=audit.runs)
    assert again.assurance is Assurance.VERIFIED
    await again.read("look", {}, "t2")
    assert world.told == ["ann"]

    failed = Rows()
    box = World().box(failed)
    for word in "ab":
        await code_of(box.read("check", {"word": word}, "t1"))
    restarted = World().box(Rows(), earlier=failed.runs)
    assert await code_of(restarted.read("check", {"word": "c"}, "t3")) == "locked"


async def test_an_unknown_person_who_was_verified_before_a_crash_is_still_known() -> None:
    audit, world = Rows(), World()
    first = World().box(audit, customer_id="", assurance=Assurance.NONE)
    await first.read("check", {"word": "banana"}, "t1")
    again = world.box(Rows(), customer_id="", assurance=Assurance.NONE, earlier=audit.runs)
    await again.read("look", {}, "t2")
    assert world.told == ["bob"]


async def test_a_check_whose_row_cannot_be_stored_proves_nothing() -> None:
    world, audit = World(), Rows()
    box = world.box(audit)
    audit.broken = True
    assert await code_of(box.read("check", {"word": "apple"}, "t1")) == "fault"
    assert box.assurance is Assurance.CLAIMED
    assert await code_of(box.read("look", {}, "t1")) == "unverified"


async def test_another_customer_must_be_verified_anew() -> None:
    box = World().box(Rows())
    await box.read("check", {"word": "apple"}, "t1")
    box.identify("bob")
    assert box.assurance is Assurance.CLAIMED
    assert await code_of(box.read("look", {}, "t2")) == "unverified"


async def test_a_turn_whose_answer_is_being_checked_is_not_taken_back() -> None:
    """Else the write behind the check would be made for the turn that was taken back, and again for the next."""
    watched = WatchedToolbox(World().box(Rows()))
    await code_of(watched.read("look", {}, "t1"))
    assert watched.writes == 0
    await watched.read("check", {"word": "apple"}, "t2")
    assert watched.writes == 1
    await watched.read("look", {}, "t2")
    assert watched.writes == 1
    assert watched.assurance is Assurance.VERIFIED


def test_the_toolbox_tells_which_tools_verify() -> None:
    box = World().box(Rows())
    assert [box.verifies(name) for name in ("check", "look", "nothing")] == [True, False, False]
