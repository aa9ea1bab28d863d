"""Runs operations until the caller must speak, or until a write may not run yet.

Long because what each operation means, and what each failure of a tool comes to, stands in one place.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ccaas.errors import ToolError
from ccaas.ports.journey import Assurance, ThreadState
from ccaas.ports.reasoning import DialogueContext, Ending
from ccaas_flows.program import (
    VERIFY,
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
    Outcome,
    Prepare,
    Program,
    Promise,
    Read,
    Say,
    Set,
    Transfer,
    UndoWrite,
    Write,
)  # fmt: skip
from ccaas_flows.secrecy import Secrecy
from ccaas_flows.state import State, Subject, Waiting
from ccaas_flows.templates import MISSING, SPOKEN, WRITTEN, argument, look_up, render
from ccaas_flows.topics import Topics, to_json

_STEPS_AT_ONCE = 500
"""Operations between two questions; more is a loop in the file."""
TEXT_CHANNELS = frozenset({"chat", "sms", "email"})
"""Where sentences are read."""
_OURS = frozenset({"timeout", "fault", "unconfirmed", "bad_arguments", "unavailable"})
"""Errors that the caller can do nothing about."""
_NOT_MINE = frozenset({"refused", "needs_approval", "second_factor"})
"""What the core does not let the agent do; a person may."""
_UNKNOWN = frozenset({"timeout", "fault"})
"""After these a write may have been made or not, so steps for `any` error must not say that nothing has changed."""
_UNSURE_WHO = frozenset({"unverified", "locked"})
_GATED = _NOT_MINE | {"limit"}
_Changing = Write | Prepare | UndoWrite
"""Operations that need a commit."""


class Stopped(Enum):
    """Why the run paused."""

    WAITING = "waiting"
    WRITE = "write"
    """A write, or a check of who the customer is, stands next, and the turn is not committed."""
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
        self._how = WRITTEN if context.channel in TEXT_CHANNELS else SPOKEN
        self.secrecy = Secrecy(program.secrets, program.slots, self._today, self._how)
        self.topics = Topics(program, self._spoken, self.values, self._foreseen)

    def values(self, state: State, extra: Mapping[str, object] | None = None) -> dict[str, object]:
        """Everything that braces may name."""
        customer = self._context.customer
        known: dict[str, object] = {
            "business": self._program.business,
            "ani": self._context.ani,
            "channel": self._context.channel,
            "dnis": self._context.dnis,
            "said": state.said,
            "today": self._today.isoformat(),
            **state.values,
            **state.slots,
        }
        if customer is not None:
            known["customer"] = {
                "id": customer.id, "first_name": customer.first_name, "last_name": customer.last_name, "tier": customer.tier,
                **customer.attributes,
            }  # fmt: skip
        elif self._context.journey is not None:
            profile = self._context.journey.profile
            known["customer"] = {"first_name": profile.first_name, "last_name": profile.last_name, "tier": profile.tier}
        return known | dict(extra or {})

    def text(self, template: str, state: State, extra: Mapping[str, object] | None = None) -> str:
        """A sentence with its values."""
        said = render(template, self.values(state, extra), self._program.slots, self._today, self._how)
        return said[:1].upper() + said[1:]

    def _spoken(self, template: str, state: State) -> str:
        """A part of a sentence, as it is spoken: a thread's title is said on other channels than this one too."""
        return render(template, self.values(state), self._program.slots, self._today)

    @property
    def verified(self) -> bool:
        """Whether the customer has proved who they are."""
        return Assurance.VERIFIED in {self._context.assurance, self._context.tools.assurance}

    def op(self, state: State) -> Op | None:
        """The operation whose answer is awaited; None outside of flows."""
        ops = self._program.flows.get(state.flow, ())
        return ops[state.index] if state.waiting is Waiting.STEP and state.index < len(ops) else None

    def enter(self, state: State, flow: str) -> None:
        """Stand at the beginning of a flow."""
        state.flow, state.index, state.waiting, state.tries, state.offered = flow, 0, Waiting.NOTHING, 0, 0
        state.back = []
        subject = state.subject
        subject.intent = subject.intent or self._program.owner(flow)
        subject.flow, subject.index, subject.asked = flow, 0, 0

    def verify(self, state: State) -> None:
        """Make sure who the customer is, and come back here."""
        state.back = [state.flow, state.index]
        state.flow, state.index, state.waiting, state.tries, state.offered = VERIFY, 0, Waiting.NOTHING, 0, 0

    def proceed(self, state: State, index: int | None = None) -> None:
        """Leave the awaited operation: to the next one, or to `index`."""
        state.index = state.index + 1 if index is None else index
        state.waiting, state.tries, state.offered = Waiting.NOTHING, 0, 0

    async def run(self, state: State, out: Spoken, turn_id: str, may_write: bool) -> Stopped:
        """Run on from where `state` stands."""
        read: tuple[str, int] | None = None
        for _ in range(_STEPS_AT_ONCE):
            if state.waiting is not Waiting.NOTHING or out.ending is not None:
                self._mark(state, read)
                return Stopped.OVER if out.ending is not None else Stopped.WAITING
            op = self._program.flows[state.flow][state.index]
            if not may_write and (isinstance(op, _Changing) or (isinstance(op, Read) and self._verifies(op))):
                return Stopped.WRITE
            if isinstance(op, Read) and not state.back and (read is None or read[0] != state.flow):
                read = (state.flow, state.index)
            if isinstance(op, Read | _Changing):
                await self._tool(op, state, out, turn_id)
            else:
                self._step(op, state, out)
        out.say(self._program.words.trouble)
        self.idle(state, out)
        return Stopped.WAITING

    def _verifies(self, op: Read) -> bool:
        """Wrong answers are counted, so a draft must not ask."""
        return self._context.tools.verifies(op.tool)

    def _mark(self, state: State, read: tuple[str, int] | None) -> None:
        """Where the subject goes on on another day. What tools said today is read anew then."""
        if state.waiting is Waiting.STEP and not state.back:
            subject = state.subject
            subject.flow, subject.asked = state.flow, state.index
            subject.index = read[1] if read is not None and read[0] == state.flow else state.index

    def close(self, state: State, outcome: str) -> None:
        """The subject is done with, but for what was promised."""
        subject, state.subject = state.subject, Subject()
        if subject.intent:
            stands = ThreadState.WAITING if subject.promise else ThreadState.CLOSED
            state.told = to_json(self.topics.of(state, subject, stands, subject.outcome or outcome))
            state.aside = None

    def put_aside(self, state: State) -> None:
        """The subject stays open, for another day."""
        subject, state.subject = state.subject, Subject()
        if subject.intent:
            state.told = to_json(self.topics.of(state, subject, ThreadState.OPEN))
            state.aside = subject

    def leave(self, state: State) -> None:
        """No flow runs any more."""
        state.flow, state.index, state.waiting = "", 0, Waiting.OPEN
        state.tries, state.offered, state.confirmed_by = 0, 0, ""
        self._end_check(state)

    def _end_check(self, state: State) -> None:
        """The check is over, or is left: what was answered in it is nobody's to keep."""
        if state.back:
            state.back = []
            for name in self._program.secrets:
                state.slots.pop(name, None)

    def idle(self, state: State, out: Spoken, question: str = "") -> None:
        """The flow is over: ask what else there is. A subject that was not closed is put aside."""
        self.put_aside(state)
        self.leave(state)
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
            case Promise():
                self._owe(state, out, self.text(op.text, state), op.within_s)
            case Outcome():
                state.subject.outcome = self.text(op.text, state)
            case Transfer():
                if op.stays_open:
                    self.put_aside(state)
                self.transfer(state, out, op.destination, self.text(op.text, state))
                return
            case End():
                out.say(self.text(op.text, state))
                self.close(state, out.text)
                out.ending = Ending.HANG_UP
                return
            case Done():
                self._done(op, state, out)
                return
            case Read() | Write() | Prepare() | UndoWrite():
                raise AssertionError(op)
        state.index += 1

    def _done(self, op: Done, state: State, out: Spoken) -> None:
        if state.back and state.index == len(self._program.flows[VERIFY]) - 1:
            state.flow, state.index = state.back
            self._end_check(state)
            return
        out.say(self.text(op.text, state))
        if not state.back:
            self.close(state, out.text)
        self.idle(state, out)

    def transfer(self, state: State, out: Spoken, destination: str, text: str) -> None:
        """End with a transfer. Should nobody answer, the subject is still open."""
        passed = copy.copy(state.subject)
        self.close(state, self._program.words.passed_on)
        state.aside = passed if passed.intent else state.aside
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

    def _foreseen(self, op: Branch, state: State) -> bool | None:
        """Whether the test holds; None when its value is not known yet."""
        unknown = op.known is None and look_up(op.value, self.values(state)) in (MISSING, "")
        return None if unknown else self._holds(op, state)

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

    async def _tool(self, op: Read | _Changing, state: State, out: Spoken, turn_id: str) -> None:
        tools, intent, name = self._context.tools, state.subject.intent, ""
        try:
            match op:
                case Read(name=name):
                    result = await tools.read(op.tool, self._arguments(op, state), turn_id, intent=intent)
                case Write(name=name):
                    arguments = self._arguments(op, state)
                    result = await tools.write(op.tool, arguments, turn_id, state.confirmed_by, intent=intent)
                case Prepare(name=name):
                    reason = self._spoken(op.reason, state)
                    result = await tools.prepare(op.tool, self._arguments(op, state), turn_id, reason, intent=intent)
                case UndoWrite():
                    result = await tools.undo(op.tool, turn_id, intent=intent)
        except ToolError as error:
            self._failed(op, error, state, out)
            return
        state.subject.assured = state.subject.assured or self.verified
        if name:
            state.values[name] = result
        state.index += 1

    def _arguments(self, op: Read | Write | Prepare, state: State) -> dict[str, object]:
        values = self.values(state)
        made = {k: argument(v, values, self._program.slots, self._today) for k, v in op.arguments.items()}
        return {k: v for k, v in made.items() if v is not MISSING and v != ""}

    def _failed(self, op: Read | _Changing, error: ToolError, state: State, out: Spoken) -> None:
        """Go to the steps for this error; without any, tell it as it is and end the flow."""
        state.values["error"] = {"code": error.code, "message": str(error)}
        not_known = error.code in _UNKNOWN and isinstance(op, Write | UndoWrite)
        # What the core does not allow has words of its own, and a check may yet allow it.
        own = not_known or error.code in _UNSURE_WHO or (error.code in _GATED and isinstance(op, _Changing))
        target = op.errors.get(error.code, None if own else op.errors.get("any"))
        if target is not None:
            state.index = target
            return
        if error.code == "unverified" and not state.back and VERIFY in self._program.flows:
            self.verify(state)
            return
        words = self._program.words
        if not_known:
            self._owe(state, out, words.not_known, None)
            self.close(state, words.not_known)
            self.idle(state, out)
            return
        said = self._explained(error)
        out.say(said or (words.trouble if error.code in _OURS else str(error)))
        if (said or error.code in _OURS) and self._program.give_up_to:
            self.transfer(state, out, self._program.give_up_to, "" if said else self._program.give_up)
            return
        if not said and error.code not in _OURS:
            self.close(state, str(error))
        self.idle(state, out)

    def _explained(self, error: ToolError) -> str:
        """What the core did not allow, in kind words; empty for other errors."""
        words = self._program.words
        if error.code in _UNSURE_WHO:
            return words.unverified
        return words.not_mine if error.code in _NOT_MINE else words.limit if error.code == "limit" else ""

    def _owe(self, state: State, out: Spoken, promise: str, within_s: float | None) -> None:
        state.subject.promise = promise
        state.subject.due = None if within_s is None else self._context.now.timestamp() + within_s
        out.say(promise)
