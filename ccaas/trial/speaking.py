"""The installation's own recogniser and voice, for recordings instead of telephones."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ccaas.errors import CcaasError
from ccaas.ports.reasoning import Expectation
from ccaas.ports.speech import Recognizer, Synthesizer
from ccaas.trial.house import House

_FRAME_S = 0.02


class Speaking:
    """Hears files, and keeps what is said."""

    def __init__(self, recognizer: Recognizer | None, synthesizer: Synthesizer | None) -> None:
        self._recognizer = recognizer
        self._synthesizer = synthesizer
        self._said: list[np.ndarray] = []

    @classmethod
    async def open(cls, house: House, stack: AsyncExitStack, *, listens: bool, speaks: bool) -> Speaking:
        """Load the models that are needed. Raises CcaasError."""
        site, picks = house.configuration.site, house.picks
        recognizer = await picks.recognizer.make(site) if listens else None
        synthesizer = await picks.synthesizer.make(site) if speaks else None
        for part in (recognizer, synthesizer):
            if part is not None:
                stack.push_async_callback(part.close)
                await part.start()
        return cls(recognizer, synthesizer)

    async def hear(self, wav: Path, expect: Expectation) -> str:
        """What is said in a WAV file. Raises CcaasError when it cannot be read."""
        if self._recognizer is None:
            raise CcaasError("no recogniser was loaded")
        rate = self._recognizer.capabilities.sample_rate
        try:
            samples, own = soundfile.read(wav, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise CcaasError(f"{wav}: this WAV file cannot be read ({error})") from None
        mono = soxr.resample(samples.mean(axis=1), own, rate)
        pcm = np.clip(mono * 32767, -32768, 32767).astype(np.int16)
        stream = self._recognizer.open()
        step = int(rate * _FRAME_S)
        for at in range(0, pcm.size, step):
            stream.push(pcm[at : at + step])
        heard = await stream.final(expect)
        stream.close()
        return heard.text

    async def say(self, text: str) -> None:
        """Speak; kept for `write`."""
        if self._synthesizer is not None and text:
            self._said += [chunk async for chunk in self._synthesizer.synthesize(text)]

    def forget(self) -> None:
        """Drop what was said."""
        self._said.clear()

    def write(self, wav: Path) -> None:
        """All that was said, as a WAV file."""
        if self._synthesizer is not None:
            pcm = np.concatenate(self._said) if self._said else np.zeros(0, np.int16)
            soundfile.write(wav, pcm, self._synthesizer.capabilities.sample_rate)
