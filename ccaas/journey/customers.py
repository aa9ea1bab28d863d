"""Customers from a CSV file: a row is all or nothing, and a file can be read again without doubles."""

from __future__ import annotations

import asyncio
import csv
import re
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ccaas.errors import CcaasError, JourneyError
from ccaas.journey.identity import read
from ccaas.ports.journey import Consent, Identity, IdentityKind, Journey, Profile
from ccaas.spelling import nearest

TOGETHER = 500
"""Rows that are under way at once."""

IDENTITIES = {"phone": IdentityKind.PHONE, "email": IdentityKind.EMAIL, "sip": IdentityKind.SIP}
TEXTS = ("id", "first_name", "last_name", "tier", "timezone", "language")
PREFERENCES = {"preferred_channel": "channel", "preferred_hours": "hours"}
VALUE = "lifetime_value_cents"
CONSENT_AT = "consent_at"
CHANNELS = ("voice", "sms", "email", "chat")
COLUMNS = (*IDENTITIES, *TEXTS, VALUE, *PREFERENCES, CONSENT_AT)
"""Besides `consent:<channel>:<purpose>`."""

_CONSENT = re.compile(r"consent:(\w+):(\w+)")
_GRANTED = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SEVERAL = re.compile(r"[;|]")


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """One row."""

    line: int
    """Of the file, from 1: where the row ends."""
    profile: Profile
    identities: tuple[Identity, ...]
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was skipped."""

    line: int
    reason: str


@dataclass(slots=True)
class Imported:
    """What came of a file."""

    customers: int = 0
    bad: list[BadRow] = field(default_factory=list)


def rows(file: Path, region: str) -> Iterator[NewCustomer | BadRow]:
    """The rows of a file. Raises CcaasError when the file as a whole cannot be used."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, restkey="", strict=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            _check(file, columns)
            reader.fieldnames = columns
            for row in reader:
                try:
                    yield _customer(reader.line_num, row, region, file.name)
                except JourneyError as error:
                    yield BadRow(reader.line_num, str(error))
    except UnicodeDecodeError:
        raise CcaasError(f"{file} is not UTF-8; save it as UTF-8 and import it again: rows are never doubled") from None
    except csv.Error as error:
        raise CcaasError(f"{file}:{reader.line_num}: this is no CSV ({error}); mend it and import it again") from None
    except OSError as error:
        raise CcaasError(f"{file} cannot be read ({error.strerror}); give the path of a CSV file") from None


def count(file: Path) -> int | None:
    """About how many rows there are, for a progress bar; None where the file cannot be read."""
    try:
        with file.open("rb") as lines:
            return max(0, sum(1 for _ in lines) - 1)
    except OSError:
        return None


async def take_in(
    journey: Journey, customers: Iterator[NewCustomer | BadRow], progress: Callable[[int], None] = lambda _: None
) -> Imported:
    """Register all rows; `progress` is told how many more are done. Raises JourneyError when the store fails."""
    done = Imported()
    waiting: list[NewCustomer] = []

    async def store() -> None:
        results = await asyncio.gather(
            *(journey.register(one.profile, one.identities, one.consents) for one in waiting), return_exceptions=True
        )
        for one, result in zip(waiting, results, strict=True):
            if isinstance(result, JourneyError):
                done.bad.append(BadRow(one.line, str(result)))
            elif isinstance(result, BaseException):
                raise result
            else:
                done.customers += 1
        progress(len(waiting))
        waiting.clear()

    for row in customers:
        if isinstance(row, BadRow):
            done.bad.append(row)
            progress(1)
            continue
        waiting.append(row)
        if len(waiting) >= TOGETHER:
            await store()
    await store()
    done.bad.sort(key=lambda bad: bad.line)
    return done


def _check(file: Path, columns: Sequence[str]) -> None:
    if not set(columns) & {*IDENTITIES, "id"}:
        wanted = ", ".join(COLUMNS)
        raise CcaasError(
            f"{file}:1: the first line must name the columns, with phone, email, sip or id; known: {wanted}"
        )
    for number, name in enumerate(columns):
        consent = _CONSENT.fullmatch(name)
        if name not in COLUMNS and not (consent and consent[1] in CHANNELS):
            raise CcaasError(f"{file}:1: there is no column {name or number + 1}; {nearest(name, COLUMNS)}")
        if name in columns[:number]:
            raise CcaasError(f"{file}:1: the column {name} stands twice; remove one of the two")
    if any(_CONSENT.fullmatch(name) for name in columns) and CONSENT_AT not in columns:
        raise CcaasError(f"{file}:1: consents need the column {CONSENT_AT}; add it: 2026-03-01")


def _customer(line: int, row: Mapping[str | None, object], region: str, source: str) -> NewCustomer:
    if "" in row or None in row.values():
        raise JourneyError("it has more or fewer fields than the first line")
    cells = {str(name): str(value).strip() for name, value in row.items()}
    identities = [
        read(part, region, kind)
        for name, kind in IDENTITIES.items()
        for part in map(str.strip, _SEVERAL.split(cells.get(name, "")))
        if part
    ]
    if not identities and not cells.get("id"):
        raise JourneyError("there is neither phone, email, sip nor id; give one")
    return NewCustomer(line, _profile(cells), tuple(dict.fromkeys(identities)), tuple(_consents(cells, source)))


def _profile(cells: Mapping[str, str]) -> Profile:
    zone, language, value = cells.get("timezone", ""), cells.get("language", ""), cells.get(VALUE, "")
    if zone and zone not in zoneinfo.available_timezones():
        raise JourneyError(f"there is no time zone {zone}; write one such as America/New_York")
    if language and not _LANGUAGE.fullmatch(language):
        raise JourneyError(f"{language} is no language; write one such as en-US")
    if value and not re.fullmatch(r"\d{1,15}", value):
        raise JourneyError(f"{value} is no amount in cents; write a whole number")
    preferences = {key: cells[name] for name, key in PREFERENCES.items() if cells.get(name)}
    if (channel := preferences.get("channel", "voice")) not in CHANNELS:
        raise JourneyError(f"there is no channel {channel}; write {', '.join(CHANNELS)}")
    texts = {name: cells.get(name, "") for name in TEXTS}
    return Profile(**texts, lifetime_value_cents=int(value or 0), preferences=preferences)


def _consents(cells: Mapping[str, str], source: str) -> Iterator[Consent]:
    for name, value in cells.items():
        match = _CONSENT.fullmatch(name)
        if match is None or not value:
            continue
        if value.lower() not in _GRANTED:
            raise JourneyError(f"{name}: {value} is neither yes nor no")
        yield Consent(match[1], match[2], _GRANTED[value.lower()], _time(cells[CONSENT_AT]), f"import {source}")


def _time(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise JourneyError(f"{CONSENT_AT}: {text or 'nothing'} is no date; write 2026-03-01") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
