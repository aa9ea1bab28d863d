"""The book itself: rows in SQLite, each written at most once for its key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ccaas.errors import ToolError

_TABLE = """
CREATE TABLE IF NOT EXISTS callbacks (
    key TEXT PRIMARY KEY, customer TEXT NOT NULL, number TEXT NOT NULL, reason TEXT NOT NULL
) STRICT
"""


class Book:
    """Call-backs that were promised. Its methods block: call them in a thread."""

    def __init__(self, file: Path, most: int) -> None:
        self._file = file
        self._most = most
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as db:
            db.execute(_TABLE)

    def waiting(self, customer: str) -> list[str]:
        """Reasons of the customer's call-backs, oldest first."""
        with closing(sqlite3.connect(self._file)) as db:
            rows = db.execute("SELECT reason FROM callbacks WHERE customer = ? ORDER BY rowid", (customer,))
            return [reason for (reason,) in rows]

    def promise(self, key: str, customer: str, number: str, reason: str) -> int:
        """Write a call-back, and say which in the customer's row it is. The same key again writes nothing.

        Raises:
            ToolError: "full": the customer waits for too many already.
        """
        with closing(sqlite3.connect(self._file, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            mine = [
                k for (k,) in db.execute("SELECT key FROM callbacks WHERE customer = ? ORDER BY rowid", (customer,))
            ]
            if key in mine:
                db.execute("ROLLBACK")
                return mine.index(key) + 1
            if len(mine) >= self._most:
                db.execute("ROLLBACK")
                raise ToolError("full", "You are waiting for several calls from us already.")
            db.execute("INSERT INTO callbacks VALUES (?, ?, ?, ?)", (key, customer, number, reason))
            db.execute("COMMIT")
            return len(mine) + 1
