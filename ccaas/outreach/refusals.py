"""Messages of a bus that were no events of ours: which, when and why. All functions run inside a transaction.

The message itself is not kept: it may tell of customers, and its stream has it under the same number.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One of them."""

    source: str
    """The bus, by its name in the YAML."""
    message: str
    """ "<stream> <sequence number>"."""
    subject: str
    event_id: str
    """Empty where the message had none."""
    why: str
    at: float


def keeping(source: str, message: str, subject: str, event_id: str, why: str) -> Callable[[sqlite3.Connection], None]:
    """Keep one; the same message again is kept once."""
    values = (source, message, subject, event_id, why, time.time())

    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO refused_events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values)

    return work


def refused(limit: int) -> Callable[[sqlite3.Connection], tuple[RefusedEvent, ...]]:
    """The newest, oldest of them first."""

    def ask(db: sqlite3.Connection) -> tuple[RefusedEvent, ...]:
        rows = db.execute("SELECT * FROM refused_events ORDER BY at DESC LIMIT ?", (limit,)).fetchall()
        return tuple(RefusedEvent(**dict(row)) for row in reversed(rows))

    return ask
