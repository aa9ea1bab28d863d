"""What came of an attempt, from how its call ended. Pure.

Q.850 causes as Asterisk makes them of SIP answers (`chan_pjsip`, `hangup_sip2cause`): 486 and 600 → 17, 408 and 480 → 18 or 19,
401, 403 and 603 → 21, 404 → 1, 484 → 28, 410 → 22, 503 and the like → 34…47. What has answered is told by ear (`answering.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ccaas.telephony.events import EndReason


class Disposition(StrEnum):
    """What came of an attempt."""

    ANSWERED = "answered"
    """A person answered, and was talked with."""
    HUNG_UP = "hung_up"
    """A person answered, and hung up before anything came of it."""
    ABANDONED = "abandoned"
    """A person answered, and no agent was there in time."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    """They refused the call."""
    INVALID = "invalid"
    """There is no such number."""
    CONGESTION = "congestion"
    """No line, on our side or theirs."""
    MACHINE = "machine"
    """A voicemail or an answering machine."""
    MESSAGE_LEFT = "message_left"
    """The same, and the campaign's message was spoken to its end."""
    FAX = "fax"
    SILENCE = "silence"
    """Answered, and nobody said a word."""
    UNREACHABLE = "unreachable"
    """The network does not get there for any other reason."""
    FAILED = "failed"
    """A fault of ours."""
    TAKEN_BACK = "taken_back"
    """We let it ring no longer: the campaign was stopped."""
    UNKNOWN = "unknown"
    """The controller died, and nobody saw the end."""
    REFUSED = "refused"
    """The gate forbids it: nobody was called."""
    LATER = "later"
    """The gate says not now: nobody was called."""


NOT_MADE = frozenset({Disposition.REFUSED, Disposition.LATER})
"""No phone rang: it counts as no attempt."""
DEAD = frozenset({Disposition.INVALID, Disposition.FAX})
"""The number is never called again."""

_INVALID = frozenset({1, 3, 22, 28})
_CONGESTED = frozenset({34, 38, 41, 42, 44, 47})
_UNANSWERED: Mapping[EndReason, Disposition] = {
    EndReason.BUSY: Disposition.BUSY,
    EndReason.REJECTED: Disposition.REJECTED,
    EndReason.NO_ANSWER: Disposition.NO_ANSWER,
    EndReason.DISMISSED: Disposition.TAKEN_BACK,
    EndReason.FAILED: Disposition.FAILED,
    # It rang when the controller died, and had ended when the next one looked.
    EndReason.HUNG_UP: Disposition.UNKNOWN,
}


def unanswered(reason: EndReason, cause: int) -> Disposition:
    """Of a call that nobody answered."""
    if reason is EndReason.UNREACHABLE:
        if cause in _INVALID:
            return Disposition.INVALID
        return Disposition.CONGESTION if cause in _CONGESTED else Disposition.UNREACHABLE
    return _UNANSWERED.get(reason, Disposition.UNREACHABLE)
