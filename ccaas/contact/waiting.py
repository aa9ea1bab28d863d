"""Who waits, who is taken first, and how long it will take. Pure; times are Unix seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccaas.contact.settings import Priority

KNOWN_FROM = 3
"""So many handled calls must be known before a waiting time is told."""
REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides on a place in a queue."""

    handoff_id: str
    since: float
    """When they began to wait: for a person, not in this queue."""
    tier: str = ""
    score: float | None = None
    """How upset they were, −1…+1."""


def priority(one: Standing, weights: Priority, now: float) -> float:
    """The sum of points."""
    upset = max(one.score or 0.0, 0.0)
    minutes = max(now - one.since, 0.0) / 60
    return weights.tiers.get(one.tier, 0.0) + weights.upset * upset + weights.minute * minutes


def ordered(waiting: Iterable[Standing], weights: Priority, now: float) -> list[Standing]:
    """Who is taken first stands first."""
    return sorted(waiting, key=lambda one: (-priority(one, weights, now), one.since, one.handoff_id))


@dataclass(slots=True)
class Figures:
    """What a queue has done since midnight, and how long its newest calls took."""

    day: str = ""
    answered: int = 0
    abandoned: int = 0
    within: int = 0
    handled: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Seconds of talking and wrapping up, of the newest calls."""

    def on(self, day: str) -> Figures:
        """These figures, begun anew when it is another day; handling times are kept."""
        if day != self.day:
            self.day, self.answered, self.abandoned, self.within = day, 0, 0, 0
        return self

    @property
    def service_level(self) -> float | None:
        """The share of answered and abandoned calls that was answered in time; None before the first."""
        total = self.answered + self.abandoned
        return self.within / total if total else None


def expected_wait(position: int, agents: int, free: int, handled: Iterable[float]) -> float | None:
    """Seconds until who stands at `position` (from 1) is answered, when `agents` are at work and `free` of them idle.

    From what the newest calls took: `agents` calls end in one mean handling time. None where that is not known.
    """
    if position <= free:
        return 0.0
    times = list(handled)
    if len(times) < KNOWN_FROM or agents <= 0:
        return None
    return (position - free) * sum(times) / len(times) / agents
