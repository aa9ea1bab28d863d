"""What a call asks of the rest of the core; joined to it in the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ccaas.ports.media import MediaStream
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent


@dataclass(frozen=True, slots=True)
class HangUp:
    """The agent has finished."""


@dataclass(frozen=True, slots=True)
class TransferTo:
    """The caller goes to somebody else."""

    name: str
    """The destination's name in the YAML."""


@dataclass(frozen=True, slots=True)
class AudioLost:
    """The media stream ended by itself: give the agent another one."""


Next = HangUp | TransferTo | AudioLost


@dataclass(frozen=True, slots=True)
class Target:
    """Where a transfer goes."""

    endpoint: str
    """Asterisk's name of it."""
    timeout_s: float
    """How long it may ring."""
    caller_id: str
    """What its display shows."""
    blind: bool = False
    """True: the caller is sent there and leaves us; False: we ring there first, and take the caller back if nobody answers."""


class Attendant(Protocol):
    """Who speaks with the caller. One per call; it may be given several streams, one after the other."""

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """Converse until something else must happen. `reason` is empty at first; later it says why the caller is back
        with the agent: "lost" (the audio), "unanswered" (the transfer)."""
        ...

    def key(self, digit: str) -> None:
        """The caller pressed a key."""
        ...

    def hold(self, held: bool) -> None:
        """The caller put us on hold, or came back."""
        ...

    def target(self, name: str) -> Target | None:
        """Where a destination's name leads; None when there is no such destination."""
        ...

    async def leave(self) -> None:
        """This controller goes away and the call goes on without it: close what was open, end nothing."""
        ...

    async def finish(self, reason: EndReason, cause: int) -> None:
        """The call is over; close what was open."""
        ...


class Desk(Protocol):
    """The front desk: decides on offers and keeps the books."""

    def refusal(self) -> str:
        """Why no new call is taken now (busy, draining), empty when one is."""
        ...

    async def welcome(self, call_id: str, offer: Offered) -> Attendant | None:
        """Who takes an offer; None: nobody is configured for the number."""
        ...

    def happened(self, call_id: str, event: TelephonyEvent) -> None:
        """Journal it and tell the plug-ins. Never waits."""
        ...

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None:
        """The call is over. Never waits."""
        ...
