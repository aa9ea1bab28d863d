"""Tools and a toolbox without a system of record behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from ccaas.errors import ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext

Answer = Mapping[str, Any] | ToolError | Callable[[Mapping[str, object]], Mapping[str, Any]]
"""What a fake tool answers: a result, an error to raise, or a function of the arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a `FakeToolbox` has seen."""

    name: str
    arguments: Mapping[str, object]
    turn_id: str
    confirmed_by: str
    """Empty for reads."""
    effect: Effect


class FakeToolbox:
    """A `Toolbox` that answers from a table and remembers what it was asked."""

    def __init__(
        self,
        answers: Mapping[str, Answer],
        *,
        private: Container[str] = (),
        verifying: Container[str] = (),
        tools: tuple[Tool, ...] = (),
    ) -> None:
        """`answers` by the tool's name; any other name raises ToolError "unknown_tool". `tools` are those it offers.

        Tools in `private` answer "unverified" until one in `verifying` has succeeded, as behind the real gate.
        """
        self._tools = tools
        self._answers = answers
        self._private = private
        self._verifying = verifying
        self.assurance = Assurance.NONE
        self.calls: list[ToolCall] = []

    def offered(self) -> tuple[Tool, ...]:
        return self._tools

    def verifies(self, name: str) -> bool:
        return name in self._verifying

    async def read(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        return self._answer(ToolCall(name, arguments, turn_id, "", Effect.READ))

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str, *, intent: str = ""
    ) -> dict[str, Any]:
        return self._answer(ToolCall(name, arguments, turn_id, confirmed_by, Effect.WRITE))

    async def rehearse(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        return {"would": name, "arguments": dict(arguments)}

    async def prepare(
        self, name: str, arguments: Mapping[str, object], turn_id: str, reason: str, *, intent: str = ""
    ) -> dict[str, Any]:
        self.calls.append(ToolCall(f"prepare {name}", arguments, turn_id, "", Effect.WRITE))
        return {"request_id": f"r-{name}", "state": "waiting"}

    async def undo(self, name: str, turn_id: str, *, intent: str = "") -> dict[str, Any]:
        return self._answer(ToolCall(f"undo {name}", {}, turn_id, "", Effect.WRITE))

    def _answer(self, call: ToolCall) -> dict[str, Any]:
        self.calls.append(call)
        answer = self._answers.get(call.name)
        if answer is None:
            raise ToolError("unknown_tool", f"there is no tool named {call.name!r}")
        if call.name in self._private and self.assurance is not Assurance.VERIFIED:
            raise ToolError("unverified", "The customer must be verified first.")
        if isinstance(answer, ToolError):
            raise answer
        result = dict(answer if isinstance(answer, Mapping) else answer(call.arguments))
        if self.verifies(call.name):
            self.assurance = Assurance.VERIFIED
        return result


class Account(BaseModel):
    """Whose account."""

    account: str


class Deposit(BaseModel):
    """Money paid in."""

    account: str
    amount: int = Field(gt=0)


class Balance(BaseModel):
    """What stands in the account."""

    balance: int


class Deposited(BaseModel):
    """The account before and after."""

    before: Balance
    after: Balance


class FakeBank:
    """A system of record in memory: accounts that are read and paid into."""

    def __init__(self, accounts: Mapping[str, int]) -> None:
        self.accounts = dict(accounts)
        self.deposits = 0
        """How many deposits were really made."""
        self.gate = asyncio.Event()
        """Deposits wait for it; open at first."""
        self.gate.set()
        self.waiting = asyncio.Event()
        """A deposit has arrived at the gate."""
        self._keys: dict[str, Deposited] = {}

    def tools(self) -> tuple[Tool, ...]:
        """`get_balance`, and `deposit`, which wants a spoken confirmation."""
        return (
            Tool("get_balance", "What stands in an account.", Account, Balance, self._get_balance, Effect.READ),
            Tool(
                "deposit",
                "Pay into an account.",
                Deposit,
                Deposited,
                self._deposit,
                Effect.WRITE,
                Phase.TRANSACTIONAL,
                Confirmation.SPOKEN,
            ),
        )

    async def _get_balance(self, asked: Account, context: ToolContext) -> Balance:
        return Balance(balance=self._balance(asked.account))

    async def _deposit(self, asked: Deposit, context: ToolContext) -> Deposited:
        self.waiting.set()
        await self.gate.wait()
        done = self._keys.get(context.key)
        if done is None:
            before = self._balance(asked.account)
            self.accounts[asked.account] = before + asked.amount
            self.deposits += 1
            done = Deposited(before=Balance(balance=before), after=Balance(balance=before + asked.amount))
            self._keys[context.key] = done
        return done

    def _balance(self, account: str) -> int:
        balance = self.accounts.get(account)
        if balance is None:
            raise ToolError("not_found", f"There is no account {account}.")
        return balance
