"""Callers' sentences that no recording has, spoken by the installed Piper voice as several callers, as a telephone passes them.

espeak-ng, which is installed too, is left out: a code that it spelled was recognised as unrelated words.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np
import soxr
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer

from bench.speechset import RATE
from bench.turn_corpus import active, levels, pink, telephone, trimmed
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site

CALLERS = (1.0, 1.1, 0.94)
"""How much higher and faster each speaks than the voice itself."""
LEVEL_DBFS = -24.0
FLOOR_DBFS = -66.0
EDGE_S = 0.015
"""Before and behind the speech, as in bench/speech."""


class Voices:
    """`async with Voices(site)`: ready to speak when entered."""

    def __init__(self, site: Site) -> None:
        """`site` holds the voices' models."""
        self._voice = PiperSynthesizer(PiperSettings(), site)

    async def __aenter__(self) -> Self:
        await self._voice.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._voice.close()

    async def say(self, text: str, number: int) -> Pcm:
        """8 kHz samples; `number` chooses the caller. Raises SpeechError."""
        pieces = [piece async for piece in self._voice.synthesize(text)]
        spoken = np.concatenate(pieces).astype(np.float64) / 32768
        rate = self._voice.capabilities.sample_rate * CALLERS[number % len(CALLERS)]
        narrow = trimmed(telephone(soxr.resample(spoken, rate, RATE)))
        edge = np.zeros(round(EDGE_S * RATE))
        padded = np.concatenate([edge, narrow * 10 ** ((LEVEL_DBFS - active(levels(narrow))) / 20), edge])
        noise = 10 ** (FLOOR_DBFS / 20) * pink(padded.size, np.random.default_rng(number))
        pcm: Pcm = (np.clip(padded + noise, -1, 1) * 32767).astype(np.int16)
        return pcm
