"""One utterance. Vosk decodes as the audio comes, so a final result has only the last moments left to do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Protocol

import numpy as np

from ccaas.errors import SpeechError
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Expectation
from ccaas.ports.speech import Transcript
from ccaas.ports.waits import Waits

FED_S = 0.2
"""Audio is handed to the decoder in pieces of at least this length (s)."""
UNKNOWN = "[unk]"
"""Vosk's word for sounds that are none of its words."""


class Decoder(Protocol):
    """Vosk's KaldiRecognizer; results are JSON."""

    def AcceptWaveform(self, data: bytes) -> int: ...

    def PartialResult(self) -> str: ...

    def Result(self) -> str: ...

    def FinalResult(self) -> str: ...


class VoskStream:
    """See `ccaas.ports.speech.RecognizerStream`. The decoder is used by one thread at a time, never by the event loop."""

    def __init__(self, make_decoder: Callable[[], Decoder], rate: int, pool: Executor, waits: Waits) -> None:
        self._make_decoder = make_decoder
        self._rate = rate
        self._pool = pool
        self._waits = waits
        self._lock = threading.Lock()
        self._decoder: Decoder | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._pushed = 0
        self._feeding: Future[None] | None = None
        self._segments: list[tuple[str, float | None]] = []

    def push(self, pcm: Pcm) -> None:
        """Append audio at the model's rate."""
        self._waiting.append(pcm.tobytes())
        self._waiting_bytes += pcm.size * 2
        self._pushed += pcm.size
        if self._waiting_bytes >= FED_S * self._rate * 2 and (self._feeding is None or self._feeding.done()):
            self._feeding = self._pool.submit(self._feed)

    async def interim(self) -> Transcript:
        """What the decoder has so far."""
        return await self._ask(self._read_interim)

    async def final(self, expect: Expectation | None = None) -> Transcript:
        """Everything up to now. Audio that is pushed later begins a new segment, and its words are appended."""
        del expect  # a Vosk model's vocabulary is fixed
        asked = object()
        self._waits.ask(asked)
        try:
            return await self._ask(partial(self._read_final, asked))
        finally:
            self._waits.drop(asked)

    def close(self) -> None:
        """Drop the audio."""
        self._waiting.clear()
        self._waiting_bytes = 0

    async def _ask(self, read: Callable[[float], Transcript]) -> Transcript:
        return await asyncio.get_running_loop().run_in_executor(self._pool, read, self._pushed / self._rate)

    def _read_interim(self, audio_s: float) -> Transcript:
        with self._lock:
            self._decode_waiting()
            now = json.loads(self._decoder.PartialResult()).get("partial", "") if self._decoder is not None else ""
            text = " ".join([*(words for words, _ in self._segments), now])
            return Transcript(text.strip(), False, None, audio_s)

    def _read_final(self, asked: object, audio_s: float) -> Transcript:
        self._waits.begin(asked)
        with self._lock:
            self._decode_waiting()
            if self._decoder is not None:
                self._keep(self._decoder.FinalResult())
            marks = [mark for _, mark in self._segments if mark is not None]
            text = " ".join(words for words, _ in self._segments)
            return Transcript(text, True, float(np.mean(marks)) if marks else None, audio_s)

    def _feed(self) -> None:
        with self._lock:
            self._decode_waiting()

    def _decode_waiting(self) -> None:
        # Taken one by one: the event loop may append meanwhile.
        pieces = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._waiting_bytes = 0
        if not pieces:
            return
        if self._decoder is None:
            self._decoder = self._make_decoder()
        accepted = self._decoder.AcceptWaveform(b"".join(pieces))
        if accepted < 0:
            raise SpeechError("Vosk failed on this audio")
        if accepted:
            # The decoder's own idea of an end of speech; it begins anew behind it.
            self._keep(self._decoder.Result())

    def _keep(self, result: str) -> None:
        said = json.loads(result)
        text = " ".join(word for word in said.get("text", "").split() if word != UNKNOWN)
        if text:
            marks = [word["conf"] for word in said.get("result", ()) if "conf" in word]
            self._segments.append((text, float(np.mean(marks)) if marks else None))
