"""Words and numbers in recognised speech.

A recogniser may write "forty two", "forty-two" or "42", "a.m." or "AM": everything here takes them all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

UNITS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    w: v
    for v, w in zip(
        range(20, 100, 10), ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], strict=True
    )
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINAL_UNITS = {
    word: value
    for value, word in enumerate(
        [
            "zeroth",
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
        ]
    )
    if value
}
_ORDINAL_TENS = {
    w: v
    for v, w in zip(
        range(20, 100, 10),
        ["twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth"],
        strict=True,
    )
}
ORDINAL_WORDS = frozenset({*_ORDINAL_UNITS, *_ORDINAL_TENS})

_WORD = re.compile(
    r"(?P<half>\b[ap]\.\s?m\b\.?)"
    r"|\d{1,2}:\d{2}"
    r"|\d{4}-\d{2}-\d{2}"
    r"|\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|\$\s?\d[\d,]*(?:\.\d{1,2})?"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?"
    r"|\d+\.\d+"
    r"|\d+(?:st|nd|rd|th)\b"
    r"|\d{1,2}(?=[ap]\.?m\b)"
    r"|[A-Za-z0-9]+(?:['’][A-Za-z]+)?"
    r"|(?P<mark>[,;.?!…])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one run of digits, of a text."""

    text: str
    """Lower case; "am"/"pm" without dots; a typographic apostrophe as a plain one."""
    raw: str
    """As written."""
    start: int
    """Offset of its first character in the text."""
    end: int
    """Offset behind its last character."""
    after_mark: str = ""
    """The punctuation mark between it and the word before, if any."""


@lru_cache(maxsize=256)
def words(text: str) -> tuple[Word, ...]:
    """The words of `text` in order; hyphens part words, punctuation is remembered on the word behind it."""
    found: list[Word] = []
    mark = ""
    for match in _WORD.finditer(text):
        raw = match.group()
        if match.group("mark"):
            mark = raw
            continue
        plain = raw.lower().replace("’", "'")
        if match.group("half"):
            plain = plain[0] + "m"
        found.append(Word(plain, raw, match.start(), match.end(), mark))
        mark = ""
    return tuple(found)


def _digits(word: str) -> int | None:
    bare = word.replace(",", "")
    return int(bare) if bare.isascii() and bare.isdigit() else None


def small(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    """A number below one hundred at `ws[i]`: its value and the index behind it."""
    if i >= len(ws):
        return None
    text = ws[i].text
    if text in TENS:
        if i + 1 < len(ws) and 1 <= UNITS.get(ws[i + 1].text, 0) <= 9:
            return TENS[text] + UNITS[ws[i + 1].text], i + 2
        return TENS[text], i + 1
    if text in UNITS:
        return UNITS[text], i + 1
    value = _digits(text)
    return (value, i + 1) if value is not None and value < 100 else None


def cardinal(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    """A whole number at `ws[i]` ("two hundred and forty nine", "40,000", "a hundred"): its value and the index behind it."""
    if i >= len(ws):
        return None
    first = ws[i].text
    value: int | None
    if first in {"a", "an", "the"} and i + 1 < len(ws) and ws[i + 1].text in _SCALES:
        value, j = 1, i + 1
    else:
        value = _digits(first)
        if value is not None and value >= 100:
            j = i + 1
        else:
            got = small(ws, i)
            if got is None:
                return None
            value, j = got
    total, part = 0, value
    while j < len(ws):
        scale = _SCALES.get(ws[j].text)
        if scale is None:
            break
        part = (part or 1) * scale
        j += 1
        if scale >= 1_000:
            total, part = total + part, 0
        k = j + 1 if j < len(ws) and ws[j].text == "and" else j
        more = small(ws, k)
        if more is None:
            continue
        follows = ws[more[1]].text if more[1] < len(ws) else ""
        if follows == "hundred" or (follows == "thousand" and scale == 100):
            part, j = (part + more[0], more[1]) if scale == 100 else (more[0], more[1])
            continue
        total, part, j = total + part + more[0], 0, more[1]
        break
    return total + part, j


def ordinal(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    """An ordinal at `ws[i]` ("twenty second", "15th"): its value and the index behind it."""
    if i >= len(ws):
        return None
    text = ws[i].text
    if match := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", text):
        return int(match[1]), i + 1
    if text in TENS and i + 1 < len(ws) and 1 <= _ORDINAL_UNITS.get(ws[i + 1].text, 0) <= 9:
        return TENS[text] + _ORDINAL_UNITS[ws[i + 1].text], i + 2
    value = _ORDINAL_UNITS.get(text) or _ORDINAL_TENS.get(text)
    return (value, i + 1) if value else None


def year(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    """A year from 1900 to 2099 at `ws[i]` ("nineteen eighty four", "two thousand and five", "1984"), and the index behind it."""
    if i >= len(ws):
        return None
    if re.fullmatch(r"(19|20)\d\d", ws[i].text):
        return int(ws[i].text), i + 1
    if ws[i].text == "two":
        got = cardinal(ws, i)
        if got and 2000 <= got[0] < 2100:
            return got
        return None
    if ws[i].text not in {"nineteen", "twenty", "19", "20"}:
        return None
    century = 19 if ws[i].text in {"nineteen", "19"} else 20
    if i + 1 < len(ws) and ws[i + 1].text in {"oh", "o"}:
        low = small(ws, i + 2)
        return (century * 100 + low[0], low[1]) if low and low[0] < 10 else None
    if i + 1 < len(ws) and ws[i + 1].text == "hundred":
        return century * 100, i + 2
    low = small(ws, i + 1)
    return (century * 100 + low[0], low[1]) if low and low[0] >= 10 else None
