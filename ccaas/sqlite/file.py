"""A SQLite file: opened in WAL mode, its tables brought up to date, and what went wrong said in one sentence."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from ccaas.errors import CcaasError

BUSY_S = 2.0
"""How long another process may hold the file's lock before a change is given up."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """Where it lies, what is in it, and how its failures are named."""

    path: Path
    name: str
    """As sentences call it: "journal"."""
    migrations: tuple[str, ...]
    """Scripts in order; a change is a new one at the end, never an edit of an old one."""
    error: type[CcaasError]
    """What is raised, with one sentence."""
    pragmas: tuple[str, ...] = ()
    """Further settings of each connection: "secure_delete = ON"."""

    def open(self) -> sqlite3.Connection:
        """Open the file, make or update its tables. Raises the file's error."""
        db = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            db.execute("PRAGMA synchronous = NORMAL")
            for pragma in self.pragmas:
                db.execute(f"PRAGMA {pragma}").fetchone()
            self._migrate(db)
        except (sqlite3.Error, OSError) as error:
            if db is not None:
                db.close()
            raise self.explained(error) from error
        except CcaasError:
            assert db is not None
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT")
        if self._version(db) == len(self.migrations):
            return
        # Another process may be doing the same: the version is looked at again under the lock.
        db.execute("BEGIN IMMEDIATE")
        try:
            for number, script in enumerate(self.migrations[self._version(db) :], start=self._version(db) + 1):
                for statement in script.split(";"):
                    db.execute(statement)
                db.execute("INSERT INTO migrations VALUES (?, ?)", (number, time.time()))
            db.execute("COMMIT")
        except (sqlite3.Error, CcaasError):
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _version(self, db: sqlite3.Connection) -> int:
        (version,) = db.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
        known = len(self.migrations)
        if version > known:
            raise self.error(
                f"{self.path}: the {self.name} was written by a newer version (schema {version}, this one knows {known});"
                " install that version again, or move the file away"
            )
        return int(version)

    def explained(self, error: Exception) -> CcaasError:
        """The file's error for what SQLite or the disk said, which is its cause; its own errors pass as they are."""
        if isinstance(error, self.error):
            return error
        explained = self._sentence(str(error))
        explained.__cause__ = error
        return explained

    def _sentence(self, text: str) -> CcaasError:
        path, name = self.path, self.name
        if "full" in text or "No space" in text:
            return self.error(f"{path}: the disk is full, so the {name} cannot be written; free some space")
        if "locked" in text or "busy" in text:
            return self.error(f"{path}: the {name} is locked by another process; end that process, or wait for it")
        if "malformed" in text or "not a database" in text:
            return self.error(
                f"{path}: the {name} is corrupt; stop, move the file away, and start again with an empty one"
            )
        if "File exists" in text or "Not a directory" in text:
            return self.error(f"{path}: the {name} cannot be made, since its folder is none; name another folder")
        if "readonly" in text or "unable to open" in text or "Permission" in text:
            return self.error(f"{path}: the {name} cannot be written here; give its folder write permission")
        return self.error(
            f"{path}: the {name} failed ({text}); look at the disk, and move the file away if it persists"
        )
