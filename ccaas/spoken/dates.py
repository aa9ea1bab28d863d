"""Calendar dates in speech.

Values keep what was said, so that nothing is guessed twice: a lower-case weekday ("thursday", "next tuesday"), "today",
"tomorrow", "tonight", "MM-DD", "YYYY-MM-DD" when the year was said, "in N days", or a bare day of the month ("15").
`resolve` makes a calendar date of one, given today.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ccaas.spoken.numbers import TENS, Word, ordinal, small, words, year

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
)  # fmt: skip
_MONTH = {name: n for n, name in enumerate(MONTHS, 1)} | {
    short: n
    for n, short in enumerate(["jan", "feb", "mar", "apr", "_", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
    if short != "_"
} | {"sept": 9}  # fmt: skip
_WORD_MONTHS = {"may", "march", "mar", "jan", "dec", "sep"}
"""Months that are also other words or names: they need a day or a preposition beside them."""
_DAYS = {"today": "today", "tomorrow": "tomorrow", "tonight": "tonight", "tmrw": "tomorrow"}
_HOLIDAYS = {
    ("christmas", "eve"): "12-24",
    ("christmas", "day"): "12-25",
    ("boxing", "day"): "12-26",
    ("new", "year's", "eve"): "12-31",
    ("new", "years", "eve"): "12-31",
    ("new", "year's", "day"): "01-01",
    ("new", "years", "day"): "01-01",
    ("new", "year's"): "01-01",
    ("valentine's", "day"): "02-14",
    ("independence", "day"): "07-04",
    ("christmas",): "12-25",
    ("halloween",): "10-31",
}
_AFTER_DAY = frozenset(
    [
        "of",
        "because",
        "instead",
        "if",
        "please",
        "or",
        "and",
        "to",
        "at",
        "in",
        "on",
        "after",
        "before",
        "until",
        "till",
        "with",
        "for",
        "is",
        "was",
        "would",
        "will",
        "works",
        "work",
        "but",
        "so",
        "then",
        "rather",
        "though",
        "when",
        "as",
        "since",
        "by",
        "not",
        "could",
        "can",
        "should",
        "thanks",
        "that",
        "from",
    ]
)
"""Words that may follow a bare "the fifteenth"; before a noun ("the second option") it is no date."""


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text."""

    value: str
    """As the module describes; a bare day of the month for "the fifteenth"."""
    start: int
    """Offset of its first character."""
    end: int
    """Offset behind its last character."""
    day: int | None = None
    """The day of the month that was said beside a weekday ("Sunday the eighth") or alone."""


def _at(ws: Sequence[Word], i: int) -> str:
    return ws[i].text if 0 <= i < len(ws) else ""


def _month(ws: Sequence[Word], i: int) -> int | None:
    return _MONTH.get(_at(ws, i))


def _with_year(ws: Sequence[Word], month: int, day: int, j: int) -> tuple[str, int] | None:
    if not 1 <= day <= (31 if month in {1, 3, 5, 7, 8, 10, 12} else 29 if month == 2 else 30):
        return None
    k = j + 1 if _at(ws, j) in {"in", "of"} and year(ws, j + 1) else j
    if got := year(ws, k):
        return f"{got[0]:04d}-{month:02d}-{day:02d}", got[1]
    return f"{month:02d}-{day:02d}", j


