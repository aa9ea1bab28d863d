"""What plays and channels tell the incident ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Resolution(Enum):
    """What came of an incident."""

    RESOLVED = "resolved"
    """The customer has what they need, confirmed in the system of record."""
    DECLINED = "declined"
    """They wanted none of what was offered."""
    HANDED_OVER = "handed over"
    """A person took it."""
    UNREACHED = "unreached"
    """Nobody answered in time, or nobody might be contacted."""
    FAILED = "failed"
    """Something of ours did not work."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that hurts one customer: one event makes one incident for each customer it affects."""

    id: str
    """The event's id and whom it affects; told again, it is the same incident."""
    kind: str
    """"flight_cancelled"."""
    customer_id: str
    at: float
    """When the event happened (Unix s)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One contact that we began for its sake."""

    id: str
    """Told again, it is the same attempt: its newest outcome counts."""
    incident_id: str
    channel: str
    """"voice", "sms", "email", "chat"."""
    at: float
    outcome: str
    """One word: "sent", "answered", "no answer", "refused" …"""
    conversation_id: str = ""


class IncidentLedger(Protocol):
    """Everything may be told twice. Raises ScorecardError when it cannot be stored; then nothing was."""

    async def open(self, incident: Incident) -> None:
        """It has happened."""
        ...

    async def attempted(self, attempt: Attempt) -> None:
        """We have tried to reach the customer."""
        ...

    async def contacted(self, incident_id: str, conversation_id: str, channel: str, at: float) -> None:
        """The customer has contacted us about it, before or after its end."""
        ...

    async def close(self, incident_id: str, resolution: Resolution, by: str, at: float) -> None:
        """It is over; the first end counts. `by`: "butler", or a person's login."""
        ...

    async def shut(self) -> None:
        """Close what was opened. Safe to call twice."""
        ...
