"""What a stretch of the caller's sound was: a turn, a sign of listening, or nothing."""

from __future__ import annotations

from ccaas.conversation.state import Verdict
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.backchannels import is_backchannel

_ANSWERED_BY_A_WORD = frozenset({ExpectationKind.YES_NO, ExpectationKind.CHOICE})

_LAST_WORD_S = 1.0
"""A "yes" within this much of the question's end answers it, although it overlaps it (s)."""


def verdict(text: str, holding: bool, expect: Expectation, unheard_s: float) -> Verdict:
    """Judge the words `text`, which may be empty.

    `holding`: they were said over the agent, which has `unheard_s` seconds of its reply left.
    """
    if not text.strip():
        return Verdict.NOTHING
    if not is_backchannel(text):
        return Verdict.TURN
    if holding and unheard_s <= _LAST_WORD_S and expect.kind in _ANSWERED_BY_A_WORD:
        return Verdict.TURN
    return Verdict.BACKCHANNEL


def remainder(text: str, earlier: str) -> str:
    """What `text` says beyond `earlier`, compared word by word; all of it when it does not begin with `earlier`."""
    said, before = text.split(), earlier.split()
    if [_bare(word) for word in said[: len(before)]] != [_bare(word) for word in before]:
        return text
    return " ".join(said[len(before) :])


def _bare(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())
