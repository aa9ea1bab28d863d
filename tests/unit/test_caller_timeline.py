"""Where packets stand in time."""

from __future__ import annotations

import numpy as np

from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.testing.caller.timeline import in_order, lay_out
from ccaas.testing.caller.wire import Packet

MS = 1_000_000
ULAW = coder(Codec.ULAW)


def tone(level: int = 8000) -> bytes:
    """One loud frame; the level tells frames apart."""
    return ULAW.encode(np.full(160, level, dtype=np.int16))


def packets(*ats_ms: float, payloads: list[bytes] | None = None) -> list[Packet]:
    return [Packet(int(at * MS), n, n * 160, payloads[n] if payloads else tone()) for n, at in enumerate(ats_ms)]


def loud(pcm: Pcm) -> list[int]:
    """Samples at which sound begins or ends."""
    edges = np.diff(np.concatenate(([0], (np.abs(pcm) > 100).astype(int), [0])))
    return [int(n) for n in np.flatnonzero(edges)]


def test_a_stretch_begins_at_the_instant_of_its_first_packet() -> None:
    layout = lay_out(packets(1000, 1020, 1040), ULAW, 8000, 990 * MS)
    assert layout.places == (80, 240, 400)
    assert loud(layout.pcm) == [80, 560]


def test_jitter_inside_a_stretch_moves_nothing() -> None:
    layout = lay_out(packets(0, 33, 45, 60), ULAW, 8000, 0)
    assert layout.places == (0, 160, 320, 480)
    assert layout.jitter_s == 0.013
    assert layout.stalls == 0


def test_a_stall_is_silence() -> None:
    layout = lay_out(packets(0, 20, 140, 160), ULAW, 8000, 0)
    assert loud(layout.pcm) == [0, 320, 1120, 1440]
    assert layout.stalls == 1


def test_after_silence_speech_stands_at_its_own_instant() -> None:
    quiet = ULAW.encode(np.zeros(160, dtype=np.int16))
    layout = lay_out(packets(0, 20, 40, 67, 80, payloads=[tone(), tone(), quiet, tone(), tone()]), ULAW, 8000, 0)
    assert loud(layout.pcm) == [0, 320, 536, 856]


def test_a_new_stretch_after_a_gap_without_packets() -> None:
    first, second = packets(0, 20), packets(300, 320)
    moved = [p._replace(sequence=p.sequence + 2, timestamp=p.timestamp + 90_000) for p in second]
    assert loud(lay_out(first + moved, ULAW, 8000, 0).pcm) == [0, 320, 2400, 2720]


def test_an_empty_payload_is_a_frame_of_silence() -> None:
    layout = lay_out(packets(0, 20, 40, payloads=[b"", tone(), b""]), ULAW, 8000, 0)
    assert loud(layout.pcm) == [160, 320]
    assert len(layout.pcm) == 480


def test_g722_counts_at_8000_and_sounds_at_16000() -> None:
    g722 = coder(Codec.G722)
    coded = [g722.encode(np.full(320, 5000, dtype=np.int16)) for _ in range(3)]
    layout = lay_out(packets(0, 21, 40, payloads=coded), coder(Codec.G722), 16_000, 0)
    assert layout.places == (0, 320, 640)


def test_order_and_duplicates_are_mended_over_the_wrap() -> None:
    sent = [Packet(n, (65_534 + n) & 0xFFFF, n, b"") for n in range(5)]
    mixed = [sent[0], sent[2], sent[1], sent[2], sent[4], sent[3]]
    assert [p.timestamp for p in in_order(mixed)] == [0, 1, 2, 3, 4]


def test_nothing_is_an_empty_line() -> None:
    assert len(lay_out([], ULAW, 8000, 0).pcm) == 0
