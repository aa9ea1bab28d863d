"""What a caller's turn does to the conversation: fill a slot, choose, confirm, correct, change the subject, or ask again."""

from __future__ import annotations

from collections.abc import Mapping

from ccaas.ports.reasoning import CallerTurn, Ending, Expectation, ExpectationKind
from ccaas.spoken.corrections import correct
from ccaas_flows.answers import expectation_of, loose_value, only_yes, same_value, yes_or_no
from ccaas_flows.machine import Machine, Spoken
from ccaas_flows.program import Ask, Choose, Confirm, Intent, Listen, Program
from ccaas_flows.state import State, Waiting
from ccaas_flows.templates import look_up
from ccaas_flows.understanding.acts import is_deny
from ccaas_flows.understanding.reading import Reading
from ccaas_flows.understanding.slots import Slot, asked

_SOUNDS = frozenset({"backchannel", "smalltalk"})
_HALF = 0.5


class Turns:
    """Applies turns to states, for one call. Nothing here has effects outside of `state` and `out`."""

    def __init__(self, program: Program, machine: Machine) -> None:
        self._program = program
        self._machine = machine

    def expectation(self, state: State) -> Expectation:
        """What the caller is expected to say now."""
        if state.waiting is Waiting.CLARIFY:
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
            if op.name:
                state.values[op.name] = turn.text or turn.keys
            self._machine.proceed(state)
            return
        if not turn.text.strip():
            self._again(state, out)
            return
        if state.waiting is Waiting.CLARIFY:
            self._clarified(state, out, turn, reading)
        elif isinstance(op, Ask):
            self._answer(op, state, out, turn, reading)
        elif isinstance(op, Confirm):
            self._confirmed(op, state, out, turn, reading)
        elif isinstance(op, Choose):
            self._chosen(op, state, out, turn, reading)
        else:
            self._wish(state, out, reading)

    def choose_intent(self, state: State, out: Spoken, reading: Reading) -> None:
        """Begin an intent that was chosen by key."""
        intent = self._program.intents[reading.intent]
        if not (intent.does and self._do(intent, state, out)):
            self._start(intent, reading.slots, state, out)

    # At any time

    def _sure(self, reading: Reading) -> bool:
        return reading.confidence >= self._program.accept

    def _global(self, state: State, out: Spoken, reading: Reading) -> bool:
        """Intents that work everywhere. True when the turn is dealt with."""
        intent = self._program.intents.get(reading.intent)
        if not self._program.any_time or intent is None or not intent.does or not self._sure(reading):
            return False
        return self._do(intent, state, out)

    def _do(self, intent: Intent, state: State, out: Spoken) -> bool:
        words = self._program.words
        text = self._machine.text(intent.say, state)
        match intent.does:
            case "transfer":
                self._machine.transfer(out, intent.destination or self._program.give_up_to, text)
            case "end":
                out.say(text or self._machine.text(words.goodbye, state))
                out.ending = Ending.HANG_UP
            case "repeat":
                out.say(text or words.again)
                out.say(state.reply or state.question)
                out.aside = True
            case "stop":
                out.say(text or words.stopped)
                out.aside = True
            case "cancel":
                if state.waiting is Waiting.OPEN:
                    out.say(words.what_then)
                else:
                    self._machine.idle(state, out, text or words.cancelled)
            case "help":
                out.say(text or words.help)
                if state.waiting is not Waiting.OPEN:
                    out.say(state.question)
            case "say":
                out.say(text)
                if state.waiting is not Waiting.OPEN:
                    out.say(state.question)
            case _:
                return False
        return True

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
        if isinstance(op, Confirm | Choose) and pressed in {"1", "2"}:
            reading = Reading("affirm" if pressed == "1" else "deny", 1.0)
            answer = CallerTurn(turn.id, "yes" if pressed == "1" else "no")
            if isinstance(op, Confirm):
                self._confirmed(op, state, out, answer, reading)
            else:
                self._chosen(op, state, out, answer, reading)
            return True
        if turn.keys in self._program.keys:
            intent = self._program.intents[self._program.keys[turn.keys]]
            if intent.does:
                return self._do(intent, state, out)
            self._start(intent, {}, state, out)
            return True
        return False

    def _again(self, state: State, out: Spoken, said: str = "") -> None:
        """Not understood: ask again, and give up after the allowed number of times."""
        state.tries += 1
        if state.tries > self._program.reasks:
            self._give_up(state, out)
            return
        op = self._machine.op(state)
        if isinstance(op, Ask) and op.reask:
            out.say(self._machine.text(op.reask[min(state.tries, len(op.reask)) - 1], state))
            return
        again = self._program.words.ask_again
        out.say(said or again[min(state.tries, len(again)) - 1])
        if isinstance(op, Confirm) and state.tries > 1:
            out.say(self._program.words.confirm_again)
        elif state.question and (op is not None or state.waiting is Waiting.CLARIFY):
            out.say(state.question)

    def _give_up(self, state: State, out: Spoken) -> None:
        out.say(self._machine.text(self._program.give_up, state))
        if self._program.give_up_to:
            out.ending, out.destination = Ending.TRANSFER, self._program.give_up_to
        else:
            out.ending = Ending.HANG_UP

    # What the caller wants

    def _start(self, intent: Intent, slots: Mapping[str, str], state: State, out: Spoken) -> None:
        """Begin the intent's flow with what was said in the same breath."""
        if not intent.flow:
            out.say(self._machine.text(intent.say, state) or self._program.words.cannot)
            self._machine.idle(state, out)
            return
        state.slots = {k: v for k, v in state.slots.items() if k in self._program.kept} | dict(slots)
        state.confirmed_by = ""
        self._machine.enter(state, intent.flow)

    def _wish(self, state: State, out: Spoken, reading: Reading) -> None:
        """An open turn: what does the caller want?"""
        words = self._program.words
        intent = self._program.intents.get(reading.intent)
        match reading.intent:
            case "affirm":
                state.tries = 0
                out.say(words.what_then)
                return
            case "deny":
                out.say(self._machine.text(words.goodbye, state))
                out.ending = Ending.HANG_UP
                return
            case "backchannel" | "smalltalk" if self._sure(reading):
                out.say(words.hello if reading.intent == "smalltalk" else words.what_then)
                return
            case "question" if self._sure(reading) and state.reply:
                out.say(state.reply)
                return
        if self._global(state, out, reading):
            return
        if intent is not None and intent.flow and self._sure(reading):
            self._start(intent, reading.slots, state, out)
            return
        if intent is not None and intent.flow and reading.confidence >= self._program.ask:
            state.guess, state.guessed = intent.name, dict(reading.slots)
            state.waiting = Waiting.CLARIFY
            label = intent.label or intent.name.replace("_", " ")
            state.question = self._machine.text(words.clarify, state, {"label": label})
            out.say(state.question)
            return
        state.slots.update({k: v for k, v in reading.slots.items() if k in self._program.kept})
        self._again(state, out, words.cannot if reading.intent == "out_of_scope" and self._sure(reading) else "")
        if out.ending is None and reading.intent == "out_of_scope":
            out.say(words.help)

    def _clarified(self, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        answer = yes_or_no(turn.text, reading)
        if answer == "affirm":
            intent = self._program.intents[state.guess]
            self._start(intent, state.guessed | dict(reading.slots), state, out)
            return
        state.waiting = Waiting.OPEN
        if answer == "deny" and is_deny(turn.text):
            state.tries += 1
            state.question = self._program.words.what_then
            out.say(state.question)
            return
        self._wish(state, out, reading)

    def _digress(self, state: State, out: Spoken, reading: Reading) -> bool:
        """The caller wants something else than this flow, and says so plainly."""
        intent = self._program.intents.get(reading.intent)
        if (
            intent is None
            or not intent.flow
            or intent.flow == state.flow
            or reading.confidence < max(0.5, self._program.accept)
        ):
            return False
        self._start(intent, reading.slots, state, out)
        return True

    # Answers

    def _answer(self, op: Ask, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        slot = self._program.slots[op.slot]
        by_rule = reading.confidence >= 1.0
        if by_rule and self._global(state, out, reading):
            return
        value = asked(slot, turn.text)
        if (
            slot.type == "free"
            and reading.intent in {"repeat", "human", "unsure", "goodbye"}
            and self._global(state, out, reading)
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
        if self._global(state, out, reading) or self._digress(state, out, reading):
            return
        if reading.intent in {"question", *_SOUNDS} and self._sure(reading):
            out.say(state.question)
            return
        self._remember(state, reading.slots)
        self._again(state, out)

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
                self._machine.idle(state, out, self._program.words.what_change)
            return
        if self._global(state, out, reading):
            return
        if reading.intent in {"question", "repeat"}:
            out.say(state.question)
            return
        if not self._digress(state, out, reading):
            self._again(state, out)

    def _corrections(self, op: Confirm | Choose, state: State, turn: CallerTurn, reading: Reading) -> dict[str, str]:
        """Slots that the answer gives another value: "no, Friday", "no, B as in boy"."""
        changed: dict[str, str] = {}
        for name in op.change:
            slot = self._program.slots[name]
            before = state.slots.get(name, "")
            if slot.type == "code" and before and not only_yes(turn.text, reading):
                after = correct(before, turn.text) or ""
            else:
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
        if self._global(state, out, reading) or self._digress(state, out, reading):
            return
        self._remember(state, reading.slots)
        if reading.intent in {"question", "repeat"}:
            out.say(state.question)
            return
        self._again(state, out)

    def _offer(self, op: Choose, state: State, out: Spoken, number: int) -> None:
        state.offered, state.tries, state.waiting = number, 0, Waiting.NOTHING
        self._machine.offer(op, state, out)

    def _pick(self, op: Choose, reading: Reading, items: list[object]) -> int | None:
        index = reading.slots.get("index", "")
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
