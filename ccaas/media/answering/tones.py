"""Finds pure tones in telephone audio: one steady frequency that is all there is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

RATE = 8_000
HOP = 160
"""Samples of a frame (20 ms)."""
HOP_S = HOP / RATE
WINDOW = 2 * HOP
BINS = 512
"""Length of the transform: 15.6 Hz a bin."""
BAND_HZ = (180.0, 3_700.0)
LOBE_HZ = 65.0
"""What lies so near to the peak belongs to it: half the main lobe of the window, and a little."""
PURE = 0.85
"""Share of the band's power that a tone has: speech and two tones at once (DTMF, ringback) have less."""
RIVAL = 0.1
"""Share of a second peak from which on there are two tones: ITU-T Q.24 lets the keys' two differ by 8 dB, which leaves 0.14."""
FAINTEST = 100.0
"""RMS below which nothing is a tone (-50 dBFS)."""
SAME_HZ = 25.0
"""A step of more than this is another tone."""
STEADY_HZ = 4.0
"""Standard deviation of a tone's frequency; a sung vowel has more."""
STEADY_DB = 1.5
"""Standard deviation of its level, edges left out."""
BEATING_HZ = (380.0, 490.0)
"""Where ringing tones are two frequencies so near to each other that the window does not part them (400 and 450, 440 and 480 Hz)."""
BEATING = 0.3
"""Unevenness of the loudness of 2.5 ms pieces (deviation by mean) from which on a tone there is two; of one it is under 0.15."""
MISSES = 1
"""Frames within a tone that noise may spoil."""

_TAPER = np.hanning(WINDOW)
_HERTZ = np.fft.rfftfreq(BINS, 1 / RATE)
_BAND = np.abs(_HERTZ - np.mean(BAND_HZ)) <= np.ptp(BAND_HZ) / 2


@dataclass(frozen=True, slots=True)
class Tone:
    """A steady tone."""

    hz: float
    start_s: float
    """Seconds since the first frame; right to 20 ms, as the length is."""
    seconds: float

    @property
    def end_s(self) -> float:
        """When it ended."""
        return self.start_s + self.seconds


@dataclass(slots=True)
class _Run:
    """Frames of one frequency, one after the other."""

    start_s: float
    hertz: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    misses: int = 0
    spoilt: int = 0

    def add(self, peak: tuple[float, float, float]) -> None:
        """One frame more."""
        self.hertz.append(peak[0])
        self.levels.append(peak[1])
        self.beats.append(peak[2])

    def tone(self) -> Tone | None:
        """What the frames are together; None where they waver as a voice does, or beat as two tones do."""
        inner = slice(1, -1) if len(self.hertz) > 4 else slice(None)
        level = np.std(self.levels[inner]) if len(self.levels) > 4 else 0.0
        if np.std(self.hertz[inner]) > STEADY_HZ or level > STEADY_DB:
            return None
        hertz = float(np.median(self.hertz))
        if BEATING_HZ[0] <= hertz <= BEATING_HZ[1] and np.median(self.beats[inner]) >= BEATING:
            return None
        return Tone(hertz, self.start_s, (len(self.hertz) + self.spoilt) * HOP_S)


class ToneFinder:
    """Feeds on frames of 160 samples at 8 kHz; about 30 µs each."""

    def __init__(self) -> None:
        self._past: NDArray[np.float64] = np.zeros(HOP)
        self._at_s = 0.0
        self._run: _Run | None = None

    def push(self, pcm: Pcm) -> Tone | None:
        """The next frame, shape [160]; a tone that has just ended, of whatever length."""
        joined = np.concatenate((self._past, pcm.astype(np.float64)))
        self._past = joined[HOP:]
        start_s, self._at_s = self._at_s, self._at_s + HOP_S
        found = _peak(joined)
        run = self._run
        if run is not None and found is not None and abs(found[0] - np.median(run.hertz)) <= SAME_HZ:
            run.add(found)
            run.spoilt, run.misses = run.spoilt + run.misses, 0
            return None
        if run is not None and found is None and run.misses < MISSES:
            run.misses += 1
            return None
        self._run = None
        if found is not None:
            self._run = _Run(start_s)
            self._run.add(found)
        return run.tone() if run is not None else None

    @property
    def current(self) -> Tone | None:
        """The tone that sounds now, so far as it has gone."""
        return self._run.tone() if self._run is not None else None


def _peak(samples: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """Frequency (Hz), level (dB) and unevenness of the one tone in the window; None where it is not alone."""
    if np.sqrt(np.mean(samples**2)) < FAINTEST:
        return None
    power = np.abs(np.fft.rfft(samples * _TAPER, BINS)) ** 2
    power[~_BAND] = 0.0
    total = float(power.sum())
    top = int(np.argmax(power))
    in_lobe = np.abs(_HERTZ - _HERTZ[top]) <= LOBE_HZ
    lobe = float(power[in_lobe].sum())
    rest = np.where(in_lobe, 0.0, power)
    rival = float(rest[np.abs(_HERTZ - _HERTZ[np.argmax(rest)]) <= LOBE_HZ].sum())
    if total <= 0.0 or lobe < PURE * total or rival > RIVAL * total or not 0 < top < power.size - 1:
        return None
    pieces = np.sqrt(np.mean(samples.reshape(-1, 20) ** 2, axis=1))
    # The peak lies where a parabola through the logarithms of three bins is highest.
    left, middle, right = np.log(power[top - 1 : top + 2] + 1e-9)
    offset = (left - right) / (2 * (left - 2 * middle + right))
    return (top + float(offset)) * RATE / BINS, 10 * float(np.log10(lobe)), float(np.std(pieces) / np.mean(pieces))
