"""The audio of one leg, as the core sees it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
"""Mono linear samples, shape [n]; the sample rate is said beside it."""

FRAME_MS = 20
"""One frame of telephone audio (RFC 3551 section 4.2's default packetisation for the codecs below)."""


class Codec(Enum):
    """How a leg's audio is coded: value is Asterisk's format name."""

    ULAW = "ulaw"
    ALAW = "alaw"
    G722 = "g722"

    @property
    def sample_rate(self) -> int:
        """Samples a second of the decoded audio (Hz)."""
        return 16_000 if self is Codec.G722 else 8_000

    @property
    def frame_bytes(self) -> int:
        """Coded bytes in one 20 ms frame: all three codecs are 64 kbit/s (ITU-T G.711, G.722 mode 1)."""
        return 160


class MediaStream(Protocol):
    """Both directions of one leg's audio, in the leg's own codec.

    The far end (Asterisk) paces what is sent: it plays one 20 ms frame every 20 ms from the first one on, so the
    sender may run ahead by a little. Coded frames are handed to `on_frame` on the event loop as they arrive.
    """

    @property
    def codec(self) -> Codec: ...

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """Deliver each received coded frame to `on_frame`; call `on_lost` once if the stream ends by itself."""
        ...

    def send(self, coded: bytes) -> bool:
        """Queue coded audio (whole 20 ms frames) for the caller. False: the far end is full, and it was not taken."""
        ...

    def flush(self) -> None:
        """Throw away what was sent and is not yet played; takes effect within one frame."""
        ...

    async def close(self) -> None:
        """End the stream. Safe to call twice."""
        ...
