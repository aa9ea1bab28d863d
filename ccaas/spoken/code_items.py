"""What each spoken word, or group of words, may add to a code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ccaas.spoken.alphabet import AMONG_NATO, DIGIT_HOMOPHONES, DIGITS, EDGE, LETTERS, NATO_WORDS, NOT_LETTERS, REPEATS
from ccaas.spoken.numbers import TENS, UNITS, Word, cardinal, small


@dataclass(frozen=True, slots=True)
class Item:
    """What one spoken thing may add to a code."""

    readings: tuple[str, ...]
    """Likeliest first; an empty string: it is no part of the code."""
    sure: bool
    """Whether it can hardly be anything else."""
    first: int
    """Index of its first word."""
    behind: int
    """Index behind its last word."""


def text_at(ws: Sequence[Word], i: int) -> str:
    """The word at an index; empty beyond the ends."""
    return ws[i].text if 0 <= i < len(ws) else ""


def _letter(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    """A letter's name of one or two words, and the index behind."""
    text = text_at(ws, i)
    if text in {"double", "dublin"} and text_at(ws, i + 1) in {"u", "you", "yu", "ewe", "use"}:
        return "W", i + 2
    if text == "x" and text_at(ws, i + 1) == "ray":
        return "X", i + 2
    if len(text) == 1 and text.isalpha():
        return text.upper(), i + 1
    if text in LETTERS:
        return LETTERS[text], i + 1
    return None


def _is_example(word: str) -> bool:
    return len(word) > 2 and word not in DIGITS


_SPELLS_IN_NATO = 2
_AS_IN = (
    ["as", "in"],
    ["is", "in"],
    ["as", "and"],
    ["as", "an"],
    ["has", "in"],
    ["as", "and"],
    ["was", "in"],
    ["us", "in"],
)
"""How "as in" is recognised."""


_BETWEEN_NOT = (frozenset(LETTERS) - {"and", "in"}) | frozenset(DIGITS) | frozenset(NATO_WORDS)


def _example_behind(ws: Sequence[Word], i: int, j: int) -> int | None:
    """ "B isn't boy", "Y Evan yellow": the index of a word with that letter, where what stands between is no part of a code."""
    letter = text_at(ws, i)
    if len(letter) != 1 or letter in {"a", "i"}:
        return None  # Everyday words
    for word in (j + 1, j + 2):
        between = [text_at(ws, n) for n in range(j, word)]
        if between[0] == "s":
            between = between[1:]  # "W's and William"
        if any(not 2 <= len(text) <= 5 or text in _BETWEEN_NOT for text in between):
            return None
        example = text_at(ws, word)
        if between and _is_example(example) and example[0] == letter and example not in NATO_WORDS:
            return word
    return None


