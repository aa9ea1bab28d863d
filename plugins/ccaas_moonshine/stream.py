"""One utterance: its audio so far, and the texts already made of it, which speed up the next."""

from __future__ import annotations

import asyncio
from functools import partial

import numpy as np

from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Expectation
from ccaas.ports.speech import Transcript
from ccaas_moonshine.model import NOTHING, RATE, Decoded, Floats, MoonshineModel
from ccaas_moonshine.rereading import SPEEDS, doubtful, likeliest, stretched
from ccaas_moonshine.work import DecodingThreads, Urgency

BLOCK = RATE // 50
"""Samples over which loudness is taken (20 ms)."""
VOICED = 0.004
"""RMS of a 20 ms block (full scale = 1) above which there was a voice at all: -48 dBFS."""
QUIET = 0.018
"""Trailing blocks below this part of the loudest one (-35 dB) are silence."""
KEPT_TAIL = RATE * 15 // 100
"""Silence left behind the speech (samples): more costs time and, on single words, accuracy."""
LEAST_TAIL = RATE * 5 // 100
"""Silence added when less than this is behind the speech (samples)."""


class MoonshineStream:
    """See `ccaas.ports.speech.RecognizerStream`."""

    def __init__(
        self, final: MoonshineModel, interim: MoonshineModel, threads: DecodingThreads, longest_s: float
    ) -> None:
        self._final_model = final
        self._interim_model = interim
        self._threads = threads
        self._longest = int(longest_s * RATE)
        self._pieces: list[Pcm] = []
        self._size = 0
        self._draft: tuple[int, ...] = ()
        self._interim: tuple[int, Decoded] = (0, NOTHING)
        self._final: tuple[int, Decoded] = (0, NOTHING)

    def push(self, pcm: Pcm) -> None:
        """Append 16 kHz audio."""
        self._pieces.append(pcm.copy())
        self._size += pcm.size

    async def interim(self) -> Transcript:
        """A quick text; the same one again while nothing new was pushed."""
        size = self._size
        if size != self._interim[0]:
            samples, _, voiced = self._audio()
            draft, model = self._draft, self._interim_model
            decoded = await self._threads.run(
                Urgency.INTERIM, lambda: model.transcribe(samples, draft, voiced) if voiced else NOTHING
            )
            # A final result of meanwhile covers more and is the better draft.
            if size > max(self._interim[0], self._final[0]):
                self._draft = decoded.tokens
            self._interim = (size, decoded)
        decoded = self._interim[1]
        return Transcript(decoded.text, False, _confidence(decoded), size / RATE)

    async def final(self, expect: Expectation | None = None) -> Transcript:
        """The best text; the same one again while nothing but silence was pushed. Of a code, the best of several."""
        samples, speech, voiced = self._audio()
        size = self._size
        if speech != self._final[0]:
            draft, model = self._draft, self._final_model
            decoded = await self._threads.run(
                Urgency.FINAL, lambda: model.transcribe(samples, draft, voiced) if voiced else NOTHING
            )
            if expect is not None and doubtful(decoded, expect):
                decoded = likeliest((decoded, *await self._again(samples, decoded)), expect)
            self._final = (speech, decoded)
            self._draft = decoded.tokens or draft
        decoded = self._final[1]
        return Transcript(decoded.text, True, _confidence(decoded), size / RATE)

    async def _again(self, samples: Floats, decoded: Decoded) -> list[Decoded]:
        """The same at other speeds, side by side."""
        model = self._final_model

        def at(speed: float) -> Decoded:
            return model.transcribe(stretched(samples, speed), decoded.tokens)

        return await asyncio.gather(*(self._threads.run(Urgency.FINAL, partial(at, speed)) for speed in SPEEDS))

    def close(self) -> None:
        """Drop the audio."""
        self._pieces.clear()
        self._size = 0

    def _audio(self) -> tuple[Floats, int, bool]:
        """What to decode, where the speech in it ends (samples), and whether there is a voice in it."""
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        if not self._pieces:
            return np.zeros(0, np.float32), 0, False
        samples = self._pieces[0][-self._longest :].astype(np.float32) / 32768.0
        return prepared(samples)


def prepared(samples: Floats) -> tuple[Floats, int, bool]:
    """The audio with a tail of the right length, where its speech ends (samples), and whether it is voiced."""
    blocks = samples[: samples.size // BLOCK * BLOCK].reshape(-1, BLOCK)
    if not blocks.size:
        return samples, samples.size, False
    levels = np.sqrt(np.mean(blocks**2, axis=1))
    loudest = float(levels.max())
    loud = np.flatnonzero(levels > loudest * QUIET)
    end = (int(loud[-1]) + 1) * BLOCK if loud.size else samples.size
    tail = samples.size - end
    if tail > KEPT_TAIL:
        samples = samples[: end + KEPT_TAIL]
    elif tail < LEAST_TAIL:
        samples = np.concatenate([samples, np.zeros(LEAST_TAIL - tail, np.float32)])
    return samples, end, loudest > VOICED


def _confidence(decoded: Decoded) -> float | None:
    return decoded.confidence if decoded.tokens else None
