"""Where a conversation stands: everything that a snapshot keeps."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any

_HIDDEN = "check_secret"
"""The name says to the journal's masking that it is no one's to read."""
_REPEATING = ("question", "reply", "heard", "unsaid")
"""What may repeat an answer."""


class Waiting(Enum):
    """What the caller's next words will be taken for."""

    NOTHING = "nothing"
    """The agent has not spoken, or is on its way to the next question."""
    OPEN = "open"
    """Anything that the business can do."""
    STEP = "step"
    """The answer to the step at `index`."""
    CLARIFY = "clarify"
    """Whether the guessed intent is meant."""
    THREAD = "thread"
    """Whether the thread that the greeting named is to be gone on with."""


@dataclass(slots=True)
class Subject:
    """What the flow that runs is about: what the journey keeps as a thread."""

    intent: str = ""
    """The intent that began it; empty while it is about nothing."""
    thread: str = ""
    """Id of the thread that was taken up again."""
    title: str = ""
    """How that thread is spoken of."""
    flow: str = ""
    """Where it goes on on another day: at the first tool that was read for the question that stands open, or at the
    question itself. Never within the check of who the customer is."""
    index: int = 0
    asked: int = 0
    """Operation of that flow whose answer was awaited."""
    assured: bool = False
    """Tools ran for a verified customer: what is known then is for nobody else."""
    outcome: str = ""
    """What the flow said came of it."""
    promise: str = ""
    """What the flow promised."""
    due: float | None = None
    """When that is owed (Unix seconds)."""


@dataclass(slots=True)
class State:
    """Changed only on copies while drafting."""

    revision: int = 0
    """Counts commits."""
    waiting: Waiting = Waiting.NOTHING
    flow: str = ""
    index: int = 0
    """Operation within the flow."""
    slots: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    """What tools answered and `set` kept; plain JSON."""
    tries: int = 0
    """Answers to the present question that were not understood."""
    offered: int = 0
    """Item of the list that is being offered, for `choose`."""
    guess: str = ""
    """The intent that a clarifying question names."""
    guessed: dict[str, str] = field(default_factory=dict)
    """Slots that came with the guess."""
    said: str = ""
    """The customer's last words; empty where they answered a check of who they are."""
    question: str = ""
    """The last question, to be repeated."""
    reply: str = ""
    """All of the last reply."""
    heard: str = ""
    """What of it the caller heard."""
    confirmed_by: str = ""
    """The turn of the last yes to a read-back."""
    unsaid: list[str] = field(default_factory=list)
    """Sentences that a cancelled commit did not get to say."""
    ended: bool = False
    """Nothing is left to say."""
    subject: Subject = field(default_factory=Subject)
    back: list[Any] = field(default_factory=list)
    """Flow and operation to go back to after the check of who the customer is; empty outside of it."""
    told: dict[str, Any] = field(default_factory=dict)
    """The topic that the last commit closed or put aside, told once."""
    aside: Subject | None = None
    """The subject that was put aside or passed on; its slots and values are still here."""
    returned: bool = False
    """Nobody took the call that was transferred, and the next turn says that the subject is open after all."""
    thread: str = ""
    """Id of the thread that the greeting named."""

    def copy(self) -> State:
        """An independent copy."""
        return copy.deepcopy(self)

    def to_json(self, secrets: Collection[str] = ()) -> dict[str, object]:
        """As plain JSON. While the check of who the customer is goes on, `secrets` (names of slots), and sentences that may
        repeat them, stand under a key whose value the core keeps in no file."""
        plain = asdict(self) | {"waiting": self.waiting.value}
        if not self.back or not any(name in self.slots for name in secrets):
            return plain
        hidden = {name: plain[name] for name in _REPEATING}
        hidden["slots"] = {name: value for name, value in self.slots.items() if name in secrets}
        slots = {name: value for name, value in self.slots.items() if name not in secrets}
        return plain | dict.fromkeys(_REPEATING, "") | {"slots": slots, "unsaid": [], _HIDDEN: hidden}

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> State:
        """Raises ValueError when it is no state."""
        names = {f.name for f in fields(cls)}
        known: dict[str, Any] = {name: copy.deepcopy(value) for name, value in kept.items() if name in names}
        hidden = kept.get(_HIDDEN)
        if isinstance(hidden, Mapping):
            known |= {name: copy.deepcopy(hidden[name]) for name in _REPEATING}
            known["slots"] = {**known.get("slots", {}), **hidden["slots"]}
        known["waiting"] = Waiting(known.get("waiting", Waiting.OPEN.value))
        known["subject"] = Subject(**(known.get("subject") or {}))
        known["aside"] = Subject(**known["aside"]) if known.get("aside") else None
        return cls(**known)
