"""When the recogniser is asked what was said so far: it is not free, and its answer is wanted soon. Pure."""

from __future__ import annotations

from enum import Enum

EVERY_S = 0.8
"""So much voice, and it is asked in the midst of it."""
AFTER_S = 0.2
"""So much silence behind a voice, and it is asked: a sentence may have ended."""
PARTED_S = 0.9
"""So much silence, and what comes is a sentence of its own: the recogniser begins anew, or its work grows and grows."""
LONGEST_S = 10.0
"""It begins anew after so much audio, whatever is said."""

LEAD_FRAMES = 20
"""Frames of 20 ms before a voice is known that belong to it; what is before them the recogniser need not hear."""


class Ask(Enum):
    """What to do with the recogniser now."""

    NOTHING = "nothing"
    SO_FAR = "so far"
    """Ask."""
    ANEW = "anew"
    """What was understood last stands; begin a new utterance."""


class Asking:
    """Told of each frame whether somebody speaks."""

    def __init__(self) -> None:
        self._voiced_s = 0.0
        self._quiet_s = 0.0
        self._whole_s = 0.0
        self._spoken = False

    @property
    def spoken(self) -> bool:
        """Whether there was a voice in this utterance."""
        return self._spoken

    def step(self, seconds: float, *, voice: bool) -> Ask:
        """The next `seconds`."""
        self._whole_s = self._whole_s + seconds if self._spoken or voice else 0.0
        if voice:
            self._spoken, self._quiet_s = True, 0.0
            self._voiced_s += seconds
            if self._voiced_s >= EVERY_S:
                self._voiced_s = 0.0
                return Ask.SO_FAR
            return Ask.NOTHING
        if not self._spoken:
            return Ask.NOTHING
        before, self._quiet_s = self._quiet_s, self._quiet_s + seconds
        if before < AFTER_S <= self._quiet_s:
            self._voiced_s = 0.0
            return Ask.SO_FAR
        if self._quiet_s >= PARTED_S or (self._whole_s >= LONGEST_S and self._quiet_s > AFTER_S):
            self._voiced_s = self._quiet_s = self._whole_s = 0.0
            self._spoken = False
            return Ask.ANEW
        return Ask.NOTHING
