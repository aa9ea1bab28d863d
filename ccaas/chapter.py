"""What one conversation, by voice or by text, adds to its customer's timeline. Pure: what happened in, journal rows out.

The rows stand in the journal in one transaction with what they tell of; `Chronicle` carries them to the journey.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.conversation.events import TurnRecord
from ccaas.journal.masking import masked, masked_text
from ccaas.journal.messages import Chronicled
from ccaas.ports.journey import Consent, Fact, FactKind, Identity, Json, Profile, Thread, ThreadState
from ccaas.ports.reasoning import Topic
from ccaas.ports.sentiment import Mood
from ccaas.ports.tools import Effect

Rows = tuple[Chronicled, ...]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose timeline it is."""

    customer_id: str = ""
    """The journey's; empty while the store has not said."""
    identity: Identity | None = None
    """By what the store can be asked."""
    profile: Profile | None = None
    """What a system of record says of them, for a customer whom the journey does not know yet."""

    @property
    def key(self) -> str:
        """What must stay in order has the same; empty: it is nobody's."""
        if self.customer_id:
            return self.customer_id
        return f"{self.identity.kind.value}:{self.identity.value}" if self.identity is not None else ""


@dataclass(frozen=True, slots=True)
class Page:
    """One thing for the journey to know; one of the three is there."""

    whose: Whose
    fact: Fact | None = None
    thread: Thread | None = None
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was said, and where it can be heard."""

    at: float
    """Unix seconds."""
    recording: str = ""
    """See `Fact.recording`."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A thread that this conversation has spoken of."""

    id: str
    opened_at: float
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Threads:
    """What stands in `Snapshot.thread`."""

    current: str = ""
    """The goal that was spoken of last."""
    told: dict[str, _Told] = field(default_factory=dict)
    """By goal."""


