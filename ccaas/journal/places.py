"""Where a conversation is had, whichever channel it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Of one call or conversation by text."""

    channel: str
    """"voice", or the channel's name in the journal."""
    address: str
    """The customer's number or address."""
    ended: bool


def place_of(conversation_id: str) -> Callable[[sqlite3.Connection], Place | None]:
    """The place of the call or conversation of that id; None when there is none."""

    def ask(db: sqlite3.Connection) -> Place | None:
        row = db.execute(
            "SELECT 'voice' AS channel, CASE address WHEN '' THEN ani ELSE address END AS address, ended FROM calls"
            " WHERE call_id = ? UNION ALL SELECT channel, address, ended FROM conversations WHERE conversation_id = ?",
            (conversation_id, conversation_id),
        ).fetchone()
        return None if row is None else Place(row["channel"], row["address"], row["ended"] is not None)

    return ask
