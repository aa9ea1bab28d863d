"""What a call asks of the rest of the core; joined to it in the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Place
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


@dataclass(frozen=True, slots=True)
class Refused:
    """An offer is given back to the dialplan."""

    why: str
    """One word: "draining", "full", "slow", "number" (nobody takes it)."""


class Attendant(Protocol):
    """Who speaks with the caller. One per call; it may be given several streams, one after the other."""

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        """Converse until something else must happen. `reason` is empty at first; later it says why the caller is back
        with the agent: "lost" (the audio), "unanswered" (the transfer), "queue" (nobody took them, or who did gave them
        back)."""
        ...

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        """Say `text` over `stream`, to whoever hears it; True: it was a question, and they said yes."""
        ...

    async def overhear(self, stream: MediaStream, *, customer: bool) -> None:
        """Write down what one side of a talk between the customer and a person says, until the stream ends. `customer`:
        whose side it is."""
        ...

    @property
    def overhears(self) -> bool:
        """Whether that is wanted."""
        ...

    async def overhear_waiting(self, stream: MediaStream) -> None:
        """Hear what the customer says while they wait for a person, and on when a person has them, until all is known that
        was to be heard."""
        ...

    @property
    def overhears_waiting(self) -> bool:
        """Whether that is wanted."""
        ...

    def place(self, name: str) -> Place | None:
        """A place in the queue of that name; None when no queue is called so."""
        ...

    def kept_place(self) -> Place | None:
        """The place that the caller has already: an earlier controller had given it, or it is why they are called."""
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

    async def welcome(self, call_id: str, offer: Offered) -> Attendant | Refused:
        """Who takes an offer, or why nobody does. The call has its place among the others from the first moment on, and
        keeps it until `ended`; an offer that is refused, or whose welcome breaks, keeps none."""
        ...

    def happened(self, call_id: str, event: TelephonyEvent) -> None:
        """Journal it and tell the plug-ins. Never waits."""
        ...

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None:
        """The call is over. Never waits."""
        ...
