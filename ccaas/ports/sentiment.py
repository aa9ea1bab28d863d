"""What a caller seems to feel: the port behind which a model of words and voice stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ccaas.ports.journey import Customer
from ccaas.ports.media import Pcm

_WORDS = ((-0.3, "pleased"), (0.3, "calm"), (0.55, "annoyed"))


@dataclass(frozen=True, slots=True)
class Mood:
    """How upset somebody seems. All of it is −1 (pleased) … 0 (calm) … +1 (furious)."""

    score: float
    """Everything together."""
    words: float
    """What was said, alone."""
    prosody: float | None
    """How it was said, against the caller's own first turns; None where there is no voice, or nothing to hold it against."""
    trend: float
    """The score against the turns before: above 0 it gets worse. 0 in the first turn. −2…+2."""
    wants_human: bool
    """A person was explicitly asked for."""

    @property
    def parts(self) -> dict[str, float | None]:
        """The figures, by name."""
        return {"score": self.score, "words": self.words, "prosody": self.prosody, "trend": self.trend}

    @property
    def word(self) -> str:
        """For people who read it: "pleased", "calm", "annoyed" or "upset"."""
        return next((word for most, word in _WORDS if self.score < most), "upset")


class SentimentStream(Protocol):
    """One conversation's feelings. Used by one task at a time, but for `push`."""

    def push(self, pcm: Pcm) -> None:
        """Append voice of the caller at 16 kHz: what a voice detector took for speech, pauses left out. Never blocks: it
        only buffers."""
        ...

    def forget(self) -> None:
        """What was pushed since the last turn was noise, or nobody's."""
        ...

    async def glance(self, text: str) -> Mood:
        """How the turn seems that is not over: `text` is what of it is known. Changes nothing; may be asked again and again.

        Raises:
            SpeechError: the model failed.
        """
        ...

    async def turn(self, text: str, at: float) -> Mood:
        """A turn was taken: `text`, and the voice since the last one. `at`: when it ended (monotonic s). Turns without
        voice (texts) are judged by their words. The same text as at the newest glance costs next to nothing.

        Raises:
            SpeechError: the model failed.
        """
        ...

    def close(self) -> None:
        """The conversation is over. Safe to call twice."""
        ...


class Sentiment(Protocol):
    """Makes them; shared by all conversations. Nothing of it may keep the event loop busy for more than 5 ms."""

    async def start(self) -> None:
        """Load what is needed. Raises SetupError or ConfigError."""
        ...

    def open(self) -> SentimentStream:
        """A new conversation."""
        ...

    async def close(self) -> None: ...


class Why(Enum):
    """Why a conversation should go to a person."""

    UPSET = "upset"
    """The caller is at the end of their patience."""
    WISH = "wish"
    """They ask for a person."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A turn that should bring a person in."""

    why: Why
    turn_id: str
    text: str
    """The caller's words."""
    intent: str
    """What the reasoner understood."""
    mood: Mood
    destination: str
    """Where it would go: a name under `destinations` in the YAML."""


@dataclass(frozen=True, slots=True)
class Conversing:
    """Whose conversation it is, for plug-ins that decide."""

    call_id: str
    channel: str
    customer: Customer | None
    locale: str
    """BCP 47."""
    destinations: Mapping[str, str]
    """The YAML's destinations: Asterisk's endpoint by name."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a plug-in answers to a signal."""

    destination: str
    """A name under `destinations`; empty: leave the caller with the agent."""
