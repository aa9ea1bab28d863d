"""What becomes of a record after an attempt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccaas.dialler.dispositions import DEAD, Disposition
from ccaas.dialler.settings import CampaignSettings

DAY_S = 86_400.0
NEXT_NUMBER_S = 60.0
"""After so long another number of the same customer is tried."""
REFUSED_FOR_NOW = {"frequency": DAY_S, "unreadable": 300.0, "abandonment": 0.0}
"""Rules of the gate that do not stay against a contact, and when it is asked again (s)."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a record."""

    number: str
    tries: int
    dead: bool


@dataclass(frozen=True, slots=True)
class History:
    """A record's past, this attempt included."""

    numbers: Sequence[Number]
    tries: int
    same: int
    """How many attempts of this number had this disposition."""
    today: Sequence[float]
    """When the attempts of the last 24 hours were (Unix seconds), the oldest first."""


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of it."""

    due: float | None
    """When it is called again (Unix seconds); None: it is done."""
    outcome: str
    """Why it is done, or what it waits for."""


def next_after(disposition: Disposition, history: History, settings: CampaignSettings, now: float) -> Next:
    """Done, or again and when."""
    if disposition is Disposition.ANSWERED:
        return Next(None, disposition.value)
    alive = [one for one in history.numbers if not one.dead and one.tries < settings.most_per_number]
    if history.tries >= settings.most_attempts or not alive:
        return Next(None, disposition.value)
    retry = settings.retry(disposition)
    if disposition in DEAD:
        wait = NEXT_NUMBER_S
    elif retry is not None and history.same <= retry[1]:
        wait = retry[0] * 60
    else:
        return Next(None, disposition.value)
    due = now + wait
    if len(history.today) >= settings.most_per_day:
        due = max(due, history.today[-settings.most_per_day] + DAY_S)
    return Next(due, disposition.value)


def next_number(numbers: Sequence[Number], most: int) -> str | None:
    """Which of a record's numbers is called next: the one that was tried least, the first of these; None when none may be."""
    alive = [one for one in numbers if not one.dead and one.tries < most]
    return min(alive, key=lambda one: one.tries).number if alive else None


def caller_id_for(number: str, by_prefix: dict[str, str], otherwise: str) -> str:
    """What the called phone shows: by the longest beginning of the number that is listed."""
    fits = [prefix for prefix in by_prefix if number.startswith(prefix)]
    return by_prefix[max(fits, key=len)] if fits else otherwise
