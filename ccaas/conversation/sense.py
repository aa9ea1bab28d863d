"""What a voice over the agent seems to want, from its sound and the first of its words."""

from __future__ import annotations

import math

from ccaas.conversation.settings import BargeIn
from ccaas.conversation.state import Sense
from ccaas.spoken.backchannels import is_backchannel, opens_turns, wants_stop

LOOK_EVERY_S = 0.16
"""Words that are not known to be one or the other are looked at again after this (s)."""

_MOST = 5.0
"""Log odds beyond which the sound is not believed."""
_LISTENS, _WANTS, _UNKNOWN, _UNREAD = 4.0, -4.0, -1.5, -3.0
"""What the first words add to them. Half a hum or half a word may be read as anything, so one unknown word says little; an
agent that has fallen silent waits for the words."""


def sense(listening: float, words: str, yielded: bool, ebbing: bool, settings: BargeIn) -> Sense:
    """Weigh the sound's probability (0…1) of being a sign of listening, and the `words` so far, empty while none are known.

    An agent that has `yielded` wants to be as sure as `resume_at` before it goes on; one that speaks, as `speak_on_at`. After a
    word that begins sentences as well ("okay") it also waits until the voice is `ebbing`: "Okay, okay, I heard you".
    """
    if yielded and not ebbing and opens_turns(words):
        return Sense.UNSURE
    told = _UNREAD if yielded and not words and settings.first_words_ms else _told(words)
    odds = _odds(listening) + told
    trusted = settings.resume_at if yielded else settings.speak_on_at
    if trusted < 1 and odds >= _odds(trusted):
        return Sense.LISTENING
    return Sense.TAKING if told == _WANTS or listening < settings.yield_below else Sense.UNSURE


def _told(words: str) -> float:
    if not words:
        return 0.0
    if is_backchannel(words):
        return _LISTENS
    return _WANTS if wants_stop(words) or len(words.split()) > 1 else _UNKNOWN


def _odds(probability: float) -> float:
    within = min(max(probability, 1e-9), 1 - 1e-9)
    return max(-_MOST, min(_MOST, math.log(within / (1 - within))))


class FirstWords:
    """When to look at the words of a voice over the agent, and what they were."""

    def __init__(self, settings: BargeIn) -> None:
        self._first_s = settings.first_words_ms / 1000
        self._next: float | None = None
        self.text = ""

    def begin(self, at: float) -> None:
        """A voice began `at` (monotonic s)."""
        self.text = ""
        self._next = at + self._first_s if self._first_s else None

    def wanted(self, now: float) -> bool:
        """Whether it is time to look (again). Asked once a frame."""
        if self._next is None or now < self._next:
            return False
        self._next = now + LOOK_EVERY_S
        return True
