"""The gateway's ids of what we sent, kept so that a receipt finds its message after a restart too."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from ccaas.errors import SetupError

FILE = "sms_http.sqlite"
"""Name within the state folder."""
_KEPT_S = 14 * 86_400
"""A receipt that comes later is left alone."""


class SentIds:
    """Theirs → ours, and which of ours were taken. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Open or make the file. Raises SetupError."""
        try:
            self._db = await asyncio.to_thread(self._opened)
        except (sqlite3.Error, OSError) as error:
            raise SetupError(f"{self._path} cannot be used ({error}); move it away, or mend its folder") from error

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA secure_delete = ON").fetchone()
        db.execute(
            "CREATE TABLE IF NOT EXISTS sent (ours TEXT PRIMARY KEY, theirs TEXT NOT NULL, at REAL NOT NULL) STRICT"
        )
        db.execute("CREATE INDEX IF NOT EXISTS sent_theirs ON sent (theirs)")
        db.execute("DELETE FROM sent WHERE at < ?", (time.time() - _KEPT_S,))
        return db

    async def keep(self, ours: str, theirs: str) -> None:
        """The gateway has taken `ours`, and calls it `theirs` (empty when it gave it no name)."""
        await self._run("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", (ours, theirs, time.time()))

    async def taken(self, ours: str) -> bool:
        """Whether the gateway has taken it."""
        return bool(await self._run("SELECT 1 FROM sent WHERE ours = ?", (ours,)))

    async def ours(self, theirs: str) -> str | None:
        """The message that a receipt is about."""
        found = await self._run("SELECT ours FROM sent WHERE theirs = ?", (theirs,))
        return str(found[0][0]) if found else None

    async def erase(self, conversations: Iterable[str]) -> None:
        """Forget the messages of conversations: our ids begin with theirs."""
        for one in conversations:
            await self._run("DELETE FROM sent WHERE ours >= ? AND ours < ?", (f"{one}-", f"{one}."))
        while (await self._run("PRAGMA wal_checkpoint(TRUNCATE)", ()))[0][0]:
            await asyncio.sleep(0.05)

    async def _run(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[object, ...]]:
        db = self._db
        if db is None:
            raise SetupError("the list of sent messages is not open")
        async with self._lock:
            return await asyncio.to_thread(lambda: db.execute(sql, parameters).fetchall())

    async def close(self) -> None:
        """Close the file. Safe to call twice."""
        async with self._lock:
            db, self._db = self._db, None
            if db is not None:
                await asyncio.to_thread(db.close)
