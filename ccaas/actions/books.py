"""What must be known beyond one conversation and one process: how often something was done today, and what waits for a
person's approval. One SQLite file for all processes of a machine."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from ccaas.actions.phase import Quota
from ccaas.actions.requests import Request, Standing
from ccaas.errors import CcaasError
from ccaas.sqlite import SqliteFile, Worker

T = TypeVar("T")

FILE = "actions.sqlite"
"""Name within the state folder."""

MIGRATIONS = (
    """
    CREATE TABLE quotas (
        name TEXT NOT NULL,
        whose TEXT NOT NULL,
        day TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (name, whose, day, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX quotas_by_key ON quotas (key);
    CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL,
        turn_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        entry TEXT NOT NULL,
        channel TEXT NOT NULL,
        tool TEXT NOT NULL,
        arguments TEXT NOT NULL,
        reason TEXT NOT NULL,
        intent TEXT NOT NULL,
        prepared_by TEXT NOT NULL,
        at REAL NOT NULL,
        standing TEXT NOT NULL,
        decided_by TEXT NOT NULL,
        decided_at REAL NOT NULL,
        result TEXT,
        error TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX requests_by_conversation ON requests (conversation_id);
    CREATE INDEX requests_by_customer ON requests (customer_id);
    CREATE INDEX requests_to_decide ON requests (at) WHERE standing IN ('waiting', 'approved')
    """,
    """
    CREATE TABLE guesses (
        whose TEXT NOT NULL,
        guess TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (whose, guess)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX guesses_by_time ON guesses (at)
    """,
    """
    ALTER TABLE requests ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
    UPDATE requests SET told = 1 WHERE standing IN ('done', 'failed', 'declined');
    CREATE INDEX requests_to_tell ON requests (at) WHERE told = 0 AND standing IN ('done', 'failed', 'declined')
    """,
    """
    CREATE TABLE totals (
        name TEXT NOT NULL,
        whose TEXT NOT NULL,
        day TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (name, whose, day)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals SELECT name, whose, day, count(*) FROM quotas GROUP BY name, whose, day;
    CREATE INDEX totals_by_whose ON totals (whose)
    """,
)
"""`totals` counts the rows of `quotas`, so that a write costs the same however many there were that day."""

_COUNTED = "SELECT 1 FROM quotas WHERE name = ? AND whose = ? AND day = ? AND key = ?"
_TOTAL = "SELECT count FROM totals WHERE name = ? AND whose = ? AND day = ?"
_TAKE = "INSERT INTO quotas VALUES (?, ?, ?, ?)"
_ADD = "INSERT INTO totals VALUES (?, ?, ?, 1) ON CONFLICT (name, whose, day) DO UPDATE SET count = count + 1"
_GIVE_BACK = "DELETE FROM quotas WHERE key = ? RETURNING name, whose, day"
_LESS = "UPDATE totals SET count = count - 1 WHERE name = ? AND whose = ? AND day = ?"


class BooksError(CcaasError):
    """The books of actions could not be opened, read or written; nothing was changed."""

    exit_code = 2


class Books:
    """Open with `await Books.open(path)`; close with `await close()`. Everything raises BooksError."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Books:
        """Open or make the file."""
        worker = Worker(SqliteFile(path, "books of actions", MIGRATIONS, BooksError, ("secure_delete = ON",)))
        await asyncio.to_thread(worker.open)
        worker.start()
        return cls(worker)

    async def close(self) -> None:
        """Store what is queued and close the file. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._worker.stop()
            await asyncio.to_thread(self._worker.join)

    # — how often —

    async def take(self, whose: str, day: str, key: str, quotas: Sequence[Quota]) -> str:
        """Count the write of this key against the quotas, all or none; the name of one that is used up, else nothing.

        A key that was counted before is not counted again. What was counted survives the death of the process.
        """

        def work(db: sqlite3.Connection) -> str:
            new: list[str] = []
            for quota in quotas:
                if quota.name in new or db.execute(_COUNTED, (quota.name, whose, day, key)).fetchone():
                    continue
                total = db.execute(_TOTAL, (quota.name, whose, day)).fetchone()
                if (total[0] if total else 0) >= quota.most:
                    return quota.name
                new.append(quota.name)
            for name in new:
                db.execute(_TAKE, (name, whose, day, key))
                db.execute(_ADD, (name, whose, day))
            return ""

        return await self._do(work, writes=True, durable=False)

    async def give_back(self, key: str) -> None:
        """The write of this key came to nothing, so it does not count."""

        def work(db: sqlite3.Connection) -> None:
            for row in db.execute(_GIVE_BACK, (key,)).fetchall():
                db.execute(_LESS, tuple(row))

        await self._do(work, writes=True, durable=False)

    # — what waits for a person —

    async def put(self, request: Request) -> tuple[Request, bool]:
        """Keep a request; the one that stands under its key, and whether it is new."""

        def work(db: sqlite3.Connection) -> tuple[Request, bool]:
            known = db.execute("SELECT * FROM requests WHERE key = ?", (request.key,)).fetchone()
            if known is not None:
                return _request(known), False
            row = {
                **{name: getattr(request, name) for name in request.__slots__},
                "arguments": json.dumps(request.arguments),
                "standing": request.standing.value,
                "result": None,
            }
            names = ", ".join(row)
            db.execute(f"INSERT INTO requests ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
            return request, True

        return await self._do(work, writes=True)

    async def request(self, request_id: str) -> Request | None:
        """The one of that id."""

        def work(db: sqlite3.Connection) -> Request | None:
            row = db.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchone()
            return None if row is None else _request(row)

        return await self._do(work, writes=False)

    async def requests(
        self, *, conversation_id: str = "", customer_id: str = "", standings: Collection[Standing] = frozenset(Standing)
    ) -> tuple[Request, ...]:
        """Those of a conversation, of a customer, or all, the oldest first."""

        def work(db: sqlite3.Connection) -> tuple[Request, ...]:
            rows = db.execute(
                "SELECT * FROM requests WHERE ? IN ('', conversation_id) AND ? IN ('', customer_id) ORDER BY at, id",
                (conversation_id, customer_id),
            )
            found = (_request(row) for row in rows)
            return tuple(one for one in found if one.standing in standings)

        return await self._do(work, writes=False)

    async def decide(self, request_id: str, standing: Standing, by: str, at: float, why: str = "") -> Request | None:
        """Approve or decline a request that waits; None when it does not (any more): of two people one decides."""

        def work(db: sqlite3.Connection) -> Request | None:
            done = db.execute(
                "UPDATE requests SET standing = ?, decided_by = ?, decided_at = ?, error = ? WHERE id = ? AND standing = ?",
                (standing.value, by, at, why, request_id, Standing.WAITING.value),
            )
            row = db.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchone()
            return _request(row) if done.rowcount else None

        return await self._do(work, writes=True)

    async def finish(self, request: Request) -> None:
        """Keep what an approved request came to."""
        result = None if request.result is None else json.dumps(request.result)
        values = (request.standing.value, result, request.error, request.id)
        await self._do(
            lambda db: db.execute("UPDATE requests SET standing = ?, result = ?, error = ? WHERE id = ?", values),
            writes=True,
        )

    async def untold(self) -> tuple[Request, ...]:
        """Those that are decided or settled, and of which the customer's journey does not know it, the oldest first."""

        def work(db: sqlite3.Connection) -> tuple[Request, ...]:
            rows = db.execute(
                "SELECT * FROM requests WHERE told = 0 AND standing IN ('done', 'failed', 'declined') ORDER BY at, id"
            )
            return tuple(_request(row) for row in rows)

        return await self._do(work, writes=False)

    async def told(self, request_id: str) -> None:
        """The journey knows what this one came to."""
        await self._do(lambda db: db.execute("UPDATE requests SET told = 1 WHERE id = ?", (request_id,)), writes=True)

    async def forget(self, customers: Collection[str], conversations: Collection[str]) -> None:
        """Delete what is kept of a person."""

        def work(db: sqlite3.Connection) -> None:
            for name in customers:
                db.execute("DELETE FROM quotas WHERE whose = ?", (name,))
                db.execute("DELETE FROM totals WHERE whose = ?", (name,))
                db.execute("DELETE FROM guesses WHERE whose = ?", (name,))
                db.execute("DELETE FROM requests WHERE customer_id = ?", (name,))
            for name in conversations:
                db.execute("DELETE FROM requests WHERE conversation_id = ?", (name,))

        await self._do(work, writes=True)

    async def run(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        """What `work` comes to, in a transaction where it `writes`: for what is counted elsewhere (`Guesses`)."""
        return await self._do(work, writes=writes)

    async def _do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool, durable: bool = True) -> T:
        if self._closed:
            raise BooksError("the books of actions are closed; nothing more can be stored in them")
        return await self._worker.ask(work, writes=writes, durable=durable)


def _request(row: sqlite3.Row) -> Request:
    fields = {name: row[name] for name in row.keys() if name != "told"}  # noqa: SIM118 - a Row iterates over its values
    fields["arguments"] = json.loads(row["arguments"])
    fields["standing"] = Standing(row["standing"])
    fields["result"] = None if row["result"] is None else json.loads(row["result"])
    return Request(**fields)
