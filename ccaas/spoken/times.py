"""Times of day and amounts of money in speech. Times are "HH:MM" on a 24-hour clock, amounts dollars with cents ("249.50")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ccaas.spoken.numbers import TENS, UNITS, Word, cardinal, small, words

PARTS_OF_DAY = ("morning", "afternoon", "evening", "night")
_PM_PARTS = {"afternoon", "evening", "night", "tonight"}
_BEFORE = frozenset(
    ["at", "by", "around", "about", "before", "after", "until", "past", "the", "an", "earlier", "later"]
)
_BEHIND = frozenset(["flight", "departure", "plane", "service", "connection", "shuttle", "o'clock", "oclock", "sharp"])
_NOT_TIME = frozenset(
    [
        "bags",
        "bag",
        "suitcases",
        "suitcase",
        "seats",
        "seat",
        "tickets",
        "ticket",
        "people",
        "persons",
        "passengers",
        "adults",
        "kids",
        "children",
        "days",
        "day",
        "weeks",
        "week",
        "months",
        "month",
        "years",
        "year",
        "hours",
        "hour",
        "minutes",
        "minute",
        "miles",
        "points",
        "dollars",
        "bucks",
        "cents",
        "percent",
        "of",
        "times",
        "nights",
        "rows",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text."""

    value: str
    start: int
    """Offset of its first character."""
    end: int
    """Offset behind its last character."""


def _at(ws: Sequence[Word], i: int) -> str:
    return ws[i].text if 0 <= i < len(ws) else ""


def _clock(ws: Sequence[Word], i: int) -> tuple[int, int, int, bool] | None:
    """Hour, minute, index behind, and whether minutes were said."""
    if match := re.fullmatch(r"(\d{1,2}):(\d{2})", _at(ws, i)):
        return int(match[1]), int(match[2]), i + 1, True
    if _at(ws, i) in {"half", "quarter", "a"} or small(ws, i):
        j = i + 1 if _at(ws, i) == "a" else i
        past = (30, j + 1) if _at(ws, j) == "half" else (15, j + 1) if _at(ws, j) == "quarter" else small(ws, j)
        if past and _at(ws, past[1]) in {"past", "to", "after", "till"} and (
            _at(ws, j) in {"half", "quarter"} or past[0] in {5, 10, 20, 25}
        ):  # fmt: skip
            hour = small(ws, past[1] + 1)
            if hour and 1 <= hour[0] <= 12:
                back = _at(ws, past[1]) in {"to", "till"}
                return (hour[0] - 1 or 12) if back else hour[0], 60 - past[0] if back else past[0], hour[1], True
    text = _at(ws, i)
    if re.fullmatch(r"\d{3,4}", text) and int(text[:-2]) < 24 and int(text[-2:]) < 60:
        return int(text[:-2]), int(text[-2:]), i + 1, True
    hour_value = UNITS.get(text, int(text) if re.fullmatch(r"\d{1,2}", text) else -1)
    if not 0 <= hour_value <= 23:
        return None
    j = i + 1
    if _at(ws, j) in {"oh", "o"} and 1 <= UNITS.get(_at(ws, j + 1), 0) <= 9:
        return hour_value, UNITS[_at(ws, j + 1)], j + 2, True
    minute = small(ws, j)
    if (
        minute
        and 10 <= minute[0] < 60
        and (_at(ws, j) in TENS or _at(ws, j) in UNITS or re.fullmatch(r"\d\d", _at(ws, j)))
    ):
        return hour_value, minute[0], minute[1], True
    if _at(ws, j) == "hundred" and (_at(ws, j + 1) == "hours" or hour_value > 12):
        return hour_value, 0, j + (2 if _at(ws, j + 1) == "hours" else 1), True
    return hour_value, 0, j, False


def _half_day(ws: Sequence[Word], i: int) -> tuple[str, int]:
    if _at(ws, i) in {"am", "pm"}:
        return _at(ws, i), i + 1
    if _at(ws, i) in {"a", "p"} and _at(ws, i + 1) == "m":
        return f"{_at(ws, i)}m", i + 2
    return "", i


def _part_near(ws: Sequence[Word], j: int) -> str:
    """A part of the day within the next five words, which says which half of the day an hour is in."""
    for k in range(j, min(len(ws), j + 6)):
        if ws[k].text in {*PARTS_OF_DAY, "tonight"} and _at(ws, k - 1) not in {"good", "last"}:
            return ws[k].text
    return ""


