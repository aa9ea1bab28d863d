"""The Recognizer: both models, shared by all calls."""

from __future__ import annotations

import asyncio

import numpy as np

from ccaas.ports.site import Site
from ccaas.ports.speech import RecognizerCapabilities
from ccaas_moonshine.model import RATE, MoonshineModel
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_moonshine.stream import MoonshineStream
from ccaas_moonshine.work import DecodingThreads


class MoonshineRecognizer:
    """See `ccaas.ports.speech.Recognizer`."""

    capabilities = RecognizerCapabilities(sample_rate=RATE, interim=True, languages=("en",))

    def __init__(self, settings: MoonshineSettings, site: Site) -> None:
        self._settings = settings
        self._folder = site.path(settings.models) if settings.models else site.models_dir
        self._cache_dir = site.cache_dir
        self._models: dict[str, MoonshineModel] = {}
        self._threads: DecodingThreads | None = None

    @property
    def lag_s(self) -> float:
        return self._threads.waits.lag_s if self._threads is not None else 0.0

    async def start(self) -> None:
        """Load the models. Raises SetupError naming the missing file and the mend."""
        names = sorted({self._settings.final, self._settings.interim})
        loaded = await asyncio.gather(*(asyncio.to_thread(self._load, name) for name in names))
        self._models = dict(zip(names, loaded, strict=True))
        self._threads = DecodingThreads(self._settings.workers)

    def open(self) -> MoonshineStream:
        """A new utterance."""
        assert self._threads is not None, "start() comes first"
        final, interim = self._models[self._settings.final], self._models[self._settings.interim]
        return MoonshineStream(final, interim, self._threads, self._settings.longest_s)

    async def close(self) -> None:
        """End the threads and drop the models."""
        if self._threads is not None:
            await self._threads.close()
            self._threads = None
        self._models.clear()

    def _load(self, name: str) -> MoonshineModel:
        model = MoonshineModel(self._folder / f"moonshine-{name}", self._cache_dir, self._settings.threads)
        # The first decoding of a fresh model is slow; no caller shall wait for it.
        model.transcribe(np.zeros(RATE, np.float32))
        return model
