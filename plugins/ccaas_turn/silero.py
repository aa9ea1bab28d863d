"""Silero VAD at the telephone's own rate: 8 kHz, windows of 256 samples, one session for all calls."""

from __future__ import annotations

import asyncio
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas_turn.model import open_model
from ccaas_turn.settings import SileroSettings

RATE = 8_000
WINDOW = 256
"""Samples that the model judges at a time (32 ms)."""
CONTEXT = 32
"""Samples before the window that it wants to see again."""
SPEECH = 0.5
"""A window of at least this probability tells how loud the caller speaks."""
FADE = 0.98
"""What is left of that loudness one window of speech later: 5 dB are forgotten in a second of quieter speech."""

Floats = NDArray[np.float32]


class _Session(Protocol):
    def run(self, names: list[str] | None, feed: dict[str, Floats | NDArray[np.int64]]) -> list[Floats]: ...


class SileroVoiceDetector:
    """See `ccaas.ports.speech.VoiceDetector`. One window costs about 0.13 ms."""

    sample_rate = RATE
    window_ms = 1000 * WINDOW / RATE

    def __init__(self, settings: SileroSettings, site: Site) -> None:
        self._path = site.path(settings.model) if settings.model else site.models_dir / "silero-vad" / "silero_vad.onnx"
        self._cache_dir = site.cache_dir
        self._gate = 10 ** (-settings.gate_db / 20) if settings.gate_db else 0.0
        self._session: _Session | None = None

    async def start(self) -> None:
        """Load the model. Raises SetupError naming the missing file and the mend."""
        self._session = await asyncio.to_thread(open_model, self._path, self._cache_dir)

    def open(self) -> SileroStream:
        """Voice activity of one more leg."""
        assert self._session is not None, "start() comes first"
        return SileroStream(self._session, self._gate)

    async def close(self) -> None:
        """Drop the model."""
        self._session = None


class SileroStream:
    """See `ccaas.ports.speech.VoiceStream`.

    Silero lets go of a voice slowly: on a quiet line the end is known 0.1 s late. There the loudness knows it sooner, so a
    window far below the caller's own speech is silence at once; on a noisy line no window is, and Silero decides.
    """

    def __init__(self, session: _Session, gate: float = 0.0) -> None:
        self._session = session
        self._gate = gate
        self._loudness = 0.0
        self._rate = np.array(RATE, np.int64)
        self._state: Floats = np.zeros((2, 1, 128), np.float32)
        # The first context is silence; it stays in front of what waits for a whole window.
        self._waiting: Floats = np.zeros(CONTEXT, np.float32)

    def push(self, pcm: Pcm) -> float | None:
        """Append 8 kHz audio of any length; the newest whole window's probability, None until one is full."""
        self._waiting = np.concatenate([self._waiting, pcm.astype(np.float32) / 32768.0])
        probability: float | None = None
        while self._waiting.size >= CONTEXT + WINDOW:
            window, self._waiting = self._waiting[: CONTEXT + WINDOW], self._waiting[WINDOW:]
            feed: dict[str, Floats | NDArray[np.int64]] = {
                "input": window[np.newaxis],
                "state": self._state,
                "sr": self._rate,
            }
            output, self._state = self._session.run(None, feed)
            probability = self._gated(float(output[0, 0]), window[CONTEXT:])
        return probability

    def _gated(self, probability: float, window: Floats) -> float:
        loudness = float(np.sqrt(np.mean(window**2)))
        if probability >= SPEECH:
            self._loudness = max(self._loudness * FADE, loudness)
        return 0.0 if loudness < self._loudness * self._gate else probability

    def reset(self) -> None:
        """Forget the past."""
        self._state = np.zeros_like(self._state)
        self._loudness = 0.0
        self._waiting = np.zeros(CONTEXT, np.float32)
