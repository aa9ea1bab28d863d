"""Something that is kept for a customer for a while: a seat, an appointment, a room.

Held, confirmed and released by three tools of the system of record, which alone decides: a hold goes from `HELD` to exactly
one of the other states, by compare-and-set in one transaction with what it means (the booking, the seat on sale again).
Past its time it is `EXPIRED` whoever looks, also when everybody who knew of it has died.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class HoldState(StrEnum):
    """Where a hold stands."""

    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


class Hold(BaseModel):
    """What the three tools answer; a tool may add what it wants. Confirming or releasing a hold that is settled changes
    nothing and answers how it was settled."""

    model_config = ConfigDict(extra="allow")

    hold_id: str
    state: HoldState
    until: float
    """Unix seconds of the real clock, whatever the business's clock says: a rehearsal does not stretch a hold."""


class HoldId(BaseModel):
    """What confirming and releasing are given."""

    model_config = ConfigDict(extra="forbid")

    hold_id: str
