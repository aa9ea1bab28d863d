"""The journey in a SQLite file: one thread writes, two read, one of them for what a call is waiting for.

Every transaction is committed with synchronous=FULL: what is acknowledged outlives a power cut. Deleted rows are
overwritten with zeros, and `scour` empties the write-ahead log.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import TypeVar

import structlog

from ccaas.errors import CcaasError, JourneyError
from ccaas.journey.database import StoreDown
from ccaas.journey.schema import for_sqlite
from ccaas.journey.statements import Many, One, Rows, Steps, Work
from ccaas.sqlite import SqliteFile, Worker

T = TypeVar("T")

_log = structlog.get_logger(__name__)

CHECKPOINT_TRIES = 20
"""How often the log is tried to be emptied, 0.1 s apart, while others read."""


class SqliteDatabase:
    """A `Database`; made by `await SqliteDatabase.open(path)`."""

    def __init__(self, path: Path, writer: Worker, quick: Worker, reader: Worker) -> None:
        self._path = path
        self._writer = writer
        self._quick = quick
        self._reader = reader
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """Open or make the file. Raises JourneyError."""
        file = SqliteFile(path, "journey", for_sqlite(), JourneyError, ("secure_delete = ON", "cache_size = -65536"))
        names = ("journey", "journey context", "journey reader")
        workers: list[Worker] = []
        try:
            for name in names:
                worker = Worker(file, name)
                await asyncio.to_thread(worker.open)
                worker.start()
                workers.append(worker)
        except JourneyError:
            for worker in workers:
                worker.stop()
            raise
        return cls(path, *workers)

    async def read(self, work: Work[T], *, quick: bool = False) -> T:
        return await self._run(self._quick if quick else self._reader, work, writes=False)

    async def write(self, work: Work[T]) -> T:
        return await self._run(self._writer, work, writes=True)

    async def scour(self) -> None:
        for _ in range(CHECKPOINT_TRIES):
            if not (await self._run(self._writer, _checkpoint, writes=False)):
                return
            await asyncio.sleep(0.1)
        _log.warning(
            "deleted rows stay in the journey's write-ahead log while another program reads", path=str(self._path)
        )

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            for worker in (self._writer, self._quick, self._reader):
                worker.stop()
                await asyncio.to_thread(worker.join)

    async def _run(self, worker: Worker, work: Work[T], *, writes: bool) -> T:
        if self._closed:
            raise JourneyError("the journey is closed; nothing more can be asked of it")
        try:
            return await worker.ask(lambda db: _drive(db, work()), writes=writes)
        except CcaasError as error:
            # A file that cannot be written now is no fault of the one change that met it.
            if isinstance(error.__cause__, sqlite3.OperationalError):
                raise StoreDown(str(error)) from error.__cause__
            raise


def _drive(db: sqlite3.Connection, steps: Steps[T]) -> T:
    try:
        ask = next(steps)
        while True:
            ask = steps.send(_rows(db, ask))
    except StopIteration as end:
        answer: T = end.value
        return answer


def _rows(db: sqlite3.Connection, ask: One | Many) -> Rows:
    sql = ask.sql.replace("/*lock*/", "")
    if isinstance(ask, One):
        return db.execute(sql, ask.values).fetchall()
    return [row for values in ask.values for row in db.execute(sql, values).fetchall()]


def _checkpoint() -> Steps[bool]:
    """Whether somebody else was in the way."""
    found = yield One("PRAGMA wal_checkpoint(TRUNCATE)")
    return bool(found[0][0])
