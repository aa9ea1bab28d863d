"""Runs operations until the caller must speak, or until a write may not run yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ccaas.errors import ToolError
from ccaas.ports.reasoning import DialogueContext, Ending
from ccaas_flows.program import (
    Ask,
    Branch,
    Choose,
    Confirm,
    Done,
    End,
    Forget,
    Jump,
    Listen,
    Op,
    Program,
    Read,
    Say,
    Set,
    Transfer,
    Write,
)  # fmt: skip
from ccaas_flows.state import State, Waiting
from ccaas_flows.templates import MISSING, argument, look_up, render

_STEPS_AT_ONCE = 500
"""Operations between two questions; more is a loop in the file."""


class Stopped(Enum):
    """Why the run paused."""

    WAITING = "waiting"
    WRITE = "write"
    """A write stands next, and the turn is not committed."""
    OVER = "over"


@dataclass(slots=True)
class Spoken:
    """What a run says."""

    sentences: list[str] = field(default_factory=list)
    ending: Ending | None = None
    destination: str = ""
    interruptible: bool = True
    aside: bool = False
    """Not to be repeated when the caller asks again: what was said before is."""

    def say(self, text: str) -> None:
        """Append a sentence; empty ones are dropped."""
        if text:
            self.sentences.append(text)

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(self.sentences)


class Machine:
    """The operations of one program for one call."""

    def __init__(self, program: Program, context: DialogueContext) -> None:
        self._program = program
        self._context = context
        self._today = context.now.date()

    def values(self, state: State, extra: Mapping[str, object] | None = None) -> dict[str, object]:
        """Everything that braces may name."""
        customer = self._context.customer
        known: dict[str, object] = {
            "business": self._program.business,
            "ani": self._context.ani,
            "dnis": self._context.dnis,
            "today": self._today.isoformat(),
            **state.values,
            **state.slots,
        }
        if customer is not None:
            known["customer"] = {
                "id": customer.id, "first_name": customer.first_name, "last_name": customer.last_name, "tier": customer.tier,
                **customer.attributes,
            }  # fmt: skip
        return known | dict(extra or {})

    def text(self, template: str, state: State, extra: Mapping[str, object] | None = None) -> str:
        """A sentence with its values."""
        said = render(template, self.values(state, extra), self._program.slots, self._today)
        return said[:1].upper() + said[1:]

    def op(self, state: State) -> Op | None:
        """The operation whose answer is awaited; None outside of flows."""
        ops = self._program.flows.get(state.flow, ())
        return ops[state.index] if state.waiting is Waiting.STEP and state.index < len(ops) else None

    def enter(self, state: State, flow: str) -> None:
        """Stand at the beginning of a flow."""
        state.flow, state.index, state.waiting, state.tries, state.offered = flow, 0, Waiting.NOTHING, 0, 0

    def proceed(self, state: State, index: int | None = None) -> None:
        """Leave the awaited operation: to the next one, or to `index`."""
        state.index = state.index + 1 if index is None else index
        state.waiting, state.tries, state.offered = Waiting.NOTHING, 0, 0

    async def run(self, state: State, out: Spoken, turn_id: str, may_write: bool) -> Stopped:
        """Run on from where `state` stands."""
        for _ in range(_STEPS_AT_ONCE):
            if state.waiting is not Waiting.NOTHING or out.ending is not None:
                return Stopped.OVER if out.ending is not None else Stopped.WAITING
            op = self._program.flows[state.flow][state.index]
            if isinstance(op, Write) and not may_write:
                return Stopped.WRITE
            if isinstance(op, Read | Write):
                await self._tool(op, state, out, turn_id)
            else:
                self._step(op, state, out)
        out.say(self._program.words.trouble)
        self.idle(state, out)
        return Stopped.WAITING

    def idle(self, state: State, out: Spoken, question: str = "") -> None:
        """The flow is over: ask what else there is."""
        state.flow, state.index, state.waiting = "", 0, Waiting.OPEN
        state.tries, state.offered, state.confirmed_by = 0, 0, ""
        self.question(state, out, question or self._program.words.anything_else)

    def question(self, state: State, out: Spoken, text: str) -> None:
        """Say a question and remember it."""
        state.question = self.text(text, state)
        out.say(state.question)

    def _step(self, op: Op, state: State, out: Spoken) -> None:
        match op:
            case Say():
                out.say(self.text(op.text, state))
                out.interruptible = out.interruptible and op.interruptible
            case Ask():
                if op.slot in state.slots:
                    self.proceed(state)
                    return
                state.waiting = Waiting.STEP
                self.question(state, out, op.question)
                return
            case Listen():
                state.waiting = Waiting.STEP
                self.question(state, out, op.text)
                return
            case Confirm():
                state.waiting = Waiting.STEP
                self.question(state, out, op.text)
                return
            case Choose():
                self.offer(op, state, out)
                return
            case Branch():
                if not self._holds(op, state):
                    state.index = op.otherwise
                    return
            case Jump():
                if op.flow:
                    self.enter(state, op.flow)
                else:
                    state.index = op.target
                return
            case Set():
                values = self.values(state)
                for name, template in op.values.items():
                    value = argument(template, values, self._program.slots, self._today)
                    if value is MISSING:
                        continue
                    if name in self._program.slots:
                        state.slots[name] = str(value)
                    else:
                        state.values[name] = value
            case Forget():
                for name in op.names:
                    state.slots.pop(name, None)
                    state.values.pop(name, None)
            case Transfer():
                self.transfer(out, op.destination, self.text(op.text, state))
                return
            case End():
                out.say(self.text(op.text, state))
                out.ending = Ending.HANG_UP
                return
            case Done():
                out.say(self.text(op.text, state))
                self.idle(state, out)
                return
            case Read() | Write():
                raise AssertionError(op)
        state.index += 1

    def transfer(self, out: Spoken, destination: str, text: str) -> None:
        """End with a transfer."""
        out.say(text)
        out.ending, out.destination = Ending.TRANSFER, destination

    def options(self, op: Choose, state: State) -> list[object]:
        """The items of a choice."""
        found = look_up(op.path, self.values(state))
        return list(found) if isinstance(found, list | tuple) else []

    def offer(self, op: Choose, state: State, out: Spoken) -> None:
        """Offer the item at `state.offered`, or leave the choice when there is none."""
        items = self.options(op, state)
        if state.offered >= len(items):
            self.proceed(state, op.none)
            return
        state.waiting = Waiting.STEP
        extra = {"option": items[state.offered]}
        state.question = self.text(op.more if state.offered else op.offer, state, extra)
        out.say(state.question)

    def _holds(self, op: Branch, state: State) -> bool:
        value = look_up(op.value, self.values(state))
        known = value is not MISSING and value != ""
        if op.known is not None and known is not op.known:
            return False
        if op.equals is not None and (not known or str(value).lower() != str(op.equals).lower()):
            return False
        if op.one_of is not None and (not known or str(value) not in op.one_of):
            return False
        for bound, above in ((op.above, True), (op.below, False)):
            if bound is None:
                continue
            try:
                number = float(str(value))
            except ValueError:
                return False
            if not (number > bound if above else number < bound):
                return False
        return True

    async def _tool(self, op: Read | Write, state: State, out: Spoken, turn_id: str) -> None:
        values = self.values(state)
        made = {k: argument(v, values, self._program.slots, self._today) for k, v in op.arguments.items()}
        arguments = {k: v for k, v in made.items() if v is not MISSING and v != ""}
        try:
            if isinstance(op, Write):
                result = await self._context.tools.write(op.tool, arguments, turn_id, state.confirmed_by)
            else:
                result = await self._context.tools.read(op.tool, arguments, turn_id)
        except ToolError as error:
            self._failed(op, error, state, out)
            return
        if op.name:
            state.values[op.name] = result
        state.index += 1

    def _failed(self, op: Read | Write, error: ToolError, state: State, out: Spoken) -> None:
        """Go to the steps for this error; without any, tell it as it is and end the flow."""
        state.values["error"] = {"code": error.code, "message": str(error)}
        target = op.errors.get(error.code, op.errors.get("any"))
        if target is not None:
            state.index = target
            return
        ours = error.code in {"timeout", "fault", "refused", "unconfirmed", "bad_arguments", "unavailable"}
        out.say(self._program.words.trouble if ours else str(error))
        if ours and self._program.give_up_to:
            self.transfer(out, self._program.give_up_to, self._program.give_up)
            return
        self.idle(state, out)
