"""The file of accounts: who there is, who is signed in, and who did what. Every method may be called from any thread."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ccaas.errors import AccountError
from ccaas.ports.accounts import Account, Role
from ccaas.sqlite import SqliteFile
from ccaas.web.accounts.passwords import fits, hashed

FILE = "accounts.sqlite"
"""Name within the state folder."""
RESERVED = ("butler", "customer", "agent", "system")
"""Words that stand for others where logins stand."""

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_MIGRATIONS = (
    """
    CREATE TABLE accounts (
        login TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash TEXT NOT NULL,
        disabled INTEGER NOT NULL DEFAULT 0, made_at REAL NOT NULL) STRICT;
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY, login TEXT NOT NULL, csrf TEXT NOT NULL, began REAL NOT NULL, until REAL NOT NULL,
        address TEXT NOT NULL) STRICT;
    CREATE INDEX sessions_of ON sessions (login);
    CREATE TABLE deeds (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, login TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL,
        detail TEXT NOT NULL, address TEXT NOT NULL) STRICT
    """,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """An account, as the command line lists it."""

    account: Account
    disabled: bool
    sessions: int
    """How many browsers are signed in."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did."""

    at: float
    """Unix seconds."""
    login: str
    """Who; "command line" for what was done there."""
    what: str
    """"signed in", "state", "transfer", …"""
    about: str = ""
    """A conversation, a login, a customer."""
    detail: str = ""
    address: str = ""
    """From where."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that is signed in."""

    account: Account
    csrf: str
    until: float
    """Unix seconds."""


class AccountBook:
    """All methods raise AccountError when the file cannot be used."""

    def __init__(self, state_dir: Path, now: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(
            state_dir / FILE, "file of accounts", _MIGRATIONS, AccountError, ("secure_delete = ON",)
        )
        self._now = now
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db is None:
                self._db = self._file.open()
                self._file.path.chmod(0o600)
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._file.explained(error) from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    # — accounts —

    def add(self, login: str, role: Role, password: str, name: str = "") -> Account:
        """A new account. Raises AccountError for a login that is taken or none, and for a password of the wrong length."""
        if not _LOGIN.fullmatch(login) or login in RESERVED:
            raise AccountError(
                f"{login} is no login; it begins with a small letter and has letters, digits, dots and dashes, 32 at most"
            )
        account = Account(login, name or login.capitalize(), role)
        kept = hashed(password)
        with self._opened() as db:
            if db.execute("SELECT 1 FROM accounts WHERE login = ?", (login,)).fetchone():
                raise AccountError(
                    f"there is an account {login} already; `ccaas user passwd {login}` changes its password"
                )
            db.execute(
                "INSERT INTO accounts (login, name, role, hash, made_at) VALUES (?, ?, ?, ?, ?)",
                (login, account.name, role.value, kept, self._now()),
            )
        return account

    def set_password(self, login: str, password: str) -> None:
        """Change a password, and sign out everywhere. Raises AccountError."""
        kept = hashed(password)
        self._change(login, "hash", kept)

    def set_disabled(self, login: str, disabled: bool) -> None:
        """Forbid or allow an account; who is forbidden is signed out everywhere. Raises AccountError."""
        self._change(login, "disabled", int(disabled))

    def _change(self, login: str, column: str, value: str | int) -> None:
        with self._opened() as db:
            done = db.execute(f"UPDATE accounts SET {column} = ? WHERE login = ?", (value, login))
            if not done.rowcount:
                raise AccountError(f"there is no account {login}; `ccaas user list` shows those that there are")
            db.execute("DELETE FROM sessions WHERE login = ?", (login,))

    def find(self, login: str) -> Account | None:
        """An account that may be used."""
        with self._opened() as db:
            row = db.execute("SELECT * FROM accounts WHERE login = ? AND NOT disabled", (login,)).fetchone()
        return _account(row) if row else None

    def authenticate(self, login: str, password: str) -> Account | None:
        """`Accounts.authenticate`."""
        with self._opened() as db:
            row = db.execute("SELECT * FROM accounts WHERE login = ? AND NOT disabled", (login,)).fetchone()
        return _account(row) if fits(password, row["hash"] if row else None) else None

    def listed(self) -> list[Listed]:
        """All accounts."""
        with self._opened() as db:
            rows = db.execute(
                "SELECT a.*, (SELECT count(*) FROM sessions s WHERE s.login = a.login AND s.until > ?) AS open"
                " FROM accounts a ORDER BY login",
                (self._now(),),
            ).fetchall()
        return [Listed(_account(row), bool(row["disabled"]), row["open"]) for row in rows]

    # — sessions —

    def begin(self, session_id: str, login: str, csrf: str, hours: float, address: str) -> None:
        """Keep a session; those that are over are deleted."""
        now = self._now()
        with self._opened() as db:
            db.execute("DELETE FROM sessions WHERE until <= ?", (now,))
            values = (session_id, login, csrf, now, now + hours * 3600, address)
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", values)

    def session(self, session_id: str) -> SessionRow | None:
        """A session that is not over, of an account that may be used."""
        with self._opened() as db:
            row = db.execute(
                "SELECT a.*, s.csrf, s.until FROM sessions s JOIN accounts a USING (login)"
                " WHERE s.id = ? AND s.until > ? AND NOT a.disabled",
                (session_id, self._now()),
            ).fetchone()
        return SessionRow(_account(row), row["csrf"], row["until"]) if row else None

    def alive(self, session_ids: set[str]) -> set[str]:
        """Which of them are not over."""
        with self._opened() as db:
            rows = db.execute("SELECT id FROM sessions WHERE until > ?", (self._now(),)).fetchall()
        return session_ids & {row["id"] for row in rows}

    def end(self, session_id: str) -> None:
        """Sign one browser out."""
        with self._opened() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

    def end_all(self, login: str) -> None:
        """Sign a login out everywhere."""
        with self._opened() as db:
            db.execute("DELETE FROM sessions WHERE login = ?", (login,))

    # — the audit —

    def note(self, login: str, what: str, about: str = "", detail: str = "", address: str = "") -> None:
        """Keep what somebody did."""
        with self._opened() as db:
            db.execute(
                "INSERT INTO deeds (at, login, what, about, detail, address) VALUES (?, ?, ?, ?, ?, ?)",
                (self._now(), login, what, about, detail[:500], address),
            )

    def deeds(self, limit: int = 100, login: str = "") -> list[Deed]:
        """The newest, newest first; of one login, or of all."""
        with self._opened() as db:
            rows = db.execute(
                "SELECT at, login, what, about, detail, address FROM deeds WHERE ? IN ('', login) ORDER BY id DESC LIMIT ?",
                (login, limit),
            ).fetchall()
        return [Deed(*row) for row in rows]


def _account(row: sqlite3.Row) -> Account:
    return Account(row["login"], row["name"], Role(row["role"]))
