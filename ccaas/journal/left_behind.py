"""Writes that a conversation left behind without having spoken of them: its controller died, or the customer was gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from ccaas.actions.audit import MADE, ToolRun
from ccaas.journal.entries import run_from_row


@dataclass(frozen=True, slots=True)
class Left:
    """One of them."""

    run: ToolRun
    entry: str
    channel: str
    over: bool
    """Nobody speaks of it in its conversation any more: that has ended."""


def left_behind(since: float) -> Callable[[sqlite3.Connection], tuple[Left, ...]]:
    """Writes of the agent's since then (Unix seconds) that are newer than what their dialogue knows, in order; those that
    take others back too."""

    def ask(db: sqlite3.Connection) -> tuple[Left, ...]:
        found = db.execute(_LEFT, (since,)).fetchall()
        return tuple(
            Left(run, row["entry"], row["channel"], row["ended"] is not None)
            for row in found
            if (run := run_from_row(dict(row))).outcome in MADE
        )

    return ask


_LEFT = """
    WITH places AS (
        SELECT call_id AS id, entry, 'voice' AS channel, ended FROM calls
        UNION ALL SELECT conversation_id, entry, channel, ended FROM conversations
    )
    SELECT r.*, p.entry, p.channel, p.ended FROM tool_runs r
    JOIN places p ON p.id = r.call_id
    LEFT JOIN snapshots s ON s.call_id = r.call_id
    WHERE r.at > ? AND r.effect = 'write' AND r.actor = 'butler' AND r.key IS NOT NULL AND r.id > coalesce(s.last_run, 0)
    ORDER BY r.id
"""
