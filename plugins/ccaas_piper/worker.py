"""The voice process: `python -m ccaas_piper.worker`. Never imported by the core: piper-tts is GPL-3.

It ends by itself when its standard input closes, so it cannot outlive the core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from piper import PiperVoice
from piper.config import PiperConfig

from ccaas.inference import RUNTIME_ERRORS
from ccaas_piper import frames, split
from ccaas_piper.frames import Kind

FIRST_FRAMES = 24
"""Length of the first piece of a sentence (frames of 256 samples): about 0.28 s at 22,050 Hz."""
MOST_FRAMES = 96
"""Each next piece is twice as long, up to this: the lead over the listener grows."""
AUDIBLE = 0.004
"""Level at which a voice's leading silence ends (full scale = 1)."""
LEAD_S = 0.005
"""Silence left before the first sound (s)."""

_UNSPEAKABLE: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, RuntimeError, ValueError, IndexError)
_UNUSABLE: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, OSError, ValueError, KeyError)


@dataclass(slots=True)
class Request:
    """One text being spoken."""

    id: int
    order: int
    pieces: Iterator[bytes]
    samples: int = 0
    """How much was sent already: the request with the least goes first, so that nobody's first word waits."""


@dataclass(slots=True)
class Voice:
    """A loaded voice and how it shall sound."""

    text: PiperVoice
    parts: split.SplitVoice
    scales: split.Floats
    gain: float

    def speak(self, text: str) -> Iterator[bytes]:
        """int16 samples of `text`, piece by piece."""
        silent = True
        for phonemes in self.text.phonemize(text):
            ids = np.array([self.text.phonemes_to_ids(phonemes)], np.int64)
            for made in self._sentence(ids):
                samples = self._without_lead(made) if silent else made
                if samples.size:
                    silent = False
                    yield (np.clip(samples * self.gain, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()

    def _sentence(self, ids: NDArray[np.int64]) -> Iterator[split.Floats]:
        latent, mask = self.parts.encode(ids, self.scales)
        total = latent.shape[2]
        flowed = np.empty((1, latent.shape[1], 0), np.float32)
        start, length = 0, FIRST_FRAMES
        while start < total:
            end = min(total, start + length)
            length = min(MOST_FRAMES, length * 2)
            if total - end < FIRST_FRAMES:
                end = total
            wanted = min(total, end + split.VOCODER_MARGIN)
            if wanted > flowed.shape[2]:
                have = flowed.shape[2]
                low, high = max(0, have - split.FLOW_MARGIN), min(total, wanted + split.FLOW_MARGIN)
                made = self.parts.flow(latent[:, :, low:high], mask[:, :, low:high])
                flowed = np.concatenate([flowed, made[:, :, have - low : wanted - low]], axis=2)
            low = max(0, start - split.VOCODER_MARGIN)
            samples = self.parts.vocode(flowed[:, :, low:wanted])
            hop = samples.size // (wanted - low)
            yield samples[(start - low) * hop : (end - low) * hop]
            start = end

    def _without_lead(self, samples: split.Floats) -> split.Floats:
        loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
        if not loud.size:
            return samples[:0]
        return samples[max(0, int(loud[0]) - int(LEAD_S * self.text.config.sample_rate)) :]


@dataclass(slots=True)
class Desk:
    """The requests at hand, shared by the reading thread and the speaking one."""

    voice: Voice
    changed: threading.Condition = field(default_factory=threading.Condition)
    requests: dict[int, Request] = field(default_factory=dict)
    count: Iterator[int] = field(default_factory=itertools.count)

    def read_forever(self, source: BinaryIO) -> None:
        """Take frames until the core closes the pipe, then end the process."""
        while (frame := frames.read(source)) is not None:
            kind, request, body = frame
            with self.changed:
                if kind is Kind.SAY:
                    pieces = self.voice.speak(body.decode())
                    self.requests[request] = Request(request, next(self.count), pieces)
                elif kind is Kind.CANCEL:
                    self.requests.pop(request, None)
                self.changed.notify()
        os._exit(0)

    def next(self) -> Request:
        """The request to work on; waits for one."""
        with self.changed:
            self.changed.wait_for(lambda: self.requests)
            return min(self.requests.values(), key=lambda request: (request.samples, request.order))

    def drop(self, request: Request) -> bool:
        """Take the request off; False when it was cancelled meanwhile."""
        with self.changed:
            return self.requests.pop(request.id, None) is not None


def serve(desk: Desk, out: BinaryIO) -> None:
    """Speak for ever."""
    while True:
        request = desk.next()
        try:
            piece = next(request.pieces, None)
        except _UNSPEAKABLE as error:
            if desk.drop(request):
                _send(out, Kind.FAILED, request.id, str(error).encode())
            continue
        if piece is None:
            if desk.drop(request):
                _send(out, Kind.DONE, request.id)
        else:
            request.samples += len(piece) // 2
            if request.id in desk.requests:
                _send(out, Kind.AUDIO, request.id, piece)


def _send(out: BinaryIO, kind: Kind, request: int, body: bytes = b"") -> None:
    out.write(frames.pack(kind, request, body))
    out.flush()


def main() -> None:
    """Load the voice, say that it is ready, and speak what is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("graphs", type=Path)
    parser.add_argument("description", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scales", type=float, nargs=3, default=(0.667, 1.0, 0.8))
    parser.add_argument("--gain", type=float, default=1.0)
    options = parser.parse_args()
    # What a library prints must not end up between our frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        description = json.loads(options.description.read_text())
        config = PiperConfig.from_dict(description)
        parts = split.load(options.graphs, options.threads)
    except _UNUSABLE as error:
        _send(out, Kind.BROKEN, 0, str(error).encode())
        sys.exit(1)
    text = PiperVoice(config=config, session=None)  # only its phonemes are used
    voice = Voice(text, parts, np.array(options.scales, np.float32), options.gain)
    for _ in voice.speak("Ready."):
        pass
    language = description.get("language", {}).get("code", "en_US").replace("_", "-")
    _send(out, Kind.READY, 0, json.dumps({"sample_rate": config.sample_rate, "language": language}).encode())
    desk = Desk(voice)
    threading.Thread(target=desk.read_forever, args=(sys.stdin.buffer,), daemon=True).start()
    serve(desk, out)


if __name__ == "__main__":
    main()
