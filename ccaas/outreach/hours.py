"""When it is day where a customer is. Pure.

Sources: telephone numbers' zones from `phonenumbers` (Apache-2.0, Google's geocoding data), a country's zones from the
IANA database's zone.tab. The default hours are those of 47 CFR 64.1200(c)(1): 8 a.m. to 9 p.m. at the called party.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

_UNKNOWN = "Etc/Unknown"
_DAYS = 8
"""So far ahead the next moment is looked for."""


def zones_of(timezone: str, channel: str, addresses: Sequence[str], zone: str | None, region: str) -> tuple[str, ...]:
    """The zones in which the customer may be; a moment must be allowed in each of them.

    Args:
        timezone: what the journey knows; empty when it does not.
        channel: of the contact.
        addresses: the address of the contact, and the customer's telephone numbers.
        zone: the YAML's for those of whom nothing tells it.
        region: the installation's country (ISO 3166), for numbers without a country code.
    """
    if timezone:
        return (timezone,)
    for address in addresses:
        found = _of_number(address, region)
        if found:
            return found
    return (zone,) if zone is not None else zones_of_country(region)


@lru_cache(maxsize=50_000)
def _of_number(address: str, region: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(address, region)
    except phonenumbers.NumberParseException:
        return ()
    if not phonenumbers.is_possible_number(number):
        return ()
    zones = tuple(zone for zone in number_zones.time_zones_for_number(number) if zone != _UNKNOWN)
    if 0 < len(zones) <= _FEW:
        return zones
    # A number that belongs to no place: everywhere in its country.
    country = phonenumbers.region_code_for_number(number)
    main = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return zones_of_country(country or (main if main not in _NO_COUNTRY else region))


_NO_COUNTRY = ("ZZ", "001")
_FEW = 6
"""A number with more zones than a country has tells no place: it is one of a whole numbering plan's."""


@lru_cache
def zones_of_country(region: str) -> tuple[str, ...]:
    """All zones of a country (ISO 3166); UTC for one that is not known."""
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return tuple(row[2] for row in rows if row[0] == region) or ("UTC",)


def allowed_at(now: datetime, zones: Sequence[str], hours: Sequence[tuple[int, int]]) -> bool:
    """Whether every zone is within all `hours` (minutes of the day)."""
    return all(begin <= minute < end for minute in _minutes(now, zones) for begin, end in hours)


def next_allowed(now: datetime, zones: Sequence[str], hours: Sequence[tuple[int, int]]) -> datetime | None:
    """The first quarter of an hour from `now` at which it is allowed; None when there is none within a week."""
    moment = now.replace(second=0, microsecond=0) + timedelta(minutes=15 - now.minute % 15)
    for _ in range(_DAYS * 24 * 4):
        if allowed_at(moment, zones, hours):
            return moment
        moment += timedelta(minutes=15)
    return None


def is_holiday(now: datetime, zones: Sequence[str], holidays: Sequence[str]) -> bool:
    """Whether it is one of these days in any of the zones."""
    days = {now.astimezone(_zone(zone)).date().isoformat() for zone in zones}
    return any(day in holidays or day[5:] in holidays for day in days)


def _minutes(now: datetime, zones: Sequence[str]) -> set[int]:
    there = (now.astimezone(_zone(zone)) for zone in zones)
    return {moment.hour * 60 + moment.minute for moment in there}


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
