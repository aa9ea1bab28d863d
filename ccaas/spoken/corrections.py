"""Repairing one character of a code that was read back: "no, B as in boy", "the third one is a five", "it's D, not B"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccaas.spoken.code_items import item_at, text_at
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_gapped, parse_spelling
from ccaas.spoken.likeness import likeness
from ccaas.spoken.numbers import UNITS, Word, words

_PLACES = {
    "first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "seventh": 6, "eighth": 7, "ninth": 8, "tenth": 9,
    "1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4, "6th": 5, "7th": 6, "8th": 7, "9th": 8, "10th": 9, "last": -1, "final": -1,
    "forth": 3,
}  # fmt: skip
_THINGS = frozenset({"one", "1", "letter", "character", "digit", "number", "place", "symbol", "figure"})
_BEHIND_PLACE = _THINGS | {"is", "should", "was", "it's", "must", "ought", "isn't", "has", "needs"}
_NOT = frozenset({"not", "isn't", "wasn't", "never"})
_ARTICLES = frozenset({"a", "an", "the", "that", "it's", "my"})
_WRONG = frozenset({"wrong", "incorrect", "missing", "mistake"})
_LEAST_COVERAGE = 0.5
"""Part of a correction's words that must belong to a code."""
_SHOULD = (
    ("is", "wrong"),
    ("should", "be"),
    ("should", "have", "been"),
    ("must", "be"),
    ("ought", "to", "be"),
    ("needs", "to", "be"),
)
_INSTEAD = (("instead", "of"), ("rather", "than"))
_SWAP = frozenset({"change", "replace", "swap"})
_SWAPPED = frozenset({"to", "with", "for", "by", "into"})
_YOU_SAID = frozenset({"said", "heard", "have", "got", "put"})


@dataclass(frozen=True, slots=True)
class _Said:
    """What a correction says."""

    new: tuple[Word, ...]
    """The words that say what is right."""
    wrong: str = ""
    """The character that it calls wrong; empty: none."""
    place: int | None = None
    """The place that it names, from 0, or from the end when negative."""


def correct(code: str, text: str, length: tuple[int, int] | None = None, *, digits_only: bool = False) -> str | None:
    """`code` with the one character repaired that `text` names, or the whole code said again; None: nothing to repair in it.

    "no, B as in boy" replaces the character that sounds most like B; "no, the third one is B" the third; "not D, B", "B, not
    D", "D should be B" the D; "seven four three" the group that differs from it by one. `length` (fewest, most): a code said
    again must have it where `code` has.
    """
    if not code:
        return None
    said = _understood(words(text))
    text = " ".join(word.raw for word in said.new)
    if any(word.text in _WRONG for word in said.new):
        return None
    if not said.wrong and said.place is None and coverage(text) < _LEAST_COVERAGE:
        return None
    read = parse_digits if digits_only else parse_code
    new = read(text, (1, max(len(code), length[1] if length else 1)))
    if not new and (said.wrong or said.place is not None):
        new = _last(said.new, digits_only)
    if not new:
        return None
    if not said.wrong and said.place is None and (whole := _gaps_filled(code, parse_gapped(text, digits_only))):
        return whole
    if len(new) == 2 and not said.wrong and any(word.text in _NOT for word in said.new) and code.count(new[0]) == 1:
        return code.replace(new[0], new[1])  # "not K, eight", written "not k8"
    if len(new) == 1:
        return _with_character(code, new, said)
    if said.place is not None:
        return None
    if said.wrong and code.count(said.wrong) == 1 and len(new) == len(said.wrong):
        return code.replace(said.wrong, new)
    if len(new) >= max(3, min(len(code) - 1, length[0] if length else len(code))):
        return _said_again(code, new, length)
    return _with_part(code, new)


def correct_spelling(name: str, text: str) -> str | None:
    """As `correct`, for a name: "it's W as in whiskey, not V", or spelled once more (of several names, the last)."""
    first, space, last = name.rpartition(" ")
    spelled = parse_spelling(text)
    if len(spelled) >= max(3, len(last) - 1):
        return first + space + spelled
    after = correct(name.upper(), text)
    return after.title() if after and after.replace(" ", "").isalpha() else None


def _understood(ws: Sequence[Word]) -> _Said:
    new: list[Word] = []
    wrong, place = "", None
    i = 0
    while i < len(ws):
        if got := _denied(ws, i):
            wrong, i = got
        elif place is None and (where := _place(ws, i)):
            place, i = where
        else:
            new.append(ws[i])
            i += 1
    return _Said(tuple(new), wrong, place)


