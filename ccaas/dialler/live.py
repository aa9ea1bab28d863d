"""An attempt while its call is up: what its attendant tells, and what the runner waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ccaas.dialler.dispositions import Disposition, unanswered
from ccaas.telephony.events import EndReason

_FAULTS = (EndReason.FAILED, EndReason.RETURNED)


@dataclass(slots=True)
class Attempt:
    """One call of a campaign. Times are Unix seconds."""

    call_id: str
    campaign: str
    began: float
    tell: Callable[[Attempt, str], None]
    """Told "answered", "agent", "abandoned", "machine" (a person, as it had seemed, is none) or "ended", as it happens;
    never waits."""
    answered: float | None = None
    met: str = ""
    """ "agent" or "abandoned", once a person has answered and found one, or nobody."""
    met_at: float = 0.0
    heard: Disposition | None = None
    """What answered, where it was no person."""
    words: str = ""
    """The message that was left."""
    ended: float | None = None
    end: tuple[EndReason, int] = (EndReason.FAILED, 0)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def has_answered(self) -> None:
        """Somebody or something has."""
        if self.answered is None:
            self.answered = time.time()
            self.tell(self, "answered")

    def has_met(self, *, abandoned: bool) -> None:
        """A person has answered, and an agent has them now, or nobody was there in time."""
        if not self.met:
            self.heard = None
            self.met = "abandoned" if abandoned else "agent"
            self.met_at = time.time()
            self.tell(self, self.met)

    def is_nobody(self, what: Disposition) -> None:
        """What answered is no person, even where it had seemed to be one."""
        self.heard = what
        if self.met == "agent":
            self.met, self.met_at = "", 0.0
            self.tell(self, "machine")

    def has_left(self, words: str) -> None:
        """A machine was told these words to their end."""
        self.heard, self.words = Disposition.MESSAGE_LEFT, words

    def has_ended(self, reason: EndReason, cause: int) -> None:
        """The call is over. Who answered, and met a fault of ours, found nobody."""
        if self.waits and reason in _FAULTS:
            self.has_met(abandoned=True)
        if self.ended is None:
            self.ended, self.end = time.time(), (reason, cause)
            self.over.set()
            self.tell(self, "ended")

    @property
    def rings(self) -> bool:
        """Not answered yet."""
        return self.answered is None and self.ended is None

    @property
    def waits(self) -> bool:
        """Answered, and not with an agent yet."""
        return self.answered is not None and not self.met and self.heard is None and self.ended is None

    @property
    def leaves(self) -> bool:
        """With a machine: its greeting is waited for, or a message is left."""
        return self.heard is not None and self.ended is None

    @property
    def talks(self) -> bool:
        """With an agent."""
        return self.met == "agent" and self.ended is None

    def disposition(self, short_s: float) -> Disposition:
        """What came of it, once it has ended. `short_s`: who hangs up sooner was not talked with."""
        if self.answered is None:
            return unanswered(*self.end)
        if self.met == "abandoned":
            return Disposition.ABANDONED
        if self.heard is not None:
            return self.heard
        reason = self.end[0]
        if reason in _FAULTS:
            return Disposition.FAILED
        talked = (self.ended or self.answered) - self.answered
        if not self.met or (reason is EndReason.HUNG_UP and talked < short_s):
            return Disposition.HUNG_UP
        return Disposition.ANSWERED
