"""A SQLite file whose work is functions of its connection, as the event loop sees it. Nothing here blocks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Self, TypeVar

from ccaas.sqlite.file import SqliteFile
from ccaas.sqlite.worker import Worker

T = TypeVar("T")


class Store:
    """Open with `await Store.of(file)`. Several processes may have it open at once."""

    def __init__(self, file: SqliteFile, worker: Worker) -> None:
        self._file = file
        self._worker = worker
        self._closed = False

    @classmethod
    async def of(cls, file: SqliteFile) -> Self:
        """Open or make the file. Raises the file's error."""
        worker = Worker(file)
        await asyncio.to_thread(worker.open)
        worker.start()
        return cls(file, worker)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work`, which only reads, finds. Raises the file's error."""
        return await self._do(work, writes=False)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; what it gave, once that outlives a power cut. Raises the file's error, or what `work`
        raises of ours."""
        return await self._do(work, writes=True)

    async def close(self) -> None:
        """Store what is queued and close the file. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._worker.stop()
            await asyncio.to_thread(self._worker.join)

    async def _do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        if self._closed:
            raise self._file.error(f"the {self._file.name} is closed")
        return await self._worker.ask(work, writes=writes)
