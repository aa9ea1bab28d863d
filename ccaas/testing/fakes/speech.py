"""Ears and a voice without models, deterministic, which understand each other.

The fake voice speaks a tone per character; the fake recogniser reads the tones back, even after a telephone codec and
resampling. So a test says `spoken("yes")` for a caller, and reads what an agent said with `heard(pcm)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np

from ccaas.errors import SpeechError
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Expectation
from ccaas.ports.speech import RecognizerCapabilities, SynthesizerCapabilities, Transcript

CHARACTER_S = 0.04
"""Length of one character's tone (s)."""
LOWEST_HZ = 400.0
STEP_HZ = 25.0
LOUDNESS = 8_000
"""Amplitude of the tones."""
AUDIBLE = 1_000
"""Sample value from which on there is speech."""
_FIRST, _LAST = 32, 126
"""The characters that can be spoken: printable ASCII."""


def spoken(text: str, rate: int = 8_000) -> Pcm:
    """`text` as the fake voice says it, at `rate` samples a second. Characters that it lacks become "?"."""
    length = int(CHARACTER_S * rate)
    times = np.arange(length) / rate
    tones = [np.sin(2 * np.pi * _hertz(character) * times) for character in text]
    audio = np.concatenate([np.zeros(0), *tones])
    pcm: Pcm = (audio * LOUDNESS).astype(np.int16)
    return pcm


def heard(pcm: Pcm, rate: int = 8_000) -> str:
    """What the tones in `pcm` say; a silence between them is a space."""
    length = int(CHARACTER_S * rate)
    text = []
    loud = np.abs(pcm.astype(np.int32)) > AUDIBLE
    at = int(np.argmax(loud)) if loud.any() else pcm.size
    while at + length * 3 // 4 <= pcm.size:
        block = pcm[at : at + length].astype(np.float64)
        if np.abs(block).max() < AUDIBLE:
            ahead = np.flatnonzero(loud[at:])
            if not ahead.size:
                break
            at += int(ahead[0])
            text.append(" ")
            continue
        spectrum = np.abs(np.fft.rfft(block * np.hanning(block.size), rate))
        code = round((float(spectrum.argmax()) - LOWEST_HZ) / STEP_HZ) + _FIRST
        text.append(chr(min(_LAST, max(_FIRST, code))))
        at += length
    return "".join(text)


def _hertz(character: str) -> float:
    code = ord(character) if _FIRST <= ord(character) <= _LAST else ord("?")
    return LOWEST_HZ + STEP_HZ * (code - _FIRST)


class FakeRecognizer:
    """A `Recognizer` that reads tones; or answers from `texts`, one for each utterance that holds any sound."""

    def __init__(self, texts: Sequence[str] | None = None, rate: int = 8_000) -> None:
        self.capabilities = RecognizerCapabilities(rate, interim=True, languages=("en",))
        self.texts = list(texts) if texts is not None else None
        """What is still to be answered, when it does not read tones."""
        self.lag_s = 0.0
        self.started = False
        self.expected: list[Expectation | None] = []
        """The expectation of every final result that was asked for."""

    async def start(self) -> None:
        self.started = True

    def open(self) -> FakeRecognizerStream:
        return FakeRecognizerStream(self)

    async def close(self) -> None:
        self.started = False


class FakeRecognizerStream:
    """One utterance."""

    def __init__(self, recognizer: FakeRecognizer) -> None:
        self._recognizer = recognizer
        self._audio: Pcm = np.zeros(0, np.int16)
        self._answer: str | None = None

    def push(self, pcm: Pcm) -> None:
        self._audio = np.concatenate([self._audio, pcm])

    async def interim(self) -> Transcript:
        return self._transcript(False)

    async def final(self, expect: Expectation | None = None) -> Transcript:
        self._recognizer.expected.append(expect)
        return self._transcript(True)

    def close(self) -> None:
        self._audio = np.zeros(0, np.int16)

    def _transcript(self, final: bool) -> Transcript:
        rate = self._recognizer.capabilities.sample_rate
        text = heard(self._audio, rate).strip()
        if text and self._recognizer.texts is not None:
            if self._answer is None:
                self._answer = self._recognizer.texts.pop(0) if self._recognizer.texts else ""
            text = self._answer
        return Transcript(text, final, 1.0 if text else None, self._audio.size / rate)


