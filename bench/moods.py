"""Callers of our own for thresholds of feelings: espeak-ng's voices, calm and angry, as a telephone passes them.

Angry is what bench/speech's README calls so, by espeak-ng's own means: pitch, range and rate of its prosody, and the gain.
None of these voices, and none of the texts, is in bench/speech.
"""

from __future__ import annotations

import io
import subprocess
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import soundfile
import soxr
from ccaas_espeak.program import command

from bench.speechset import RATE
from bench.turn_corpus import active, levels, telephone, trimmed
from ccaas.ports.media import Pcm

ROOT = Path(__file__).parents[1]
WHO = ("m1", "m3", "m4", "m7", "f1", "f2", "f4", "f5")
"""Voices."""


def voice(text: str, who: str = "m3", level_db: float = -28.0) -> Pcm:
    """`text` calmly: mono at 16 kHz, nothing around it."""
    return _rendered(text, who, level_db, "+0%", "medium", "100%")


def changed(text: str, who: str = "m3", level_db: float = -28.0, strength: float = 1.0) -> Pcm:
    """`text` by the same voice, angry: at `strength` 1 three semitones higher, of a wider range, 18 % faster, 6.5 dB louder."""
    higher = f"+{100 * (2 ** (3 * strength / 12) - 1):.0f}%"
    return _rendered(text, who, level_db + 6.5 * strength, higher, "x-high", f"{100 + 18 * strength:.0f}%")


@cache
def _rendered(text: str, who: str, level_db: float, pitch: str, spread: str, rate: str) -> Pcm:
    words = f'<prosody pitch="{pitch}" range="{spread}" rate="{rate}">{escape(text)}</prosody>'
    program = command(None, ROOT / ".cache/models/espeak-ng")
    run = subprocess.run(
        [*program, "-m", "-v", f"en-us+{who}", "--stdout", f"<speak>{words}</speak>"], capture_output=True, check=True
    )
    audio, rate_hz = soundfile.read(io.BytesIO(run.stdout), dtype="float64")
    speech = trimmed(telephone(soxr.resample(audio, rate_hz, RATE)))
    scaled = np.clip(speech * 10 ** ((level_db - active(levels(speech))) / 20), -1, 1)
    return np.asarray(soxr.resample(scaled, RATE, 2 * RATE) * 32767).clip(-32768, 32767).astype(np.int16)
