"""How something was said: pitch, its range, level and speech rate, in numpy. About 1 ms of CPU for a second of voice."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

Floats = NDArray[np.float32]

RATE = 8_000
"""What is analysed (Hz): half of what is pushed."""
SHORTEST_S = 0.5
"""Less voice says nothing of how it was said (s)."""

_HOP = 80
"""10 ms."""
_WINDOW = 320
"""40 ms: two periods of the deepest voice."""
_SIZE = 512
_PERIODS = (20, 114)
"""Of 400 Hz to 70 Hz (samples)."""
_VOICED = 0.5
"""Autocorrelation from which there is a pitch."""
_NEAR = 0.9
_FLOOR = 1e-7
"""Power of nothing."""
_LONGEST = 60 * RATE // _HOP
"""Frames that are kept: the last minute of a turn."""
_NUCLEUS_DB = 2.5
"""How far a syllable stands out of the valleys beside it."""
_SMOOTH = np.hanning(9)[1:-1].astype(np.float32) / np.float32(np.hanning(9).sum())
_HANN = np.hanning(_WINDOW).astype(np.float32)
_OWN = np.fft.irfft(np.abs(np.fft.rfft(_HANN, 2 * _WINDOW)) ** 2)[: _PERIODS[1] + 1].astype(np.float32)
"""The window's own autocorrelation, which makes long periods look weak."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a turn was said."""

    pitch: float
    """Median (semitones above 100 Hz)."""
    range: float
    """From the 10th to the 90th percentile of the pitch (semitones)."""
    level: float
    """80th percentile (dB)."""
    rate: float
    """Syllables a second of voice."""

    @property
    def vector(self) -> NDArray[np.float64]:
        """All four, in order."""
        return np.array(astuple(self))


class Listening:
    """Analyses one turn as it comes."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._pitches: list[Floats] = []
        self._levels: list[Floats] = []
        self._frames = 0

    def add(self, pcm: Pcm) -> None:
        """More voice at 16 kHz. Blocks; releases the GIL for the most part."""
        wide = pcm[: pcm.size // 2 * 2].astype(np.float32) / 32768
        joined = np.concatenate((self._rest, (wide[0::2] + wide[1::2]) / 2)).astype(np.float32)
        count = (joined.size - _WINDOW) // _HOP + 1
        if count <= 0:
            self._rest = joined
            return
        self._rest = joined[count * _HOP :]
        for first in range(0, count, 200):  # 2 s: nobody else waits for the interpreter any longer
            frames = np.lib.stride_tricks.sliding_window_view(joined, _WINDOW)[
                first * _HOP : (min(first + 200, count) - 1) * _HOP + 1 : _HOP
            ]
            self._pitches.append(_pitches(frames))
            self._levels.append(_levels(frames))
        self._frames += count
        while self._frames - self._pitches[0].size > _LONGEST:
            self._frames -= self._pitches.pop(0).size
            self._levels.pop(0)

    def manner(self) -> Manner | None:
        """What it was like; None while it is too short, or no pitch was found."""
        if self._frames * _HOP < SHORTEST_S * RATE:
            return None
        pitch, level = np.concatenate(self._pitches), np.concatenate(self._levels)
        loud = level > np.percentile(level, 95) - 25
        pitched = pitch[loud & (pitch > 0)]
        if pitched.size < 15:
            return None
        tones = 12 * np.log2(pitched / 100)
        middle = float(np.median(tones))
        # An octave off is a slip of the analysis, not of the voice.
        tones = tones[np.abs(tones - middle) < 9]
        low, high = np.percentile(tones, (10, 90))
        rate = _syllables(level) / (np.count_nonzero(loud) * _HOP / RATE)
        return Manner(float(np.median(tones)), float(high - low), float(np.percentile(level[loud], 80)), rate)


def _pitches(frames: Floats) -> Floats:
    """Pitch of each frame (Hz), 0 where there is none. Shape [n, 320] → [n]."""
    centred = (frames - frames.mean(axis=1, keepdims=True)) * _HANN
    spectrum = np.fft.rfft(centred, 2 * _WINDOW)
    alike = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, : _PERIODS[1] + 1].astype(np.float32) / _OWN
    lags = alike[:, _PERIODS[0] :] / np.maximum(alike[:, :1], _FLOOR)
    most = lags.max(axis=1, keepdims=True)
    # Two periods are as alike as one: the first of the high peaks is the pitch.
    inner = lags[:, 1:-1]
    high = (inner >= _NEAR * most) & (inner >= lags[:, :-2]) & (inner >= lags[:, 2:])
    best = np.where(high.any(axis=1), high.argmax(axis=1) + 1, lags.argmax(axis=1))
    found = RATE / (best + _PERIODS[0])
    return np.where(most[:, 0] >= _VOICED, found, 0).astype(np.float32)


def _levels(frames: Floats) -> Floats:
    """Level of each frame (dB)."""
    power = np.mean(frames[:, _WINDOW // 4 : -_WINDOW // 4] ** 2, axis=1)
    return np.asarray(10 * np.log10(power + _FLOOR), np.float32)


def _syllables(level: Floats) -> int:
    """Peaks of the level's curve that stand out."""
    curve = np.convolve(level, _SMOOTH, mode="same")
    floor = float(np.percentile(curve, 95)) - 22
    peaks = np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:]) & (curve[1:-1] > floor)) + 1
    count, last = 0, -1
    for peak in peaks:
        valley = float(curve[last + 1 : peak].min()) if last >= 0 and peak > last + 1 else floor - _NUCLEUS_DB
        if curve[peak] - valley >= _NUCLEUS_DB and (last < 0 or curve[last] - valley >= _NUCLEUS_DB):
            count, last = count + 1, int(peak)
        elif last < 0 or curve[peak] > curve[last]:
            last = int(peak)
    return count
