"""What all conversations share: models, voice, settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from ccaas.conversation.backchannel import Impressions, SoundImpressions
from ccaas.conversation.phrases import Phrases
from ccaas.conversation.settings import ConversationSettings
from ccaas.media.clock import Clock
from ccaas.ports.speech import Recognizer, TurnDetector, VoiceDetector

_BUSY_S = 0.03
"""Final results that wait longer for a thread (s) are what callers wait for; no hint is worth more of that."""


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

    @property
    def busy(self) -> bool:
        """Whether results that a caller waits for are late: what only hints at them is left out then."""
        return self.recognizer.lag_s > _BUSY_S
