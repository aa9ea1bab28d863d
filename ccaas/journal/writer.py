"""What the journal's one thread is given to do: rows to store, or a question.

Durability: what was committed survives the death of the process, not of the machine; and a machine that dies takes its
calls with it. A batch that holds a tool run is on the disk: what was done for a customer must outlive a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ccaas.errors import CcaasError
from ccaas.journal.entries import Statement
from ccaas.journal.schema import MIGRATIONS
from ccaas.sqlite import Job, SqliteFile, Worker

Tell = Callable[[Any, CcaasError | None], None]


class JournalError(CcaasError):
    """The journal could not be opened, or a row could not be stored; calls go on."""

    exit_code = 2


def file_of(path: Path) -> SqliteFile:
    """The journal's file."""
    # Old versions of a row are overwritten too, so that an erasure need look at no free page.
    return SqliteFile(path, "journal", MIGRATIONS, JournalError, ("secure_delete = ON",))


def writer(path: Path) -> Worker:
    """The thread that owns the journal's connection, not yet open."""
    return Worker(file_of(path))


def storing(statements: tuple[Statement, ...], durable: bool, tell: Tell) -> Job:
    """A job that stores rows; `durable`: they must survive a power cut."""

    def work(db: sqlite3.Connection) -> None:
        for sql, parameters in statements:
            db.execute(sql, parameters)

    return Job(work, writes=True, durable=durable, tell=tell)


def asking(ask: Callable[[sqlite3.Connection], Any], tell: Tell) -> Job:
    """A job that answers a question."""
    return Job(ask, writes=False, durable=False, tell=tell)
