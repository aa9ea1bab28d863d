"""What ARI's messages mean for a leg."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccaas.asterisk.api.messages import StasisStart
from ccaas.asterisk.api.models import Bridge, Channel
from ccaas.asterisk.legs import KnownLeg, LegBook, Role, codec_of, end_reason
from ccaas.asterisk.snapshot import snapshots
from ccaas.asterisk.transport import decode_event
from ccaas.ports.media import Codec
from ccaas.ports.telephony import LegSnapshot
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
from ccaas.testing.ari import bridge, channel, message


class Told:
    """A book with one leg, to which messages are read."""

    def __init__(self, role: Role = Role.OFFERED, **known: Any) -> None:
        self.book = LegBook()
        self.leg = self.book.add(KnownLeg("leg", role, Codec.ULAW, **known))

    def read(self, kind: str, state: str = "Up", **fields: Any) -> TelephonyEvent | None:
        return self.book.read(decode_event(message(kind, channel=channel("leg", state), **fields)), 1.5)


def test_an_offer_says_who_calls_whom() -> None:
    event = decode_event(message("StasisStart", args=["inbound", "1000"], channel=channel("leg", "Ring")))
    assert isinstance(event, StasisStart)
    assert LegBook().offered(event, Codec.ALAW, 1.5) == Offered(
        "leg", 1.5, "+16175550142", "1000", Codec.ALAW, ("inbound", "1000")
    )


def test_an_offered_leg_is_answered_once() -> None:
    told = Told()
    assert told.read("ChannelStateChange") == Answered("leg", 1.5, Codec.ULAW)
    assert told.read("ChannelStateChange") is None


def test_an_originated_leg_rings_once_and_is_not_answered_by_its_state() -> None:
    told = Told(Role.ORIGINATED)
    assert told.read("ChannelStateChange", "Ringing") == Ringing("leg", 1.5)
    assert told.read("ChannelStateChange", "Ringing") is None
    assert told.read("ChannelStateChange", "Up") is None


def test_keys_and_hold_are_told() -> None:
    told = Told()
    assert told.read("ChannelDtmfReceived", digit="#", duration_ms=80) == KeyPressed("leg", 1.5, "#", 80)
    assert told.read("ChannelHold") == Held("leg", 1.5)
    assert told.read("ChannelUnhold") == Unheld("leg", 1.5)


def test_a_leg_on_hold_counts_as_joined() -> None:
    told = Told()
    assert told.read("ChannelEnteredBridge", bridge=bridge("b")) == Joined("leg", 1.5)
    told.leg.held_from = "b"
    assert told.read("ChannelLeftBridge", bridge=bridge("b")) is None
    assert told.read("ChannelEnteredBridge", bridge=bridge("b")) is None
    assert told.read("ChannelLeftBridge", bridge=bridge("b")) == Unjoined("leg", 1.5)


def test_a_hung_up_leg_ends_once() -> None:
    told = Told(up=True)
    assert told.read("ChannelHangupRequest", cause=16) is None
    assert told.read("StasisEnd") == Ended("leg", 1.5, EndReason.HUNG_UP, 16)
    assert told.read("ChannelDestroyed", cause=16, cause_txt="") is None


def test_a_leg_that_we_sent_away_leaves_once() -> None:
    told = Told(up=True, leaving=EndReason.RETURNED)
    assert told.read("StasisEnd") == Left("leg", 1.5)
    assert told.read("ChannelHangupRequest", cause=16) is None
    assert told.read("ChannelDestroyed", cause=16, cause_txt="") is None


def test_a_leg_that_hangs_up_while_it_leaves_ends() -> None:
    told = Told(up=True, leaving=EndReason.TRANSFERRED)
    told.read("ChannelHangupRequest", cause=16)
    assert told.read("StasisEnd") == Ended("leg", 1.5, EndReason.TRANSFERRED, 16)


def test_our_cause_and_reason_win() -> None:
    told = Told(up=True, ending=EndReason.DISMISSED, cause=21)
    told.read("ChannelHangupRequest", cause=32, soft=True)
    assert told.read("StasisEnd") == Ended("leg", 1.5, EndReason.DISMISSED, 21)


def test_messages_about_others_are_nothing() -> None:
    assert LegBook().read(decode_event(message("ChannelHold", channel=channel("other"))), 1.0) is None
    assert Told().book.read(decode_event(message("BridgeCreated", bridge=bridge("b"))), 1.0) is None


@pytest.mark.parametrize(
    ("role", "up", "cause", "reason"),
    [
        (Role.ORIGINATED, False, 17, EndReason.BUSY),
        (Role.ORIGINATED, False, 19, EndReason.NO_ANSWER),
        (Role.ORIGINATED, False, 0, EndReason.NO_ANSWER),
        (Role.ORIGINATED, False, 21, EndReason.REJECTED),
        (Role.ORIGINATED, False, 1, EndReason.UNREACHABLE),
        (Role.ORIGINATED, False, 34, EndReason.UNREACHABLE),
        (Role.ORIGINATED, True, 16, EndReason.HUNG_UP),
        (Role.OFFERED, False, 127, EndReason.HUNG_UP),
        (Role.OFFERED, True, 44, EndReason.FAILED),
    ],
)
def test_why_a_leg_ended(role: Role, up: bool, cause: int, reason: EndReason) -> None:
    assert end_reason(KnownLeg("leg", role, Codec.ULAW, up=up), cause) is reason


@pytest.mark.parametrize(
    ("native", "codec"),
    [
        ("(ulaw)", Codec.ULAW),
        ("(alaw|ulaw)", Codec.ALAW),
        ("(opus|g722)", Codec.G722),
        ("(opus)", Codec.G722),
        ("(slin)", Codec.ALAW),
        ("", Codec.ALAW),
    ],
)
def test_the_codec_of_a_channel(native: str, codec: Codec) -> None:
    assert codec_of(native, Codec.ALAW) is codec


def test_a_snapshot_tells_what_is_ours() -> None:
    found = [
        channel("in"),
        channel("elsewhere", app="Playback", data="sorry"),
        channel("other-app", data="another,x"),
        channel("dialled", "Ringing", app="AppDial2", data="(Outgoing Line)", exten="s"),
        channel("strange", app="AppDial2"),
    ]
    legs = snapshots(
        "ccaas",
        msgspec.convert(found, list[Channel]),
        {"in", "elsewhere", "dialled"},
        msgspec.convert([bridge("ccaas-b", "in")], list[Bridge]),
    )
    ani = "+16175550142"
    assert legs == (
        LegSnapshot("in", True, "ccaas-b", ani, "1000", Codec.ULAW, ("inbound", "1000"), True),
        LegSnapshot("elsewhere", True, "", ani, "1000", Codec.ULAW, (), False),
        LegSnapshot("dialled", False, "", ani, "s", Codec.ULAW, (), True),
    )
