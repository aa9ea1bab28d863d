"""Synthesised audio that is kept: fixed phrases on disk, the rest of what was said lately in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
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
        self._speaking = 0
        """Texts that calls are waiting for."""
        self._unneeded = asyncio.Event()
        self._unneeded.set()
        self._preparing: asyncio.Task[list[Pcm]] | None = None
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
        self._need()
        try:
            async for chunk in self._speak(text, sample_rate):
                yield chunk
        finally:
            self._speaking -= 1
            if not self._speaking:
                self._unneeded.set()

    def _need(self) -> None:
        self._speaking += 1
        self._unneeded.clear()
        if self._preparing is not None:
            self._preparing.cancel()

    async def _speak(self, text: str, sample_rate: int) -> AsyncIterator[Pcm]:
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
        self._keep(text, sample_rate, _joined(chunks))

    async def warm(self, texts: Iterable[str], rates: Sequence[int]) -> int:
        """Have `texts` ready at all `rates` (Hz), piece by piece as they will be said: read from disk, or spoken once and
        written there. What lacks the first rate is made first, and nothing while a call needs the voice. How many pieces
        are ready."""
        pieces = list(dict.fromkeys(piece for text in texts for piece in clauses(text)))
        missing = {piece: [rate for rate in rates if not await self._read(piece, rate)] for piece in pieces}
        ready = len(pieces)
        for piece in sorted(pieces, key=lambda piece: rates[0] not in missing[piece]):
            try:
                await self._prepare(piece, missing[piece])
            except (SpeechError, ValueError) as error:
                _log.warning("phrase not prepared", text=piece, error=str(error))
                ready -= 1
        return ready

    async def _read(self, text: str, sample_rate: int) -> bool:
        if (pcm := await asyncio.to_thread(_read, self._path(text, sample_rate))) is not None:
            self._keep(text, sample_rate, pcm)
        return pcm is not None

    async def _prepare(self, text: str, rates: Iterable[int]) -> None:
        lacking = [rate for rate in rates if (text, rate) not in self._kept]
        chunks = await self._when_unneeded(text) if lacking else []
        for rate in rates:
            if rate in lacking:
                source = resampled(_replayed(chunks), self._synthesizer.capabilities.sample_rate, rate)
                self._keep(text, rate, _joined([chunk async for chunk in source]))
            if (pcm := self._kept.get((text, rate))) is not None:
                await asyncio.to_thread(_write, self._path(text, rate), pcm)

    async def _when_unneeded(self, text: str) -> list[Pcm]:
        """`text` at the voice's own rate; a call that needs the voice meanwhile has it, and we begin again after it."""
        while True:
            await self._unneeded.wait()
            self._preparing = making = asyncio.create_task(self._made(text), name="phrase")
            try:
                await asyncio.wait({making})
            finally:
                self._preparing = None
                making.cancel()
                await asyncio.gather(making, return_exceptions=True)
            if not making.cancelled():
                return making.result()

    async def _made(self, text: str) -> list[Pcm]:
        return [chunk async for chunk in self._synthesizer.synthesize(text)]

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


async def _replayed(chunks: Iterable[Pcm]) -> AsyncIterator[Pcm]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)  # Live calls come between two chunks.


def _joined(chunks: Sequence[Pcm]) -> Pcm:
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int16)


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
