"""Telephone numbers that are none of ours, as places where a caller can be sent or a colleague be asked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ccaas.contact.settings import NumbersSettings
from ccaas.errors import ContactError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN = re.compile(r"[\s().\-/]")


@dataclass(frozen=True, slots=True)
class Telephone:
    """Where a number is rung."""

    number: str
    """E.164."""
    endpoint: str
    ring_s: float
    caller_id: str
    """What it sees; empty: the customer's number."""


def telephone(to: str, settings: NumbersSettings | None, own: Collection[str] = ()) -> Telephone | None:
    """The telephone with the number `to`; None when `to` begins like a name.

    `own`: numbers that come in here. Raises ContactError with the rule that forbids it.
    """
    number = _BETWEEN.sub("", to)
    if not number.startswith("+"):
        return None
    if not _E164.fullmatch(number):
        raise ContactError(f"{to} is no telephone number; write + and 7 to 15 digits, as in +15550100")
    if settings is None:
        raise ContactError("calls go to no outside numbers here; an admin allows them with handoff.numbers in the YAML")
    if number in own:
        raise ContactError(f"{number} is our own number; choose a queue")
    if denied := next((pattern for pattern in settings.deny if _matches(number, pattern)), None):
        raise ContactError(f"{number} is forbidden by {denied} in handoff.numbers.deny")
    if not any(_matches(number, pattern) for pattern in settings.allow):
        raise ContactError(f"{number} is not allowed; handoff.numbers.allow has {', '.join(settings.allow)}")
    return Telephone(number, settings.endpoint.replace("{number}", number), float(settings.ring_s), settings.caller_id)


def _matches(number: str, pattern: str) -> bool:
    return number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern
