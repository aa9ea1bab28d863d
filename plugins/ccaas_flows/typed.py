"""Answers as they are typed, put as they would be said or keyed."""

from __future__ import annotations

from dataclasses import replace

from ccaas.ports.reasoning import CallerTurn, Expectation, ExpectationKind

_SHORT = {
    "y": "yes", "ye": "yes", "yea": "yes", "k": "okay", "kk": "okay", "n": "no", "\N{THUMBS UP SIGN}": "yes",
    "\N{THUMBS DOWN SIGN}": "no", "\N{WHITE HEAVY CHECK MARK}": "yes", "\N{OK HAND SIGN}": "okay", "thx": "thanks",
}  # fmt: skip


def typed(turn: CallerTurn, expected: Expectation) -> CallerTurn:
    """The turn as it is understood: "y" is a yes, and "1" or "2" after a yes/no question the key."""
    text = turn.text.strip()
    if expected.kind is ExpectationKind.YES_NO and text in {"1", "2"}:
        return replace(turn, text="", keys=text)
    short = _SHORT.get(text.rstrip(".!").lower().removesuffix("\N{VARIATION SELECTOR-16}"))
    return turn if short is None else replace(turn, text=short)
