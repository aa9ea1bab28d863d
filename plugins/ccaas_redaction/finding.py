"""What is private in a text, written or spoken: patterns, and checks that keep flights, prices and dates of travel out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

import phonenumbers

from ccaas.journal.masking import is_card
from ccaas.ports.redaction import Private
from ccaas.ports.site import Site
from ccaas.spoken.codes import parse_digits
from ccaas.spoken.dates import find_dates
from ccaas.spoken.personal import parse_birth_date
from ccaas_redaction.settings import KINDS, RedactionSettings

_EMAIL = re.compile(r"(?<![A-Z0-9._%+-])[A-Z0-9._%+-]++@[A-Z0-9-]+(?:\.[A-Z0-9-]+)+", re.IGNORECASE)
_ENDING = "com|org|net|edu|gov|info|io|co|us|uk|de|fr|es|it|nl|ca|au|kr|jp"
_SPOKEN_EMAIL = re.compile(
    rf"\b\w+(?:(?:\s+(?:dot|underscore|dash)\s+|\.)\w+)*\s+at\s+\w+(?:(?:\s+dot\s+|\.)\w+)*(?:\s+dot\s+|\.)(?:{_ENDING})\b",
    re.IGNORECASE,
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_NATIONAL_ID = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
"""A social security number of the United States; other countries' by `patterns`."""
_DIGITS = re.compile(r"(?<![\w.-])(?!\d{4}-\d{2}-\d{2})\d(?:[ -]?\d){8,}(?![\w])")
_DIGIT_WORD = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|\d+)"
_SPOKEN_DIGITS = re.compile(rf"\b{_DIGIT_WORD}(?:[\s,.-]+{_DIGIT_WORD}){{5,}}\b", re.IGNORECASE)
_BORN = re.compile(r"\b(?:born(?: on| in)?|birth ?day(?: is)?|birth(?: is| was)?|d\.?o\.?b\.?)\b\W*", re.IGNORECASE)
_INTRODUCED = re.compile(r"\b[Mm]y (?:first |last |full )?name(?:'s| is)\s+((?:[A-Z][\w'’-]+)(?: [A-Z][\w'’-]+){0,2})")
_ADDRESS = re.compile(
    r"\b\d{1,5} (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Square)\b"
)
_FEWEST_PHONE, _FEWEST_NUMBER = 7, 9
_YOUNGEST_YEARS = 10
"""A date with its year that is so long ago is a birthday; travel is not."""


class Finder:
    """See `ccaas.ports.redaction.Redactor`."""

    def __init__(self, settings: RedactionSettings, site: Site | None = None) -> None:
        del site  # nothing of it lies in files
        self._region = settings.region
        self._kinds = (*settings.patterns, *KINDS)
        self._allowed = settings.allow
        self._own = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in settings.patterns.items()}

    def find(self, text: str, names: Sequence[str] = ()) -> tuple[Private, ...]:
        """See the port."""
        if not text.strip():
            return ()
        found = list(self._all(text, names))
        found.sort(key=lambda one: (self._kinds.index(one.kind), one.start))
        taken: list[Private] = []
        for one in found:
            if all(one.end <= other.start or other.end <= one.start for other in taken):
                taken.append(one)
        return tuple(sorted((one for one in taken if one.kind not in self._allowed), key=lambda one: one.start))

    def _all(self, text: str, names: Sequence[str]) -> Iterator[Private]:
        yield from self._by_own_patterns(text)
        yield from _emails(text)
        yield from _numbers(text)
        yield from self._phones(text)
        yield from _birth_dates(text)
        yield from _plain(_ADDRESS, "ADDRESS", text)
        yield from _names(text, names)

    def _by_own_patterns(self, text: str) -> Iterator[Private]:
        for kind, pattern in self._own.items():
            yield from _plain(pattern, kind, text)

    def _phones(self, text: str) -> Iterator[Private]:
        for match in phonenumbers.PhoneNumberMatcher(text, self._region):
            written = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            yield Private(match.start, match.end, "PHONE", written)
        for run in _SPOKEN_DIGITS.finditer(text):
            digits = parse_digits(run.group())
            if len(digits) >= _FEWEST_PHONE:
                yield Private(run.start(), run.end(), *self._spoken_number(digits))

    def _spoken_number(self, digits: str) -> tuple[str, str]:
        try:
            number = phonenumbers.parse(digits, self._region)
        except phonenumbers.NumberParseException:
            return "NUMBER", digits
        if not phonenumbers.is_valid_number(number):
            return ("CARD", digits) if is_card(digits) else ("NUMBER", digits)
        return "PHONE", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain(pattern: re.Pattern[str], kind: str, text: str) -> Iterator[Private]:
    for match in pattern.finditer(text):
        if match.end() > match.start():
            yield Private(match.start(), match.end(), kind, match.group())


def _emails(text: str) -> Iterator[Private]:
    yield from _plain(_EMAIL, "EMAIL", text)
    for match in _SPOKEN_EMAIL.finditer(text):
        written = re.sub(r"\s+at\s+", "@", match.group(), flags=re.IGNORECASE)
        for word, sign in (("dot", "."), ("underscore", "_"), ("dash", "-")):
            written = re.sub(rf"\s+{word}\s+", sign, written, flags=re.IGNORECASE)
        yield Private(match.start(), match.end(), "EMAIL", written.lower())


def _numbers(text: str) -> Iterator[Private]:
    for match in _IBAN.finditer(text):
        plain = match.group().replace(" ", "")
        if _is_iban(plain):
            yield Private(match.start(), match.end(), "IBAN", plain)
    yield from _plain(_NATIONAL_ID, "NATIONAL_ID", text)
    for match in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        yield Private(match.start(), match.end(), "CARD" if is_card(digits) else "NUMBER", digits)


def _birth_dates(text: str) -> Iterator[Private]:
    latest = date.today().year - _YOUNGEST_YEARS  # noqa: DTZ011  (years; any zone's will do)
    for found in find_dates(text):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", found.value) and int(found.value[:4]) <= latest:
            yield Private(found.start, found.end, "BIRTH_DATE", found.value)
    for born in _BORN.finditer(text):
        end = re.search(r"[.!?](?:\s|$)|$", text[born.end() :])
        said = text[born.end() : born.end() + (end.start() if end else 0)]
        if written := parse_birth_date(said):
            yield Private(born.end(), born.end() + len(said), "BIRTH_DATE", written)


def _names(text: str, names: Sequence[str]) -> Iterator[Private]:
    for name in names:
        if len(name) > 1:
            yield from _plain(re.compile(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])", re.IGNORECASE), "NAME", text)
    for match in _INTRODUCED.finditer(text):
        yield Private(match.start(1), match.end(1), "NAME", match[1])


def _is_iban(plain: str) -> bool:
    """ISO 13616: the number that it makes leaves 1 when divided by 97."""
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
