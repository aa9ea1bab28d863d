"""RTP (RFC 3550) and telephone events (RFC 4733) on the wire."""

from __future__ import annotations

import struct
from typing import NamedTuple

FRAME_TICKS = 160
"""RTP timestamp units in 20 ms: all three codecs count at 8,000 Hz, G.722 by RFC 3551's historical mistake."""

KEYS = "0123456789*#ABCD"
"""Index is the RFC 4733 event code."""

_HEADER = struct.Struct("!BBHII")


class RtpPacket(NamedTuple):
    """A parsed packet."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    payload: bytes


def build(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool = False) -> bytes:
    """A packet without extension or padding."""
    second = payload_type | (0x80 if marker else 0)
    return _HEADER.pack(0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def parse(datagram: bytes) -> RtpPacket | None:
    """The packet in a datagram; None when it is no RTP of version 2."""
    if len(datagram) < 12 or datagram[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, _ssrc = _HEADER.unpack_from(datagram)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(datagram) < start + 4:
            return None
        start += 4 + 4 * struct.unpack_from("!H", datagram, start + 2)[0]
    end = len(datagram) - datagram[-1] if first & 0x20 else len(datagram)
    if start > end:
        return None
    return RtpPacket(second & 0x7F, bool(second & 0x80), sequence, timestamp, datagram[start:end])


def key_payload(digit: str, duration: int, end: bool) -> bytes:
    """A telephone event; `duration` in timestamp units so far. Raises ValueError for an unknown key."""
    return struct.pack("!BBH", KEYS.index(digit), (0x80 if end else 0) | 10, duration)


def key_of(payload: bytes) -> tuple[str, bool] | None:
    """The key and whether it has ended; None for an event that is no key."""
    if len(payload) < 4 or payload[0] >= len(KEYS):
        return None
    return KEYS[payload[0]], bool(payload[1] & 0x80)
