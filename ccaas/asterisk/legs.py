"""What ARI's messages mean for our legs: message in, telephony events out. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ccaas.asterisk.api import messages as ari
from ccaas.asterisk.api.models import Channel
from ccaas.asterisk.transport import Unknown
from ccaas.ports.media import Codec
from ccaas.telephony.events import (
    Answered,
    Ended,
    EndReason,
    Held,
    Joined,
    KeyPressed,
    Left,
    Offered,
    Ringing,
    TelephonyEvent,
    Unheld,
    Unjoined,
)

WANTED: tuple[type[ari.Message], ...] = (
    ari.ApplicationReplaced,
    ari.ChannelDestroyed,
    ari.ChannelDtmfReceived,
    ari.ChannelEnteredBridge,
    ari.ChannelHangupRequest,
    ari.ChannelHold,
    ari.ChannelLeftBridge,
    ari.ChannelStateChange,
    ari.ChannelUnhold,
    ari.StasisEnd,
    ari.StasisStart,
)
"""The messages that this module reads; Asterisk is told to send no others."""

BUSY, NO_USER_RESPONSE, NO_ANSWER, REJECTED = 17, 18, 19, 21
UNSPECIFIC = frozenset({0, 16, 31, 127})
"""Q.850 causes that say no more than "it ended"."""
FAULTS = frozenset({1, 34, 38, 41, 42, 43, 44, 47, 58, 63, 65, 79, 88, 95, 96, 97, 98, 99, 100, 101, 102, 111})
"""Q.850 causes of a network or a media path that failed under a call; 1 is what Asterisk gives when no more audio comes."""


class Role(Enum):
    """How a leg came to be."""

    OFFERED = "offered"
    ORIGINATED = "originated"
    MEDIA = "media"


@dataclass(slots=True)
class KnownLeg:
    """What must be remembered of a leg to read ARI's messages about it."""

    id: str
    role: Role
    codec: Codec
    made: bool = False
    """Asterisk has said that it exists."""
    up: bool = False
    answered: bool = False
    """`Answered` was told."""
    rings: bool = False
    hung: bool = False
    """A hang-up was requested, by either side."""
    bridge_id: str = ""
    snoops_on: str = ""
    """The leg that it hears, where it is a snoop."""
    held_from: str = ""
    """The bridge that we took it out of for music; it counts as joined meanwhile."""
    cause: int = 0
    """Q.850 cause of that hang-up: ours where we asked for it."""
    ending: EndReason | None = None
    """Why we hang it up."""
    leaving: EndReason | None = None
    """TRANSFERRED or RETURNED, once we sent it away."""