def find_times(text: str) -> tuple[Found, ...]:
    """Clock times in `text`. A bare number is one only where the words beside it say so ("at six", "the six thirty flight")."""
    ws = words(text)
    found: list[Found] = []
    i = 0
    while i < len(ws):
        if ws[i].text in {"noon", "midday", "midnight"}:
            found.append(Found("00:00" if ws[i].text == "midnight" else "12:00", ws[i].start, ws[i].end))
            i += 1
            continue
        got = _clock(ws, i)
        if got is None:
            i += 1
            continue
        hour, minute, j, exact = got
        half, j = _half_day(ws, j)
        if _at(ws, j) in {"o'clock", "oclock"}:
            exact, j = True, j + 1
            half, j = _half_day(ws, j) if not half else (half, j)
        part = "" if half else _part_near(ws, j)
        named = _at(ws, j) in _BEHIND or (_at(ws, i - 1) == "the" and _at(ws, j) == "one")
        cued = _at(ws, i - 1) in _BEFORE or named
        written = ":" in ws[i].text
        alone = i == 0 and j == len(ws)
        number = _at(ws, j) in _NOT_TIME or _at(ws, i - 1) in {
            "row",
            "flight",
            "number",
            "gate",
            "seat",
            "last",
            "first",
        }
        if _at(ws, i - 1) in {"the", "an", "about", "around"} and not exact:
            cued = (named and hour <= 12) or bool(part and _at(ws, i - 1) != "the")
        if (number and not half and not written) or not (
            half or written or (cued and (exact or hour <= 12)) or (alone and exact)
        ):
            i = max(i + 1, j) if written else i + 1
            continue
        if half == "pm" or (not half and part in _PM_PARTS):
            hour = hour + 12 if hour < 12 else hour
        elif (half == "am" or part == "morning") and hour == 12:
            hour = 0
        if 0 <= hour < 24 and 0 <= minute < 60:
            found.append(Found(f"{hour:02d}:{minute:02d}", ws[i].start, ws[j - 1].end))
        i = j
    return tuple(found)


def find_parts_of_day(text: str) -> tuple[Found, ...]:
    """ "morning", "afternoon", "evening" or "night" where the caller means a wish; greetings and the past are left out."""
    ws = words(text)
    found: list[Found] = []
    for i, word in enumerate(ws):
        singular = word.text.removesuffix("s")
        before = _at(ws, i - 1)
        if singular not in PARTS_OF_DAY or before in {
            "good",
            "last",
            "nice",
            "great",
            "lovely",
            "yesterday",
            "one",
            "all",
        }:
            continue
        if before == "this" and singular == "morning":
            continue
        found.append(Found(singular, word.start, word.end))
    return tuple(found)


def _dollars(word: Word) -> float:
    return float(word.text.lstrip("$ ").replace(",", ""))


def find_money(text: str) -> tuple[Found, ...]:
    """Amounts of dollars in `text`."""
    ws = words(text)
    found: list[Found] = []
    i = 0
    while i < len(ws):
        if ws[i].text.startswith("$"):
            amount = _dollars(ws[i])
            end = i + 1
            if amount >= 100 and not amount % 100 and _at(ws, end) == "and" and _at(ws, end + 1).startswith("$"):
                # "two hundred and sixty dollars" written as "$200 and $60"
                less = _dollars(ws[end + 1])
                amount, end = (amount + less, end + 2) if less < 100 else (amount, end)
            found.append(Found(f"{amount:.2f}", ws[i].start, ws[end - 1].end))
            i = end
            continue
        value: float
        if re.fullmatch(r"[\d,]+\.\d{1,2}", ws[i].text):
            value, j = float(ws[i].text.replace(",", "")), i + 1
        elif got := cardinal(ws, i):
            value, j = float(got[0]), got[1]
        else:
            i += 1
            continue
        if _at(ws, j) not in {"dollar", "dollars", "bucks", "usd"}:
            if _at(ws, j) in {"cent", "cents"}:
                found.append(Found(f"{value / 100:.2f}", ws[i].start, ws[j].end))
            i = j
            continue
        end = j + 1
        k = end + 1 if _at(ws, end) == "and" else end
        cents = small(ws, k)
        if cents and (_at(ws, cents[1]) in {"cent", "cents"} or (k == end and cents[1] == len(ws))):
            value += cents[0] / 100
            end = cents[1] + (1 if _at(ws, cents[1]) in {"cent", "cents"} else 0)
        found.append(Found(f"{value:.2f}", ws[i].start, ws[end - 1].end))
        i = end
    return tuple(found)
