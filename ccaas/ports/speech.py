"""Ears and voice: recognisers, voice detectors, turn detectors, synthesisers.

All audio is mono int16 at the sample rate that the part's capabilities declare; the core resamples. Models run in
threads that release the GIL or in a process of their own: nothing here may block the event loop for over 5 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Expectation


@dataclass(frozen=True, slots=True)
class RecognizerCapabilities:
    """What a recogniser can do."""

    sample_rate: int
    """Samples a second that `push` wants (Hz)."""
    interim: bool
    """Whether `interim` gives text before the end of speech."""
    languages: tuple[str, ...]
    """BCP 47 tags, for example ("en",)."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, as text."""

    text: str
    """The words; empty when nothing was understood."""
    final: bool
    """False for an interim result, which may still change."""
    confidence: float | None
    """0…1, or None where the model gives none."""
    audio_s: float
    """Seconds of audio that the text covers."""


class RecognizerStream(Protocol):
    """One utterance being recognised. Not shared between calls."""

    def push(self, pcm: Pcm) -> None:
        """Append audio. Never blocks: it only buffers or queues."""
        ...

    async def interim(self) -> Transcript:
        """The best quick text for what was pushed so far."""
        ...

    async def final(self, expect: Expectation | None = None) -> Transcript:
        """The best text for what was pushed so far. The stream may be pushed to again afterwards: a speculation
        that the caller's going on has overtaken is simply asked again.

        Raises:
            SpeechError: the model failed on this audio.
        """
        ...

    def close(self) -> None:
        """Drop the audio. Safe to call twice."""
        ...


class Recognizer(Protocol):
    """A speech recogniser shared by all calls."""

    @property
    def capabilities(self) -> RecognizerCapabilities: ...

    @property
    def lag_s(self) -> float:
        """How long final results wait before they are begun (s); where it is more than `limits.lag_ms`, no new call is
        taken. 0 where nothing waits for a thread of its own."""
        ...

    async def start(self) -> None:
        """Load the model. Raises SetupError naming the missing file and the mend."""
        ...

    def open(self) -> RecognizerStream:
        """A new utterance."""
        ...

    async def close(self) -> None: ...


class VoiceStream(Protocol):
    """Voice activity of one leg."""

    def push(self, pcm: Pcm) -> float | None:
        """Append a frame; the probability (0…1) that the newest whole window is speech, None until one is full."""
        ...

    def reset(self) -> None:
        """Forget the past."""
        ...


class VoiceDetector(Protocol):
    """Speech or not, frame by frame; cheap enough for the event loop (under 0.2 ms a frame)."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def window_ms(self) -> float:
        """Length of the window behind each probability (ms)."""
        ...

    async def start(self) -> None: ...

    def open(self) -> VoiceStream: ...

    async def close(self) -> None: ...


class TurnDetector(Protocol):
    """Whether an utterance sounds finished."""

    @property
    def sample_rate(self) -> int: ...

    async def start(self) -> None: ...

    async def finished(self, pcm: Pcm) -> float:
        """Probability (0…1) that the speaker has finished, from the utterance's audio up to now (its last 8 s).

        Raises:
            SpeechError: the model failed on this audio.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SynthesizerCapabilities:
    """What a synthesiser can do."""

    sample_rate: int
    """Samples a second that it yields (Hz)."""
    languages: tuple[str, ...]
    """BCP 47 tags."""
    voices: tuple[str, ...]
    """Names that `synthesize` takes; the first is the default."""


class Synthesizer(Protocol):
    """A voice shared by all calls."""

    @property
    def capabilities(self) -> SynthesizerCapabilities: ...

    async def start(self) -> None:
        """Load the voice. Raises SetupError naming the missing file and the mend."""
        ...

    def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        """Speak `text`: chunks of audio as soon as they exist. Closing the iterator stops the work.

        Raises:
            SpeechError: this text could not be spoken, or the voice's process died (it is started again by itself).
        """
        ...

    async def close(self) -> None: ...
