"""Who calls from which number. The published data has no telephone numbers: these are invented.

Each customer gets +1 <area code of their city> 555-01xx: the range 555-0100…0199 is kept free for fiction in every
area of the North American plan, so none of them is anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import phonenumbers

AREA_CODES: Mapping[str, str] = {
    "Austin": "512",
    "Charlotte": "704",
    "Chicago": "312",
    "Columbus": "614",
    "Dallas": "214",
    "Denver": "303",
    "Fort Worth": "817",
    "Houston": "713",
    "Indianapolis": "317",
    "Jacksonville": "904",
    "Los Angeles": "213",
    "New York": "212",
    "Philadelphia": "215",
    "Phoenix": "602",
    "San Antonio": "210",
    "San Diego": "619",
    "San Francisco": "415",
    "San Jose": "408",
    "Seattle": "206",
    "Washington": "202",
}
_FOR_FICTION = 100
_URI = re.compile(r"^\s*(?:sips?|tel):", re.IGNORECASE)


def invented_numbers(cities: Mapping[str, str]) -> dict[str, str]:
    """E.164 number → customer, for customers given as id → city. The same customers always get the same numbers.

    Raises:
        ValueError: a city without an area code, or more than 100 customers in one.
    """
    used: dict[str, int] = {}
    numbers: dict[str, str] = {}
    for user_id, city in sorted(cities.items()):
        area = AREA_CODES.get(city)
        if area is None:
            raise ValueError(f"no area code is known for {city!r}")
        number = used.get(area, 0)
        if number >= _FOR_FICTION:
            raise ValueError(f"more than {_FOR_FICTION} customers in area {area}")
        used[area] = number + 1
        numbers[f"+1{area}55501{number:02d}"] = user_id
    return numbers


def e164(address: str, region: str = "US") -> str:
    """A calling number in E.164, however it is written ("(512) 555-0100", "001 512 555 0100", "sip:+15125550100@host");
    empty when it is none. `region` is for numbers without a country code."""
    number = _URI.sub("", address).split("@")[0].split(";")[0]
    if number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