class LegBook:
    """The legs under our application, and what ARI's messages say about them.

    A leg ends exactly once: by `Left` or by `Ended`; afterwards it is forgotten, and whatever still comes is not ours.
    """

    def __init__(self) -> None:
        self._legs: dict[str, KnownLeg] = {}

    def __contains__(self, leg_id: str) -> bool:
        return leg_id in self._legs

    def get(self, leg_id: str) -> KnownLeg | None:
        return self._legs.get(leg_id)

    def add(self, leg: KnownLeg) -> KnownLeg:
        self._legs[leg.id] = leg
        return leg

    def forget(self, leg_id: str) -> None:
        self._legs.pop(leg_id, None)

    def made(self) -> tuple[KnownLeg, ...]:
        """Legs of which Asterisk has said that they exist."""
        return tuple(leg for leg in self._legs.values() if leg.made)

    def snooping_on(self, leg_id: str) -> tuple[str, ...]:
        """Ids of the snoops that hear a leg."""
        return tuple(leg.id for leg in self._legs.values() if leg.snoops_on == leg_id)

    def offered(self, event: ari.StasisStart, codec: Codec, at: float) -> Offered:
        """A channel that came from the dialplan."""
        channel = event.channel
        self.add(KnownLeg(channel.id, Role.OFFERED, codec, made=True, up=channel.state == "Up"))
        return Offered(
            channel.id,
            at,
            ani=channel.caller.number,
            dnis=channel.dialplan.exten,
            codec=codec,
            arguments=event.args,
            variables={name: str(value) for name, value in (channel.channelvars or {}).items()},
        )

    def answered(self, leg: KnownLeg, codec: Codec, at: float) -> Answered:
        leg.up, leg.answered, leg.codec = True, True, codec
        return Answered(leg.id, at, codec)

    def left(self, leg: KnownLeg, at: float) -> Left:
        self.forget(leg.id)
        return Left(leg.id, at)

    def ended(self, leg: KnownLeg, cause: int, at: float) -> Ended:
        self.forget(leg.id)
        return Ended(leg.id, at, end_reason(leg, cause), cause)

    def read(self, event: ari.AnyEvent | Unknown, at: float) -> TelephonyEvent | None:
        """What a message means; None: nothing for us. `StasisStart`, and the `StasisEnd` of a leg that neither we nor
        a hang-up sent away, need a question to Asterisk and are the switch's."""
        channel = channel_of(event)
        leg = self._legs.get(channel.id) if channel is not None else None
        if channel is None or leg is None:
            return None
        leg.made = True
        match event:
            case ari.ChannelDtmfReceived():
                return KeyPressed(leg.id, at, event.digit, event.duration_ms)
            case ari.ChannelEnteredBridge():
                return self._joined(leg, event.bridge.id, at)
            case ari.ChannelLeftBridge():
                leg.bridge_id = ""
                return None if leg.held_from else Unjoined(leg.id, at)
            case ari.ChannelHold():
                return Held(leg.id, at)
            case ari.ChannelUnhold():
                return Unheld(leg.id, at)
            case ari.ChannelStateChange():
                return self._state(leg, channel.state, at)
            case ari.ChannelHangupRequest():
                leg.hung = True
                leg.cause = leg.cause or event.cause or 0
            case ari.StasisEnd() if leg.hung:
                # The channel may still run through the dialplan's "h", unheard by us: for us the leg is gone.
                return self.ended(leg, leg.cause, at)
            case ari.StasisEnd() if leg.leaving:
                return self.left(leg, at)
            case ari.ChannelDestroyed():
                return self.ended(leg, event.cause, at)
        return None

    def _joined(self, leg: KnownLeg, bridge_id: str, at: float) -> TelephonyEvent | None:
        came_back = leg.held_from == bridge_id
        leg.bridge_id, leg.held_from = bridge_id, ""
        return None if came_back else Joined(leg.id, at)

    def _state(self, leg: KnownLeg, state: str, at: float) -> TelephonyEvent | None:
        if state == "Ringing" and leg.role is Role.ORIGINATED and not leg.rings:
            leg.rings = True
            return Ringing(leg.id, at)
        # An originated leg can be commanded only from its StasisStart on: that is when it counts as answered.
        if state == "Up" and leg.role is Role.OFFERED and not leg.answered:
            return self.answered(leg, leg.codec, at)
        return None


def channel_of(event: ari.AnyEvent | Unknown) -> Channel | None:
    """The channel that a message of `WANTED` is about."""
    match event:
        case (
            ari.StasisStart()
            | ari.StasisEnd()
            | ari.ChannelStateChange()
            | ari.ChannelDtmfReceived()
            | ari.ChannelEnteredBridge()
            | ari.ChannelLeftBridge()
            | ari.ChannelHangupRequest()
            | ari.ChannelHold()
            | ari.ChannelUnhold()
            | ari.ChannelDestroyed()
        ):
            return event.channel
    return None


def end_reason(leg: KnownLeg, cause: int) -> EndReason:
    """Why a leg ended: our own intention first, then what its cause says in the state it was in."""
    if leg.ending or leg.leaving:
        return leg.ending or leg.leaving or EndReason.FAILED
    if leg.role is Role.ORIGINATED and not leg.up:
        if cause in (NO_USER_RESPONSE, NO_ANSWER) or cause in UNSPECIFIC:
            return EndReason.NO_ANSWER
        return {BUSY: EndReason.BUSY, REJECTED: EndReason.REJECTED}.get(cause, EndReason.UNREACHABLE)
    return EndReason.FAILED if cause in FAULTS else EndReason.HUNG_UP


def codec_of(native: str, fallback: Codec) -> Codec:
    """The codec of a channel from its native formats ("(ulaw|alaw)", in order of preference)."""
    names = native.strip("()").split("|")
    for name in names:
        if name in {codec.value for codec in Codec}:
            return Codec(name)
    # Asterisk transcodes any other; a wideband one deserves the widest that we speak.
    wide = any(name.startswith(("opus", "slin16", "slin48", "siren", "speex16", "g719")) for name in names)
    return Codec.G722 if wide else fallback
