"""Erases a person from the lists of writes, beside a controller that may have them open, or without one.

An answered write of theirs is deleted. Of one without an answer the bare key stays, a hash that names nobody: were it gone, a call
that goes on could send the write a second time. Answers of which it is not known whose they are (an earlier version kept no owner)
are emptied, whoever is erased: should such a write be asked for again, it counts as not answered.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ccaas.declared.keys import file_of
from ccaas.errors import SetupError
from ccaas.ports.journey import IdentityKind, Traces

CHECKPOINT_S = 2.0


def erase(state_dir: Path, plugin: str, traces: Traces) -> None:
    """Erase a person from all lists of a plug-in, also of systems that the YAML no longer names.

    Raises:
        SetupError: names each list that could not be done; the others are. Do it again.
    """
    failed: list[str] = []
    for path in sorted(state_dir.glob(f"{plugin}-{'[0-9a-f]' * 8}.sqlite")):
        try:
            _erase(path, traces)
        except SetupError as error:
            failed.append(str(error))
    if failed:
        raise SetupError(". ".join(failed))


def _erase(path: Path, traces: Traces) -> None:
    file = file_of(path)
    customers = [*traces.customers, *(one.value for one in traces.identities if one.kind is IdentityKind.RECORD)]
    owners = (("conversation", traces.conversations), ("customer", customers))
    try:
        with closing(file.open()) as db:
            db.execute("BEGIN IMMEDIATE")
            for column, names in owners:
                values = [(name,) for name in names if name]
                db.executemany(f"DELETE FROM sent WHERE {column} = ? AND result IS NOT NULL", values)
                db.executemany(f"UPDATE sent SET conversation = '', customer = '' WHERE {column} = ?", values)
            db.execute("UPDATE sent SET result = NULL WHERE conversation = '' AND customer = ''")
            db.execute("COMMIT")
            _empty_log(db, path)
    except sqlite3.Error as error:
        raise file.explained(error) from error


def _empty_log(db: sqlite3.Connection, path: Path) -> None:
    """What was deleted stands in the write-ahead log too; a reader may be in the way for a moment."""
    limit = time.monotonic() + CHECKPOINT_S
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > limit:
            raise SetupError(f"{path}: its write-ahead log could not be emptied while others read; do it again")
        time.sleep(0.05)