def _like(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    """ "b as in boy", "b for boy", "b like boy": the letter and the index behind. The example word decides: it is longer and so
    better heard than the letter's name."""
    j = i + 2 if text_at(ws, i) == "double" and text_at(ws, i + 1) in {"u", "you"} else i + 1
    if [w.text for w in ws[j : j + 2]] in _AS_IN:
        word = j + 2
    elif (text_at(ws, j) in {"for", "like"} and _letter(ws, i)) and (
        _is_example(text_at(ws, j + 1)) or [w.text for w in ws[j + 1 : j + 3]] == ["x", "ray"]
    ):
        word = j + 1
    elif (
        text_at(ws, i)[1:] == "'s"
        and text_at(ws, j) in {"and", "in", "an"}
        and text_at(ws, j + 1)[:1] == text_at(ws, i)[0]
    ):
        word = j + 1  # "S's and Sam"
    elif text_at(ws, j) == "isn't" and len(text_at(ws, i)) <= 3 and text_at(ws, j + 1)[:1] in text_at(ws, i):
        word = j + 1  # "us isn't Sam"
    elif (near := _example_behind(ws, i, j)) is not None:
        word = near
    else:
        return None
    if text_at(ws, word) in {"the", "a", "an"}:
        word += 1
    example = text_at(ws, word)
    if not example or not example[0].isalpha() or len(text_at(ws, i)) > 6:
        return None
    said = _letter(ws, i)
    behind = word + 2 if example == "x" and text_at(ws, word + 1) == "ray" else word + 1
    if said and said[0] == "X" and example[0] == "e":
        return "X", behind
    return example[0].upper(), behind


def _run(word: Word) -> tuple[tuple[str, ...], bool] | None:
    """The readings of letters and digits written together ("KQ742Z", "742", "PLM")."""
    raw = word.raw.lstrip("$").replace(",", "").replace(":", "").replace(".", "").replace("/", "")
    if not raw.isascii() or not raw.isalnum():
        return None
    if any(c.isdigit() for c in raw):
        if ordinal := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", raw.lower()):
            return (ordinal[1], raw.upper()), True
        return (raw.upper(),), True
    if 2 <= len(raw) <= 4 and not re.search(r"[aeiouy]", raw.lower()) and raw.lower() not in NOT_LETTERS:
        return (raw.upper(),), True  # "Wn", "ld": letters that the recogniser wrote as a word
    if len(raw) > 1 and raw.isupper() and raw.lower() not in {"it", "is", "my", "ok", "no", "um", "uh"}:
        return (raw,), True
    return None


def _number(ws: Sequence[Word], i: int) -> tuple[tuple[str, ...], int] | None:
    """A number word from ten up: its readings as digits ("forty two": 42, or 402 where the length asks for it)."""
    text = text_at(ws, i)
    if text in UNITS and UNITS[text] >= 10:
        return (str(UNITS[text]),), i + 1
    if text in TENS:
        got = small(ws, i)
        assert got is not None
        value = str(got[0])
        return ((value, f"{TENS[text]}{DIGITS[text_at(ws, i + 1)]}") if got[1] == i + 2 else (value,)), got[1]
    if text in UNITS and text_at(ws, i + 1) in {"hundred", "thousand"}:
        got = cardinal(ws, i)
        if got and got[1] > i + 1:
            return (str(got[0]),), got[1]
    return None


def spelled_in_nato(ws: Sequence[Word]) -> bool:
    """Whether a code is spelled in NATO words, by their number."""
    return (
        sum(w.text in NATO_WORDS or (w.text == "ray" and text_at(ws, n - 1) == "x") for n, w in enumerate(ws))
        >= _SPELLS_IN_NATO
    )


def _among_nato(ws: Sequence[Word], i: int) -> bool:
    beside = {text_at(ws, i - 1), text_at(ws, i + 1)}
    return spelled_in_nato(ws) and bool(beside & {"ray", *NATO_WORDS, *DIGITS, *AMONG_NATO})


def _sierra(ws: Sequence[Word], i: int) -> int | None:
    """ "The air (of)", as Sierra is often recognised, beside words that belong to a code: the index behind it."""
    if text_at(ws, i) != "the" or text_at(ws, i + 1) not in {"air", "era"}:
        return None
    behind = i + 3 if text_at(ws, i + 2) == "of" else i + 2
    beside = {text_at(ws, i - 1), text_at(ws, behind)}
    return behind if beside & (NATO_WORDS.keys() | DIGITS.keys()) or any(text.isdecimal() for text in beside) else None


def item_at(ws: Sequence[Word], i: int, digits_only: bool) -> Item | None:
    """What the words from `ws[i]` on may add to a code; None: nothing."""
    if i >= len(ws):
        return None
    text = text_at(ws, i)
    like = _like(ws, i)
    if like and not digits_only:
        return Item((like[0],), True, i, like[1])
    if text in REPEATS and not (text == "double" and text_at(ws, i + 1) in {"u", "you"} and not digits_only):
        inner = item_at(ws, i + 1, digits_only)
        if inner and inner.readings[0]:
            times = REPEATS[text] - 1
            return Item(tuple(r[0] * times + r for r in inner.readings if r), True, i, inner.behind)
        return None
    if text in NATO_WORDS and not digits_only:
        return Item((NATO_WORDS[text],), True, i, i + 1)
    if text in AMONG_NATO and not digits_only and _among_nato(ws, i):
        return Item((AMONG_NATO[text], ""), True, i, i + 1)
    if not digits_only and (behind := _sierra(ws, i)):
        return Item(("S",), True, i, behind)
    if got := _number(ws, i):
        return Item(got[0], True, i, got[1])
    if text in DIGITS:
        return Item((DIGITS[text],), True, i, i + 1)
    if text in {"oh", "o"}:
        spelled = text == "o" and not digits_only
        return Item(("O", "0") if spelled else ("0",) if digits_only else ("0", "O"), True, i, i + 1)
    if run := _run(ws[i]):
        if digits_only and not run[0][0].isdigit():
            swapped = run[0][0].replace("O", "0")
            return Item((swapped,), True, i, i + 1) if swapped.isdigit() else None
        return Item(run[0], run[1], i, i + 1)
    if text in {"i", "a"} and text_at(ws, i + 1) == "ate":
        return Item(("8", f"{text.upper()}8", ""), False, i, i + 2)
    if text in DIGIT_HOMOPHONES:
        return Item((DIGIT_HOMOPHONES[text], ""), False, i, i + 1)
    if not digits_only and (letter := _letter(ws, i)):
        begins = i == 0 or ws[i].after_mark in {".", "?", "!"}
        written = ws[i].raw == "A" and (not begins or sure_behind(ws, i, digits_only))
        everyday = (text in {"a", "i"} and not written) or text in EDGE
        readings = (letter[0], "") if everyday or text == "a" else (letter[0],)
        return Item(readings, not everyday, i, letter[1])
    return None


def sure_behind(ws: Sequence[Word], i: int, digits_only: bool) -> bool:
    """Whether something sure follows at once: then a weak word here stands inside a code."""
    if i + 1 >= len(ws):
        return False
    item = item_at(ws, i + 1, digits_only)
    return item is not None and item.sure
