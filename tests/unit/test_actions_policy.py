"""The YAML's rules, caps, second factors, undoing and rehearsals: what the gate refuses, by which rule, and what it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel

from ccaas.actions import Books, CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.actions.settings import RuleSettings
from ccaas.errors import PluginError, ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import CONCIERGE_ONLY, Caps, Confirmation, Effect, Phase, Tool, ToolContext, Undo

DAY = datetime(2024, 5, 15, 15, tzinfo=UTC)
TWO = Phase.TRANSACTIONAL
ALLOWED = Limits(TWO)


class Rows:
    """An audit in memory: the newest row of each key."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.runs = [one for one in self.runs if one.key != run.key or not run.key] + [run]

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


class Sum(BaseModel):
    """How much."""

    amount: float = 10


class Number(BaseModel):
    """Which one."""

    number: int


class Who(BaseModel):
    """Who proved it."""

    customer_id: str = "ann"


class Till:
    """A system of record with money in it."""

    def __init__(self) -> None:
        self.paid: dict[str, float] = {}
        self.fails = False
        self.rehearsed = 0

    async def pay(self, asked: Sum, context: ToolContext) -> Number:
        if context.rehearsal:
            self.rehearsed += 1
            return Number(number=0)
        if self.fails:
            raise ToolError("not_allowed", "The till is closed.")
        self.paid[context.key] = asked.amount
        return Number(number=len(self.paid))

    async def take_back(self, asked: Number, context: ToolContext) -> Number:
        self.paid.pop(list(self.paid)[asked.number - 1])
        return asked

    async def prove(self, _: BaseModel, context: ToolContext) -> Who:
        return Who()

    def tools(self, **changes: Any) -> list[Tool]:
        pay = Tool(
            "pay", "Pays.", Sum, Number, self.pay, Effect.WRITE, TWO, money=True, amount="amount", rehearses=True
        )
        undo = Undo("take_back", lambda _, result: {"number": result["number"]})
        return [
            replace(pay, undo=undo, **changes),
            Tool("take_back", "Takes back.", Number, Number, self.take_back, Effect.WRITE, Phase.PROACTIVE),
            Tool("dob", "Proves.", Sum, Who, self.prove, Effect.READ, verifies=True),
            Tool("code", "Proves.", Sum, Who, self.prove, Effect.READ, verifies=True),
        ]


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    books = await Books.open(tmp_path / "actions.sqlite")
    yield books
    await books.close()


def box(
    till: Till,
    rows: Rows,
    *,
    limits: Limits = ALLOWED,
    books: Books | None = None,
    call: str = "call",
    earlier: Iterable[ToolRun] = (),
    actor: str = "butler",
    **changes: Any,
) -> CallTools:
    return CallTools(
        Tools(till.tools(**changes)),
        limits,
        rows,
        call_id=call,
        customer_id="ann",
        now=lambda: DAY,
        books=books,
        earlier=earlier,
        assurance=Assurance.CLAIMED,
        actor=actor,
    )


async def refusal(running: Any) -> tuple[str, str]:
    """Code and rule of what was refused; empty when it was not."""
    try:
        await running
    except ToolError as error:
        return error.code, error.rule
    return "", ""


def rule(**fields: Any) -> RuleSettings:
    return RuleSettings.model_validate({"name": "ours", **fields})


