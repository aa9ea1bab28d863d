"""What is worth offering to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ccaas.contact.settings import NextBest, When
from ccaas.ports.contact import Proposal

SHOWN = 3


def next_best(
    table: Iterable[NextBest], *, intent: str, tier: str, value: float | None, upset: bool
) -> tuple[Proposal, ...]:
    """The first ones of the table that fit. `value`: lifetime value in whole money, None when it is not known."""
    fitting = [
        Proposal(f"best-{number}", one.title, one.why, one.tool, dict(one.arguments))
        for number, one in enumerate(table, 1)
        if _fits(one.when, intent, tier, value, upset=upset)
    ]
    return tuple(fitting[:SHOWN])


def _fits(when: When, intent: str, tier: str, value: float | None, *, upset: bool) -> bool:
    if when.intents and intent not in when.intents:
        return False
    if when.tiers and tier not in when.tiers:
        return False
    if when.upset is not None and when.upset is not upset:
        return False
    # Of whom nothing is known gets neither the offer for good customers nor the one for the others.
    if when.value_from is not None and (value is None or value < when.value_from):
        return False
    return when.value_below is None or (value is not None and value < when.value_below)
