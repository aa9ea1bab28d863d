"""Where packets of audio stand in time: the ruler's zero.

A packet's first sample stands at the packet's instant (of sending, of arrival). So does every packet in which nothing is
heard, and the first packet after such a one, so that each stretch of speech begins at its own instant. Inside a stretch
packets that follow each other in RTP stand one behind the other as long as each comes within a frame of its place; one
that comes later than that stands where it came, and the hole before it is silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ccaas.media.codec import Coder
from ccaas.ports.media import Pcm
from ccaas.testing.caller.rtp import FRAME_TICKS
from ccaas.testing.caller.wire import Packet

TOLERANCE_S = 0.02
"""Jitter up to one frame moves nothing."""

_QUIET = 120
"""Peak sample (of 32,768; −49 dBFS) under which nothing is heard in a frame."""

_RTP_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Packets on a line of samples."""

    pcm: Pcm
    """From the origin on; silence where there was no packet."""
    places: tuple[int, ...]
    """Index of the first sample of each packet."""
    stalls: int
    """How often the stream came more than a frame late in mid-flow."""
    jitter_s: float
    """Largest difference between a packet's instant and its place inside a stretch of speech (s)."""


def in_order(packets: Sequence[Packet]) -> list[Packet]:
    """Without duplicates, reordered by RTP sequence number (which wraps at 16 bits) within each reordering window."""
    ordered: list[Packet] = []
    for packet in packets:
        at = len(ordered)
        while at and 0 < (ordered[at - 1].sequence - packet.sequence) & 0xFFFF < 0x40:
            at -= 1
        if not (at and ordered[at - 1].sequence & 0xFFFF == packet.sequence & 0xFFFF):
            ordered.insert(at, packet)
    return ordered


def lay_out(packets: Sequence[Packet], coder: Coder, sample_rate: int, origin: int) -> Layout:
    """Decode packets, in order, and place them.

    `origin` is the instant (ns) of sample 0, not after the first packet. An empty payload is a frame of silence.
    """
    frame = sample_rate // 50
    nothing = np.zeros(frame, dtype=np.int16)
    tolerance = round(TOLERANCE_S * sample_rate)
    pieces: list[tuple[int, Pcm]] = []
    stalls, worst, end, was_quiet = 0, 0, 0, True
    expected: int | None = None
    for packet in packets:
        pcm = coder.decode(packet.payload) if packet.payload else nothing
        quiet = int(np.abs(pcm.astype(np.int32)).max(initial=0)) < _QUIET
        came = round((packet.at - origin) * sample_rate / 1e9)
        place = max(came, end)
        if not (quiet or was_quiet) and packet.timestamp == expected:
            if came - end <= tolerance:
                place = end
            else:
                stalls += 1
            worst = max(worst, abs(came - place))
        expected = (packet.timestamp + FRAME_TICKS * len(pcm) // frame) & 0xFFFFFFFF
        pieces.append((place, pcm))
        was_quiet = quiet
        if not quiet:
            end = place + len(pcm)
    line: NDArray[np.int16] = np.zeros(max((place + len(pcm) for place, pcm in pieces), default=0), dtype=np.int16)
    for place, pcm in pieces:
        line[place : place + len(pcm)] = pcm
    return Layout(line, tuple(place for place, _ in pieces), stalls, worst / sample_rate)
