"""Telephone numbers, dates of birth and flight numbers in speech."""

from __future__ import annotations

import re
from datetime import date

import phonenumbers

from ccaas.spoken.codes import parse_code, parse_digits
from ccaas.spoken.dates import find_dates
from ccaas.spoken.numbers import words, year


def parse_phone(text: str, region: str = "US") -> str:
    """The national digits of a telephone number that is valid in `region` ("6175550142"); empty when there is none."""
    digits = parse_digits(text, (10, 11))
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return ""
    return str(number.national_number) if phonenumbers.is_valid_number_for_region(number, region) else ""


def parse_birth_date(text: str) -> str:
    """A date with its year ("July ninth nineteen eighty four", "oh seven oh nine nineteen eighty four") as YYYY-MM-DD."""
    for found in find_dates(text):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", found.value):
            return found.value
    ws = words(text)
    if any(found.day is None and re.fullmatch(r"\d{2}-\d{2}", found.value) for found in find_dates(text)):
        for i in range(len(ws)):
            if got := year(ws, i):
                return f"{got[0]}-{find_dates(text)[0].value}"
    # "Eighty four" is 84 or 804: as many digits as a date has decide.
    said = (parse_digits(text, (count, count)) for count in (8, 7, 6))
    return next((born for digits in said if len(digits) in {6, 7, 8} and (born := _from_digits(digits))), "")


def _from_digits(digits: str) -> str:
    """Month, day, year, as Americans say them; leading zeros may be missing."""
    match = re.fullmatch(r"(\d{1,2}?)(\d{2}|\d)((?:19|20)\d\d)", digits) if len(digits) > 6 else None
    if match is None:
        match = re.fullmatch(r"(\d{2})(\d{2})(\d{2})", digits) or re.fullmatch(r"(\d)(\d)((?:19|20)\d\d)", digits)
    if match is None:
        return ""
    full = int(match[3])
    if full < 100:
        full += 1900 if full > 25 else 2000
    try:
        return date(full, int(match[1]), int(match[2])).isoformat()
    except ValueError:
        return ""


_FLIGHT = re.compile(r"\bflights?\b(?:\s+(?:number|is|was|it's))*\s+(.*)", re.IGNORECASE)


def parse_flight(text: str, alone: bool = False) -> str:
    """A flight number said after the word "flight" ("flight two eighteen": 218, "flight U A 2318": UA2318); empty when none.

    With `alone` the word "flight" may be missing: the caller was asked for it.
    """
    match = _FLIGHT.search(text)
    tail = match[1] if match else text if alone else ""
    if not alone:
        ws = words(tail)[:8]
        stop = next((i for i, w in enumerate(ws) if w.text in _STOPS), len(ws))
        tail = " ".join(w.raw for w in ws[:stop])
    code = parse_code(tail, (2, 6))
    return code if re.fullmatch(r"(?:[A-Z]{2}|[A-Z]\d|\d[A-Z]|[A-Z]{3})?\d{1,4}", code) else ""


_STOPS = frozenset(
    [
        "to",
        "from",
        "on",
        "at",
        "in",
        "is",
        "was",
        "has",
        "had",
        "were",
        "and",
        "for",
        "out",
        "leaving",
        "departing",
        "that",
        "this",
        "tomorrow",
        "today",
        "tonight",
        "because",
        "got",
        "the",
        "by",
        "which",
        "with",
        "instead",
        "please",
        "or",
    ]
)
