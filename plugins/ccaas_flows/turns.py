"""What a caller's answer does to the conversation: fill a slot, choose, confirm, or correct; what is no answer is a wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ccaas.ports.reasoning import CallerTurn, Expectation, ExpectationKind
from ccaas_flows.answers import expectation_of, loose_value, repaired, same_value, yes_or_no
from ccaas_flows.machine import Machine, Spoken
from ccaas_flows.program import Ask, Choose, Confirm, Listen, Program
from ccaas_flows.state import State, Waiting
from ccaas_flows.templates import look_up
from ccaas_flows.understanding.acts import is_deny
from ccaas_flows.understanding.reading import Reading
from ccaas_flows.understanding.slots import Slot, asked
from ccaas_flows.wishes import Wishes

_SOUNDS = frozenset({"backchannel", "smalltalk"})
_HALF = 0.5


class Turns:
    """Applies turns to states, for one call. Nothing here has effects outside of `state` and `out`."""

    def __init__(self, program: Program, machine: Machine, wishes: Wishes) -> None:
        self._program = program
        self._machine = machine
        self._wishes = wishes

    def expectation(self, state: State) -> Expectation:
        """What the caller is expected to say now."""
        return replace(self._expected(state), private=True) if state.back else self._expected(state)

    def _expected(self, state: State) -> Expectation:
        if state.waiting in {Waiting.CLARIFY, Waiting.THREAD}:
            return Expectation(ExpectationKind.YES_NO)
        match self._machine.op(state):
            case Confirm():
                return Expectation(ExpectationKind.YES_NO)
            case Ask(slot=name):
                return expectation_of(self._program.slots[name])
            case Listen(expect=expect):
                return expect
            case Choose():
                return Expectation(ExpectationKind.YES_NO)
            case _:
                return Expectation()

    def wanted(self, state: State) -> Slot | None:
        """The slot that was asked for."""
        match self._machine.op(state):
            case Ask(slot=name) | Listen(slot=name) if name:
                return self._program.slots[name]
            case _:
                return None

    def take(self, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        """Let one turn change the state; running on is the machine's business."""
        if turn.keys and self._by_keys(state, out, turn):
            return
        op = self._machine.op(state)
        if isinstance(op, Listen):
            state.slots.update(reading.slots)
            pressed = turn.keys.rstrip("#")
            if op.slot and pressed.isdigit() and (value := asked(self._program.slots[op.slot], pressed)):
                state.slots[op.slot] = value
            if op.name:
                state.values[op.name] = turn.text or turn.keys
            self._machine.proceed(state)
            return
        if not turn.text.strip():
            self._wishes.again(state, out)
            return
        if self._wishes.later(op, state, out, turn):
            return
        if state.waiting is Waiting.CLARIFY:
            self._wishes.clarified(state, out, turn, reading)
        elif state.waiting is Waiting.THREAD:
            self._wishes.taken_up(state, out, turn, reading)
        elif isinstance(op, Ask):
            self._answer(op, state, out, turn, reading)
        elif isinstance(op, Confirm):
            self._confirmed(op, state, out, turn, reading)
        elif isinstance(op, Choose):
            self._chosen(op, state, out, turn, reading)
        else:
            self._wishes.wish(state, out, reading)

    def _by_keys(self, state: State, out: Spoken, turn: CallerTurn) -> bool:
        op = self._machine.op(state)
        pressed = turn.keys.rstrip("#")
        if isinstance(op, Ask) and self._program.slots[op.slot].type not in {"choice", "city", "name", "free"}:
            slot = self._program.slots[op.slot]
            value = {"1": "yes", "2": "no"}.get(pressed, "") if slot.type == "yes_no" else asked(slot, pressed)
            if value and len(pressed) > (0 if slot.type in {"number", "yes_no", "day"} else 1):
                state.slots[op.slot] = value
                self._machine.proceed(state)
                return True
        if pressed == "1" and state.waiting is Waiting.THREAD and self._wishes.by_key(state, out, turn):
            return True
        asked_about = state.waiting in {Waiting.THREAD, Waiting.CLARIFY}
        if (isinstance(op, Confirm | Choose) or asked_about) and pressed in {"1", "2"}:
            reading = Reading("affirm" if pressed == "1" else "deny", 1.0)
            answer = CallerTurn(turn.id, "yes" if pressed == "1" else "no")
            if state.waiting is Waiting.THREAD:
                self._wishes.taken_up(state, out, answer, reading)
            elif state.waiting is Waiting.CLARIFY:
                self._wishes.clarified(state, out, answer, reading)
            elif isinstance(op, Confirm):
                self._confirmed(op, state, out, answer, reading)
            elif isinstance(op, Choose):
                self._chosen(op, state, out, answer, reading)
            return True
        if turn.keys in self._program.keys:
            intent = self._program.intents[self._program.keys[turn.keys]]
            if intent.does:
                return self._wishes.do(intent, state, out)
            self._wishes.start(intent, {}, state, out)
            return True
        return False

    def _answer(self, op: Ask, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        slot = self._program.slots[op.slot]
        by_rule = reading.confidence >= 1.0
        if by_rule and self._wishes.at_any_time(state, out, reading):
            return
        value = asked(slot, turn.text)
        if (
            slot.type == "free"
            and reading.intent in {"repeat", "human", "unsure", "goodbye"}
            and self._wishes.at_any_time(state, out, reading)
        ):
            return
        if value:
            self._remember(state, reading.slots)
            state.slots[op.slot] = value
            self._machine.proceed(state)
            return
        if reading.intent in {"unsure", "deny"} and op.unsure is not None:
            self._machine.proceed(state, op.unsure)
            return
        if self._wishes.at_any_time(state, out, reading) or self._wishes.digress(state, out, reading):
            return
        if reading.intent in {"question", *_SOUNDS} and self._wishes.sure(reading):
            out.say(state.question)
            return
        self._remember(state, reading.slots)
        self._wishes.again(state, out)

    def _remember(self, state: State, slots: Mapping[str, str]) -> None:
        for name, value in slots.items():
            state.slots.setdefault(name, value)

    def _confirmed(self, op: Confirm, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        changed = self._corrections(op, state, turn, reading)
        answer = yes_or_no(turn.text, reading)
        if changed and op.changed is not None:
            state.slots.update(changed)
            self._machine.proceed(state, op.changed)
            return
        if answer == "affirm":
            if not self._heard_enough(state):
                out.say(self._program.words.first_heard)
                out.say(state.question)
                return
            state.confirmed_by = turn.id
            self._machine.proceed(state)
            return
        if answer == "deny" and (is_deny(turn.text) or op.declined is not None):
            if op.declined is not None:
                self._machine.proceed(state, op.declined)
            else:
                self._machine.close(state, self._program.words.left)
                self._machine.idle(state, out, self._program.words.what_change)
            return
        if self._wishes.at_any_time(state, out, reading):
            return
        if reading.intent in {"question", "repeat"}:
            out.say(state.question)
            return
        if not self._wishes.digress(state, out, reading):
            self._wishes.again(state, out)

    def _corrections(self, op: Confirm | Choose, state: State, turn: CallerTurn, reading: Reading) -> dict[str, str]:
        """Slots that the answer gives another value: "no, Friday", "no, B as in boy"."""
        changed: dict[str, str] = {}
        # A name comes last: one letter that repairs a code beside it is none of the name's.
        for name in sorted(op.change, key=lambda name: self._program.slots[name].type == "name"):
            slot = self._program.slots[name]
            before = state.slots.get(name, "")
            after = "" if changed and slot.type == "name" else repaired(slot, before, turn.text, reading)
            if not after and slot.type != "code":
                after = reading.slots.get(name, "") or loose_value(slot, turn.text, reading)
            if after and after != before:
                changed[name] = after
        return changed

    def _heard_enough(self, state: State) -> bool:
        """Whether the caller heard at least half of the question that a yes would agree to."""
        if not state.heard or state.heard == state.reply:
            return True
        missing = max(0, len(state.reply) - len(state.heard))
        return missing < _HALF * max(1, len(state.question))

    def _chosen(self, op: Choose, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        items = self._machine.options(op, state)
        answer = yes_or_no(turn.text, reading)
        pick = self._pick(op, reading, items)
        if pick is None and op.changed is not None and (changed := self._corrections(op, state, turn, reading)):
            state.slots.update(changed)
            self._machine.proceed(state, op.changed)
            return
        if pick is None and answer == "affirm":
            pick = state.offered
        if pick is not None and op.confirms and (pick != state.offered or not self._heard_enough(state)):
            if pick == state.offered:
                out.say(self._program.words.first_heard)
            self._offer(op, state, out, pick)
            return
        if pick is not None:
            state.values[op.name] = items[pick]
            state.confirmed_by = turn.id if op.confirms else ""
            self._machine.proceed(state)
            return
        if answer == "deny" or reading.slots.get("index") in {"next", "other"}:
            self._offer(op, state, out, state.offered + 1)
            return
        if reading.slots.get("index") == "previous":
            self._offer(op, state, out, max(0, state.offered - 1))
            return
        if self._wishes.at_any_time(state, out, reading) or self._wishes.digress(state, out, reading):
            return
        self._remember(state, reading.slots)
        if reading.intent in {"question", "repeat"}:
            out.say(state.question)
            return
        self._wishes.again(state, out)

    def _offer(self, op: Choose, state: State, out: Spoken, number: int) -> None:
        state.offered, state.tries, state.waiting = number, 0, Waiting.NOTHING
        self._machine.offer(op, state, out)

    def _pick(self, op: Choose, reading: Reading, items: list[object]) -> int | None:
        index = reading.slots.get("index", reading.slots.get("number", "") if reading.intent == "number" else "")
        if index.lstrip("-").isdigit():
            n = int(index)
            n = n - 1 if n > 0 else len(items) + n
            if 0 <= n < len(items):
                return n
        for slot, path in op.by.items():
            wanted = reading.slots.get(slot)
            if wanted is None:
                continue
            for n, item in enumerate(items):
                if same_value(wanted, look_up(path, item if isinstance(item, Mapping) else {})):
                    return n
        return None
