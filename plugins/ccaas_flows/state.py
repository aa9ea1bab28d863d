"""Where a conversation stands: everything that a snapshot keeps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any


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

    def copy(self) -> State:
        """An independent copy."""
        return copy.deepcopy(self)

    def to_json(self) -> dict[str, object]:
        """As plain JSON."""
        return asdict(self) | {"waiting": self.waiting.value}

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> State:
        """Raises ValueError when it is no state."""
        names = {f.name for f in fields(cls)}
        known: dict[str, Any] = {name: copy.deepcopy(value) for name, value in kept.items() if name in names}
        known["waiting"] = Waiting(known.get("waiting", Waiting.OPEN.value))
        return cls(**known)