class FakeVoiceDetector:
    """A `VoiceDetector` by loudness: 1 for a window with sound in it, 0 for one without."""

    def __init__(self, rate: int = 8_000, window_ms: float = 20.0) -> None:
        self.sample_rate = rate
        self.window_ms = window_ms

    async def start(self) -> None: ...

    def open(self) -> FakeVoiceStream:
        return FakeVoiceStream(int(self.sample_rate * self.window_ms / 1000))

    async def close(self) -> None: ...


class FakeVoiceStream:
    """Voice activity of one leg."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._waiting: Pcm = np.zeros(0, np.int16)

    def push(self, pcm: Pcm) -> float | None:
        self._waiting = np.concatenate([self._waiting, pcm])
        probability = None
        while self._waiting.size >= self._window:
            window, self._waiting = self._waiting[: self._window], self._waiting[self._window :]
            probability = float(np.abs(window.astype(np.int32)).max() > AUDIBLE)
        return probability

    def reset(self) -> None:
        self._waiting = np.zeros(0, np.int16)


class FakeImpressions:
    """`Impressions` of every voice that are what `listening` is now: by default, nothing is known."""

    def __init__(self) -> None:
        self.listening = 0.5
        self.opened = 0
        """How many stretches were listened to."""

    def open(self) -> FakeImpression:
        self.opened += 1
        return FakeImpression(self)


class FakeImpression:
    """One stretch."""

    def __init__(self, impressions: FakeImpressions) -> None:
        self._impressions = impressions
        self.seconds = 0.0
        """How much of it was pushed (s)."""

    def push(self, pcm: Pcm) -> None:
        self.seconds += len(pcm) / 8_000

    @property
    def listening(self) -> float:
        return self._impressions.listening


class FakeTurnDetector:
    """A `TurnDetector` that finds an utterance finished when its tones end in one of ".!?"; or answers from `answers`."""

    def __init__(self, answers: Sequence[float] | None = None, rate: int = 8_000) -> None:
        self.sample_rate = rate
        self.answers = list(answers) if answers is not None else None

    async def start(self) -> None: ...

    async def finished(self, pcm: Pcm) -> float:
        if self.answers:
            return self.answers.pop(0)
        return 0.95 if heard(pcm, self.sample_rate).rstrip().endswith((".", "!", "?")) else 0.05

    async def close(self) -> None: ...


class FakeSynthesizer:
    """A `Synthesizer` that speaks tones in pieces of 0.2 s."""

    def __init__(self, rate: int = 8_000, fails_on: Sequence[str] = ()) -> None:
        self.capabilities = SynthesizerCapabilities(rate, ("en",), ("tones",))
        self.fails_on = tuple(fails_on)
        """Texts that raise SpeechError."""
        self.texts: list[str] = []
        """Everything that was asked for, in order."""
        self.abandoned: list[str] = []
        """What was not listened to until its end."""

    async def start(self) -> None: ...

    async def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        if voice not in (None, *self.capabilities.voices):
            raise SpeechError(f"there is no voice {voice!r}")
        self.texts.append(text)
        if text in self.fails_on:
            raise SpeechError(f"{text!r} was to fail")
        audio = spoken(text, self.capabilities.sample_rate) if text.strip() else np.zeros(0, np.int16)
        piece = self.capabilities.sample_rate // 5
        done = False
        try:
            for at in range(0, audio.size, piece):
                yield audio[at : at + piece]
            done = True
        finally:
            if not done:
                self.abandoned.append(text)

    async def close(self) -> None: ...
