"""The greeting's timing: people say little and wait, machines go on."""

from __future__ import annotations

from ccaas.media.answering.limits import Limits
from ccaas.ports.answering import AnsweredBy


class Greeting:
    """Counts voice and silence of one greeting."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle_s = 0.0
        self._loudness = [0.0, 0.0]
        """Sums of the power of the voice, and of the silence since the last of it, each by its seconds."""
        self.voiced_s = 0.0
        """Voice so far, pauses left out."""
        self.silent_s = 0.0
        """Silence since the last of it."""
        self.personal = False
        """Whether words were heard with which a person asks for an answer."""

    @property
    def begun(self) -> bool:
        """More than a click was heard."""
        return self.voiced_s >= self._limits.click_s

    def step(self, seconds: float, power: float, *, voice: bool, tone: bool) -> tuple[AnsweredBy, str] | None:
        """The next `seconds`: who it is and why, once that is clear. A tone is neither voice nor silence."""
        limits = self._limits
        if voice:
            self.voiced_s += seconds
            self.silent_s = 0.0
            self._loudness = [self._loudness[0] + power * seconds, 0.0]
            if self.voiced_s >= limits.machine_s:
                return AnsweredBy.MACHINE, f"{self.voiced_s:.1f} s of voice without waiting for an answer"
            return None
        if tone:
            self.silent_s = self._idle_s = 0.0
            return None
        self.silent_s += seconds
        self._loudness[1] += power * seconds
        if not self.begun:
            self._idle_s += seconds
            if self.silent_s >= limits.pauses[0][1]:
                self._forget()
            return (AnsweredBy.SILENCE, "no voice") if self._idle_s >= limits.nobody_s else None
        if self.silent_s >= self._pause_s() and not self._quiet:
            # Nobody has stopped speaking: it was no voice.
            self._idle_s += self.silent_s
            self._forget()
        elif self.silent_s >= self._pause_s():
            return AnsweredBy.HUMAN, f"{self.voiced_s:.1f} s of voice, then waits"
        return None

    @property
    def _quiet(self) -> bool:
        """Whether the silence is one against the voice before it."""
        voice, silence = self._loudness[0] / self.voiced_s, self._loudness[1] / self.silent_s
        return silence <= voice * 10 ** (-self._limits.drop_db / 10)

    def _forget(self) -> None:
        self.voiced_s, self._loudness = 0.0, [0.0, 0.0]

    def _pause_s(self) -> float:
        """How long a person is silent after so much voice."""
        longest = self._limits.pauses[-1][1]
        usual = next((pause_s for most_s, pause_s in self._limits.pauses if self.voiced_s <= most_s), longest)
        return min(usual, self._limits.personal_pause_s) if self.personal else usual


class Monologue:
    """What comes after a greeting that seemed a person's: machines go on at once, and listen to nobody."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._quiet_s = 0.0
        self._voiced_s = 0.0
        self._listens = False

    def step(self, seconds: float, *, voice: bool) -> bool:
        """The next `seconds`: whether that is clear now."""
        if voice:
            self._voiced_s, self._quiet_s = self._voiced_s + seconds, 0.0
            return not self._listens and self._voiced_s >= self._limits.resumed_s
        self._quiet_s += seconds
        if self._quiet_s >= (self._limits.listens_s if self._voiced_s else self._limits.resumes_s):
            self._listens = True
        return False
