"""A leg's audio over plain RTP: the second media path, paced by us."""

from __future__ import annotations

import asyncio
import random
import struct
from collections import deque
from collections.abc import Awaitable, Callable

from ccaas.asterisk.leg_media import LegMedia
from ccaas.ports.media import FRAME_MS, Codec

PAYLOAD_TYPES = {Codec.ULAW: 0, Codec.ALAW: 8, Codec.G722: 9}
"""RFC 3551 table 4."""
CLOCK_STEP = 160
"""Timestamp units in one frame: the RTP clock runs at 8 kHz for G.722 too (RFC 3551 section 4.5.2)."""
QUEUE_FRAMES = 900
"""Frames that may wait (18 s), as in Asterisk's own WebSocket channel."""
LATE_TICKS = 10
"""After a longer stall the missed ticks are not made up for."""
HEADER = struct.Struct("!BBHII")


class Pacer:
    """One 20 ms clock for all RTP streams of a process."""

    def __init__(self) -> None:
        self._streams: set[RtpMedia] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def add(self, stream: RtpMedia) -> None:
        self._streams.add(stream)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next = loop.time() + FRAME_MS / 1000
            self._timer = loop.call_at(self._next, self._tick)

    def remove(self, stream: RtpMedia) -> None:
        self._streams.discard(stream)
        if not self._streams and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        step = FRAME_MS / 1000
        due = 1 + int((loop.time() - self._next) / step)
        for _ in range(due if due <= LATE_TICKS else 1):
            for stream in self._streams:
                stream.tick()
        self._next += due * step
        self._timer = loop.call_at(self._next, self._tick)


class RtpMedia(LegMedia, asyncio.DatagramProtocol):
    """The `MediaStream` over RTP. It cannot tell by itself that the far end is gone: the switch calls `lost`."""

    def __init__(self, codec: Codec, pacer: Pacer) -> None:
        LegMedia.__init__(self, codec)
        self._pacer = pacer
        self._wire: asyncio.DatagramTransport | None = None
        self._far: tuple[str, int] | None = None
        self._queue: deque[bytes] = deque()
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._silent = True
        self.on_close: Callable[[], Awaitable[None]] | None = None
        """Ends the channel; a WebSocket channel ends with its socket, an RTP one does not."""

    @property
    def address(self) -> tuple[str, int]:
        """Where Asterisk shall send to."""
        assert self._wire is not None
        host, port = self._wire.get_extra_info("sockname")[:2]
        return host, port

    def send_to(self, host: str, port: int) -> None:
        """Begin to pace towards Asterisk's end."""
        self._far = host, port
        self._pacer.add(self)

    def send(self, coded: bytes) -> bool:
        frames = self._frames(coded)
        if self._ended or len(self._queue) >= QUEUE_FRAMES:
            self.refused_frames += frames
            return False
        size = self._codec.frame_bytes
        self._queue.extend(coded[start : start + size] for start in range(0, len(coded), size))
        self.sent_frames += frames
        return True

    def flush(self) -> None:
        self._queue.clear()

    def tick(self) -> None:
        """20 ms have passed: one frame goes out, or nothing where there is none."""
        self._timestamp = (self._timestamp + CLOCK_STEP) & 0xFFFFFFFF
        if not self._queue or self._wire is None:
            self._silent = True
            return
        # The marker bit says that speech begins after silence (RFC 3551 section 4.1).
        marker = 0x80 if self._silent else 0
        self._silent = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        header = HEADER.pack(0x80, marker | PAYLOAD_TYPES[self._codec], self._sequence, self._timestamp, self._ssrc)
        self._wire.sendto(header + self._queue.popleft(), self._far)

    async def close(self) -> None:
        self._close()
        self._release()
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            await on_close()

    def lost(self) -> None:
        self.on_close = None
        self._release()
        super().lost()

    def _release(self) -> None:
        self._pacer.remove(self)
        self._queue.clear()
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._wire = transport

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if self._far is not None and addr[:2] != self._far:
            return
        if len(data) < HEADER.size or data[0] >> 6 != 2 or data[1] & 0x7F != PAYLOAD_TYPES[self._codec]:
            return
        start = HEADER.size + 4 * (data[0] & 0x0F)
        if data[0] & 0x10 and len(data) >= start + 4:
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
        end = len(data) - (data[-1] if data[0] & 0x20 else 0)
        if not self._ended:
            self._received(data[start:end])


async def open_rtp(codec: Codec, pacer: Pacer, bind: str) -> RtpMedia:
    """A stream on a free UDP port of the address `bind`; `send_to` completes it."""
    loop = asyncio.get_running_loop()
    _, media = await loop.create_datagram_endpoint(lambda: RtpMedia(codec, pacer), local_addr=(bind, 0))
    return media
