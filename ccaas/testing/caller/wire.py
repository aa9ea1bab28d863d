"""What the caller's two processes say to each other: length-prefixed MessagePack over a socket pair.

Instants are nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share. Coded audio is 160 bytes a frame of
20 ms in each of the three codecs; RTP timestamps count at 8,000 Hz in each of them (RFC 3551 section 4.5.2).
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, TypeVar

import msgspec


class Packet(NamedTuple):
    """One RTP packet of audio, sent or received."""

    at: int
    """Instant of sending, or of arrival at this machine's socket (ns)."""
    sequence: int
    timestamp: int
    payload: bytes
    """Coded audio; empty for a frame of silence that we sent."""


class Command(msgspec.Struct, frozen=True, tag=True):
    """Base of what the parent asks for."""

    call: int
    """The parent's number of the call; 0 where no call is meant."""


class Dial(Command, frozen=True, tag=True):
    target: str
    codecs: tuple[str, ...]
    """SDP encoding names in order of preference."""
    identity: str
    """SIP URI or name-addr of the From header; empty for the account's own."""
    headers: tuple[tuple[str, str], ...] = ()


class Respond(Command, frozen=True, tag=True):
    """Answer an incoming call with a SIP status: 180 rings, 200 answers, 4xx–6xx refuses."""

    status: int


class HangUp(Command, frozen=True, tag=True):
    pass


class Hold(Command, frozen=True, tag=True):
    on: bool


class Say(Command, frozen=True, tag=True):
    number: int
    """Comes back in Began and Finished."""
    pcm: bytes
    """Native int16 samples at the codec's rate; the child codes them, so that an adaptive codec has one history."""


class Press(Command, frozen=True, tag=True):
    number: int
    digit: str
    tone_ms: int
    gap_ms: int


class Hush(Command, frozen=True, tag=True):
    """Drop what is being said and what waits to be."""


class Echo(Command, frozen=True, tag=True):
    """Send back what arrives, this long after its arrival."""

    delay_ms: int


class SignIn(Command, frozen=True, tag=True):
    """Register with the server."""

    user: str
    password: str


class Write(Command, frozen=True, tag=True):
    """Send a SIP MESSAGE; `call` comes back in Written."""

    target: str
    """User part at the server."""
    text: str
    identity: str
    """As in Dial."""


class Leave(Command, frozen=True, tag=True):
    """End all calls, unregister, and exit."""


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of what the child reports."""

    call: int


class Ready(Event, frozen=True, tag=True):
    port: int
    """UDP port of 127.0.0.1 at which the child takes SIP."""


class Refused(Event, frozen=True, tag=True):
    """A command could not be done."""

    message: str


class Incoming(Event, frozen=True, tag=True):
    """A new call for us; its number is negative, chosen by the child."""

    caller: str
    called: str
    replaces: int = 0
    """The call that was transferred by REFER and goes on as this one; 0 for a true incoming call."""


class Progress(Event, frozen=True, tag=True):
    status: int
    at: int


class Answered(Event, frozen=True, tag=True):
    at: int


class Ended(Event, frozen=True, tag=True):
    status: int
    """Last SIP status; 200 after a BYE."""
    reason: str
    cause: int
    """Q.850 cause of the Reason header (RFC 3326); 0 when there was none."""
    by_us: bool
    at: int


class Media(Event, frozen=True, tag=True):
    """What was negotiated, at first and after every re-INVITE."""

    codec: str
    held: bool
    """The far party put us on hold."""
    holding: bool
    """We put it on hold."""


class Heard(Event, frozen=True, tag=True):
    packets: tuple[Packet, ...]


class Sent(Event, frozen=True, tag=True):
    packets: tuple[Packet, ...]


class KeyHeard(Event, frozen=True, tag=True):
    digit: str
    at: int


class Began(Event, frozen=True, tag=True):
    number: int
    sequence: int
    at: int


class Finished(Event, frozen=True, tag=True):
    number: int
    at: int
    """When its last sample had its turn: the last packet's instant plus 20 ms."""
    whole: bool
    """False when it was hushed or the call ended."""


class SignedIn(Event, frozen=True, tag=True):
    status: int
    reason: str


class Written(Event, frozen=True, tag=True):
    """A SIP MESSAGE of ours had its final answer."""

    status: int


class TextHeard(Event, frozen=True, tag=True):
    """A SIP MESSAGE came."""

    sender: str
    """The From URI."""
    text: str


AnyCommand = Dial | Respond | HangUp | Hold | Say | Press | Hush | Echo | SignIn | Write | Leave
AnyEvent = (
    Ready
    | Refused
    | Incoming
    | Progress
    | Answered
    | Ended
    | Media
    | Heard
    | Sent
    | KeyHeard
    | Began
    | Finished
    | SignedIn
    | Written
    | TextHeard
)

_encode = msgspec.msgpack.Encoder().encode
_PREFIX = 4

T = TypeVar("T")


def pack(message: Command | Event) -> bytes:
    """One message as it goes over the socket."""
    body = _encode(message)
    return len(body).to_bytes(_PREFIX, "little") + body


class Reader:
    """Takes messages off the socket."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def read(self, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
        """The next message; None when the other side is gone."""
        try:
            size = int.from_bytes(await self._stream.readexactly(_PREFIX), "little")
            return decoder.decode(await self._stream.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
