"""Erases a person's conversations from the file, beside a channel that may have it open, or without one.

The channel notices (`WebChat`): its open pages begin anew.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ccaas.errors import MessageFailed
from ccaas.ports.journey import IdentityKind, Traces
from ccaas_webchat.store import connect

CHECKPOINT_S = 5.0


def erase(file: Path, traces: Traces) -> int:
    """Delete the sessions of a person; how many.

    Raises:
        MessageFailed: it could not be done, or bytes of it are left in the write-ahead log; do it again.
    """
    if not file.exists():
        return 0
    sessions = [one.value for one in traces.identities if one.kind is IdentityKind.CHAT]
    customers = [*traces.customers, *(one.value for one in traces.identities if one.kind is IdentityKind.RECORD)]
    try:
        with closing(connect(file)) as db:
            db.execute("BEGIN IMMEDIATE")
            count = sum(db.execute("DELETE FROM session WHERE id = ?", (one,)).rowcount for one in sessions)
            count += sum(db.execute("DELETE FROM session WHERE customer = ?", (one,)).rowcount for one in customers)
            db.execute("COMMIT")
            _empty_log(db)
    except sqlite3.Error as error:
        raise MessageFailed(f"{file.name}: {error}; do it again", again=True) from error
    return count


def _empty_log(db: sqlite3.Connection) -> None:
    """What was deleted stands in the write-ahead log too; the channel may be in the way for a moment."""
    limit = time.monotonic() + CHECKPOINT_S
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > limit:
            raise MessageFailed(
                "the chats' write-ahead log could not be emptied while others read; do it again", again=True
            )
        time.sleep(0.05)
