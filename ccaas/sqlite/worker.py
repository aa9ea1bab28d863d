"""A thread that owns one connection to a SQLite file and does jobs in order, many changes to a transaction.

Durability: WAL with synchronous=NORMAL survives the death of the process (what was committed is in the kernel's page
cache), not of the machine. A batch that holds a durable job is committed with synchronous=FULL: it is on the disk when
its jobs are told, and outlives a power cut.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ccaas.errors import CcaasError
from ccaas.sqlite.file import SqliteFile

T = TypeVar("T")

BATCH = 256
"""Most jobs in one transaction."""

# A row that SQLite or Python cannot encode, or an old row that no longer decodes, fails alone; the thread lives on.
_FAILURES = (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError, CcaasError)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do with the connection, and whom to tell."""

    work: Callable[[sqlite3.Connection], Any]
    """Done again, alone, when a neighbour in its transaction fails."""
    writes: bool
    """Done within a transaction; what only reads is done after the changes that were queued with it."""
    durable: bool
    """Must survive a power cut."""
    tell: Callable[[Any, CcaasError | None], None]
    """Called in the worker's thread with the answer, or the error."""


class Worker(threading.Thread):
    """Does jobs in order, many to a transaction."""

    def __init__(self, file: SqliteFile, name: str = "") -> None:
        """`name` of the thread: the file's, unless there are several."""
        super().__init__(name=name or file.name, daemon=True)
        self._file = file
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._full = False

    def put(self, job: Job) -> None:
        """Queue a job. Never blocks."""
        self._jobs.put(job)

    async def ask(self, work: Callable[[sqlite3.Connection], T], *, writes: bool, durable: bool = True) -> T:
        """What a job of the event loop's comes to; a change is done though nobody waits for it any more. Raises the file's
        error, or what `work` raises of ours."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(answer: Any, error: CcaasError | None) -> None:
            if not future.done():
                future.set_result(answer) if error is None else future.set_exception(error)

        def tell(answer: Any, error: CcaasError | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, answer, error)

        self.put(Job(work, writes=writes, durable=writes and durable, tell=tell))
        return await future

    def stop(self) -> None:
        """End the thread when all that was queued is done."""
        self._jobs.put(None)

    def open(self) -> None:
        """Open the file before the thread starts. Raises the file's error."""
        self._db = self._file.open()

    def run(self) -> None:
        """The thread."""
        going = True
        while going:
            batch: list[Job] = []
            job = self._jobs.get()
            while job is not None:
                batch.append(job)
                if len(batch) >= BATCH or self._jobs.empty():
                    break
                job = self._jobs.get()
            going = job is not None
            if batch:
                self._handle(batch)
        self._db.close()

    def _handle(self, batch: Sequence[Job]) -> None:
        changes = [job for job in batch if job.writes]
        try:
            answers = self._change(changes)
        except _FAILURES as error:
            if len(changes) == 1:
                changes[0].tell(None, self._file.explained(error))
            else:
                # One bad row must not take its neighbours with it.
                for job in changes:
                    self._handle([job])
        else:
            for job, answer in zip(changes, answers, strict=True):
                job.tell(answer, None)
        for job in batch:
            if not job.writes:
                try:
                    answer = job.work(self._db)
                except _FAILURES as error:
                    job.tell(None, self._file.explained(error))
                else:
                    job.tell(answer, None)

    def _change(self, jobs: Sequence[Job]) -> list[Any]:
        if not jobs:
            return []
        full = any(job.durable for job in jobs)
        if full != self._full:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._full = full
        self._db.execute("BEGIN IMMEDIATE")
        try:
            answers = [job.work(self._db) for job in jobs]
            self._db.execute("COMMIT")
        except _FAILURES:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return answers
