"""What may run: effect, phase, allow-list, confirmation, arguments."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from ccaas.actions import CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.errors import PluginError, ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from ccaas.testing.fakes.tools import FakeBank

PAY = {"account": "a", "amount": 5}


class Rows:
    """An audit in memory."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


def box(bank: FakeBank, audit: Rows, limits: Limits) -> CallTools:
    return CallTools(
        Tools(bank.tools()), limits, audit, call_id="call", customer_id="who", now=lambda: datetime.now(UTC)
    )


def allowed(effect: Effect, wanted: Effect, limits: Limits, confirmed: bool) -> str:
    """The rule, written a second time: the code of the refusal, or nothing."""
    if effect is not wanted:
        return "refused"
    if effect is Effect.READ:
        return ""
    if limits.phase < Phase.TRANSACTIONAL or limits.writes == frozenset():
        return "refused"
    return "" if confirmed else "unconfirmed"


@pytest.mark.parametrize(
    ("effect", "wanted", "phase", "writes", "confirmed"),
    list(itertools.product(Effect, Effect, Phase, (None, frozenset(), frozenset({"deposit"})), (False, True))),
)
async def test_gate_matrix(
    effect: Effect, wanted: Effect, phase: Phase, writes: frozenset[str] | None, confirmed: bool
) -> None:
    bank, audit, limits = FakeBank({"a": 100}), Rows(), Limits(phase, writes)
    name = "deposit" if effect is Effect.WRITE else "get_balance"
    arguments = PAY if effect is Effect.WRITE else {"account": "a"}
    tools = box(bank, audit, limits)
    code = ""
    try:
        if wanted is Effect.READ:
            await tools.read(name, arguments, "t1")
        else:
            await tools.write(name, arguments, "t1", "t1" if confirmed else "")
    except ToolError as error:
        code = error.code
    assert code == allowed(effect, wanted, limits, confirmed)
    assert bank.deposits == (effect is Effect.WRITE and not code)
    last = audit.runs[-1]
    assert (last.tool, last.call_id, last.turn_id, last.customer_id) == (name, "call", "t1", "who")
    assert last.outcome is (Outcome.REFUSED if code else Outcome.DONE)


async def test_a_yes_covers_one_set_of_arguments() -> None:
    bank = FakeBank({"a": 100})
    tools = box(bank, Rows(), Limits(Phase.TRANSACTIONAL))
    await tools.write("deposit", PAY, "t1", "yes-1")
    with pytest.raises(ToolError, match="another deposit") as error:
        await tools.write("deposit", {"account": "a", "amount": 50}, "t1", "yes-1")
    assert error.value.code == "unconfirmed"
    await tools.write("deposit", {"account": "a", "amount": 50}, "t2", "yes-2")
    assert bank.accounts["a"] == 155


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("deposit", {"account": "a"}, "bad_arguments"),
        ("deposit", {"account": "a", "amount": -1}, "bad_arguments"),
        ("deposit", {"account": ["a"], "amount": {}}, "bad_arguments"),
        ("deposit", {"account": "nobody", "amount": 5}, "not_found"),
        ("withdraw", PAY, "unknown_tool"),
    ],
)
async def test_bad_arguments_are_tool_errors_with_a_row(name: str, arguments: dict[str, object], code: str) -> None:
    bank, audit = FakeBank({"a": 100}), Rows()
    with pytest.raises(ToolError) as error:
        await box(bank, audit, Limits(Phase.TRANSACTIONAL)).write(name, arguments, "t1", "t1")
    assert error.value.code == code
    assert audit.runs[-1].error.startswith(f"{code}: ")
    assert bank.accounts == {"a": 100}


class Plain(BaseModel):
    """Anything."""

    text: str = ""


async def run(_: Plain, context: ToolContext) -> Plain:
    return Plain()


READ = Tool("look", "Looks.", Plain, Plain, run, Effect.READ)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (replace(READ, name="Look Up"), "lower-case"),
        (replace(READ, description=" "), "no description"),
        (replace(READ, timeout_s=0), "time limit"),
        (replace(READ, effect=Effect.WRITE), "at least 2"),
        (replace(READ, confirmation=Confirmation.SPOKEN), "only reads"),
        (replace(READ, verifies=True), "has a field customer_id"),
        (replace(READ, verifies=True, private=True), "not verified yet"),
        (replace(READ, verifies=True, effect=Effect.WRITE, phase=Phase.TRANSACTIONAL), "only reads"),
    ],
)
def test_a_contradictory_tool_is_refused_at_boot(tool: Tool, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        Tools([tool])


def test_two_tools_of_one_name_are_refused_at_boot() -> None:
    with pytest.raises(PluginError, match="two plug-ins offer a tool named 'look'"):
        Tools([READ, READ])
