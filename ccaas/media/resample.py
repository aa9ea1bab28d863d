"""Changing the sample rate.

Live audio between 8 and 16 kHz goes through a short FIR of our own, because a streaming resampler of high quality holds
audio back for 26 to 66 ms; synthesised audio, which is made faster than it is played, goes through soxr.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import soxr
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

_TAPS = 31
"""Odd, so that the delay is whole: 15 samples at 16 kHz, 0.94 ms."""


def _half_band() -> NDArray[np.float32]:
    """Low-pass at 4 kHz for a 16 kHz rate: windowed sinc (Hamming)."""
    n = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(n / 2) / 2 * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_FILTER = _half_band()


class LiveResampler:
    """One stream between 8 and 16 kHz (or the same rate, untouched), frame by frame, under 1 ms late."""

    def __init__(self, source_hz: int, target_hz: int) -> None:
        """Raises ValueError for rates other than 8,000 and 16,000 Hz."""
        if {source_hz, target_hz} - {8_000, 16_000}:
            raise ValueError(f"live resampling is between 8000 and 16000 Hz, not {source_hz} to {target_hz}")
        self._up = target_hz > source_hz
        self._same = target_hz == source_hz
        self._past = np.zeros(_TAPS - 1, dtype=np.float32)

    def push(self, pcm: Pcm) -> Pcm:
        """The next samples at the target rate, shape [n·2], [n] or [n/2]; n must be even when halving."""
        if self._same or not len(pcm):
            return pcm
        if self._up:
            wide = np.zeros(len(pcm) * 2, dtype=np.float32)
            wide[::2] = pcm
            wide *= 2
        else:
            wide = pcm.astype(np.float32)
        joined = np.concatenate((self._past, wide))
        self._past = joined[-(_TAPS - 1) :]
        smooth = np.convolve(joined, _FILTER, mode="valid")
        if not self._up:
            smooth = smooth[::2]
        return np.clip(smooth, -32768, 32767).astype(np.int16)


async def resampled(chunks: AsyncIterator[Pcm], source_hz: int, target_hz: int) -> AsyncIterator[Pcm]:
    """Synthesised audio at another rate; the last chunk brings what the filter still held."""
    if source_hz == target_hz:
        async for chunk in chunks:
            yield chunk
        return
    stream = soxr.ResampleStream(source_hz, target_hz, 1, dtype="int16")
    async for chunk in chunks:
        out = stream.resample_chunk(chunk)
        if len(out):
            yield out
    out = stream.resample_chunk(np.zeros(0, dtype=np.int16), last=True)
    if len(out):
        yield out
