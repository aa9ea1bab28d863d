"""Repairing one character of a code that was read back: "no, B as in boy", "the third one is B"."""

from __future__ import annotations

from ccaas.spoken.code_items import item_at, text_at
from ccaas.spoken.codes import parse_code
from ccaas.spoken.numbers import Word, words

_PLACES = {
    "first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "seventh": 6, "eighth": 7, "ninth": 8, "tenth": 9,
    "1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4, "6th": 5, "7th": 6, "8th": 7, "last": -1,
}  # fmt: skip
_ALIKE = tuple(
    frozenset(group)
    for group in ("BDPTEVGCZ3", "MN", "SFX", "AKJH8", "IY59", "QU2", "LR", "O0", "IJ1", "VB", "AEI", "WU", "79", "56")
)
"""Letters and digits that the telephone's 3.4 kHz makes alike, each group by itself."""


def _likeness(a: str, b: str) -> int:
    return sum(a in group and b in group for group in _ALIKE)


def correct(code: str, text: str) -> str | None:
    """`code` with the one character repaired that `text` names, or the whole code said again; None: nothing to repair in it.

    "no, B as in boy" replaces the character that sounds most like B; "no, the third one is B" the third;
    "not D, B" or "B not D" the D.
    """
    ws = words(text)
    negated = ""
    place: int | None = None
    kept: list[Word] = []
    i = 0
    while i < len(ws):
        if ws[i].text in {"not", "isn't"} and (got := item_at(ws, i + 1, digits_only=False)):
            negated = got.readings[0]
            i = got.behind
            continue
        if ws[i].text in _PLACES and place is None and text_at(ws, i + 1) in {
            "one", "letter", "character", "digit", "is", "number", "should", "was", "it's", "place"
        }:  # fmt: skip
            place = _PLACES[ws[i].text]
            i += 2 if text_at(ws, i + 1) in {"one", "letter", "character", "digit", "number", "place"} else 1
            continue
        kept.append(ws[i])
        i += 1
    new = parse_code(" ".join(w.raw for w in kept), (1, max(len(code), 1)))
    if not new:
        return None
    if len(new) >= max(3, len(code) - 1):
        return new
    if place is not None:
        if len(new) != 1 or not -len(code) <= place < len(code):
            return None
        at = place % len(code)
        return code[:at] + new + code[at + 1 :]
    if negated and code.count(negated) == 1 and len(new) == len(negated):
        return code.replace(negated, new)
    if len(new) == 1:
        ranked = sorted(range(len(code)), key=lambda at: -_likeness(code[at], new))
        if not code or code[ranked[0]] == new:
            return None
        best = _likeness(code[ranked[0]], new)
        return code[: ranked[0]] + new + code[ranked[0] + 1 :] if best else None
    if 1 < len(new) < len(code):
        return _replace_part(code, new)
    return None


def _replace_part(code: str, new: str) -> str | None:
    """Put a group of characters where it differs from the code by one."""
    spots = [
        at for at in range(len(code) - len(new) + 1) if sum(a != b for a, b in zip(code[at:], new, strict=False)) == 1
    ]
    return code[: spots[0]] + new + code[spots[0] + len(new) :] if len(spots) == 1 else None
