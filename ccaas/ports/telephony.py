"""The switch: what the core asks of the telephone network. The adapter for Asterisk is `ccaas.asterisk.switch`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ccaas.ports.media import Codec, MediaStream
from ccaas.telephony.events import EndReason, TelephonyEvent


@dataclass(frozen=True, slots=True)
class LegSnapshot:
    """A leg that the switch says exists, for reconciliation."""

    leg_id: str
    up: bool
    bridge_id: str
    """Empty when in no bridge."""
    ani: str
    dnis: str
    codec: Codec
    arguments: tuple[str, ...]
    ours: bool
    """False: it is not (or no more) under our control."""


class Into(Enum):
    """Who hears what is said into a snoop."""

    NOBODY = "nobody"
    ITSELF = "itself"
    """The leg that is snooped on."""
    BOTH = "both"
    """That leg, and everybody who hears it."""


class Connected:
    """The event stream is (again) open: reconcile now. Events of the gap are lost."""

    __slots__ = ()


class Disconnected:
    """The event stream is gone; calls go on, but nothing can be commanded."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BrowserLine:
    """What makes a page a telephone: made for one page, and never written down."""

    user: str
    """Its name in the switch."""
    password: str = field(repr=False)


class BrowserLines(Protocol):
    """Telephones in browsers. They exist only from `open` to `close`, and not beyond a restart of the switch.

    All raise AriError (an AsteriskError) when the switch does not do it.
    """

    async def open_desk(self, login: str, name: str) -> BrowserLine:
        """The softphone of an agent or supervisor, called by their login: "PJSIP/ann". Opened again, the old password is
        void: one page has it. Raises ValueError for a login that cannot be a name."""
        ...

    async def open_guest(self, number: str) -> BrowserLine:
        """A telephone that can do one thing: call `number`, by dialling "call"."""
        ...

    async def is_open(self, user: str) -> bool:
        """Whether the switch knows it."""
        ...

    async def close(self, user: str) -> None:
        """It is no telephone any more; a call that it has goes on. One that is not open is no error."""
        ...

    async def guests(self) -> dict[str, bool]:
        """The guests' telephones that are open, and whether each is in a call."""
        ...


class Switch(Protocol):
    """Commands return when the switch has accepted them, and raise AriError (an AsteriskError) when it has not; a leg
    that is already gone raises LegGone. What follows arrives as events."""

    def events(self) -> AsyncIterator[TelephonyEvent | Connected | Disconnected]:
        """All events in order, from one consumer's view; ends when the switch is closed."""
        ...

    async def answer(self, leg_id: str) -> None: ...

    async def ring(self, leg_id: str) -> None:
        """Tell the caller that it rings (early media or 180)."""
        ...

    async def open_media(self, call_id: str, leg_id: str, codec: Codec) -> MediaStream:
        """Give the application both directions of the call's audio as a new leg `leg_id`, ready to join.

        Raises:
            MediaError: no stream within its time limit.
        """
        ...

    async def bridge(self, bridge_id: str) -> None:
        """Make the call's bridge, if it is not there."""
        ...

    async def join(self, bridge_id: str, *leg_ids: str) -> None: ...

    async def unjoin(self, bridge_id: str, leg_id: str) -> None: ...

    async def destroy_bridge(self, bridge_id: str) -> None: ...

    async def hold(self, leg_id: str) -> None:
        """Music to the leg until `unhold`; it stays ours, and is in no bridge meanwhile."""
        ...

    async def unhold(self, leg_id: str) -> None: ...

    async def snoop(self, leg_id: str, target: str, into: Into, *, both: bool = True) -> None:
        """A new leg `leg_id` that hears what the leg `target` hears and says (without `both`: only what it says); what it hears itself, in whichever bridge it
        joins, is mixed in as `into` says. It may join at once, and ends with `target`. Raises LegGone for a target that is
        no more."""
        ...

    async def send_keys(self, leg_id: str, digits: str) -> None:
        """DTMF towards the leg."""
        ...

    async def originate(
        self,
        leg_id: str,
        endpoint: str,
        *,
        caller_id: str,
        timeout_s: float,
        codec: Codec,
        variables: Mapping[str, str],
    ) -> None:
        """Call `endpoint` ("PJSIP/alice", "PJSIP/trunk/sip:…"); `Ringing`, `Answered` or `Ended` follow."""
        ...

    async def redirect(self, leg_id: str, endpoint: str) -> None:
        """Blind transfer by the leg's own protocol (SIP REFER or 302); `Left` or `Ended` follows."""
        ...

    async def return_to_dialplan(self, leg_id: str, context: str, extension: str, priority: int = 1) -> None:
        """Give the leg back; `Left` follows."""
        ...

    async def play_prompt(self, leg_id: str, sound: str) -> None:
        """Play one of Asterisk's own recordings to the leg, for when we have no voice."""
        ...

    async def hang_up(self, leg_id: str, reason: EndReason, cause: int) -> None:
        """End the leg with a Q.850 cause. A leg already gone is no error."""
        ...

    async def legs(self) -> tuple[LegSnapshot, ...]:
        """Everything that exists now under our application."""
        ...

    async def bridges(self) -> tuple[str, ...]:
        """Ids of our bridges that exist now."""
        ...

    async def close(self) -> None: ...
