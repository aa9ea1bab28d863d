"""The one thread that owns the journal's connection.

Durability: WAL with synchronous=NORMAL survives the death of the process (what was committed is in the kernel's page
cache), not of the machine; and a machine that dies takes its calls with it. A batch that holds a tool run is committed
with synchronous=FULL: what was done for a customer must outlive a power cut.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccaas.errors import CcaasError
from ccaas.journal.entries import Statement
from ccaas.journal.schema import MIGRATIONS

BATCH = 256
"""Most rows in one transaction."""
BUSY_S = 2.0
"""How long another process may hold the file's lock before a row is given up."""


# A row that SQLite or Python cannot encode, or an old row that no longer decodes, fails alone; the thread lives on.
_FAILURES = (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError)


class JournalError(CcaasError):
    """The journal could not be opened, or a row could not be stored; calls go on."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Job:
    """Rows to store, or a question to answer, and whom to tell."""

    statements: tuple[Statement, ...]
    durable: bool
    """Must survive a power cut."""
    ask: Callable[[sqlite3.Connection], Any] | None
    tell: Callable[[Any, JournalError | None], None]
    """Called in the writer's thread with the answer, or the error."""


class Writer(threading.Thread):
    """Stores jobs in order, many to a transaction."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="journal", daemon=True)
        self._path = path
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._full = False

    def put(self, job: Job) -> None:
        """Queue a job. Never blocks."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End the thread when all that was queued is stored."""
        self._jobs.put(None)

    def open(self) -> sqlite3.Connection:
        """Open the file, make or update its tables. Raises JournalError."""
        db = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            db.execute("PRAGMA synchronous = NORMAL")
            _migrate(db, self._path)
        except (sqlite3.Error, OSError) as error:
            if db is not None:
                db.close()
            raise _explained(error, self._path) from error
        except JournalError:
            assert db is not None
            db.close()
            raise
        self._db = db
        return db

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
        rows = [job for job in batch if job.statements]
        try:
            self._store(rows)
        except _FAILURES as error:
            if len(rows) == 1:
                rows[0].tell(None, _explained(error, self._path))
            else:
                # One bad row must not take its neighbours with it.
                for job in rows:
                    self._handle([job])
        else:
            for job in rows:
                job.tell(None, None)
        for job in batch:
            if job.ask is not None:
                try:
                    answer = job.ask(self._db)
                except _FAILURES as error:
                    job.tell(None, _explained(error, self._path))
                else:
                    job.tell(answer, None)

    def _store(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        full = any(job.durable for job in jobs)
        if full != self._full:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._full = full
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                for sql, parameters in job.statements:
                    self._db.execute(sql, parameters)
            self._db.execute("COMMIT")
        except _FAILURES:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT")
    (version,) = db.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
    if version > len(MIGRATIONS):
        raise JournalError(
            f"{path}: the journal was written by a newer version (schema {version}, this one knows {len(MIGRATIONS)});"
            " install that version again, or move the file away"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN;{script};INSERT INTO migrations VALUES ({number}, {time.time()});COMMIT;")


def _explained(error: Exception, path: Path) -> JournalError:
    text = str(error)
    if "full" in text or "No space" in text:
        return JournalError(f"{path}: the disk is full, so the journal cannot be written; free some space")
    if "locked" in text or "busy" in text:
        return JournalError(f"{path}: the journal is locked by another process; end that process, or wait for it")
    if "malformed" in text or "not a database" in text:
        return JournalError(
            f"{path}: the journal is corrupt; stop, move the file away, and start again with an empty one"
        )
    if "readonly" in text or "unable to open" in text or "Permission" in text:
        return JournalError(f"{path}: the journal cannot be written here; give its folder write permission")
    return JournalError(f"{path}: the journal failed ({text}); look at the disk, and move the file away if it persists")
