"""How many of the calls that people answered found nobody, and whether calls may be begun ahead of agents. Pure.

The measure is that of 16 CFR 310.4(b)(4)(i) and 47 CFR 64.1200(a)(7): of all calls of a campaign that a person answered, over its
duration or each 30 days, at most 3 % may be without an agent within two seconds of the end of the person's greeting.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Met:
    """A campaign's calls of the last days that a person answered."""

    answered: int
    abandoned: int
    """Those of them that found nobody in time."""

    @property
    def share(self) -> float:
        """Of the answered, 0…1."""
        return self.abandoned / self.answered if self.answered else 0.0


def may_go_ahead(met: Met, limit: float) -> bool:
    """Whether one more could be abandoned and the limit still be kept. A campaign begins with no: it has answered nothing yet."""
    return met.abandoned + 1 <= limit * (met.answered + 1)
