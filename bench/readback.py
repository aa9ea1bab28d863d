"""What a caller who knows their code makes of a read-back, and answers. It hears words; what the agent understood it cannot know."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from ccaas.spoken.alphabet import NATO
from ccaas.spoken.dates import MONTHS
from ccaas.spoken.readback import number, ordinal

_NATO = ["x-ray" if word == "xray" else word for word in NATO.values()]
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"]
_EXAMPLES = {
    "A": "apple", "B": "boy", "C": "cat", "D": "David", "E": "Edward", "F": "Frank", "G": "George", "H": "Henry", "I": "India",
    "J": "John", "K": "king", "L": "London", "M": "Mary", "N": "Nancy", "O": "orange", "P": "Peter", "Q": "queen", "R": "Robert",
    "S": "Sam", "T": "Tom", "U": "uncle", "V": "Victor", "W": "William", "X": "x-ray", "Y": "yellow", "Z": "zebra",
}  # fmt: skip
_READ = re.compile(r"(?:\bthat's|\bflight) (.+?)\. is that right\b", re.IGNORECASE)
_DAY = re.compile(r"the (?P<day>[a-z ]+) of (?P<month>[a-z]+) (?P<year>\d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller says to a read-back."""

    text: str
    """Empty: yes."""
    way: str
    """"yes", the phrasing of a correction of one character, "part": a group of digits, or "whole": all of it once more."""


def known(slots: dict[str, str]) -> str:
    """What the caller knows, in the form in which `heard` gives what was read back: capitals, digits, dates as they are."""
    value = next(iter(slots.values()))
    return value if _is_date(value) else re.sub(r"[^A-Z0-9]", "", value.upper())


def heard(text: str) -> str:
    """What the agent read back; empty when it read nothing back to its end. A word that is no letter and no digit is "?"."""
    found = list(_READ.finditer(text))
    if not found:
        return ""
    match = found[-1]
    if day := _DAY.search(match[1]):
        return _date(day["day"].lower(), day["month"].lower(), day["year"])
    return "".join(_character(word) for word in re.split(r"[,\s]+", match[1].strip().lower()))


def answer(truth: str, understood: str, turn: int) -> Answer:
    """What is said when `understood` was heard and `truth` is right; `turn` chooses among the ways to say it."""
    if understood == truth:
        return Answer("", "yes")
    opening = "No, it's" if understood else "It's"
    if _is_date(truth):
        year, month, day = truth.split("-")
        return Answer(f"{opening} {MONTHS[int(month) - 1].capitalize()} {ordinal(int(day))}, {_year(year)}.", "whole")
    wrong = [n for n, (a, b) in enumerate(zip(truth, understood, strict=False)) if a != b]
    if len(truth) != len(understood) or len(wrong) != 1 or "?" in understood:
        return Answer(f"{opening} {_spelled(truth)}.", "whole")
    at = wrong[0]
    if len(truth) > 6 and turn % 2:
        return Answer(f"No, it's {next(group for end, group in _groups(truth) if at < end)}.", "part")
    name, example = _name(truth[at]), _example(truth[at])
    place = _ORDINALS[at] if at + 1 < len(truth) else "last"
    ways = (
        ("example", f"No, {example}."),
        ("place", f"No, the {place} one is {example if truth[at].isalpha() else f'{_article(name)} {name}'}."),
        ("not", f"It's {example}, not {_name(understood[at])}."),
        ("whole", f"No, it's {_spelled(truth)}."),
    )
    # Where the wrong one stands twice, people say which they mean.
    way, said = ways[1 if understood.count(understood[at]) > 1 else turn % len(ways)]
    return Answer(said, way)


def _character(word: str) -> str:
    if word in _NATO:
        return chr(ord("A") + _NATO.index(word))
    return str(_DIGITS.index(word)) if word in _DIGITS else "?"


def _name(character: str) -> str:
    return _DIGITS[int(character)] if character.isdigit() else character


def _example(character: str) -> str:
    return f"{character} as in {_EXAMPLES[character]}" if character in _EXAMPLES else _name(character)


def _article(name: str) -> str:
    return "an" if name == "eight" else "a"


def _spelled(truth: str) -> str:
    """In NATO words; long numbers in groups."""
    return ", ".join(group for _, group in _groups(truth))


def _groups(truth: str) -> list[tuple[int, str]]:
    """What is said in one breath, and the place behind it."""
    spoken = [_NATO[ord(c) - ord("A")].capitalize() if c.isalpha() else _name(c) for c in truth]
    cuts = list(range(len(truth))) if len(truth) <= 6 else [0, 3, 6] if len(truth) > 8 else [0, 3]
    return [(end, " ".join(spoken[start:end])) for start, end in itertools.pairwise([*cuts, len(truth)])]


def _is_date(value: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None


def _date(day: str, month: str, year: str) -> str:
    days = [n for n in range(1, 32) if ordinal(n) == day]
    if not days or month not in MONTHS:
        return "?"
    return f"{year}-{MONTHS.index(month) + 1:02d}-{days[0]:02d}"


def _year(year: str) -> str:
    first, last = int(year[:2]), int(year[2:])
    if first == 20 and last < 10:
        return number(int(year))
    return f"{number(first)} hundred" if not last else f"{number(first)} {'oh ' if last < 10 else ''}{number(last)}"
