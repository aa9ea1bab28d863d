"""Where a conversation with the model stands: everything that a snapshot keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ccaas.ports.journey import Json, ThreadState
from ccaas.ports.reasoning import Topic
from ccaas_llm.history import History
from ccaas_llm.meter import Bill


@dataclass(slots=True)
class Proposal:
    """A write that was put to the caller, and waits for their yes."""

    tool: str
    arguments: dict[str, Any]
    question: str
    cut: bool = False
    """The caller spoke before half of the question was heard: their yes means nothing yet."""


@dataclass(slots=True)
class Subject:
    """What it is about, for the journey."""

    goal: str
    title: str
    state: str = ThreadState.OPEN.value
    slots: dict[str, str] = field(default_factory=dict)
    outcome: str = ""
    promise: str = ""
    thread: str = ""

    def topic(self) -> Topic:
        """As the port has it."""
        return Topic(
            self.goal,
            self.title,
            ThreadState(self.state),
            slots=dict(self.slots),
            outcome=self.outcome,
            thread_id=self.thread,
            promise=self.promise,
        )


@dataclass(slots=True)
class State:
    """One conversation's."""

    history: History = field(default_factory=History)
    revision: int = 0
    proposal: Proposal | None = None
    subject: Subject | None = None
    asked_thread: str = ""
    """The thread that the greeting asked about, until that is answered."""
    leads: bool = False
    """The flows have the word, until their errand is over."""
    failed: int = 0
    """Turns in a row that nobody could answer."""
    bill: Bill = field(default_factory=Bill)

    def to_json(self) -> Json:
        """For a snapshot."""
        return {
            "history": [dict(entry) for entry in self.history.entries],
            "revision": self.revision,
            "proposal": _plain(self.proposal, ("tool", "arguments", "question", "cut")),
            "subject": _plain(self.subject, ("goal", "title", "state", "slots", "outcome", "promise", "thread")),
            "asked_thread": self.asked_thread,
            "leads": self.leads,
            "failed": self.failed,
            "bill": [self.bill.tokens, self.bill.cost],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> State:
        """Of a snapshot; what is of another version of ours is left out. Raises TypeError, ValueError or KeyError."""
        proposal, subject = kept.get("proposal"), kept.get("subject")
        tokens, cost = kept.get("bill", (0, 0.0))
        return cls(
            History(kept.get("history", ())),
            int(kept.get("revision", 0)),
            Proposal(**proposal) if proposal else None,
            Subject(**subject) if subject else None,
            str(kept.get("asked_thread", "")),
            bool(kept.get("leads", False)),
            int(kept.get("failed", 0)),
            Bill(int(tokens), float(cost)),
        )


def _plain(value: object, names: tuple[str, ...]) -> dict[str, Any] | None:
    return None if value is None else {name: getattr(value, name) for name in names}


def kept_state(snapshot: Json | None) -> State | None:
    """The state in a snapshot of ours; None when there is none that can be used."""
    inner = (snapshot or {}).get("llm")
    try:
        return State.from_json(inner) if isinstance(inner, dict) else None
    except (TypeError, ValueError, KeyError):
        return None


def left_by_model(snapshot: Json | None) -> bool:
    """Whether the conversation stood with the model, not with its flows."""
    kept = kept_state(snapshot)
    return kept is not None and not kept.leads
