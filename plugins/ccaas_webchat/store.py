"""The conversations, so that a page that comes back, or a server that starts again, goes on where they were.

SQLite in one thread of its own; what was stored survives a power cut. Card numbers are masked: the core gets a
customer's words as they were written, this copy only serves to show them again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ccaas.errors import MessageFailed, SetupError
from ccaas.journal.masking import masked_text
from ccaas.ports.reasoning import NOT_KEPT
from ccaas_webchat.lines import Line, Side

T = TypeVar("T")

FILE = "webchat.sqlite"
"""Name within the state folder."""
BUSY_S = 2.0
"""How long another process may hold the file's lock."""
_VERSION = 1
_SCHEMA = f"""
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        customer TEXT NOT NULL DEFAULT '',
        entry TEXT NOT NULL DEFAULT '',
        used REAL NOT NULL,
        seen INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX session_of_customer ON session (customer, used) WHERE customer <> '';
    CREATE INDEX session_by_use ON session (used);
    CREATE TABLE line (
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        id TEXT NOT NULL,
        side TEXT NOT NULL,
        text TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (session, seq),
        UNIQUE (session, side, id)
    ) WITHOUT ROWID;
    PRAGMA user_version = {_VERSION};
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a conversation, in order."""

    lines: Sequence[Line]
    earlier: bool
    """There are lines before these."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a session beside its lines."""

    customer: str
    """Whom a token proved; empty for a stranger."""
    entry: str


class Store:
    """One file. Every method but the constructor is a coroutine; they run in order, and raise MessageFailed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="webchat")
        self._db: sqlite3.Connection | None = None
        self._seen_version = 0

    async def open(self) -> None:
        """Open or make the file. Raises SetupError."""
        try:
            self._db = await asyncio.get_running_loop().run_in_executor(self._thread, connect, self._path)
        except (sqlite3.Error, OSError) as error:
            raise SetupError(
                f"{self._path}: the chats cannot be opened ({error}); mend its rights or move it away"
            ) from None

    async def close(self) -> None:
        """Finish what was begun. Safe to call twice."""
        db, self._db = self._db, None
        if db is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, db.close)
        self._thread.shutdown(wait=False)

    async def append(self, session: str, line_id: str, side: Side, text: str, at: float) -> tuple[Line, bool] | None:
        """Store a line under the next number; with False, and as it was stored, when its id is known.

        None when there is no such session.
        """
        return await self._run(lambda db: _append(db, session, line_id, side, masked_text(text), at))

    async def conceal(self, session: str, line_id: str) -> None:
        """Keep the words of a customer's line no longer; pages that have it show it until they are loaded again."""
        await self._run(
            lambda db: db.execute(
                "UPDATE line SET text = ? WHERE session = ? AND side = 'customer' AND id = ?",
                (NOT_KEPT, session, line_id),
            )
        )

    async def touch(self, session: str, record: Record, at: float) -> None:
        """Make a session, or say whose it is now."""
        await self._run(
            lambda db: db.execute(
                "INSERT INTO session (id, customer, entry, used) VALUES (?, ?, ?, ?) ON CONFLICT (id) "
                "DO UPDATE SET customer = excluded.customer, entry = excluded.entry, used = excluded.used",
                (session, record.customer, record.entry, at),
            )
        )

    async def record(self, session: str) -> Record | None:
        """What is known of a session; None when nothing was ever said in it, or it is too old."""
        row = await self._one("SELECT customer, entry FROM session WHERE id = ?", session)
        return None if row is None else Record(row["customer"], row["entry"])

    async def newest_of(self, customer: str) -> str | None:
        """The session that a customer used last."""
        row = await self._one("SELECT id FROM session WHERE customer = ? ORDER BY used DESC LIMIT 1", customer)
        return None if row is None else str(row["id"])

    async def newest(self, session: str) -> Line | None:
        """The last line; None when there is none."""
        row = await self._one("SELECT * FROM line WHERE session = ? ORDER BY seq DESC LIMIT 1", session)
        return None if row is None else _line(row)

    async def after(self, session: str, seq: int, most: int) -> Page:
        """The lines after `seq`: all of them, or the newest `most`."""
        return await self._run(lambda db: _page(db, "session = ? AND seq > ?", (session, seq), most))

    async def before(self, session: str, seq: int, most: int) -> Page:
        """The newest `most` lines before `seq`."""
        return await self._run(lambda db: _page(db, "session = ? AND seq < ?", (session, seq), most))

    async def seen(self, session: str, seq: int) -> Sequence[str]:
        """Note that a page has everything up to `seq`; ids of the agent's lines that no page had before."""
        return await self._run(lambda db: _seen(db, session, seq))

    async def changed_by_others(self) -> bool:
        """Whether somebody else has changed the file since this was asked last: an erasure."""
        row = await self._one("PRAGMA data_version")
        before, self._seen_version = self._seen_version, int(row[0]) if row is not None else 0
        return before not in (0, self._seen_version)

    async def purge(self, older_than: float) -> int:
        """Delete the sessions last used before that (Unix seconds); how many."""
        return await self._run(lambda db: db.execute("DELETE FROM session WHERE used < ?", (older_than,)).rowcount)

    async def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = await self._run(lambda db: db.execute(query, values).fetchone())
        return row

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._db
        if db is None:
            raise MessageFailed("the chat is closed", again=True)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, _in_one, db, work)
        except sqlite3.Error as error:
            raise MessageFailed(f"{self._path.name}: {error}", again=True) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file. What is deleted in it, or changed, is overwritten. Raises sqlite3.Error or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        path.chmod(0o600)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"it is of version {version} and this program knows {_VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _in_one(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """All of `work` in one transaction, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        result = work(db)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return result


def _append(
    db: sqlite3.Connection, session: str, line_id: str, side: Side, text: str, at: float
) -> tuple[Line, bool] | None:
    known = db.execute(
        "SELECT * FROM line WHERE session = ? AND side = ? AND id = ?", (session, side, line_id)
    ).fetchone()
    if known is not None:
        return _line(known), False
    if db.execute("SELECT 1 FROM session WHERE id = ?", (session,)).fetchone() is None:
        return None
    (newest,) = db.execute("SELECT max(seq) FROM line WHERE session = ?", (session,)).fetchone()
    line = Line((newest or 0) + 1, line_id, side, text, at)
    db.execute("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?)", (session, line.seq, line_id, side, text, at))
    db.execute("UPDATE session SET used = max(used, ?) WHERE id = ?", (at, session))
    return line, True


def _page(db: sqlite3.Connection, where: str, values: tuple[object, ...], most: int) -> Page:
    rows = db.execute(f"SELECT * FROM line WHERE {where} ORDER BY seq DESC LIMIT ?", (*values, most)).fetchall()
    lines = [_line(row) for row in reversed(rows)]
    return Page(lines, bool(lines) and lines[0].seq > 1)


def _seen(db: sqlite3.Connection, session: str, seq: int) -> list[str]:
    row = db.execute("SELECT seen FROM session WHERE id = ?", (session,)).fetchone()
    if row is None or row["seen"] >= seq:
        return []
    rows = db.execute(
        "SELECT seq, id, side FROM line WHERE session = ? AND seq > ? AND seq <= ? ORDER BY seq",
        (session, row["seen"], seq),
    ).fetchall()
    if rows:
        db.execute("UPDATE session SET seen = ? WHERE id = ?", (rows[-1]["seq"], session))
    return [row["id"] for row in rows if row["side"] == "agent"]


def _line(row: sqlite3.Row) -> Line:
    return Line(row["seq"], row["id"], row["side"], row["text"], row["at"])
