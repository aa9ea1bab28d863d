"""Sounds that are no speech: hums of listeners, and noises. Made with numpy from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]

RATE = 24_000
_NASAL = ((260.0, 90.0, 0.0), (1_050.0, 200.0, -26.0), (2_200.0, 300.0, -30.0), (2_900.0, 350.0, -36.0))
_VOWELS = (
    ((600.0, 90.0, 0.0), (1_200.0, 110.0, -8.0), (2_450.0, 170.0, -20.0), (3_300.0, 250.0, -28.0)),
    ((520.0, 90.0, 0.0), (1_480.0, 120.0, -10.0), (2_450.0, 170.0, -20.0), (3_300.0, 250.0, -28.0)),
    ((720.0, 90.0, 0.0), (1_150.0, 110.0, -6.0), (2_500.0, 170.0, -22.0), (3_300.0, 250.0, -28.0)),
)
"""Formants: centre (Hz), width (Hz), level (dB)."""


def hum(chance: np.random.Generator) -> Samples:
    """ "mm-hmm", "mm", "hmm", "uh-huh", "uh": one or two syllables, breath between, a melody that rises, falls or stays."""
    nasal = chance.random() < 0.6
    formants = _NASAL if nasal else _VOWELS[chance.integers(len(_VOWELS))]
    scale = chance.uniform(0.87, 1.18)
    pitch = chance.uniform(85, 160) if chance.random() < 0.5 else chance.uniform(150, 260)
    syllables = 1 if chance.random() < 0.3 else 2
    lengths = chance.uniform(0.12, 0.32, syllables) if syllables == 2 else chance.uniform(0.2, 0.5, 1)
    levels = np.cumsum(np.concatenate(([0.0], chance.normal(1.0, 2.5, syllables))))
    parts: list[Samples] = []
    for number, length in enumerate(lengths):
        if number:
            parts.append(_breath(chance, chance.uniform(0.03, 0.1), formants, scale))
        melody = pitch * 2 ** (np.array([levels[number], levels[number + 1] + chance.normal(0, 1)]) / 12)
        parts.append(_voiced(chance, length, melody, formants, scale))
    return _joined(parts, round(0.015 * RATE))


def _voiced(
    chance: np.random.Generator,
    seconds: float,
    melody: Samples,
    formants: tuple[tuple[float, float, float], ...],
    scale: float,
) -> Samples:
    count = round(seconds * RATE)
    place = np.linspace(0, 1, count)
    wander = np.interp(place, np.linspace(0, 1, 6), chance.normal(0, 0.012, 6))
    pitch = np.interp(place, (0, 1), melody) * (1 + wander)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tilt = chance.uniform(-15, -8)
    wave = np.zeros(count)
    for harmonic in range(1, int(3_700 / pitch.min()) + 1):
        loud = _envelope(harmonic * pitch, formants, scale) * 10 ** (tilt * np.log2(harmonic) / 20)
        wave += loud * np.cos(harmonic * phase + 0.4 * harmonic)
    wave /= np.sqrt(np.mean(wave**2))
    breath = chance.normal(size=count) * 10 ** (chance.uniform(-38, -24) / 20)
    rise, fall = chance.uniform(0.02, 0.07), chance.uniform(0.03, 0.1)
    times = np.arange(count) / RATE
    swell = np.minimum(1, times / rise) * np.minimum(1, (seconds - times) / fall)
    return np.asarray((wave + breath) * np.maximum(swell, 0))


def _envelope(hertz: Samples, formants: tuple[tuple[float, float, float], ...], scale: float) -> Samples:
    power = np.full_like(hertz, 10 ** (-50 / 10))
    for centre, width, level in formants:
        power += 10 ** (level / 10) / (1 + ((hertz - centre * scale) / width) ** 2)
    return np.sqrt(power)


def _breath(
    chance: np.random.Generator, seconds: float, formants: tuple[tuple[float, float, float], ...], scale: float
) -> Samples:
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(chance.normal(size=count))
    spectrum *= _envelope(np.fft.rfftfreq(count, 1 / RATE), formants, scale)
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)) * 10 ** (chance.uniform(-22, -8) / 20))


def _joined(parts: list[Samples], overlap: int) -> Samples:
    whole = parts[0]
    for part in parts[1:]:
        lap = min(overlap, len(part) // 2, len(whole) // 2)
        fade = np.linspace(0, 1, lap)
        middle = whole[-lap:] * (1 - fade) + part[:lap] * fade
        whole = np.concatenate((whole[:-lap], middle, part[lap:]))
    return whole


def noise(chance: np.random.Generator) -> Samples:
    """A cough, a knock, a rustle, a breath or a clatter, of 0.08 to 0.7 s."""
    match chance.integers(5):
        case 0:
            bursts = [_cough(chance) for _ in range(chance.integers(1, 4))]
            return np.concatenate([part for burst in bursts for part in (burst, np.zeros(chance.integers(500, 4_000)))])
        case 1:
            knocks = [_knock(chance) for _ in range(chance.integers(1, 4))]
            return np.concatenate([part for k in knocks for part in (k, np.zeros(chance.integers(1_000, 4_000)))])
        case 2:
            return _coloured(chance, chance.uniform(0.1, 0.7), 300, 3_400, chance.uniform(-2, 1))
        case 3:
            swell = _coloured(chance, chance.uniform(0.25, 0.7), 400, 3_000, -1)
            return swell * np.hanning(len(swell))
        case _:
            clicks = [_knock(chance) * chance.uniform(0.2, 1) for _ in range(chance.integers(2, 7))]
            return np.concatenate([part for k in clicks for part in (k, np.zeros(chance.integers(200, 2_000)))])


def _cough(chance: np.random.Generator) -> Samples:
    seconds = chance.uniform(0.08, 0.3)
    formants = _VOWELS[chance.integers(len(_VOWELS))]
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(chance.normal(size=count)) * (
        _envelope(np.fft.rfftfreq(count, 1 / RATE), formants, chance.uniform(0.8, 1.4)) + 0.1
    )
    burst = np.fft.irfft(spectrum, count) * np.exp(-chance.uniform(1.5, 5) * np.arange(count) / count)
    return np.asarray(burst / np.sqrt(np.mean(burst**2)))


def _knock(chance: np.random.Generator) -> Samples:
    times = np.arange(round(chance.uniform(0.03, 0.15) * RATE)) / RATE
    wave = np.zeros(len(times))
    for _ in range(chance.integers(2, 6)):
        wave += np.sin(2 * np.pi * chance.uniform(150, 2_500) * times) * np.exp(-times * chance.uniform(30, 150))
    wave += chance.normal(size=len(times)) * np.exp(-times * 200)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))


def _coloured(chance: np.random.Generator, seconds: float, low: float, high: float, slope: float) -> Samples:
    count = round(seconds * RATE)
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum = np.fft.rfft(chance.normal(size=count)) * np.maximum(hertz, 50) ** slope
    spectrum[(hertz < low) | (hertz > high)] = 0
    wave = np.fft.irfft(spectrum, count)
    times = np.linspace(0, 1, count)
    wave *= np.minimum(1, times / chance.uniform(0.02, 0.3)) * np.minimum(1, (1 - times) / chance.uniform(0.05, 0.5))
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))
