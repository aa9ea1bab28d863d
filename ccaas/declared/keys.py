"""Which writes were sent to another system, on this machine's disk before they are: none is sent twice by mistake."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ccaas.errors import SetupError, ToolError

T = TypeVar("T")
Json = dict[str, Any]


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

        def work() -> sqlite3.Connection:
            file.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            db.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "CREATE TABLE IF NOT EXISTS sent (key TEXT PRIMARY KEY, result TEXT) STRICT, WITHOUT ROWID"
            )
            return db

        try:
            return cls(await asyncio.get_running_loop().run_in_executor(thread, work), thread)
        except (sqlite3.Error, OSError) as error:
            thread.shutdown()
            raise SetupError(f"{file}: cannot be used ({error}); mend its rights, or move it away") from None

    async def once(self, key: str, send: Callable[[], Awaitable[Json]], *, again: bool) -> Json:
        """The result of the write with this key: sent now, or as it was answered before.

        `again`: the other system makes a key's write once, so one without an answer may be sent again. A ToolError of
        `send` means that nothing was changed.

        Raises:
            NotKnown: it was sent before, was not answered, and must not be sent again.
        """
        known, result = await self._ask(lambda db: self._begin(db, key))
        if result is not None:
            return dict(json.loads(result))
        if known and not again:
            raise NotKnown("it was sent before and not answered")
        try:
            answer = await send()
        except ToolError:
            await self._ask(lambda db: db.execute("DELETE FROM sent WHERE key = ?", (key,)))
            raise
        await self._ask(lambda db: db.execute("UPDATE sent SET result = ? WHERE key = ?", (json.dumps(answer), key)))
        return answer

    async def close(self) -> None:
        """Close the file."""
        await self._ask(lambda db: db.close())
        await asyncio.to_thread(self._thread.shutdown)

    @staticmethod
    def _begin(db: sqlite3.Connection, key: str) -> tuple[bool, str | None]:
        new = db.execute("INSERT OR IGNORE INTO sent VALUES (?, NULL)", (key,)).rowcount
        (result,) = db.execute("SELECT result FROM sent WHERE key = ?", (key,)).fetchone()
        return not new, result

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._db)
        except sqlite3.Error as error:
            raise ToolError("unavailable", "I cannot make changes at the moment.") from error
