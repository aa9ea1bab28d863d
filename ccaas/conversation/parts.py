"""What all conversations share: models, voice, settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ccaas.conversation.backchannel import Impressions, SoundImpressions
from ccaas.conversation.phrases import Phrases
from ccaas.conversation.settings import ConversationSettings
from ccaas.media.clock import Clock
from ccaas.ports.speech import Recognizer, TurnDetector, VoiceDetector

_BUSY_S = 0.03
"""Final results that wait longer for a thread (s) are what callers wait for; no hint is worth more of that."""


@dataclass(slots=True)
class Load:
    """What the machine has to do at the moment."""

    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    conversations: int = 0

    @asynccontextmanager
    async def one_more(self) -> AsyncIterator[None]:
        """A conversation goes on meanwhile."""
        self.conversations += 1
        try:
            yield
        finally:
            self.conversations -= 1


@dataclass(frozen=True, slots=True)
class Parts:
    """Handed to every conversation by the composition root."""

    recognizer: Recognizer
    voice: VoiceDetector
    turn: TurnDetector
    phrases: Phrases
    settings: ConversationSettings
    clock: Clock
    impressions: Impressions = field(default_factory=SoundImpressions)
    load: Load = field(default_factory=Load)

    @property
    def busy(self) -> bool:
        """Whether there are so many conversations, or results that a caller waits for are so late, that what only hints at
        them is left out."""
        crowded = self.load.conversations > self.settings.hints_per_core * self.load.cores
        return crowded or self.recognizer.lag_s > _BUSY_S