class Chapter:
    """One conversation's part of the timeline. While it is nobody's, it is empty."""

    def __init__(
        self,
        conversation_id: str,
        channel: str,
        reasoner: str,
        whose: Whose,
        known: Iterable[Thread] = (),
        kept: str = "",
    ) -> None:
        """`reasoner`: whose snapshots they are; `known`: the customer's open threads; `kept`: `thread` of an earlier
        controller's chapter of the same conversation."""
        self._id = conversation_id
        self._channel = channel
        self._reasoner = reasoner
        self.whose = whose
        self._opened = {thread.id: thread.opened_at for thread in known}
        self._threads = msgspec.json.decode(kept, type=_Threads) if kept else _Threads()

    @property
    def thread(self) -> str:
        """For `Snapshot.thread`."""
        return msgspec.json.encode(self._threads).decode() if self._threads.told else ""

    def contacted(self, text: str, source: str, at: float, data: Json) -> Rows:
        """The conversation began; `source` is who began it, "customer" or "agent"."""
        return self._fact("contacted", FactKind.CONTACTED, at, text, source, data=data)

    def said(self, turn: TurnRecord, caller: Moment, agent: Moment) -> Rows:
        """A turn of a call that is over: what the caller said, and what they heard. One that was taken too early is not told."""
        if turn.retaken:
            return ()
        rows: Rows = ()
        words = turn.caller_text or (f"pressed {turn.keys}" if turn.keys else "")
        if words:
            rows += self._said(f"{turn.turn_id}:customer", "customer", words, caller, turn.turn_id, turn.channel)
        if turn.mood is not None:
            rows += self.felt(turn.mood, caller, turn.turn_id, turn.channel)
        if turn.heard_text:
            rows += self._said(f"{turn.turn_id}:agent", "agent", turn.heard_text, agent, turn.turn_id, "")
        return rows

    def overheard(self, name: str, source: str, text: str, moment: Moment) -> Rows:
        """Words of the customer's, or of a person's ("human:<login>"), while the two talk."""
        return self._said(name, source, text, moment, "", "")

    def felt(self, mood: Mood, moment: Moment, turn_id: str, channel: str) -> Rows:
        """How the customer seemed to feel in a turn."""
        data = {name: round(part, 3) if part is not None else None for name, part in mood.parts.items()}
        return self._fact(
            f"{turn_id}:felt",
            FactKind.FELT,
            moment.at,
            mood.word,
            "customer",
            turn_id,
            data=data | {"wants_human": mood.wants_human},
            recording=moment.recording,
            channel=channel,
        )

    def wrote(self, receipt: str, text: str, at: float, turn_id: str, channel: str) -> Rows:
        """A message of the customer's, which has become part of a turn (or of none)."""
        return self._said(receipt, "customer", text, Moment(at), turn_id, channel)

    def answered(self, text: str, at: float, turn_id: str, channel: str) -> Rows:
        """A message of the agent's."""
        return self._said(f"{turn_id}:agent", "agent", text, Moment(at), turn_id, channel)

    def about(self, topic: Topic | None, snapshot: Json, turn_id: str, at: float) -> Rows:
        """What it is about after a commit. A goal that is new here opens a thread, or goes on with the topic's own."""
        if topic is None:
            self._threads = replace(self._threads, current="")
            return ()
        told = self._threads.told.get(topic.goal)
        opens = not topic.thread_id and (told is None or told.closed)
        if opens:
            told = _Told(f"{self._id}-{turn_id}", at)
        elif topic.thread_id and (told is None or told.id != topic.thread_id):
            told = _Told(topic.thread_id, self._opened.get(topic.thread_id, at))
        assert told is not None  # it opens, or it was told before
        told = replace(told, closed=topic.state is ThreadState.CLOSED)
        self._threads = _Threads(topic.goal, {**self._threads.told, topic.goal: told})
        rows: Rows = ()
        if opens:
            rows += self._fact(f"{turn_id}:asked", FactKind.ASKED, at, topic.title, "customer", turn_id)
        rows += self._thread(topic, told, snapshot, at)
        return rows + (self.promised(topic.promise, topic.due, turn_id, at) if topic.promise else ())

    def waits(self, topic: Topic, snapshot: Json, promise: str, turn_id: str, at: float) -> Rows:
        """A person has to go on: the thread waits, and we owe the next step."""
        return self.about(replace(topic, state=ThreadState.WAITING, promise=promise), snapshot, turn_id, at)

    def promised(self, text: str, due: float | None, turn_id: str, at: float) -> Rows:
        """We owe something. The same promise of the same thread is told once."""
        digest = hashlib.sha256(f"{self._current_id} {text}".encode()).hexdigest()[:12]
        data: Json = {} if due is None else {"due": due}
        return self._fact(f"promised:{digest}", FactKind.PROMISED, at, text, "agent", turn_id, data=data)

    def did(self, run: ToolRun, at: float) -> Rows:
        """A tool ran; told when it is a write that was made. `at`: Unix seconds at which it had been made."""
        if run.effect is not Effect.WRITE or run.outcome is not Outcome.DONE:
            return ()
        data = {"tool": run.tool, "key": run.key, "arguments": dict(run.arguments)}
        text = run.tool.replace("_", " ").capitalize() + "."
        return self._fact(f"did:{run.key}", FactKind.DONE, at, text, f"tool:{run.tool}", run.turn_id, data=data)

    def noted(self, name: str, text: str, at: float, data: Json, source: str = "agent") -> Rows:
        """Anything else; `name` tells it from other notes of this conversation."""
        return self._fact(name, FactKind.NOTED, at, text, source, data=data)

    @property
    def _current_id(self) -> str:
        told = self._threads.told.get(self._threads.current)
        return told.id if told is not None else ""

    def _said(self, name: str, source: str, text: str, moment: Moment, turn_id: str, channel: str) -> Rows:
        return self._fact(
            name, FactKind.SAID, moment.at, text, source, turn_id, recording=moment.recording, channel=channel
        )

    def _fact(
        self,
        name: str,
        kind: FactKind,
        at: float,
        text: str,
        source: str,
        turn_id: str = "",
        *,
        data: Json | None = None,
        recording: str = "",
        channel: str = "",
    ) -> Rows:
        fact = Fact(
            id=f"{self._id}:{name}",
            customer_id=self.whose.customer_id,
            at=at,
            kind=kind,
            channel=channel or self._channel,
            text=text,
            source=source,
            conversation_id=self._id,
            turn_id=turn_id,
            thread_id=self._current_id,
            recording=recording,
            data=data or {},
        )
        return rows(Page(self.whose, fact=fact))

    def _thread(self, topic: Topic, told: _Told, snapshot: Json, at: float) -> Rows:
        closed = topic.state is ThreadState.CLOSED
        return rows(
            Page(
                self.whose,
                thread=Thread(
                    id=told.id,
                    customer_id=self.whose.customer_id,
                    goal=topic.goal,
                    title=topic.title,
                    state=topic.state,
                    channel=self._channel,
                    opened_at=told.opened_at,
                    updated_at=at,
                    missing=topic.missing,
                    slots=dict(topic.slots),
                    outcome=topic.outcome,
                    reasoner="" if closed else self._reasoner,
                    snapshot=None if closed else snapshot,
                ),
            )
        )


def rows(page: Page) -> Rows:
    """The journal's row of a page, masked; none when it is nobody's."""
    if not page.whose.key:
        return ()
    if page.fact is not None:
        page = replace(page, fact=replace(page.fact, text=masked_text(page.fact.text), data=_mask(page.fact.data)))
    if page.thread is not None:
        snapshot = None if page.thread.snapshot is None else _mask(page.thread.snapshot)
        slots = {name: masked_text(value) for name, value in page.thread.slots.items()}
        page = replace(
            page,
            thread=replace(page.thread, slots=slots, outcome=masked_text(page.thread.outcome), snapshot=snapshot),
        )
    return (Chronicled(page.whose.key, msgspec.json.encode(page).decode()),)


def page_of(record: str) -> Page:
    """The page of a row."""
    return msgspec.json.decode(record, type=Page)


def _mask(value: Json) -> dict[str, Any]:
    return cast("dict[str, Any]", masked(value))
