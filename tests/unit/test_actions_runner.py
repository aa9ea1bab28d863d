"""How tools run: time limits, faults, cancellation, keys, and what the audit keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, Field

from ccaas.actions import CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.errors import CcaasError, ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas.testing.fakes.tools import FakeBank

PAY = {"account": "a", "amount": 5}


class Rows:
    """An audit in memory; `broken` has it refuse."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []
        self.broken = False

    async def store(self, run: ToolRun) -> None:
        if self.broken:
            raise CcaasError("the disk is full")
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)

    def outcomes(self) -> list[Outcome]:
        return [run.outcome for run in self.runs]


def box(tools: Iterable[Tool], audit: Rows, earlier: Iterable[ToolRun] = ()) -> CallTools:
    return CallTools(
        Tools(tools),
        Limits(Phase.TRANSACTIONAL),
        audit,
        call_id="call",
        customer_id="who",
        now=lambda: datetime.now(UTC),
        earlier=earlier,
    )


class Text(BaseModel):
    """Some text."""

    text: str = ""


class Other(BaseModel):
    """Not what the tool declares."""


class Edited(Text):
    """A change whose states are for the audit alone."""

    before: Text | None = Field(None, exclude=True)
    after: Text | None = Field(None, exclude=True)


def tool(
    run: Callable[[Text, ToolContext], Awaitable[BaseModel]], effect: Effect, output: type[BaseModel] = Text
) -> Tool:
    phase = Phase.TRANSACTIONAL if effect is Effect.WRITE else Phase.INFORMATIONAL
    return Tool("probe", "Probes.", Text, output, run, effect, phase, Confirmation.NONE, timeout_s=0.02)


async def hangs(_: Text, context: ToolContext) -> Text:
    await asyncio.Event().wait()
    return Text()


async def breaks(_: Text, context: ToolContext) -> Text:
    raise ZeroDivisionError("secret inside")


def breaks_at_once(_: Text, context: ToolContext) -> Awaitable[Text]:
    raise AttributeError("not even a coroutine")


async def cancels(_: Text, context: ToolContext) -> Text:
    raise asyncio.CancelledError


async def wrong(_: Text, context: ToolContext) -> BaseModel:
    return Other()


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("run", [breaks, breaks_at_once, cancels, wrong])
async def test_a_fault_is_a_tool_error(run: Callable[..., Awaitable[BaseModel]], effect: Effect) -> None:
    audit = Rows()
    tools = box([tool(run, effect)], audit)
    with pytest.raises(ToolError) as error:
        await (tools.read("probe", {}, "t") if effect is Effect.READ else tools.write("probe", {}, "t", ""))
    assert error.value.code == "fault"
    assert "secret" not in str(error.value)
    assert audit.runs[-1].outcome is Outcome.FAULT


async def test_a_slow_read_times_out_and_is_cancelled() -> None:
    audit = Rows()
    before = asyncio.all_tasks()
    with pytest.raises(ToolError) as error:
        await box([tool(hangs, Effect.READ)], audit).read("probe", {}, "t")
    assert error.value.code == "timeout"
    assert audit.outcomes() == [Outcome.TIMEOUT]
    await asyncio.wait(asyncio.all_tasks() - before or {asyncio.ensure_future(asyncio.sleep(0))})
    assert asyncio.all_tasks() == before


async def test_a_slow_write_times_out_for_the_caller_and_still_ends_well() -> None:
    gate, audit, runs = asyncio.Event(), Rows(), 0

    async def waits(_: Text, context: ToolContext) -> Text:
        nonlocal runs
        runs += 1
        await gate.wait()
        return Text(text=context.key)

    tools = box([tool(waits, Effect.WRITE)], audit)
    for _ in range(2):
        with pytest.raises(ToolError) as error:
            await tools.write("probe", {}, "t", "")
        assert error.value.code == "timeout"
    gate.set()
    await tools.settle()
    assert audit.outcomes() == [Outcome.INTENDED, Outcome.DONE]
    answer = await tools.write("probe", {}, "t", "")
    assert answer == {"text": audit.runs[0].key}
    assert runs == 1


async def test_cancellation_does_not_stop_a_write() -> None:
    bank, audit = FakeBank({"a": 100}), Rows()
    bank.gate.clear()
    tools = box(bank.tools(), audit)
    turn = asyncio.create_task(tools.write("deposit", PAY, "t1", "t1"))
    await bank.waiting.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert bank.deposits == 0
    bank.gate.set()
    await tools.settle()
    assert bank.accounts == {"a": 105}
    assert audit.outcomes() == [Outcome.INTENDED, Outcome.DONE]
    again = await tools.write("deposit", PAY, "t1", "t1")
    assert again["after"] == {"balance": 105}
    assert bank.deposits == 1


