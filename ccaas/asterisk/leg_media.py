"""What both media paths share: a `MediaStream` without the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from ccaas.ports.media import Codec


class LegMedia(ABC):
    """What all media paths share: whole frames to the listener, the counts, and the loss told once."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._on_frame: Callable[[bytes], None] | None = None
        self._on_lost: Callable[[], None] | None = None
        self._rest = b""
        self._ended = False
        self.received_frames = 0
        self.sent_frames = 0
        self.refused_frames = 0
        """Frames that `send` did not take, because the far end was full or gone."""

    @property
    def codec(self) -> Codec:
        return self._codec

    @property
    def ended(self) -> bool:
        """Closed or lost."""
        return self._ended

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        if self._ended:
            self._tell_loss()

    @abstractmethod
    def send(self, coded: bytes) -> bool: ...

    @abstractmethod
    def flush(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    def lost(self) -> None:
        """The far end is gone. Called by whoever notices first."""
        if not self._ended:
            self._ended = True
            self._tell_loss()

    def _tell_loss(self) -> None:
        on_lost, self._on_lost = self._on_lost, None
        self._on_frame = None
        if on_lost is not None:
            on_lost()

    def _received(self, coded: bytes) -> None:
        size = self._codec.frame_bytes
        if len(coded) != size or self._rest:
            coded = self._rest + coded
            whole = len(coded) - len(coded) % size
            self._rest = coded[whole:]
            for start in range(0, whole, size):
                self._deliver(coded[start : start + size])
        else:
            self._deliver(coded)

    def _deliver(self, frame: bytes) -> None:
        self.received_frames += 1
        if self._on_frame is not None:
            self._on_frame(frame)

    def _frames(self, coded: bytes) -> int:
        frames, odd = divmod(len(coded), self._codec.frame_bytes)
        if odd:
            raise ValueError(f"{len(coded)} bytes are not whole frames of {self._codec.frame_bytes}")
        return frames

    def _close(self) -> None:
        self._ended = True
        self._on_frame = self._on_lost = None
