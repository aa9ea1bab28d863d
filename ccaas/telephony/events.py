"""What can happen to a call. Frozen; times are seconds of the controller's monotonic clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ccaas.ports.media import Codec


class EndReason(Enum):
    """Why a leg or call ended, in our words; the hangup cause beside it is Q.850's number."""

    HUNG_UP = "hung_up"
    """The far party hung up."""
    DISMISSED = "dismissed"
    """We hung up, having finished."""
    REJECTED = "rejected"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    TRANSFERRED = "transferred"
    """Left us for another endpoint."""
    RETURNED = "returned"
    """Given back to the dialplan."""
    FAILED = "failed"
    """A fault of ours or of Asterisk's."""


@dataclass(frozen=True, slots=True)
class LegEvent:
    """Base: something happened on one leg."""

    leg_id: str
    """Ours: `ccaas-<call>-<leg>`; for an inbound caller, the id that Asterisk gave."""
    at: float
    """Monotonic seconds when the controller saw it."""


@dataclass(frozen=True, slots=True)
class Offered(LegEvent):
    """An inbound leg waits to be accepted."""

    ani: str
    """Calling number, empty when withheld."""
    dnis: str
    """Dialled number."""
    codec: Codec
    """What the leg speaks."""
    arguments: tuple[str, ...] = ()
    """What the dialplan passed to Stasis() after the application's name."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ringing(LegEvent):
    """An originated leg's phone rings."""


@dataclass(frozen=True, slots=True)
class Answered(LegEvent):
    """A leg is up: its audio flows."""

    codec: Codec


@dataclass(frozen=True, slots=True)
class KeyPressed(LegEvent):
    """A DTMF digit has ended (RFC 4733)."""

    digit: str
    """One of 0-9 * # A-D."""
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Held(LegEvent):
    """The far party put us on hold."""


@dataclass(frozen=True, slots=True)
class Unheld(LegEvent):
    """The far party took us off hold."""


@dataclass(frozen=True, slots=True)
class Joined(LegEvent):
    """The leg entered its call's bridge."""


@dataclass(frozen=True, slots=True)
class Unjoined(LegEvent):
    """The leg left its call's bridge."""


@dataclass(frozen=True, slots=True)
class Left(LegEvent):
    """The leg left our application and lives on elsewhere (transferred, or back in the dialplan)."""


@dataclass(frozen=True, slots=True)
class Ended(LegEvent):
    """The leg is gone."""

    reason: EndReason
    cause: int
    """Q.850 hangup cause, 0 when unknown."""


TelephonyEvent = Offered | Ringing | Answered | KeyPressed | Held | Unheld | Joined | Unjoined | Left | Ended
