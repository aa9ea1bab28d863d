"""What 20 ms of a voice sound like, in twenty numbers: spectral shape, level, harmony, melody. Numpy, 8 kHz.

A stretch is described as it comes: levels are held against the loudest so far, pitch against the first pitch heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

RATE = 8_000
FRAME = 160
"""Samples a description covers (20 ms)."""
NUMBERS = 20
"""How many a description has."""

Floats = NDArray[np.float32]

_WINDOW = 200
_SIZE = 256
_BANDS = 16
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 3_800.0
_PITCH_SIZE = 320
"""Samples in which a period is looked for (40 ms)."""
_PERIODS = (20, 114)
"""Of 400 Hz to 70 Hz (samples)."""
_VOICED = 0.5
"""Autocorrelation from which there is a pitch."""
_NEAR = 0.9
_FLOOR = 1e-9
"""Power of nothing: the quantisation of G.711 lies above."""


def _weights() -> Floats:
    """Triangular bands on the mel scale, shape [129, 16]."""
    mel = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.linspace(0, RATE / 2, _SIZE // 2 + 1)[:, np.newaxis]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rise, fall))
    return np.asarray((triangles / triangles.sum(axis=0)).astype(np.float32))


def _mel(hertz: float) -> float:
    return 2595 * float(np.log10(1 + hertz / 700))


_WEIGHTS = _weights()
_HANN = np.hanning(_WINDOW).astype(np.float32)
_PITCH_HANN = np.hanning(_PITCH_SIZE).astype(np.float32)
_OWN = np.fft.irfft(np.abs(np.fft.rfft(_PITCH_HANN, 2 * _PITCH_SIZE)) ** 2)[: _PERIODS[1] + 1]
"""The window's own autocorrelation, which makes long periods look weak."""


class VoiceShape:
    """Describes one stretch, frame by frame."""

    def __init__(self) -> None:
        self._past = np.zeros(_PITCH_SIZE, np.float32)
        self._loudest = -90.0
        self._pitch: float | None = None

    def describe(self, pcm: Pcm) -> Floats:
        """The next frame, shape [160], as numbers of about ±1, shape [20]."""
        self._past = np.concatenate((self._past[FRAME:], pcm.astype(np.float32) / 32768))
        now = self._past
        windows = np.stack((now[-_WINDOW - FRAME // 2 : -FRAME // 2], now[-_WINDOW:])) * _HANN
        spectrum = np.fft.rfft(windows, _SIZE)
        power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0).astype(np.float32) / _WINDOW
        bands = 10 * np.log10(power @ _WEIGHTS + _FLOOR)
        level = float(10 * np.log10(np.mean(now[-FRAME:] ** 2) + _FLOOR))
        self._loudest = max(self._loudest, level)
        harmony, pitch = self._period()
        melody = 0.0
        if harmony >= _VOICED:
            self._pitch = self._pitch or pitch
            melody = float(np.clip(np.log2(pitch / self._pitch), -1, 1))
        shape = np.empty(NUMBERS, np.float32)
        shape[:_BANDS] = np.clip((bands - bands.mean()) / 20, -2, 2)
        shape[_BANDS] = max(level - self._loudest, -40) / 20 + 1
        shape[_BANDS + 1] = harmony
        shape[_BANDS + 2] = melody
        shape[_BANDS + 3] = np.clip((bands.max() + 60) / 30, -1, 2)
        return shape

    def _period(self) -> tuple[float, float]:
        """How periodic the last 40 ms are (0…1), and their pitch (Hz)."""
        windowed = (self._past - self._past.mean()) * _PITCH_HANN
        spectrum = np.fft.rfft(windowed, 2 * _PITCH_SIZE)
        alike = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[: _PERIODS[1] + 1] / _OWN
        if alike[0] <= _FLOOR:
            return 0.0, 0.0
        lags = alike[_PERIODS[0] :] / alike[0]
        most = float(lags.max())
        # Two periods are as alike as one: the first of the high peaks is the pitch.
        high = (lags[1:-1] >= _NEAR * most) & (lags[1:-1] >= lags[:-2]) & (lags[1:-1] >= lags[2:])
        best = int(np.argmax(high)) + 1 if high.any() else int(np.argmax(lags))
        return min(max(most, 0.0), 1.0), RATE / (best + _PERIODS[0])
