"""How long a silence must be before the caller's turn is taken."""

from __future__ import annotations

from ccaas.conversation.finish import log_odds
from ccaas.conversation.settings import Budget, ConversationSettings
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.endings import Completeness, code_in, judge, stands_alone

_COUNTED = frozenset({ExpectationKind.CODE, ExpectationKind.DIGITS})
"""Answers of a known length: when all of it is there, the melody says little more."""
_FASTEST = 3.1
"""Characters a second, pauses included, that callers say of a code: of more, the recogniser has guessed the end."""
_UNFINISHED = 0.2
"""Below this probability of the turn detector a voice plainly sounds unfinished."""
_SURE, _UNSURE = 1.5, 0.5
"""Log odds of an open turn's end from which it is taken soonest, and up to which it is taken latest."""


def wait_s(
    text: str, finished: float, expect: Expectation, settings: ConversationSettings, spoken_s: float = 0.0
) -> float:
    """Seconds of silence after which `text` is taken as the whole turn.

    `finished` is the turn detector's probability (0…1) that the voice sounds finished; `spoken_s` is how long the caller
    has spoken in this turn, pauses included. The words decide first, since a voice that falls at "I'd like to fly to"
    has still not finished. An open turn that may be over is weighed (`finish.py`); elsewhere the voice decides between
    words that may stand. A recogniser that ends in a comma has heard that more is to come.
    """
    budget = settings.budget(expect.kind)
    sounds_finished = finished >= settings.finished_threshold and not text.rstrip().endswith(",")
    counted, opened = expect.kind in _COUNTED, expect.kind is ExpectationKind.OPEN
    wanted: float
    match judge(text, expect):
        case _ if opened and stands_alone(text):
            wanted = budget.complete_ms
        case Completeness.COMPLETE if opened and finished < _UNFINISHED:
            wanted = budget.likely_ms
        case Completeness.COMPLETE if opened:
            wanted = _open(text, spoken_s, budget)
        case Completeness.COMPLETE if counted and len(code_in(text, expect)) > _FASTEST * spoken_s:
            wanted = budget.likely_ms
        case Completeness.COMPLETE if counted and finished < _UNFINISHED:
            wanted = (budget.complete_ms + budget.likely_ms) / 2
        case Completeness.COMPLETE:
            wanted = budget.complete_ms if sounds_finished or counted else budget.likely_ms
        case Completeness.UNSURE:
            wanted = budget.likely_ms if sounds_finished else budget.unsure_ms
        case Completeness.INCOMPLETE:
            wanted = budget.unsure_ms if sounds_finished and _nearly(text, expect) else budget.incomplete_ms
    return wanted / 1000


def _nearly(text: str, expect: Expectation) -> bool:
    """Whether but one character of a code is missing: one that was not understood, rather than one to come."""
    return expect.kind in _COUNTED and expect.length is not None and len(code_in(text, expect)) == expect.length[0] - 1


def _open(text: str, spoken_s: float, budget: Budget) -> float:
    """Milliseconds between `complete_ms` and `likely_ms`, the less likely the end, the longer."""
    doubt = (_SURE - log_odds(text, spoken_s)) / (_SURE - _UNSURE)
    return budget.complete_ms + (budget.likely_ms - budget.complete_ms) * min(1.0, max(0.0, doubt))


def keys_complete(keys: str, expect: Expectation) -> bool:
    """Whether a key entry is whole: its terminator came, or a menu key, or all the digits that are asked for."""
    if keys.endswith("#"):
        return True
    if expect.length is not None:
        return len(keys) >= expect.length[1]
    return keys[-1:] in expect.keys if expect.keys else False
