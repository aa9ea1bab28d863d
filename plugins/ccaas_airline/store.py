"""The airline's database on a thread of its own: the event loop never waits for the disk.

Every write stands in one transaction together with its idempotency key, so it is made once or not at all, whoever is
killed when.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ccaas.errors import SetupError, ToolError
from ccaas.ports.tools import ToolContext
from ccaas_airline.build import build
from ccaas_airline.schema import HOLDS, VERSION

T = TypeVar("T")
Result = TypeVar("Result", bound=BaseModel)

BUSY_S = 3.0
"""How long another process may hold the database's lock (s); below the tools' own time limit."""


class Store:
    """Open with `await Store.open(database, data)`."""

    def __init__(self, db: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._db = db
        self._thread = thread

    @classmethod
    async def open(cls, database: Path, data: Path) -> Store:
        """Open the database; build it from the published data when it is not there or has older tables.

        Raises:
            SetupError: neither is there, or the file is no database.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="airline")
        try:
            db = await asyncio.get_running_loop().run_in_executor(thread, _open, database, data)
        except SetupError:
            thread.shutdown()
            raise
        return cls(db, thread)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which only reads, in one consistent view of the database.

        Raises:
            ToolError: "unavailable", or what `work` raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, _read, self._db, work)

    async def write(
        self, tool: str, context: ToolContext, output: type[Result], work: Callable[[sqlite3.Connection], Result]
    ) -> Result:
        """Run `work` in a transaction with the context's key. A key that was written before gives its first result.

        A rehearsal runs it too, and takes it back.

        Raises:
            ToolError: "unavailable", "no_key", or what `work` raises; nothing is changed then.
        """
        if not context.key and not context.rehearsal:
            raise ToolError("no_key", f"{tool} writes, and was called without an idempotency key")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, _write, self._db, tool, context, output, work
        )

    async def close(self) -> None:
        """Finish what runs and close the file. Safe to call twice."""
        await asyncio.to_thread(self._thread.shutdown)
        self._db.close()


def _open(database: Path, data: Path) -> sqlite3.Connection:
    if not database.exists():
        build(data, database)
    try:
        db = _connect(database)
        if _version(db) != VERSION:
            db.close()
            build(data, database)
            db = _connect(database)
        db.execute(HOLDS)
    except sqlite3.OperationalError as error:
        raise SetupError(f"{database}: cannot be opened ({error}); mend the rights of its folder") from error
    except sqlite3.DatabaseError as error:
        raise SetupError(
            f"{database}: this is not the airline's database ({error}); delete it to have it built anew"
        ) from error
    return db


def _connect(database: Path) -> sqlite3.Connection:
    db = sqlite3.connect(database, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        # FULL: a booking that the customer was told of must outlive a power cut.
        db.executescript("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection) -> int:
    """Of the tables; 0 for other tables than the airline's."""
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone() is None:
        return 0
    row = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    return int(row["value"]) if row else 0


def _read(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        db.execute("BEGIN")
        try:
            return work(db)
        finally:
            db.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _unavailable() from error


def _write(
    db: sqlite3.Connection,
    tool: str,
    context: ToolContext,
    output: type[Result],
    work: Callable[[sqlite3.Connection], Result],
) -> Result:
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            if context.rehearsal:
                return work(db)
            result = _first_result(db, tool, context, output)
            if result is None:
                result = work(db)
                _keep(db, tool, context, result)
                db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _unavailable() from error
    return result


def _first_result(db: sqlite3.Connection, tool: str, context: ToolContext, output: type[Result]) -> Result | None:
    row = db.execute("SELECT tool, result, before, after FROM write_keys WHERE key = ?", (context.key,)).fetchone()
    if row is None:
        return None
    if row["tool"] != tool:
        raise ToolError("key_reused", f"the key of this {tool} was already used for {row['tool']}")
    change = {side: json.loads(row[side]) for side in ("before", "after") if row[side] is not None}
    return output.model_validate({**json.loads(row["result"]), **change})


def _keep(db: sqlite3.Connection, tool: str, context: ToolContext, result: BaseModel) -> None:
    fields = dict(result)
    change = [
        state.model_dump_json() if isinstance(state := fields.get(side), BaseModel) else None
        for side in ("before", "after")
    ]
    db.execute(
        "INSERT INTO write_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (context.key, tool, context.call_id, context.turn_id, time.time(), result.model_dump_json(), *change),
    )


def _unavailable() -> ToolError:
    return ToolError("unavailable", "The booking system cannot be reached at the moment.")