@pytest.mark.parametrize(
    ("fields", "here", "intent", "expected"),
    [
        ({"phase": "informational"}, ("air", "sms"), "trip", ("refused", "ours")),
        ({"allow": False}, ("air", "sms"), "trip", ("refused", "ours")),
        ({"allow": False, "channels": ["sms"]}, ("air", "voice"), "trip", ("", "")),
        ({"allow": False, "channels": ["sms"]}, ("air", "sms"), "trip", ("refused", "ours")),
        ({"allow": False, "entries": ["rail"]}, ("air", "sms"), "trip", ("", "")),
        ({"allow": False, "entries": ["air"]}, ("air", "sms"), "trip", ("refused", "ours")),
        ({"allow": False, "intents": ["refund"]}, ("air", "sms"), "trip", ("", "")),
        ({"allow": False, "intents": ["refund"]}, ("air", "sms"), "refund", ("refused", "ours")),
        # What does not say what it is about is not let off.
        ({"allow": False, "intents": ["refund"]}, ("air", "sms"), "", ("refused", "ours")),
        ({"allow": False, "tools": ["take_back"]}, ("air", "sms"), "trip", ("", "")),
        ({"amount": 9.5, "tools": ["pay"]}, ("air", "sms"), "trip", ("limit", "ours")),
        ({"amount": 10, "tools": ["pay"]}, ("air", "sms"), "trip", ("", "")),
        ({"phase": "proactive"}, ("air", "sms"), "trip", ("", "")),
    ],
)
async def test_a_rule_holds_where_it_fits_and_its_name_is_told(
    fields: dict[str, Any], here: tuple[str, str], intent: str, expected: tuple[str, str]
) -> None:
    till, rows = Till(), Rows()
    limits = Limits(TWO, rules=(rule(**fields),), entry=here[0], channel=here[1])
    before = REGISTRY.get_sample_value("ccaas_tool_refusals_total", {"tool": "pay", "rule": "ours"}) or 0
    assert await refusal(box(till, rows, limits=limits).write("pay", {}, "t1", "", intent=intent)) == expected
    after = REGISTRY.get_sample_value("ccaas_tool_refusals_total", {"tool": "pay", "rule": "ours"}) or 0
    refused = expected != ("", "")
    assert (len(till.paid), after - before) == (int(not refused), int(refused))
    assert rows.runs[-1].rule == expected[1]
    assert rows.runs[-1].intent == intent


async def test_phases_and_rules_bind_the_agent_and_caps_bind_everybody() -> None:
    till, rows = Till(), Rows()
    strict = Limits(Phase.INFORMATIONAL, rules=(rule(allow=False), rule(name="cap", amount=15, tools=["pay"])))
    human = box(till, rows, limits=strict, actor="human:kim", caps=Caps(amount=50), confirmation=Confirmation.SPOKEN)
    assert await refusal(human.write("pay", {"amount": 12}, "t1", "human:kim")) == ("", "")
    assert (rows.runs[-1].actor, rows.runs[-1].confirmed_by) == ("human:kim", "human:kim")
    assert await refusal(human.write("pay", {"amount": 20}, "t1", "human:kim")) == ("limit", "cap")
    assert await refusal(human.write("pay", {"amount": 60}, "t1", "human:kim")) == ("limit", "amount:pay")


async def test_what_only_a_person_may_do_is_no_matter_of_the_phase() -> None:
    till, rows = Till(), Rows()
    agent = box(till, rows, limits=Limits(Phase.PROACTIVE), callers=CONCIERGE_ONLY)
    assert await refusal(agent.write("pay", {}, "t1", "t1")) == ("needs_approval", "callers")
    assert till.paid == {}


async def test_a_count_per_day_holds_over_conversations_processes_and_crashes(books: Books, tmp_path: Path) -> None:
    till, rows = Till(), Rows()
    other = await Books.open(tmp_path / "actions.sqlite")  # as another process has the file open
    caps = Caps(per_day=2)
    several = [box(till, rows, books=one, call=f"c{n}", caps=caps) for n, one in enumerate([books, other] * 4)]
    results = await asyncio.gather(*(refusal(one.write("pay", {}, "t1", "")) for one in several))
    assert sorted(results) == [("", "")] * 2 + [("limit", "per_day:pay")] * 6
    assert len(till.paid) == 2
    # The same write again is no further one.
    first = several[results.index(("", ""))]
    assert await refusal(first.write("pay", {}, "t1", "")) == ("", "")
    await other.close()
    reopened = await Books.open(tmp_path / "actions.sqlite")
    assert await refusal(box(till, rows, books=reopened, call="c9", caps=caps).write("pay", {}, "t1", "")) == (
        "limit",
        "per_day:pay",
    )
    await reopened.close()


async def test_what_came_to_nothing_does_not_count(books: Books) -> None:
    till, rows = Till(), Rows()
    agent = box(till, rows, books=books, caps=Caps(per_day=1))
    till.fails = True
    assert await refusal(agent.write("pay", {}, "t1", "")) == ("not_allowed", "")
    till.fails = False
    assert await refusal(agent.write("pay", {}, "t2", "")) == ("", "")


async def test_without_books_nothing_that_is_counted_is_done() -> None:
    till = Till()
    assert (await refusal(box(till, Rows(), caps=Caps(per_day=1)).write("pay", {}, "t1", "")))[0] == "unavailable"
    assert till.paid == {}


