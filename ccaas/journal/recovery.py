"""What a restarted controller reads: the calls that had not ended, and all that is needed to go on with them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ccaas.actions.audit import ToolRun
from ccaas.conversation.events import TurnRecord
from ccaas.journal.entries import event_from_json, run_from_row, turn_from_json
from ccaas.telephony.events import TelephonyEvent


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call without an end."""

    call_id: str
    ani: str
    dnis: str
    entry: str
    """The entry of the YAML that took it."""
    customer_id: str
    """Empty while nobody was identified."""
    address: str
    """The far end's."""
    began: float
    """Unix time (s)."""
    transitions: tuple[TelephonyEvent, ...]
    """In order; their `at` is the old process's monotonic clock."""
    next_seq: int
    """Number for the call's next transition."""
    turns: tuple[TurnRecord, ...]
    """In order."""
    snapshot: Mapping[str, Any] | None
    """The dialogue's newest state; None before its first."""
    thread: str
    """See `Snapshot.thread`."""
    writes: tuple[ToolRun, ...]
    """Writes that the snapshot does not know of, and all checks of who the customer is; for the call's new toolbox."""


def open_calls(db: sqlite3.Connection) -> tuple[OpenCall, ...]:
    """All calls that have begun and not ended, oldest first."""
    rows = db.execute("SELECT * FROM calls WHERE ended IS NULL ORDER BY began").fetchall()
    return tuple(_open_call(db, row) for row in rows)


def _open_call(db: sqlite3.Connection, row: sqlite3.Row) -> OpenCall:
    key = (row["call_id"],)
    transitions = db.execute("SELECT seq, event FROM transitions WHERE call_id = ? ORDER BY seq", key).fetchall()
    snapshot = db.execute("SELECT state, last_run, thread FROM snapshots WHERE call_id = ?", key).fetchone()
    return OpenCall(
        call_id=row["call_id"],
        ani=row["ani"],
        dnis=row["dnis"],
        entry=row["entry"],
        customer_id=row["customer_id"],
        address=row["address"] or row["ani"],
        began=row["began"],
        transitions=tuple(event_from_json(item["event"]) for item in transitions),
        next_seq=transitions[-1]["seq"] + 1 if transitions else 0,
        turns=turns_of(db, row["call_id"]),
        snapshot=json.loads(snapshot["state"]) if snapshot else None,
        thread=snapshot["thread"] if snapshot else "",
        writes=writes_since(db, row["call_id"], snapshot["last_run"] if snapshot else 0),
    )


def turns_of(db: sqlite3.Connection, call_id: str) -> tuple[TurnRecord, ...]:
    """The turns of a call or a conversation by text, in order."""
    rows = db.execute("SELECT record FROM turns WHERE call_id = ? ORDER BY id", (call_id,)).fetchall()
    return tuple(turn_from_json(row["record"]) for row in rows)


def writes_since(db: sqlite3.Connection, call_id: str, run_id: int) -> tuple[ToolRun, ...]:
    """Its writes behind the tool run of that number, and all its checks of who the customer is, in order."""
    rows = db.execute(
        "SELECT * FROM tool_runs WHERE call_id = ? AND key IS NOT NULL AND (id > ? OR effect = 'read') ORDER BY id",
        (call_id, run_id),
    ).fetchall()
    return tuple(run_from_row(dict(row)) for row in rows)
