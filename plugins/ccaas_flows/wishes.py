"""What a caller wants, whatever was asked: an intent, something that works at any time, a thread of another day."""

from __future__ import annotations

from collections.abc import Mapping

from ccaas.ports.journey import Thread
from ccaas.ports.reasoning import CallerTurn, Ending
from ccaas_flows.answers import yes_or_no
from ccaas_flows.machine import Machine, Spoken
from ccaas_flows.program import Ask, Confirm, Intent, Op, Program
from ccaas_flows.state import State, Subject, Waiting
from ccaas_flows.threads import Threads
from ccaas_flows.understanding.acts import is_deny, is_goodbye, is_later, leading_answer
from ccaas_flows.understanding.reading import Reading


class Wishes:
    """Applies wishes to states, for one call. Nothing here has effects outside of `state` and `out`."""

    def __init__(self, program: Program, machine: Machine, threads: Threads) -> None:
        self._program = program
        self._machine = machine
        self._threads = threads

    def choose(self, state: State, out: Spoken, reading: Reading) -> None:
        """Begin an intent that was chosen by key."""
        intent = self._program.intents[reading.intent]
        if not (intent.does and self.do(intent, state, out)):
            self.start(intent, reading.slots, state, out)

    # At any time

    def sure(self, reading: Reading) -> bool:
        """Whether to act on what was understood."""
        return reading.confidence >= self._program.accept

    def at_any_time(self, state: State, out: Spoken, reading: Reading) -> bool:
        """Intents that work everywhere. True when the turn is dealt with."""
        intent = self._program.intents.get(reading.intent)
        if not self._program.any_time or intent is None or not intent.does or not self.sure(reading):
            return False
        return self.do(intent, state, out)

    def do(self, intent: Intent, state: State, out: Spoken) -> bool:
        """What the intent does at any time. False when it does nothing."""
        words = self._program.words
        text = self._machine.text(intent.say, state)
        match intent.does:
            case "transfer":
                self._machine.transfer(state, out, intent.destination or self._program.give_up_to, text)
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
                    self._machine.close(state, words.left)
                    self._machine.idle(state, out, text or words.cancelled)
            case "later" if not state.flow:
                out.say(self._machine.text(words.goodbye, state))
                out.ending = Ending.HANG_UP
            case "later":
                out.say(text or words.later)
                self._machine.idle(state, out)
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

    def again(self, state: State, out: Spoken, said: str = "") -> None:
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
        elif state.question and (op is not None or state.waiting in {Waiting.CLARIFY, Waiting.THREAD}):
            out.say(state.question)

    def _give_up(self, state: State, out: Spoken) -> None:
        said = self._machine.text(self._program.give_up, state)
        if self._program.give_up_to:
            self._machine.transfer(state, out, self._program.give_up_to, said)
        else:
            out.say(said)
            out.ending = Ending.HANG_UP

    # An intent

    def start(self, intent: Intent, slots: Mapping[str, str], state: State, out: Spoken) -> None:
        """Begin the intent's flow with what was said in the same breath."""
        if not intent.flow:
            out.say(self._machine.text(intent.say, state) or self._program.words.cannot)
            self._machine.idle(state, out)
            return
        state.slots = {k: v for k, v in state.slots.items() if k in self._program.kept} | dict(slots)
        state.confirmed_by = ""
        state.subject, state.aside = Subject(intent.name), None
        self._machine.enter(state, intent.flow)

    def wish(self, state: State, out: Spoken, reading: Reading) -> None:
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
            case "backchannel" | "smalltalk" if self.sure(reading):
                out.say(words.hello if reading.intent == "smalltalk" else words.what_then)
                return
            case "question" if self.sure(reading) and state.reply:
                out.say(state.reply)
                return
        if self.at_any_time(state, out, reading):
            return
        if intent is not None and intent.flow and self.sure(reading):
            self.start(intent, reading.slots, state, out)
            return
        if intent is not None and intent.flow and reading.confidence >= self._program.ask:
            state.guess, state.guessed = intent.name, dict(reading.slots)
            state.waiting = Waiting.CLARIFY
            label = intent.label or intent.name.replace("_", " ")
            state.question = self._machine.text(words.clarify, state, {"label": label})
            out.say(state.question)
            return
        state.slots.update({k: v for k, v in reading.slots.items() if k in self._program.kept})
        self.again(state, out, words.cannot if reading.intent == "out_of_scope" and self.sure(reading) else "")
        if out.ending is None and reading.intent == "out_of_scope":
            out.say(words.help)

    def clarified(self, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        """The answer to "do you want to …?"."""
        answer = yes_or_no(turn.text, reading)
        if answer == "affirm":
            intent = self._program.intents[state.guess]
            self.start(intent, state.guessed | dict(reading.slots), state, out)
            return
        state.waiting = Waiting.OPEN
        if answer == "deny" and is_deny(turn.text):
            state.tries += 1
            state.question = self._program.words.what_then
            out.say(state.question)
            return
        self.wish(state, out, reading)

    def digress(self, state: State, out: Spoken, reading: Reading) -> bool:
        """The caller wants something else than this flow, and says so plainly."""
        intent = self._program.intents.get(reading.intent)
        if (
            intent is None
            or not intent.flow
            or intent.flow == state.flow
            or reading.confidence < max(0.5, self._program.accept)
        ):
            return False
        self.start(intent, reading.slots, state, out)
        return True

    def by_key(self, state: State, out: Spoken, turn: CallerTurn) -> bool:
        """The key 1 after an opening with flows of its own: a person. False for every other thread."""
        thread = self._threads.find(state.thread)
        if thread is None or not self._threads.opens(thread):
            return False
        return self._opened(thread, state, "", CallerTurn(turn.id, "1"), Reading("", 0.0))

    def _opened(self, thread: Thread, state: State, answer: str, turn: CallerTurn, reading: Reading) -> bool:
        """The answer to an opening that has flows of its own for each. True when the turn is dealt with."""
        intent, wants = self._program.intents[thread.goal], self._program.intents.get(reading.intent)
        person = turn.text.strip() == "1" or (wants is not None and wants.does == "transfer" and self.sure(reading))
        if intent.person and person:
            self._threads.branch(state, thread, intent.person)
        elif answer == "affirm" and intent.flow:
            self._threads.branch(state, thread, intent.flow)
        elif answer == "deny" and intent.declined:
            self._threads.branch(state, thread, intent.declined)
        else:
            return False
        return True

    # A thread of another day

    def later(self, op: Op | None, state: State, out: Spoken, turn: CallerTurn) -> bool:
        """ "Let me think about it": what it is about is kept. True when the turn is dealt with."""
        intent = self._program.intents.get("later")
        free = isinstance(op, Ask) and self._program.slots[op.slot].type == "free"
        about = state.waiting is Waiting.THREAD or (bool(state.flow) and bool(state.subject.intent))
        if intent is None or not self._program.any_time or free or not about or not is_later(turn.text):
            return False
        words = self._program.words
        if is_goodbye(turn.text):
            out.say(self._machine.text(intent.say, state) or words.later)
            out.say(self._machine.text(words.goodbye, state))
            out.ending = Ending.HANG_UP
        elif state.waiting is Waiting.THREAD:
            out.say(self._machine.text(intent.say, state) or words.later)
            self._machine.leave(state)
            self._machine.question(state, out, words.anything_else)
        else:
            self.do(intent, state, out)
        return True

    def taken_up(self, state: State, out: Spoken, turn: CallerTurn, reading: Reading) -> None:
        """The answer to a greeting that named a thread."""
        words, thread = self._program.words, self._threads.find(state.thread)
        wants = self._program.intents.get(reading.intent)
        # A sentence that begins with yes or no is that, unless it plainly wants something else.
        answer = leading_answer(turn.text) or yes_or_no(turn.text, reading)
        by_rule = reading.confidence >= 1.0 or not answer
        wish = wants if wants is not None and wants.flow and self.sure(reading) else None
        if thread is None:
            state.waiting = Waiting.OPEN
            self.wish(state, out, reading)
        elif self._threads.opens(thread) and self._opened(thread, state, answer, turn, reading):
            pass
        elif wants is not None and by_rule and wants.does in {"repeat", "stop", "help", "say"} and self.sure(reading):
            self.do(wants, state, out)
        elif wants is not None and wants.does == "cancel" and by_rule and self.sure(reading):
            state.subject = Subject(thread.goal, thread.id, title=thread.title)
            self._machine.close(state, words.left)
            self._machine.leave(state)
            self._machine.question(state, out, self._machine.text(wants.say, state) or words.cancelled)
        elif wish is not None and wish.name == thread.goal:
            if answer == "deny":
                self.start(wish, reading.slots, state, out)
            elif any(thread.slots.get(name) != value for name, value in reading.slots.items()):
                self._threads.begin(state, thread, reading.slots)
            else:
                self._threads.resume(state, thread, {})
        elif wish is None and answer == "affirm":
            self._threads.resume(state, thread, reading.slots)
        elif wish is None and (answer == "deny" or reading.intent in {"unsure", "correct"}):
            self._machine.leave(state)
            self._machine.question(state, out, words.what_then)
        elif wish is None and (
            not reading.intent or reading.intent in {"smalltalk", "question"} or not self.sure(reading)
        ):
            self.again(state, out)
        else:
            self._machine.leave(state)
            self.wish(state, out, reading)
