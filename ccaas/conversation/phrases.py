"""Synthesised audio that is kept: fixed phrases on disk, the rest of what was said lately in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import structlog

from ccaas.conversation.clauses import clauses
from ccaas.errors import SpeechError
from ccaas.media.resample import resampled
from ccaas.ports.media import Pcm
from ccaas.ports.speech import Synthesizer

_log = structlog.get_logger(__name__)

_MEMORY_BYTES = 48 * 1024 * 1024
"""About 50 minutes of 8 kHz audio."""


class Phrases:
    """The agent's voice with a memory. Shared by all calls."""

    def __init__(self, synthesizer: Synthesizer, fallback: Synthesizer | None, folder: Path, identity: str) -> None:
        """`identity` names voice and settings: audio kept under another one is not used."""
        self._synthesizer = synthesizer
        self._fallback = fallback
        self._folder = folder / hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._kept: OrderedDict[tuple[str, int], Pcm] = OrderedDict()
        self._bytes = 0
        self.fallbacks = 0
        """Clauses spoken by the fallback voice, because the first one failed."""

    def kept(self, text: str, sample_rate: int) -> Pcm | None:
        """The whole clause, if it was said before: samples at `sample_rate`."""
        pcm = self._kept.get((text, sample_rate))
        if pcm is not None:
            self._kept.move_to_end((text, sample_rate))
        return pcm

    async def speak(self, text: str, sample_rate: int) -> AsyncIterator[Pcm]:
        """`text` as audio chunks at `sample_rate`; from memory when it is there, and kept afterwards.

        Raises:
            SpeechError: neither the voice nor the fallback could speak it.
        """
        if (pcm := self.kept(text, sample_rate)) is not None:
            yield pcm
            return
        chunks: list[Pcm] = []
        try:
            async for chunk in self._chunks(self._synthesizer, text, sample_rate):
                chunks.append(chunk)
                yield chunk
        except SpeechError as error:
            if chunks or self._fallback is None:
                raise
            _log.warning("voice failed, using the fallback", error=str(error))
            self.fallbacks += 1
            async for chunk in self._chunks(self._fallback, text, sample_rate):
                yield chunk
            return
        self._keep(text, sample_rate, np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int16))

    async def warm(self, texts: Iterable[str], sample_rate: int) -> int:
        """Have `texts` ready, piece by piece as they will be said: read from disk, or spoken once and written there. How
        many pieces are ready."""
        ready = 0
        for text in dict.fromkeys(part for whole in texts for part in clauses(whole)):
            path = self._path(text, sample_rate)
            if self.kept(text, sample_rate) is None:
                pcm = await asyncio.to_thread(_read, path)
                if pcm is None:
                    try:
                        pcm = np.concatenate([c async for c in self._chunks(self._synthesizer, text, sample_rate)])
                    except (SpeechError, ValueError) as error:
                        _log.warning("phrase not prepared", text=text, error=str(error))
                        continue
                    await asyncio.to_thread(_write, path, pcm)
                self._keep(text, sample_rate, pcm)
            ready += 1
        return ready

    @staticmethod
    async def _chunks(synthesizer: Synthesizer, text: str, sample_rate: int) -> AsyncIterator[Pcm]:
        source = synthesizer.synthesize(text)
        async for chunk in resampled(source, synthesizer.capabilities.sample_rate, sample_rate):
            yield chunk

    def _keep(self, text: str, sample_rate: int, pcm: Pcm) -> None:
        key = (text, sample_rate)
        if key in self._kept:
            return
        self._kept[key] = pcm
        self._bytes += pcm.nbytes
        while self._bytes > _MEMORY_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes

    def _path(self, text: str, sample_rate: int) -> Path:
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}-{sample_rate}.npy"


def _read(path: Path) -> Pcm | None:
    try:
        pcm = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return pcm if isinstance(pcm, np.ndarray) and pcm.dtype == np.int16 and pcm.ndim == 1 else None


def _write(path: Path, pcm: Pcm) -> None:
    """Whole or not at all; a full disk costs only the next boot's time."""
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.save(file, pcm)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        _log.warning("phrase not kept", path=str(path), error=str(error))
