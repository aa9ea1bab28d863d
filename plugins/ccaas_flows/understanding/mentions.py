"""Values in a sentence, by type, before it is known which slot they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ccaas.spoken.codes import coverage, parse_code, parse_digits
from ccaas.spoken.dates import MONTHS, WEEKDAYS, find_dates, find_month
from ccaas.spoken.numbers import TENS, UNITS, Word, cardinal, small, words
from ccaas.spoken.personal import parse_birth_date, parse_flight, parse_phone
from ccaas.spoken.times import find_money, find_parts_of_day, find_times


@dataclass(frozen=True, slots=True)
class Mention:
    """A value and where it stands."""

    value: str
    """Normalised."""
    start: int
    """Offset of its first character in the text."""
    end: int
    """Offset behind its last character."""


Finder = Callable[[str], Sequence[Mention]]

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
_COLORS = [
    "black",
    "white",
    "red",
    "blue",
    "green",
    "yellow",
    "orange",
    "purple",
    "pink",
    "brown",
    "grey",
    "gray",
    "silver",
    "gold",
    "beige",
    "navy",
    "maroon",
    "turquoise",
]
_NOT_NAMES = frozenset(
    [
        "i",
        "i'm",
        "i'd",
        "i'll",
        "the",
        "a",
        "an",
        "my",
        "your",
        "is",
        "it's",
        "yes",
        "no",
        "okay",
        "hello",
        "hi",
        "please",
        "thanks",
        "thank",
        "mr",
        "mrs",
        "ms",
        "dr",
        "on",
        "in",
        "for",
        "to",
        "from",
        "at",
        "and",
        "or",
        "but",
        "leaving",
        "with",
        "flying",
        "that",
        "this",
        "under",
        "of",
        "going",
        "traveling",
        "travelling",
        "departing",
        "returning",
        "can",
        "could",
        "would",
        "not",
        "what",
        "when",
        "where",
        "who",
        "why",
        "how",
        "do",
        "does",
        "sorry",
        "booked",
        "reservation",
        "booking",
        "name",
        "as",
    ]
) | {*WEEKDAYS, "today", "tomorrow", "tonight"}
_NAME_CUES = (
    r"(?:(?:my|the|his|her|last|first|full|passenger|whose|booking|reservation)(?:'s)? )?(?:sur|last |first |full )?name(?:'s| is| was| should be|,| would be)(?: under)?|under(?: the)?(?: last)?(?: name)?(?: of)?|"
    r"booked (?:for|as|by)|this is|my name is|(?:reservation|booking|ticket|passenger|itinerary)(?: is| was)? (?:for|belongs to)|in the name(?: of)?|"
    r"(?:it's|it is) for|calling for|on behalf of|registered to|i am called|name of"
)  # fmt: skip


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
            first in _NOT_NAMES
            or first in MONTHS
            or first.rstrip("s") in WEEKDAYS
            or first in {"christmas", "easter", "thanksgiving", "new"}
        ):
            continue
        if match[1] in _STATES or first in _NATO_LIKE or match[1].split()[-1].lower() in _STREET_KINDS:
            continue
        found.append(Mention(match[1], match.start(1), match.end(1)))
    return tuple(sorted(found, key=lambda m: m.start))


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


def find_numbers(text: str) -> tuple[Mention, ...]:
    """Whole numbers, "a couple" and "both" as 2."""
    ws = words(text)
    found: list[Mention] = []
    i = 0
    while i < len(ws):
        got = cardinal(ws, i)
        if got:
            found.append(Mention(str(got[0]), ws[i].start, ws[got[1] - 1].end))
            i = got[1]
            continue
        if ws[i].text in {"both", "couple"}:
            end = i + 1 if i + 1 < len(ws) and ws[i + 1].text == "of" and ws[i].text == "couple" else i
            found.append(Mention("2", ws[i].start, ws[end].end))
        i += 1
    return tuple(found)


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


def find_colors(text: str) -> tuple[Mention, ...]:
    """Colours, with "dark" or "light" before them; only the first, which is the thing's own."""
    match = re.search(r"\b((?:(?:dark|light|bright|pale) )?(?:" + "|".join(_COLORS) + r"))\b", text.lower())
    return (Mention(match[1], match.start(), match.end()),) if match else ()


def find_names(text: str) -> tuple[Mention, ...]:
    """A person's name behind a cue ("the name is", "under"), in title case."""
    found = []
    for cue in re.finditer(rf"\b(?:{_NAME_CUES})\s+", text, re.IGNORECASE):
        name = _name_at(text, cue.end())
        if name:
            found.append(name)
    return tuple(found[-1:])


def _name_at(text: str, offset: int) -> Mention | None:
    taken: list[Word] = []
    for word in words(text[offset:]):
        lower = word.text
        if lower in {"uh", "um", "er"} and not taken:
            continue
        if taken and word.after_mark:
            break
        if (
            lower in _NOT_NAMES
            or not word.raw[0].isalpha()
            or (taken and word.raw[0].islower() and taken[0].raw[0].isupper())
        ):
            if lower in {"mr", "mrs", "ms", "dr"} and not taken:
                continue
            break
        taken.append(word)
        if len(taken) == 3:
            break
    if not taken or (taken[0].raw[0].islower() and len(taken) != 2):
        return None
    if len(taken) == 1 and len(taken[0].raw) < 3:
        return None
    name = " ".join(w.raw[0].upper() + w.raw[1:] for w in taken)
    return Mention(name.removesuffix("'s"), offset + taken[0].start, offset + taken[-1].end)


