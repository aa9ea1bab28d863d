"""Which writes were sent to another system, on this machine's disk before they are: none is sent twice by mistake."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from ccaas.errors import SetupError, ToolError
from ccaas.ports.tools import ToolContext
from ccaas.sqlite.file import SqliteFile

T = TypeVar("T")
Json = dict[str, Any]

MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS sent (key TEXT PRIMARY KEY, result TEXT) STRICT, WITHOUT ROWID",
    """
    ALTER TABLE sent ADD COLUMN conversation TEXT NOT NULL DEFAULT '';
    ALTER TABLE sent ADD COLUMN customer TEXT NOT NULL DEFAULT ''
    """,
)
"""In which conversation, and for whom, a write was made; both empty: it is not known whose it is."""


def path_of(state_dir: Path, plugin: str, where: str) -> Path:
    """The file for the writes of one other system, which is at `where`."""
    return state_dir / f"{plugin}-{sha256(where.encode()).hexdigest()[:8]}.sqlite"


def file_of(path: Path) -> SqliteFile:
    """How such a file is opened."""
    return SqliteFile(path, "list of writes", MIGRATIONS, SetupError, ("synchronous = FULL", "secure_delete = ON"))


class NotKnown(Exception):
    """It was sent, and what became of it is not known."""


class Keys:
    """Open with `await Keys.open(file)`."""

    def __init__(self, db: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._db = db
        self._thread = thread

    @classmethod
    async def open(cls, file: Path) -> Keys:
        """Open or make the file. Raises SetupError."""
        thread = ThreadPoolExecutor(1, file.stem)

        try:
            return cls(await asyncio.get_running_loop().run_in_executor(thread, file_of(file).open), thread)
        except SetupError:
            thread.shutdown()
            raise

    async def once(self, context: ToolContext, send: Callable[[], Awaitable[Json]], *, again: bool) -> Json:
        """The result of the write with the context's key: sent now, or as it was answered before.

        `again`: the other system makes a key's write once, so one without an answer may be sent again. A ToolError of
        `send` means that nothing was changed.

        Raises:
            NotKnown: it was sent before, was not answered, and must not be sent again.
        """
        known, result = await self._ask(lambda db: self._begin(db, context))
        if result is not None:
            return dict(json.loads(result))
        if known and not again:
            raise NotKnown("it was sent before and not answered")
        try:
            answer = await send()
        except ToolError:
            await self._ask(lambda db: db.execute("DELETE FROM sent WHERE key = ?", (context.key,)))
            raise
        # The owner again: who was erased in between is found by a second erasure.
        row = (json.dumps(answer), context.call_id, context.customer_id, context.key)
        await self._ask(
            lambda db: db.execute("UPDATE sent SET result = ?, conversation = ?, customer = ? WHERE key = ?", row)
        )
        return answer

    async def close(self) -> None:
        """Close the file."""
        await self._ask(lambda db: db.close())
        await asyncio.to_thread(self._thread.shutdown)

    @staticmethod
    def _begin(db: sqlite3.Connection, context: ToolContext) -> tuple[bool, str | None]:
        row = (context.key, context.call_id, context.customer_id)
        new = db.execute("INSERT OR IGNORE INTO sent (key, conversation, customer) VALUES (?, ?, ?)", row).rowcount
        (result,) = db.execute("SELECT result FROM sent WHERE key = ?", (context.key,)).fetchone()
        return not new, result

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._db)
        except sqlite3.Error as error:
            raise ToolError("unavailable", "I cannot make changes at the moment.") from error
