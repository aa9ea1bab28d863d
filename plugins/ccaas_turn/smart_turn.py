"""smart-turn v3.2: does the utterance sound finished? Judges the last 8 s at 16 kHz, in a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from ccaas.errors import SpeechError
from ccaas.inference import RUNTIME_ERRORS
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas_turn.features import RATE, SAMPLES, log_mel
from ccaas_turn.model import open_model
from ccaas_turn.settings import SmartTurnSettings

if TYPE_CHECKING:
    import onnxruntime


class SmartTurnDetector:
    """See `ccaas.ports.speech.TurnDetector`.

    It was trained on audio of 16 kHz: telephone audio has to be resampled before it comes here. At 8 kHz unconverted it
    answers as readily, and wrongly.
    """

    sample_rate = RATE

    def __init__(self, settings: SmartTurnSettings, site: Site) -> None:
        self._path = site.path(settings.model) if settings.model else site.models_dir / "smart-turn" / "smart-turn.onnx"
        self._cache_dir = site.cache_dir
        self._threads = settings.threads
        self._session: onnxruntime.InferenceSession | None = None
        self._pool: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Load the model. Raises SetupError naming the missing file and the mend."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="smart-turn")
        loop = asyncio.get_running_loop()
        self._session = await loop.run_in_executor(self._pool, open_model, self._path, self._cache_dir)
        await self.finished(np.zeros(RATE, np.int16))

    async def finished(self, pcm: Pcm) -> float:
        """Probability (0…1) that the speaker has finished."""
        assert self._pool is not None, "start() comes first"
        kept = pcm[-SAMPLES:].copy()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._judge, kept)

    async def close(self) -> None:
        """Drop the model; a judgement under way is waited for."""
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)
        self._session = None

    def _judge(self, pcm: Pcm) -> float:
        assert self._session is not None
        features = log_mel(pcm.astype(np.float32) / 32768.0)
        try:
            output = self._session.run(None, {"input_features": features[np.newaxis]})
        except RUNTIME_ERRORS as error:
            raise SpeechError(f"smart-turn failed on {pcm.size / RATE:.1f} s of audio: {error}") from error
        return float(output[0].reshape(-1)[0])