async def test_a_second_factor_is_two_proofs_and_a_yes() -> None:
    till, rows = Till(), Rows()
    agent = box(till, rows, confirmation=Confirmation.SECOND_FACTOR)
    assert (await refusal(agent.write("pay", {}, "t1", "t1")))[0] == "second_factor"
    for _ in range(2):
        await agent.read("dob", {}, "t2")
    assert (await refusal(agent.write("pay", {}, "t3", "t3")))[0] == "second_factor"
    await agent.read("code", {}, "t4")
    assert (await refusal(agent.write("pay", {}, "t5", "")))[0] == "unconfirmed"
    # After a crash both proofs are still there.
    again = box(till, rows, confirmation=Confirmation.SECOND_FACTOR, earlier=[run for run in rows.runs if run.key])
    assert await refusal(again.write("pay", {}, "t5", "t5")) == ("", "")


async def test_undoing_takes_back_once_and_the_same_wish_later_is_a_new_write() -> None:
    till, rows = Till(), Rows()
    agent = box(till, rows)
    assert (await refusal(agent.undo("pay", "t0")))[0] == "nothing_done"
    await agent.write("pay", {}, "t1", "")
    # The tool that undoes is beyond the phase: taking back what was allowed needs no leave.
    await agent.undo("pay", "t1")
    assert till.paid == {}
    assert (await refusal(agent.undo("pay", "t1")))[0] == "nothing_done"
    undone = [run for run in rows.runs if run.tool == "take_back"]
    assert [(run.outcome, run.confirmed_by) for run in undone] == [(Outcome.DONE, f"undo:{rows.runs[0].key}")]
    again = box(till, rows, earlier=[run for run in rows.runs if run.key])
    await again.write("pay", {}, "t2", "")
    assert len(till.paid) == 1


async def test_an_undoing_that_a_crash_cut_off_is_finished_before_the_same_wish() -> None:
    till, rows = Till(), Rows()
    await box(till, rows).write("pay", {}, "t1", "")
    cut_off = replace(rows.runs[0], tool="take_back", key="k", confirmed_by=f"undo:{rows.runs[0].key}")
    earlier = [rows.runs[0], replace(cut_off, outcome=Outcome.INTENDED, arguments={"number": 1}, result=None)]
    first = rows.runs[0].key
    await box(till, rows, earlier=earlier).write("pay", {}, "t2", "")
    assert len(till.paid) == 1
    assert first not in till.paid


async def test_a_rehearsal_changes_nothing_and_is_kept() -> None:
    till, rows = Till(), Rows()
    agent = box(till, rows, confirmation=Confirmation.SPOKEN)
    assert await agent.rehearse("pay", {"amount": 3}, "t1") == {"number": 0}
    assert await agent.rehearse("pay", {"amount": 3}, "t1") == {"number": 0}
    assert (till.paid, till.rehearsed) == ({}, 2)
    assert rows.runs[-1].outcome is Outcome.REHEARSED
    # A tool that cannot rehearse is not run at all.
    told = await box(till, rows, rehearses=False).rehearse("pay", {"amount": 3}, "t1")
    assert told == {"would": "Pays.", "arguments": {"amount": 3}}
    assert till.paid == {}
    assert (await refusal(agent.rehearse("pay", {"amount": "much"}, "t1")))[0] == "bad_arguments"
    assert (await refusal(box(till, rows, limits=Limits()).rehearse("pay", {}, "t1")))[0] == "refused"
    # A check is not tried: its answers count.
    assert "customer_id" not in await agent.rehearse("dob", {}, "t1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"caps": Caps(amount=5), "amount": ""}, "its amount is capped"),
        ({"amount": "price"}, "no field of its input"),
        ({"money": False}, "so it commits money"),
        ({"callers": frozenset()}, "nobody may call it"),
        ({"effect": Effect.READ, "phase": Phase.INFORMATIONAL}, "it only reads"),
        ({"undo": Undo("dob", lambda *_: {})}, "which is no writing tool"),
        ({"undo": Undo("gone", lambda *_: {})}, "which is no writing tool"),
    ],
)
def test_a_contradictory_declaration_is_refused_at_boot(changes: dict[str, Any], said: str) -> None:
    tools = Till().tools()
    with pytest.raises(PluginError, match=said):
        Tools([replace(tools[0], **changes), *tools[1:]])
