"""Who asked for what: merges, erasures, exports."""

from __future__ import annotations

import time

from ccaas.journey import rows
from ccaas.journey.statements import One, Steps
from ccaas.ports.journey import Json

_COLUMNS = "at, what, customer, other, why, asked_by, facts"
_KEYS = ("at", "what", "customer", "other", "why", "by", "facts")


def note(what: str, customer: str, other: str, why: str, by: str, facts: int = 0) -> Steps[None]:
    """Add a row."""
    yield One(
        f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (time.time(), what, customer, other, rows.clean(why), rows.clean(by), facts),
    )


def newest(limit: int) -> Steps[tuple[Json, ...]]:
    """`Journey.audit`."""
    found = yield One(f"SELECT {_COLUMNS} FROM audit ORDER BY seq DESC LIMIT ?", (max(0, limit),))
    return tuple(dict(zip(_KEYS, row, strict=True)) for row in found)
