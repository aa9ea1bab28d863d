"""The airline's airports, and how callers name them."""

from __future__ import annotations

import re
from collections.abc import Mapping

AIRPORTS: Mapping[str, str] = {
    "SFO": "San Francisco",
    "JFK": "New York",
    "LAX": "Los Angeles",
    "ORD": "Chicago",
    "DFW": "Dallas",
    "DEN": "Denver",
    "SEA": "Seattle",
    "ATL": "Atlanta",
    "MIA": "Miami",
    "BOS": "Boston",
    "PHX": "Phoenix",
    "IAH": "Houston",
    "LAS": "Las Vegas",
    "MCO": "Orlando",
    "EWR": "Newark",
    "CLT": "Charlotte",
    "MSP": "Minneapolis",
    "DTW": "Detroit",
    "PHL": "Philadelphia",
    "LGA": "LaGuardia",
}
"""IATA code → city, in the airline's own words and order."""

_ALSO: Mapping[str, tuple[str, ...]] = {
    "newyork": ("JFK", "LGA", "EWR"),
    "newyorkcity": ("JFK", "LGA", "EWR"),
    "nyc": ("JFK", "LGA", "EWR"),
    "kennedy": ("JFK",),
    "sanfran": ("SFO",),
    "la": ("LAX",),
    "ohare": ("ORD",),
    "fortworth": ("DFW",),
    "dallasfortworth": ("DFW",),
    "vegas": ("LAS",),
    "philly": ("PHL",),
    "saintpaul": ("MSP",),
    "minneapolissaintpaul": ("MSP",),
    "seatac": ("SEA",),
    "logan": ("BOS",),
}
_NOT_LETTERS = re.compile(r"[^a-z]")
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    **{_NOT_LETTERS.sub("", city.lower()): (code,) for code, city in AIRPORTS.items()},
    **{code.lower(): (code,) for code in AIRPORTS},
    **_ALSO,
}


def airports(name: str) -> tuple[str, ...]:
    """Codes of the airports that a caller may mean by a city or a code; empty when the airline does not fly there."""
    return _BY_NAME.get(_NOT_LETTERS.sub("", name.lower().replace("airport", "")), ())


def city(code: str) -> str:
    """The city of an airport, as it is said to callers; the code itself when it is unknown."""
    return AIRPORTS.get(code, code)