def _day(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    got = ordinal(ws, i) or small(ws, i)
    return got if got and 1 <= got[0] <= 31 else None


def _month_first(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    month = _month(ws, i)
    if month is None:
        return None
    j = i + 1 if _at(ws, i + 1) != "the" else i + 2
    got = _day(ws, j)
    return _with_year(ws, month, got[0], got[1]) if got else None


def _day_first(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    got = _day(ws, i)
    if not got or _at(ws, i - 1) in TENS:
        return None
    j = got[1] + 1 if _at(ws, got[1]) == "of" else got[1]
    month = _month(ws, j)
    if month is None or (j == got[1] and _at(ws, j) in _WORD_MONTHS and not ordinal(ws, i) and j + 1 < len(ws)):
        return None
    return _with_year(ws, month, got[0], j + 1)


def _numeric(text: str) -> str | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{2,4}))?", text)
    if not match or not (1 <= int(match[1]) <= 12 and 1 <= int(match[2]) <= 31):
        return None
    month_day = f"{int(match[1]):02d}-{int(match[2]):02d}"
    if not match[3]:
        return month_day
    full = int(match[3])
    if full < 100:
        full += 2000 if full < 40 else 1900
    return f"{full:04d}-{month_day}"


def _weekday(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    text = _at(ws, i)
    singular = (
        text.removesuffix("'s") if text.endswith("'s") else text.removesuffix("s") if text.endswith("ys") else text
    )
    return (singular, i + 1) if singular in WEEKDAYS else None


def _relative(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    if _at(ws, i) in _DAYS:
        return _DAYS[_at(ws, i)], i + 1
    if [w.text for w in ws[i : i + 3]] == ["day", "after", "tomorrow"]:
        return "in 2 days", i + 3
    if _at(ws, i) == "in" or _at(ws, i) in {"a", "one"} or small(ws, i):
        j = i + 1 if _at(ws, i) == "in" else i
        got = (1, j + 1) if _at(ws, j) in {"a", "one"} else small(ws, j)
        if got and (unit := _at(ws, got[1]).removesuffix("s")) in {"day", "week"}:
            count = got[0] * (7 if unit == "week" else 1)
            tail = [w.text for w in ws[got[1] + 1 : got[1] + 3]]
            if _at(ws, i) == "in":
                return f"in {count} days", got[1] + 1
            if tail in (["from", "now"], ["from", "today"]):
                return f"in {count} days", got[1] + 3
            if tail[:1] == ["from"] and (tail[1:] == ["tomorrow"]):
                return f"in {count + 1} days", got[1] + 3
    return None


def _bare_day(ws: Sequence[Word], i: int) -> tuple[int, int] | None:
    if _at(ws, i) != "the":
        return None
    got = ordinal(ws, i + 1)
    if not got or not 1 <= got[0] <= 31:
        return None
    if _at(ws, got[1]) == "of" and _month(ws, got[1] + 1):
        return None  # a month that does not have the day
    follows = ws[got[1]] if got[1] < len(ws) else None
    return got if follows is None or follows.after_mark or follows.text in _AFTER_DAY else None


def _one(ws: Sequence[Word], i: int) -> tuple[FoundDate, int] | None:
    start = ws[i].start

    def made(value: str, j: int, day: int | None = None) -> tuple[FoundDate, int]:
        return FoundDate(value, start, ws[j - 1].end, day), j

    if value := _numeric(ws[i].text):
        return made(value, i + 1)
    for names, value in _HOLIDAYS.items():
        if tuple(w.text for w in ws[i : i + len(names)]) == names:
            return made(value, i + len(names))
    if ws[i].text in {"next", "this", "coming"} and (got := _weekday(ws, i + 1)):
        return made(f"next {got[0]}" if ws[i].text == "next" else got[0], got[1])
    if got := _weekday(ws, i):
        value, j = got
        k = j + 1 if _at(ws, j) == "the" else j
        if dated := _month_first(ws, j) or _day_first(ws, k):
            return made(*dated)
        if bare := _bare_day(ws, j):
            return made(value, bare[1], bare[0])
        if [w.text for w in ws[j : j + 2]] == ["after", "next"]:
            return made(f"next {value}", j + 2)
        return made(value, j)
    if dated := _month_first(ws, i) or _relative(ws, i):
        return made(*dated)
    k = i + 1 if ws[i].text == "the" else i
    if k < len(ws) and (dated := _day_first(ws, k)):
        return made(*dated)
    if bare := _bare_day(ws, i):
        return made(str(bare[0]), bare[1], bare[0])
    return None


def find_dates(text: str) -> tuple[FoundDate, ...]:
    """Every date in `text`, in order. In "from the twelfth to the nineteenth of April" both get the month."""
    ws = words(text)
    found: list[FoundDate] = []
    i = 0
    while i < len(ws):
        got = _one(ws, i)
        if got:
            found.append(got[0])
            i = got[1]
        else:
            i += 1
    for n in range(len(found) - 1):
        between = text[found[n].end : found[n + 1].start].strip().lower()
        match = re.fullmatch(r"((?:\d{4}-)?\d{2})-\d{2}", found[n + 1].value)
        if match and found[n].value.isdigit() and between in {"to", "through", "until", "and", "or"}:
            found[n] = replace(found[n], value=f"{match[1]}-{int(found[n].value):02d}", day=None)
    return tuple(found)


def find_month(text: str) -> str | None:
    """A month named without a day ("the ticket I bought in January"), lower case."""
    ws = words(text)
    for i, word in enumerate(ws):
        number = _MONTH.get(word.text)
        if number is None or _day(ws, i + 1) or ordinal(ws, i - 1) or (_at(ws, i - 1) == "of" and ordinal(ws, i - 2)):
            continue
        if word.text in _WORD_MONTHS and _at(ws, i - 1) not in {"in", "of", "until", "by", "since", "last", "next"}:
            continue
        return MONTHS[number - 1]
    return None


def resolve(value: str, today: date) -> date | None:
    """The calendar date that `value` means on `today`, always today or later unless the year was said; None: not a date."""
    if match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", value):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return None
    if match := re.fullmatch(r"(\d{2})-(\d{2})", value):
        for full in range(today.year, today.year + 9):
            try:
                when = date(full, int(match[1]), int(match[2]))
            except ValueError:
                continue
            if when >= today:
                return when
        return None
    if value in {"today", "tonight"}:
        return today
    if value == "tomorrow":
        return today + timedelta(days=1)
    if match := re.fullmatch(r"in (\d+) days", value):
        return today + timedelta(days=int(match[1]))
    if value.isdigit() and 1 <= int(value) <= 31:
        when = today
        while when.day != int(value):
            when += timedelta(days=1)
        return when
    name = value.removeprefix("next ")
    if name not in WEEKDAYS:
        return None
    ahead = (WEEKDAYS.index(name) - today.weekday()) % 7
    if value.startswith("next ") and ahead < 7 - today.weekday():
        ahead += 7
    return today + timedelta(days=ahead)