async def test_the_same_write_at_the_same_time_is_one_write() -> None:
    bank = FakeBank({"a": 100})
    tools = box(bank.tools(), Rows())
    answers = await asyncio.gather(*(tools.write("deposit", PAY, "t1", "t1") for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert bank.deposits == 1


async def test_the_spelling_of_arguments_does_not_matter() -> None:
    bank = FakeBank({"a": 100})
    tools = box(bank.tools(), Rows())
    await tools.write("deposit", {"account": "a", "amount": 5}, "t1", "t1")
    await tools.write("deposit", {"amount": "5", "account": "a"}, "t1", "t1")
    assert bank.deposits == 1
    await tools.write("deposit", {"amount": 5, "account": "a"}, "t2", "t2")
    assert bank.deposits == 2


async def test_a_refused_write_may_be_tried_again() -> None:
    bank, audit = FakeBank({}), Rows()
    tools = box(bank.tools(), audit)
    with pytest.raises(ToolError, match="no account"):
        await tools.write("deposit", PAY, "t1", "t1")
    bank.accounts["a"] = 0
    await tools.write("deposit", PAY, "t1", "t1")
    assert audit.outcomes() == [Outcome.INTENDED, Outcome.REFUSED, Outcome.INTENDED, Outcome.DONE]
    assert len({run.key for run in audit.runs}) == 1


async def test_no_write_without_its_row() -> None:
    bank, audit = FakeBank({"a": 100}), Rows()
    audit.broken = True
    with pytest.raises(ToolError) as error:
        await box(bank.tools(), audit).write("deposit", PAY, "t1", "t1")
    assert error.value.code == "unavailable"
    assert bank.deposits == 0


async def test_a_made_write_is_told_even_if_its_last_row_is_lost() -> None:
    bank, audit = FakeBank({"a": 100}), Rows()
    bank.gate.clear()
    tools = box(bank.tools(), audit)
    turn = asyncio.create_task(tools.write("deposit", PAY, "t1", "t1"))
    await bank.waiting.wait()
    audit.broken = True
    bank.gate.set()
    assert (await turn)["after"] == {"balance": 105}


@pytest.mark.parametrize("outcome", [Outcome.INTENDED, Outcome.TIMEOUT, Outcome.FAULT])
async def test_after_a_crash_the_same_write_keeps_its_key(outcome: Outcome) -> None:
    """Killed between "intended" and "done": the bank knows the key, so the caller's second yes changes nothing more."""
    bank, audit = FakeBank({"a": 100}), Rows()
    await box(bank.tools(), audit).write("deposit", PAY, "t5", "t5")
    lost = [run for run in audit.runs if run.outcome is Outcome.INTENDED]
    earlier = [replace(run, outcome=outcome) for run in lost]
    restarted = box(bank.tools(), audit, earlier)
    answer = await restarted.write("deposit", PAY, "t6", "t6")
    assert answer["after"] == {"balance": 105}
    assert bank.deposits == 1
    # A second wish after that is a second write.
    await restarted.write("deposit", PAY, "t7", "t7")
    assert bank.deposits == 2


async def test_after_a_crash_a_finished_write_is_answered_from_the_journal() -> None:
    bank, audit = FakeBank({"a": 100}), Rows()
    first = await box(bank.tools(), audit).write("deposit", PAY, "t5", "t5")
    forgetful = FakeBank({"a": 105})
    restarted = box(forgetful.tools(), Rows(), audit.runs)
    assert await restarted.write("deposit", PAY, "t6", "t6") == first
    assert await restarted.write("deposit", PAY, "t6", "t6") == first
    assert forgetful.deposits == 0


async def test_the_audit_keeps_states_that_the_answer_leaves_out() -> None:
    async def edits(asked: Text, context: ToolContext) -> Edited:
        return Edited(text="new", before=Text(text="old"), after=Text(text="new"))

    audit = Rows()
    assert await box([tool(edits, Effect.WRITE, Edited)], audit).write("probe", {}, "t", "") == {"text": "new"}
    assert (audit.runs[-1].before, audit.runs[-1].after) == ({"text": "old"}, {"text": "new"})
