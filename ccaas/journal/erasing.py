"""Takes a person out of the journal: their calls that have ended, and all their conversations by text.

A call that goes on stays; whoever owns a conversation has ended it before. An opt-out stays, since it has to be kept to.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from ccaas.journal.writer import JournalError, file_of
from ccaas.ports.journey import Traces

CHECKPOINT_S = 2.0

_OF_CALL = ("transitions", "turns", "snapshots", "tool_runs", "past_handoffs", "calls")
_ENDED = "SELECT call_id FROM calls WHERE ended IS NOT NULL AND "


def conversations_of(journal: Path, traces: Traces) -> tuple[str, ...]:
    """Ids of a person's calls that have ended, and of their conversations. Raises JournalError."""
    if not journal.exists():
        return ()
    file = file_of(journal)
    try:
        with closing(file.open()) as db:
            return _conversations(db, traces)
    except sqlite3.Error as error:
        raise file.explained(error) from error


def erase(journal: Path, traces: Traces) -> None:
    """Delete all rows of a person, beside a controller that may be writing. Nothing happens where there is no journal.

    Raises:
        JournalError: it could not be done; nothing was deleted.
    """
    if not journal.exists():
        return
    file = file_of(journal)
    try:
        with closing(file.open()) as db:
            db.execute("BEGIN IMMEDIATE")
            _delete(db, traces, _conversations(db, traces))
            db.execute("COMMIT")
            _empty_log(db)
    except sqlite3.Error as error:
        raise file.explained(error) from error


def _conversations(db: sqlite3.Connection, traces: Traces) -> tuple[str, ...]:
    addresses = [spelled for one in traces.identities for spelled in (one.value, one.value.removeprefix("+"))]
    known = set(traces.conversations)
    for column, values in (("customer_id", traces.customers), ("ani", addresses), ("address", addresses)):
        known |= set(_each(db, f"{_ENDED}{column} = ?", values))
    known |= set(_each(db, "SELECT conversation_id FROM conversations WHERE address = ?", addresses))
    still = set(_each(db, "SELECT call_id FROM calls WHERE ended IS NULL AND call_id = ?", known))
    return tuple(sorted(known - still))


def _delete(db: sqlite3.Connection, traces: Traces, ids: tuple[str, ...]) -> None:
    for table in _OF_CALL:
        _each(db, f"DELETE FROM {table} WHERE call_id = ?", ids)
    # Who did what and when stays in the audit; what an agent noted about the person does not.
    _each(db, "UPDATE agent_acts SET detail = '' WHERE about = ?", ids)
    for table in ("messages_out", "conversations"):
        _each(db, f"DELETE FROM {table} WHERE conversation_id = ?", ids)
    _each(db, "DELETE FROM messages_out WHERE customer_id = ?", traces.customers)
    addresses = [one.value for one in traces.identities]
    for key in ("address", "identity.value"):
        _each(db, f"DELETE FROM messages_in WHERE json_extract(record, '$.{key}') = ?", addresses)
    whose = [*traces.customers, *(f"{one.kind.value}:{one.value}" for one in traces.identities)]
    _each(db, "DELETE FROM chronicle WHERE whose = ?", whose)


def _each(db: sqlite3.Connection, sql: str, values: Iterable[str]) -> list[str]:
    return [row[0] for value in values for row in db.execute(sql, (value,)).fetchall()]


def _empty_log(db: sqlite3.Connection) -> None:
    """What was deleted stands in the write-ahead log too; a reader may be in the way for a moment."""
    limit = time.monotonic() + CHECKPOINT_S
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > limit:
            raise JournalError("the journal's write-ahead log could not be emptied while others read; do it again")
        time.sleep(0.05)
