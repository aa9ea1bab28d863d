"""Cities, states and street addresses in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ccaas.spoken.codes import parse_digits
from ccaas.spoken.dates import MONTHS, WEEKDAYS
from ccaas.spoken.numbers import TENS, UNITS, Word, cardinal, words
from ccaas_flows.understanding.mention import Mention
from ccaas_flows.understanding.people import NOT_NAMES

_STREET_KINDS = [
    "street",
    "avenue",
    "road",
    "lane",
    "drive",
    "boulevard",
    "court",
    "place",
    "terrace",
    "circle",
    "parkway",
    "square",
    "highway",
    "crescent",
    "trail",
    "alley",
    "close",
    "row",
]
_STATES = [
    "Alabama",
    "Alaska",
    "Arizona",
    "Arkansas",
    "California",
    "Colorado",
    "Connecticut",
    "Delaware",
    "Florida",
    "Georgia",
    "Hawaii",
    "Idaho",
    "Illinois",
    "Indiana",
    "Iowa",
    "Kansas",
    "Kentucky",
    "Louisiana",
    "Maine",
    "Maryland",
    "Massachusetts",
    "Michigan",
    "Minnesota",
    "Mississippi",
    "Missouri",
    "Montana",
    "Nebraska",
    "Nevada",
    "New Hampshire",
    "New Jersey",
    "New Mexico",
    "North Carolina",
    "North Dakota",
    "Ohio",
    "Oklahoma",
    "Oregon",
    "Pennsylvania",
    "Rhode Island",
    "South Carolina",
    "South Dakota",
    "Tennessee",
    "Texas",
    "Utah",
    "Vermont",
    "Virginia",
    "West Virginia",
    "Wisconsin",
    "Wyoming",
    "Washington State",
    "New York State",
]


@cache
def _city_pattern() -> re.Pattern[str]:
    names = (Path(__file__).parent / "cities.txt").read_text("utf-8").split("\n")
    ordered = sorted((n for n in names if n), key=len, reverse=True)
    plain = "|".join(re.escape(n).replace(r"St\.", r"(?:St\.?|Saint)") for n in ordered)
    return re.compile(rf"\b(?:{plain})(?!\w)", re.IGNORECASE)


@cache
def _city_names() -> dict[str, str]:
    names = (Path(__file__).parent / "cities.txt").read_text("utf-8").split("\n")
    return {n.lower(): n for n in names if n} | {"st louis": "St. Louis", "saint louis": "St. Louis"}


_AMBIGUOUS_CITIES = {
    "mobile",
    "jackson",
    "columbia",
    "madison",
    "florence",
    "venice",
    "charlotte",
    "lexington",
    "savannah",
    "ontario",
    "orlando",
    "austin",
    "sydney",
}
"""Also first names or common words: a capital must be written."""


def find_cities(text: str) -> tuple[Mention, ...]:
    """Known cities, and words with a capital behind "to", "from" or "in" that look like one."""
    found = []
    for match in _city_pattern().finditer(text):
        name = _city_names()[match.group().lower()]
        if match.group().lower() in _AMBIGUOUS_CITIES and match.group()[0].islower():
            continue
        if re.match(
            r"\s+(?:street|avenue|road|lane|drive|boulevard|court|place|way)\b", text[match.end() :], re.IGNORECASE
        ):
            continue
        found.append(Mention(name, match.start(), match.end()))
    for match in re.finditer(r"\b(?:[Tt]o|[Ff]rom|[Ii]n|[Aa]t|[Oo]ut of) ((?:[A-Z][a-z]+)(?: [A-Z][a-z]+)?)\b", text):
        first = match[1].lower().split()[0]
        if any(m.start < match.end(1) and match.start(1) < m.end for m in found):
            continue
        if (
            first in NOT_NAMES
            or first in MONTHS
            or first.rstrip("s") in WEEKDAYS
            or first in {"christmas", "easter", "thanksgiving", "new"}
        ):
            continue
        if match[1] in _STATES or first in _NATO_LIKE or match[1].split()[-1].lower() in _STREET_KINDS:
            continue
        found.append(Mention(match[1], match.start(1), match.end(1)))
    return tuple(sorted(found, key=lambda m: m.start)) or sounds_like_city(text)


def _skeleton(text: str) -> str:
    """The consonants as the telephone carries them: voiced and unvoiced alike, none doubled."""
    plain = re.sub(r"[^a-z]", "", text.lower().replace("ph", "f"))
    plain = re.sub(r"c(?=[eiy])", "s", plain)
    plain = plain.translate(str.maketrans("cqgjzdbvx", "kkkksdbfs")).translate(str.maketrans("db", "tp"))
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouhwy]", "", plain))


@cache
def _skeletons() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _city_names().values():
        if " " in name:
            found.setdefault(_skeleton(name), name)
    return found


_CUE = re.compile(r"\b(?:to|from|in|for|at|into|near) (?=(\w+ \w+)\b)", re.IGNORECASE)


def sounds_like_city(text: str) -> tuple[Mention, ...]:
    """Cities of two words that the recogniser wrote as everyday words ("to send Diego"): told by their consonants."""
    found = []
    for cue in _CUE.finditer(text):
        name = _skeletons().get(_skeleton(cue[1]))
        if name and len(_skeleton(cue[1])) >= 4:
            found.append(Mention(name, cue.start(1), cue.end(1)))
    return tuple(found)


_NATO_LIKE = {
    "alpha",
    "alfa",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "juliet",
    "kilo",
    "mike",
    "oscar",
    "papa",
    "romeo",
    "sierra",
    "tango",
    "victor",
    "whiskey",
    "xray",
    "yankee",
    "zulu",
}


_FUNCTION = frozenset(
    [
        "is",
        "to",
        "the",
        "at",
        "my",
        "it's",
        "its",
        "for",
        "on",
        "in",
        "address",
        "street",
        "now",
        "please",
        "new",
        "from",
        "change",
        "changed",
        "moved",
        "should",
        "be",
    ]
)


def _house_number(ws: Sequence[Word], behind: int) -> tuple[str, int]:
    """The digits that end just before index `behind` ("eighteen forty": 1840), and where they begin."""
    begin = behind
    while begin > 0 and _number_like(ws[begin - 1].text) and behind - begin < 6:
        begin -= 1
    if begin == behind:
        return "", behind
    if (got := cardinal(ws, begin)) and got[1] == behind:
        return str(got[0]), begin
    digits = parse_digits(" ".join(w.raw for w in ws[begin:behind]))
    return digits, begin


def _number_like(word: str) -> bool:
    return word in UNITS or word in TENS or word.isdigit() or word in {"oh", "hundred", "thousand"}


def find_streets(text: str) -> tuple[Mention, ...]:
    """ "eighteen forty Maple Street" as "1840 Maple Street"; the number may be missing."""
    ws = words(text)
    found = []
    for i, word in enumerate(ws):
        if (
            word.text not in _STREET_KINDS
            or i == 0
            or (word.raw[0].islower() and not ws[i - 1].raw[0].isupper() and not _has_number(ws, i))
        ):
            continue
        if word.text in {"row", "close", "place", "drive", "court", "square", "way"} and word.raw[0].islower():
            continue
        begin = i
        while begin > 0 and i - begin < 3 and not _number_like(ws[begin - 1].text) and ws[begin - 1].text not in _FUNCTION and (
            ws[begin - 1].raw[0].isupper() or ws[begin - 1].text[-2:] in {"st", "nd", "rd", "th"} or _has_number(ws, i)
        ):  # fmt: skip
            begin -= 1
        if begin == i:
            continue
        number, first = _house_number(ws, begin)
        name = " ".join(w.raw[0].upper() + w.raw[1:] for w in ws[begin : i + 1])
        found.append(Mention(f"{number} {name}".strip(), ws[first].start, word.end))
    return tuple(found)


def _has_number(ws: Sequence[Word], i: int) -> bool:
    return any(_number_like(w.text) for w in ws[max(0, i - 4) : i])


def find_states(text: str) -> tuple[Mention, ...]:
    """States of the USA."""
    pattern = re.compile(r"\b(" + "|".join(sorted(_STATES, key=len, reverse=True)) + r")\b")
    return tuple(Mention(m[1], m.start(), m.end()) for m in pattern.finditer(text))
