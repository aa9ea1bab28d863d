"""Values in a sentence, by type, before it is known which slot they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ccaas.spoken.codes import coverage, parse_code, parse_digits
from ccaas.spoken.dates import find_dates, find_month
from ccaas.spoken.numbers import cardinal, small, words
from ccaas.spoken.personal import parse_birth_date, parse_flight, parse_phone
from ccaas.spoken.times import find_money, find_parts_of_day, find_times
from ccaas_flows.understanding.mention import Mention
from ccaas_flows.understanding.people import find_names
from ccaas_flows.understanding.places import find_cities, find_states, find_streets

Finder = Callable[[str], Sequence[Mention]]

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


def find_colors(text: str) -> tuple[Mention, ...]:
    """Colours, with "dark" or "light" before them; only the first, which is the thing's own."""
    match = re.search(r"\b((?:(?:dark|light|bright|pale) )?(?:" + "|".join(_COLORS) + r"))\b", text.lower())
    return (Mention(match[1], match.start(), match.end()),) if match else ()


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
