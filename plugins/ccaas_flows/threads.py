"""Going on with what was left open on another day, or on another channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ccaas.ports.journey import Fact, Json, Thread, ThreadState
from ccaas.ports.reasoning import DialogueContext
from ccaas.spoken.dates import WEEKDAYS
from ccaas.spoken.readback import number
from ccaas_flows.machine import TEXT_CHANNELS, Machine, Spoken
from ccaas_flows.program import VERIFY, Choose, Confirm, Program
from ccaas_flows.state import State, Subject, Waiting

_TALKED = {
    "voice": "we talked about",
    "chat": "we chatted about",
    "sms": "we texted about",
    "email": "we e-mailed about",
}
"""How a thread was spoken of, when that was on another channel."""
_MOMENT = timedelta(minutes=15)


def ago(then: datetime, now: datetime) -> str:
    """When something was, as it is said: "a moment ago", "this morning", "yesterday", "on Monday", "last week"."""
    days = (now.date() - then.date()).days
    if now - then < _MOMENT:
        return "a moment ago"
    if days <= 0:
        return "this morning" if then.hour < 12 else "this afternoon" if then.hour < 17 else "this evening"
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"on {WEEKDAYS[then.weekday()].capitalize()}"
    return "last week" if days < 14 else f"{number(days // 7)} weeks ago"


class Threads:
    """The threads that one conversation may go on with. `days`: older ones are not brought up."""

    def __init__(self, program: Program, machine: Machine, context: DialogueContext, days: float) -> None:
        self._program = program
        self._machine = machine
        self._context = context
        self._days = days

    def find(self, thread_id: str) -> Thread | None:
        """The thread of that id, if the journey still has it."""
        threads = self._context.journey.threads if self._context.journey else ()
        return next((thread for thread in threads if thread.id == thread_id), None)

    def greet(self, state: State, out: Spoken) -> bool:
        """Open with the newest thread. False when there is none to speak of."""
        thread = self._newest()
        if thread is None:
            return False
        intent = self._program.intents.get(thread.goal)
        if intent is not None and intent.opening and thread.state is ThreadState.OPEN:
            state.slots |= self._known(thread.slots)
            out.say(self._machine.text(intent.opening, state, self._values(thread)))
            state.question, state.waiting, state.thread = out.text, Waiting.THREAD, thread.id
        elif thread.state is ThreadState.WAITING:
            out.say(self._machine.text(self._program.greeting_waiting, state, self._values(thread)))
            state.question, state.waiting = out.text, Waiting.OPEN
        else:
            out.say(self._machine.text(self._program.greeting_thread, state, self._values(thread)))
            state.question, state.waiting, state.thread = out.text, Waiting.THREAD, thread.id
        return True

    def resume(self, state: State, thread: Thread, said: Mapping[str, str]) -> None:
        """Stand where the thread stopped, with what is known of it and what was `said` just now.

        The state of other flows, of another reasoner, or one that is for verified customers where nobody can be
        verified gives its slots; the intent's flow then begins again with them.
        """
        kept = _kept(thread.snapshot)
        state.aside, state.told = None, {}
        slots = {**thread.slots, **(kept.slots if kept else {})}
        state.slots = {k: v for k, v in state.slots.items() if k in self._program.kept} | self._known(slots)
        changed = {k: v for k, v in said.items() if v != state.slots.get(k)}
        state.slots |= changed
        state.confirmed_by, state.tries, state.offered, state.back = "", 0, 0, []
        subject = (kept.aside or kept.subject) if kept and not kept.flow else kept.subject if kept else Subject()
        if kept is None or not self._usable(thread, subject):
            self._begin(state, thread)
            return
        state.values = kept.values
        state.subject = subject
        subject.thread, subject.title = thread.id, thread.title
        state.flow, state.index, state.waiting = subject.flow, subject.index, Waiting.NOTHING
        op = self._program.flows[subject.flow][subject.asked]
        if isinstance(op, Confirm | Choose) and op.changed is not None and changed.keys() & set(op.change):
            state.index = op.changed
        if subject.assured and not self._machine.verified:
            self._machine.verify(state)

    def opens(self, thread: Thread) -> bool:
        """Whether it was opened with its intent's own words."""
        intent = self._program.intents.get(thread.goal)
        return intent is not None and bool(intent.opening) and thread.state is ThreadState.OPEN

    def branch(self, state: State, thread: Thread, flow: str) -> None:
        """Begin another flow of a thread that was opened with its own words."""
        state.slots |= self._known(thread.slots)
        self._begin(state, thread)
        self._machine.enter(state, flow)

    def begin(self, state: State, thread: Thread, said: Mapping[str, str]) -> None:
        """Begin the thread's flow again, with what was `said` just now."""
        state.slots = {k: v for k, v in state.slots.items() if k in self._program.kept}
        state.slots |= self._known(thread.slots) | dict(said)
        self._begin(state, thread)

    def _begin(self, state: State, thread: Thread) -> None:
        state.values, state.aside = {}, None
        state.subject = Subject(thread.goal, thread.id, thread.title)
        self._machine.enter(state, self._program.intents[thread.goal].flow)

    def _known(self, slots: Mapping[str, str]) -> dict[str, str]:
        """Slots of this program. What proves who a customer is is never taken from a thread."""
        return {k: v for k, v in slots.items() if k in self._program.slots and k not in self._program.secrets}

    def _newest(self) -> Thread | None:
        journey, now = self._context.journey, self._context.now
        for thread in journey.threads if journey else ():
            old = now - self._when(thread) > timedelta(days=self._days)
            intent = self._program.intents.get(thread.goal)
            ours = intent is not None and bool(intent.flow)
            if not old and (thread.state is ThreadState.WAITING or (thread.state is ThreadState.OPEN and ours)):
                return thread
        return None

    def _when(self, thread: Thread) -> datetime:
        return datetime.fromtimestamp(thread.updated_at, self._context.now.tzinfo)

    def _values(self, thread: Thread) -> dict[str, object]:
        here = self._context.channel
        talked = "we discussed" if thread.channel == here else _TALKED.get(thread.channel, "we discussed")
        return {
            "contact": "writing about" if here in TEXT_CHANNELS else "calling to go ahead with",
            "thread": {
                "title": thread.title,
                "when": ago(self._when(thread), self._context.now),
                "talked": talked,
                "promise": self._promised(thread),
            },
        }

    def _promised(self, thread: Thread) -> str:
        """What we owe on it, and that it is late when it is."""
        journey = self._context.journey
        owed = [fact for fact in (journey.promises if journey else ()) if fact.thread_id == thread.id]
        return " ".join(part for fact in owed[:1] for part in (fact.text, self._late(fact)) if part)

    def _late(self, promise: Fact) -> str:
        due = promise.data.get("due")
        late = isinstance(due, int | float) and due < self._context.now.timestamp()
        return self._program.words.overdue if late else ""

    def _usable(self, thread: Thread, subject: Subject) -> bool:
        """Whether the snapshot's place is one of this program's, and what it knows may be spoken of."""
        snapshot = flows_part(thread.snapshot)
        ops = self._program.flows.get(subject.flow, ())
        return (
            snapshot.get("program") == self._program.fingerprint
            and subject.intent == thread.goal
            and max(subject.index, subject.asked) < len(ops)
            and (not subject.assured or self._machine.verified or VERIFY in self._program.flows)
        )


def flows_part(snapshot: Json | None) -> Json:
    """The flows' own snapshot, also out of one of a reasoner that has flows inside; empty when there is none."""
    if snapshot is None:
        return {}
    inner = snapshot.get("flows")
    return inner if isinstance(inner, dict) else snapshot


def _kept(snapshot: Json | None) -> State | None:
    kept = flows_part(snapshot).get("state")
    try:
        return State.from_json(kept) if isinstance(kept, dict) else None
    except (TypeError, ValueError):
        return None
