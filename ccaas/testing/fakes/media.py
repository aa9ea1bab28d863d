"""A `MediaStream` without a network: paced like Asterisk's, on the event loop's own clock (real or virtual)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ccaas.ports.media import FRAME_MS, Codec

QUEUE_FRAMES = 900
"""Frames that may wait to be played, as in Asterisk's WebSocket channel."""


class FakeMediaStream:
    """Plays one frame every 20 ms from the first one on, to `play`."""

    def __init__(
        self,
        codec: Codec,
        play: Callable[[bytes], None] = lambda _: None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """`play` gets each frame when it is played; `on_close` is told when the application closes the stream."""
        self._codec = codec
        self._play = play
        self._on_close = on_close
        self._queue: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0
        self._on_frame: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[], None] | None = None
        self.sent: list[bytes] = []
        """Every frame that `send` took."""
        self.played: list[tuple[float, bytes]] = []
        """Every frame that was played, with the loop's time (seconds)."""
        self.flushes = 0
        self.refused_frames = 0
        self.full = False
        """Set it to have `send` refuse."""
        self.closed = False

    @property
    def codec(self) -> Codec:
        return self._codec

    @property
    def waiting(self) -> int:
        """Frames that were sent and not yet played or flushed."""
        return len(self._queue)

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._on_frame, self._on_lost = on_frame, on_lost

    def send(self, coded: bytes) -> bool:
        frames, odd = divmod(len(coded), self._codec.frame_bytes)
        if odd:
            raise ValueError(f"{len(coded)} bytes are not whole frames of {self._codec.frame_bytes}")
        if self.closed or self.full or len(self._queue) >= QUEUE_FRAMES:
            self.refused_frames += frames
            return False
        size = self._codec.frame_bytes
        for start in range(0, len(coded), size):
            self._queue.append(coded[start : start + size])
            self.sent.append(coded[start : start + size])
        if self._timer is None and self._queue:
            loop = asyncio.get_running_loop()
            self._next = max(loop.time(), self._next)
            self._timer = loop.call_at(self._next, self._tick)
        return True

    def flush(self) -> None:
        self._queue.clear()
        self.flushes += 1

    async def close(self) -> None:
        if not self.closed:
            self._end()
            self._on_close()

    def hear(self, frame: bytes) -> None:
        """A frame of the caller arrives."""
        if self._on_frame is not None and not self.closed:
            self._on_frame(frame)

    def lose(self) -> None:
        """The stream ends by itself."""
        if not self.closed:
            on_lost = self._on_lost
            self._end()
            if on_lost is not None:
                on_lost()

    def _end(self) -> None:
        self.closed = True
        self._queue.clear()
        self._on_frame = self._on_lost = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        self._next += FRAME_MS / 1000
        if self._queue:
            frame = self._queue.popleft()
            self.played.append((loop.time(), frame))
            self._timer = loop.call_at(self._next, self._tick)
            self._play(frame)
