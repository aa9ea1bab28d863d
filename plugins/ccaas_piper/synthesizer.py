"""The Synthesizer: texts are spread over one or more voice processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import numpy as np

from ccaas.errors import SetupError, SpeechError
from ccaas.inference import UnusableModel, prepared
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas.ports.speech import SynthesizerCapabilities
from ccaas_piper.process import VoiceProcess
from ccaas_piper.settings import PiperSettings

RESTART_LIMIT_S = 5.0
"""How long a text waits for a process that is being started again (s)."""


class PiperSynthesizer:
    """See `ccaas.ports.speech.Synthesizer`."""

    def __init__(self, settings: PiperSettings, site: Site) -> None:
        self._settings = settings
        self._model = site.path(settings.model) if settings.model else site.models_dir / "piper-joe" / "joe.onnx"
        self._cache_dir = site.cache_dir
        self._processes: list[VoiceProcess] = []
        self._capabilities = SynthesizerCapabilities(22_050, ("en-US",), (settings.voice,))

    @property
    def capabilities(self) -> SynthesizerCapabilities:
        """Exact once started: the voice's own rate and language."""
        return self._capabilities

    @property
    def processes(self) -> tuple[VoiceProcess, ...]:
        """The voice processes, for tests and metrics."""
        return tuple(self._processes)

    async def start(self) -> None:
        """Load the voice in every process. Raises SetupError naming the missing file and the mend."""
        for path in (self._model, Path(f"{self._model}.json")):
            if not path.is_file():
                raise SetupError(f"the Piper voice {self._settings.voice} lacks its file {path}; run `make setup`")
        arguments = await asyncio.to_thread(self._arguments)
        self._processes = [VoiceProcess(arguments, self._settings.voice) for _ in range(self._settings.processes)]
        loaded = await asyncio.gather(*(process.start() for process in self._processes))
        self._capabilities = SynthesizerCapabilities(
            loaded[0].sample_rate, (loaded[0].language,), (self._settings.voice,)
        )

    async def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        """Speak `text` by the process with the least to do."""
        if voice not in (None, self._settings.voice):
            raise SpeechError(f"there is no Piper voice {voice!r} here, only {self._settings.voice!r}")
        if not text.strip():
            return
        process = await self._free()
        async with aclosing(process.say(text)) as pieces:
            async for piece in pieces:
                yield np.frombuffer(piece, np.int16)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(process.close() for process in self._processes))

    def _arguments(self) -> list[str]:
        """The voice process's command line. Blocks for seconds when the voice is new."""
        settings = self._settings
        try:
            graphs = prepared(self._model.stem, (self._model,), self._cache_dir, "ccaas_piper.cut")
        except UnusableModel as error:
            raise SetupError(
                f"the Piper voice {settings.voice} cannot be loaded: {error}; choose another model, or run `make setup`"
            ) from error
        scales = (settings.liveliness, 1 / settings.pace, settings.rhythm)
        return [
            *(str(graphs), f"{self._model}.json", "--threads", str(settings.threads)),
            *("--scales", *map(str, scales), "--gain", str(10 ** (settings.gain_db / 20))),
        ]

    async def _free(self) -> VoiceProcess:
        ready = [process for process in self._processes if process.ready]
        if not ready:
            try:
                await asyncio.wait_for(self._any_ready(), RESTART_LIMIT_S)
            except TimeoutError as error:
                raise SpeechError(f"no process of the Piper voice {self._settings.voice} runs") from error
            ready = [process for process in self._processes if process.ready]
        return min(ready, key=lambda process: process.load)

    async def _any_ready(self) -> None:
        waits = [asyncio.create_task(process.until_ready()) for process in self._processes]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
