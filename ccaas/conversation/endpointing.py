"""How long a silence must be before the caller's turn is taken."""

from __future__ import annotations

from ccaas.conversation.settings import ConversationSettings
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.endings import Completeness, judge

_COUNTED = frozenset({ExpectationKind.CODE, ExpectationKind.DIGITS})
"""Answers of a known length: when all of it is there, the melody says nothing more."""


def wait_s(text: str, finished: float, expect: Expectation, settings: ConversationSettings) -> float:
    """Seconds of silence after which `text` is taken as the whole turn.

    `finished` is the turn detector's probability (0…1) that the voice sounds finished. The words decide first, since a
    voice that falls at "I'd like to fly to" has still not finished; the voice decides between words that may stand. A
    recogniser that ends in a comma has heard that more is to come (on the development set two times in three).
    """
    budget = settings.budget(expect.kind)
    sounds_finished = finished >= settings.finished_threshold and not text.rstrip().endswith(",")
    match judge(text, expect):
        case Completeness.COMPLETE:
            counted = expect.kind in _COUNTED
            wanted = budget.complete_ms if sounds_finished or counted else budget.likely_ms
        case Completeness.UNSURE:
            wanted = budget.likely_ms if sounds_finished else budget.unsure_ms
        case Completeness.INCOMPLETE:
            wanted = budget.incomplete_ms
    return wanted / 1000


def keys_complete(keys: str, expect: Expectation) -> bool:
    """Whether a key entry is whole: its terminator came, or a menu key, or all the digits that are asked for."""
    if keys.endswith("#"):
        return True
    if expect.length is not None:
        return len(keys) >= expect.length[1]
    return keys[-1:] in expect.keys if expect.keys else False