def _denied(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    """A character that is called wrong, and the index behind all that says so."""
    text = text_at(ws, i)
    if text in _NOT or _follows(ws, i, _INSTEAD):
        return _character(ws, i + (1 if text in _NOT else 2))
    if text in _SWAP and (got := _character(ws, i + 1)) and text_at(ws, got[1]) in _SWAPPED:
        return got[0], got[1] + 1
    if text == "you" and text_at(ws, i + 1) in _YOU_SAID:
        return _character(ws, i + 2)
    if (got := _character(ws, i)) and (behind := _follows(ws, got[1], _SHOULD)):
        return got[0], behind
    return None


def _character(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    while i + 1 < len(ws) and ws[i].text in _ARTICLES and item_at(ws, i + 1, digits_only=False):
        i += 1
    item = item_at(ws, i, digits_only=False) if i < len(ws) else None
    return (item.readings[0], item.behind) if item and len(item.readings[0]) == 1 else None


def _last(ws: Sequence[Word], digits_only: bool) -> str:
    """The last word as a character: where only one can be meant, "I", "you" or "to" is one too."""
    item = item_at(ws, len(ws) - 1, digits_only) if ws else None
    return item.readings[0] if item and len(item.readings[0]) == 1 else ""


def _follows(ws: Sequence[Word], i: int, phrases: Sequence[tuple[str, ...]]) -> int | None:
    """The index behind the phrase that stands at `i`."""
    for phrase in phrases:
        if tuple(word.text for word in ws[i : i + len(phrase)]) == phrase:
            return i + len(phrase)
    return None


def _place(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    """A place and the index behind: "third one", "letter three", "second to last", "last digit"."""
    text, after = text_at(ws, i), text_at(ws, i + 1)
    if text in {"second", "next"} and (
        behind := _follows(ws, i + 1, (("to", "last"), ("last",), ("to", "the", "last")))
    ):
        return -2, behind + (text_at(ws, behind) in _THINGS)
    if text in _PLACES and after in _BEHIND_PLACE:
        return _PLACES[text], i + 1 + (after in _THINGS)
    if text in {"letter", "character", "digit", "number"} and text_at(ws, i + 2) in {"is", "should", "was", "must"}:
        count = UNITS.get(after, int(after) if after.isdecimal() and after.isascii() else 0)
        return (count - 1, i + 2) if 1 <= count <= 12 else None
    return None


def _with_character(code: str, new: str, said: _Said) -> str | None:
    at = None
    if said.place is not None and -len(code) <= said.place < len(code):
        at = said.place % len(code)
    elif said.place is not None:
        return None
    elif said.wrong and code.count(said.wrong) == 1:
        at = code.index(said.wrong)
    else:
        alike = [likeness(c, said.wrong) + 10 * (c == said.wrong) if said.wrong else likeness(c, new) for c in code]
        best = max(range(len(code)), key=lambda n: (alike[n], likeness(code[n], new)))
        at = best if alike[best] else None
    return None if at is None else code[:at] + new + code[at + 1 :]


def _gaps_filled(code: str, again: str) -> str:
    """The code said again, what was not understood of it taken from how it was understood before; empty when it is not that."""
    gaps = again.count("?")
    if not 1 <= gaps <= 2 or len(again) != len(code) or len(code) - gaps < max(3, gaps):
        return ""
    return "".join(old if new == "?" else new for old, new in zip(code, again, strict=True))


def _said_again(code: str, new: str, length: tuple[int, int] | None) -> str | None:
    if length is not None and length[0] <= len(code) <= length[1] and not length[0] <= len(new) <= length[1]:
        return None
    return new if new != code else None


def _with_part(code: str, new: str) -> str | None:
    """Put a group of characters where it differs from the code by one; of several such places, where the two sound alike."""
    spots: dict[int, int] = {}
    for at in range(len(code) - len(new) + 1):
        wrong = [n for n, (a, b) in enumerate(zip(code[at:], new, strict=False)) if a != b]
        if len(wrong) == 1:
            spots[at] = likeness(code[at + wrong[0]], new[wrong[0]])
    best = [at for at, alike in spots.items() if alike == max(spots.values())]
    return code[: best[0]] + new + code[best[0] + len(new) :] if len(best) == 1 else None