def bare_name(text: str) -> str:
    """The name when the words are nothing else ("Jennifer Walsh", "it's Jennifer Walsh"); empty otherwise."""
    stripped = re.sub(
        r"^(?:(?:it's|it is|this is|my name is|my name's|the name is|name is|i'm|i am|yes|yeah|sure|okay|um|uh|that's|under|hi|hello|well|so)[\s,]+)*",
        "", text.strip(), flags=re.IGNORECASE,
    )  # fmt: skip
    ws = words(stripped)
    if not 1 <= len(ws) <= 4 or any(w.text in _NOT_NAMES or not w.raw[0].isalpha() or w.text in UNITS for w in ws):
        return ""
    return " ".join(w.raw[0].upper() + w.raw[1:] for w in ws)


_SEAT = re.compile(r"\b(\d{1,2})\s?-?([A-KA-k])\b(?!\.?\s?m\b)")


def find_seats(text: str) -> tuple[Mention, ...]:
    """Seat numbers ("twenty two B", "14C")."""
    found = [Mention(f"{int(m[1])}{m[2].upper()}", m.start(), m.end()) for m in _SEAT.finditer(text)]
    ws = words(text)
    for i in range(len(ws)):
        got = small(ws, i)
        if not got or got[1] >= len(ws) or any(m.start < ws[got[1]].end and ws[i].start < m.end for m in found):
            continue
        letter = _SEAT_LETTERS.get(ws[got[1]].text)
        if letter and 1 <= got[0] <= 60 and not (i and small(ws, i - 1)) and not ws[got[1]].after_mark:
            if (
                ws[got[1]].text == "a"
                and got[1] + 1 < len(ws)
                and ws[got[1] + 1].text not in {"to", "please", "and", "instead", "for", "is"}
            ):
                continue
            found.append(Mention(f"{got[0]}{letter}", ws[i].start, ws[got[1]].end))
    return tuple(sorted(found, key=lambda m: m.start))


_SEAT_LETTERS = {c: c.upper() for c in "abcdefghjk"} | {
    "be": "B", "bee": "B", "see": "C", "sea": "C", "dee": "D", "gee": "G", "jay": "J", "kay": "K", "ay": "A", "eff": "F",
}  # fmt: skip


def _date_mentions(text: str) -> Iterator[Mention]:
    for found in find_dates(text):
        if not found.value.isdigit():
            yield Mention(found.value, found.start, found.end)


def _day_mentions(text: str) -> Iterator[Mention]:
    for found in find_dates(text):
        if found.day is not None:
            yield Mention(str(found.day), found.start, found.end)


def _whole(value: str, text: str) -> tuple[Mention, ...]:
    return (Mention(value, 0, len(text)),) if value else ()


_POSTCODE = re.compile(r"\b(?:zip|postal|post)\s?-?(?:code)?\b", re.IGNORECASE)


def find_postcodes(text: str) -> tuple[Mention, ...]:
    """Five digits where a ZIP code is spoken of, or written together in an address."""
    cue = _POSTCODE.search(text)
    if cue:
        digits = parse_digits(text[cue.end() :], (5, 5))
        if len(digits) == 5:
            return (Mention(digits, cue.start(), len(text)),)
    match = re.search(r"\b(?:[A-Z][a-z]+|[A-Z]{2}),? (\d{5})\b", text)
    return (Mention(match[1], match.start(1), match.end(1)),) if match else ()


def find_codes(text: str, length: tuple[int, int] | None) -> tuple[Mention, ...]:
    """A booking code: letters and digits of the given length, in words that are mostly a code or behind "code is"."""
    cue = re.search(
        r"\b(?:code|reference|locator|reservation number|confirmation number|booking number|booking|reservation|confirmation)(?: (?:is|number|code|it's|was))+\b",
        text,
        re.IGNORECASE,
    )
    tail = text[cue.end() :] if cue else text
    code = parse_code(tail, length)
    fits = length is None or length[0] <= len(code) <= length[1]
    if fits and len(code) >= 3 and (coverage(tail) >= 0.7 or (cue and re.search(r"\d", code))):
        return _whole(code, text)
    together = re.search(r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{5,7}\b", text)
    if together and (length is None or length[0] <= len(together.group()) <= length[1]):
        return (Mention(together.group(), together.start(), together.end()),)
    return ()


FINDERS: dict[str, Finder] = {
    "city": find_cities,
    "date": lambda text: tuple(_date_mentions(text)),
    "day": lambda text: tuple(_day_mentions(text)),
    "month": lambda text: _whole(find_month(text) or "", text),
    "time": lambda text: tuple(Mention(f.value, f.start, f.end) for f in find_times(text)),
    "part_of_day": lambda text: tuple(Mention(f.value, f.start, f.end) for f in find_parts_of_day(text)),
    "money": lambda text: tuple(Mention(f.value, f.start, f.end) for f in find_money(text)),
    "number": find_numbers,
    "seat": find_seats,
    "flight": lambda text: _whole(parse_flight(text), text),
    "name": find_names,
    "street": find_streets,
    "state": find_states,
    "postcode": find_postcodes,
    "color": find_colors,
    "birth_date": lambda text: _whole(parse_birth_date(text), text),
    "phone": lambda text: _whole(parse_phone(text), text) if coverage(text) >= 0.6 else (),
}
"""By slot type; "choice", "code", "digits", "free" and "yes_no" need the slot's own definition (see `slots`)."""
