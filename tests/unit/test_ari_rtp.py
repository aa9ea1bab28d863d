"""The RTP media path, packet by packet."""

from __future__ import annotations

import asyncio
import struct

import pytest

from ccaas.asterisk.rtp import Pacer, RtpMedia
from ccaas.ports.media import Codec


class Wire(asyncio.DatagramTransport):
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendto(self, data: bytes | bytearray | memoryview, addr: object = None) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        pass


def stream(codec: Codec = Codec.ULAW) -> tuple[RtpMedia, Wire]:
    media, wire = RtpMedia(codec, Pacer()), Wire()
    media.connection_made(wire)
    return media, wire


def packet(payload: bytes, kind: int = 0, first: int = 0x80, extra: bytes = b"") -> bytes:
    return struct.pack("!BBHII", first, kind, 7, 1120, 99) + extra + payload


def fields(sent: bytes) -> tuple[int, int, int, int]:
    """Marker, payload type, sequence number and timestamp."""
    _, second, sequence, timestamp, _ = struct.unpack("!BBHII", sent[:12])
    return second >> 7, second & 0x7F, sequence, timestamp


@pytest.mark.parametrize(("codec", "kind"), [(Codec.ULAW, 0), (Codec.ALAW, 8), (Codec.G722, 9)])
def test_one_frame_a_tick_with_the_codecs_type(codec: Codec, kind: int) -> None:
    media, wire = stream(codec)
    media.send(b"a" * 160 + b"b" * 160)
    media.tick()
    media.tick()
    media.tick()
    first, second = (fields(sent) for sent in wire.sent)
    assert [sent[12:] for sent in wire.sent] == [b"a" * 160, b"b" * 160]
    assert (first[0], first[1], second[0]) == (1, kind, 0)
    assert (second[2] - first[2]) % 65536 == 1
    assert (second[3] - first[3]) % 2**32 == 160


def test_time_goes_on_in_silence_and_speech_after_it_is_marked() -> None:
    media, wire = stream()
    media.send(b"a" * 160)
    media.tick()
    media.tick()
    media.tick()
    media.send(b"b" * 160)
    media.tick()
    first, second = (fields(sent) for sent in wire.sent)
    assert (second[3] - first[3]) % 2**32 == 480
    assert (second[2] - first[2]) % 65536 == 1
    assert second[0] == 1


def test_a_flush_leaves_nothing_to_play() -> None:
    media, wire = stream()
    media.send(b"a" * 1600)
    media.flush()
    media.tick()
    assert wire.sent == []


def test_a_full_queue_refuses_and_counts() -> None:
    media, _ = stream()
    while media.send(b"a" * 160):
        pass
    assert (media.sent_frames, media.refused_frames) == (900, 1)


def test_what_is_no_audio_of_ours_is_dropped() -> None:
    media, _ = stream()
    heard: list[bytes] = []
    media.listen(heard.append, lambda: None)
    for data in (b"", b"short", packet(b"x" * 160, kind=101), packet(b"x" * 160, first=0x40)):
        media.datagram_received(data, ("127.0.0.1", 1))
    assert heard == []


@pytest.mark.parametrize(
    ("first", "extra", "padding"),
    [(0x80, b"", b""), (0x81, b"csrc", b""), (0x90, b"\0\0\0\1abcd", b""), (0xA0, b"", b"\0\0\0\4")],
)
def test_the_payload_is_found_behind_any_header(first: int, extra: bytes, padding: bytes) -> None:
    media, _ = stream()
    heard: list[bytes] = []
    media.listen(heard.append, lambda: None)
    media.datagram_received(packet(b"y" * 160 + padding, first=first, extra=extra), ("127.0.0.1", 1))
    assert heard == [b"y" * 160]


def test_other_packet_lengths_become_frames_of_20_ms() -> None:
    media, _ = stream()
    heard: list[bytes] = []
    media.listen(heard.append, lambda: None)
    for start in range(3):
        media.datagram_received(packet(bytes([start]) * 240), ("127.0.0.1", 1))
    assert b"".join(heard) == b"\0" * 240 + b"\1" * 240 + b"\2" * 160
    assert {len(frame) for frame in heard} == {160}


async def test_the_pacer_keeps_the_rate_after_a_stall() -> None:
    pacer = Pacer()
    media, wire = RtpMedia(Codec.ULAW, pacer), Wire()
    media.connection_made(wire)
    media.send_to("127.0.0.1", 9)
    media.send(b"a" * 160 * 20)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while loop.time() < begin + 0.13:
        pass
    while len(wire.sent) < 6:
        await asyncio.sleep(0)
    await media.close()
    assert len(wire.sent) >= 6
