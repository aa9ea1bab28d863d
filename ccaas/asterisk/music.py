"""Music on hold of our own making, so that no recording has to be shipped."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

SAMPLE_RATE = 8000
"""Hz; what telephone codecs carry."""

BEAT_S = 0.5
PEAK = 0.12
"""Of full scale: about -18 dBFS, well under speech."""

MELODY = (
    *(261.63, 329.63, 392.00, 523.25, 392.00, 329.63, 261.63, 196.00),
    *(220.00, 261.63, 329.63, 440.00, 329.63, 261.63, 220.00, 164.81),
    *(174.61, 220.00, 261.63, 349.23, 261.63, 220.00, 174.61, 130.81),
    *(196.00, 246.94, 293.66, 392.00, 293.66, 246.94, 196.00, 246.94),
)
"""Frequencies (Hz), one a beat: broken chords of C, A minor, F and G."""


def write_music(file: Path) -> None:
    """Write 16 s of mono 16-bit WAV that loops without a click."""
    total = int(len(MELODY) * BEAT_S * SAMPLE_RATE)
    samples = [0.0] * total
    for beat, frequency in enumerate(MELODY):
        start = int(beat * BEAT_S * SAMPLE_RATE)
        for n in range(int(4 * BEAT_S * SAMPLE_RATE)):  # A note rings on over the next three.
            t = n / SAMPLE_RATE
            attack = min(1.0, t / 0.02)
            tone = math.sin(2 * math.pi * frequency * t) + 0.3 * math.sin(4 * math.pi * frequency * t)
            samples[(start + n) % total] += attack * math.exp(-2.5 * t) * tone
    loudest = max(abs(sample) for sample in samples)
    pcm = struct.pack(f"<{total}h", *(round(sample / loudest * PEAK * 32767) for sample in samples))
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(pcm)
