"""One customer on the way to a person, and what of it outlives the controller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

import msgspec

from ccaas.contact.bundle import Facts
from ccaas.contact.waiting import Standing
from ccaas.ports.contact import WRITTEN
from ccaas.ports.queueing import Order, TextSide

KEPT = frozenset(
    {
        "id",
        "call_id",
        "queue",
        "why",
        "since",
        "tier",
        "score",
        "customer",
        "address",
        "entry",
        "locale",
        "stage",
        "agent",
        "only",
        "answered_at",
        "offered_callback",
        "attempts",
        "not_before",
        "channel",
    }
)


class Stage(Enum):
    """Where it stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    """On somebody's desktop, or ringing."""
    TALKING = "talking"
    CALLBACK = "callback"
    """They have hung up and keep their place."""
    CALLING = "calling"
    """It is their turn, and they are being called."""


@dataclass(slots=True)
class Handoff:
    """Mutable; owned by the centre."""

    id: str
    call_id: str
    queue: str
    why: str
    since: float
    """When they began to wait for a person (Unix s)."""
    tier: str = ""
    score: float | None = None
    customer: str = ""
    """Name, or the calling number."""
    address: str = ""
    """Where they can be called back."""
    entry: str = ""
    """Whose call it was: a call-back is one of the same entry."""
    locale: str = "en-US"
    stage: Stage = Stage.WAITING
    agent: str = ""
    """The login of whom it is offered to, or who has it."""
    only: str = ""
    """Nobody but this login may have it."""
    answered_at: float = 0.0
    offered_callback: bool = False
    attempts: int = 0
    """Calls back that nobody answered."""
    not_before: float = 0.0
    """A call-back is not tried before (Unix s)."""
    channel: str = "voice"
    text: TextSide | None = None
    """The written conversation, once it can be offered."""
    offered_at: float = 0.0
    """When a written conversation was shown to whom it is offered (Unix s)."""
    passed: set[str] = field(default_factory=set)
    """Queues that it has gone on from."""
    tell: Callable[[Order], None] | None = None
    facts: Callable[[], Awaitable[Facts]] | None = None
    announced_at: float = 0.0
    speaking: bool = False
    consulted: str = ""
    """The login of who is consulted; "?" when it is nobody of ours."""
    conference: bool = False
    going: str | None = None
    """Where the caller has been sent, until they are there."""
    words: str = ""
    """What the AI says first, when they are sent back to it."""
    acknowledged: bool = False

    @property
    def standing(self) -> Standing:
        """What decides on the place."""
        return Standing(self.id, self.since, self.tier, self.score)

    @property
    def written(self) -> bool:
        """Whether it is a chat, an SMS or an e-mail."""
        return self.channel in WRITTEN

    @property
    def waits(self) -> bool:
        """Whether it can be offered to somebody."""
        there = self.tell is not None or self.text is not None
        return (self.stage is Stage.WAITING and there and self.going is None) or self.stage is Stage.CALLBACK

    def record(self) -> str:
        """JSON of what must outlive the controller."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name in KEPT}
        return msgspec.json.encode(kept).decode()

    @classmethod
    def of(cls, record: str) -> Handoff:
        """From the journal: what was offered to somebody waits again, and so does what somebody wrote in."""
        kept: dict[str, Any] = msgspec.json.decode(record)
        stage = Stage(kept.pop("stage"))
        one = cls(**kept, stage=stage)
        if stage is Stage.OFFERED or (one.written and stage is Stage.TALKING):
            one.stage, one.agent = Stage.WAITING, ""
        elif stage is Stage.CALLING:
            one.stage, one.agent = Stage.CALLBACK, ""
        return one
