"""The incident ledger in a SQLite file of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from ccaas.scorecard.incidents.port import Attempt, Incident, Resolution
from ccaas.scorecard.settings import ScorecardError
from ccaas.sqlite import SqliteFile, Worker

FILE = "incidents.sqlite"
"""Its name within the state folder."""

MIGRATIONS = (
    """
    CREATE TABLE incidents (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        at REAL NOT NULL,
        resolution TEXT,
        by TEXT,
        closed REAL
    ) STRICT;
    CREATE INDEX incidents_by_time ON incidents (at);
    CREATE INDEX incidents_by_customer ON incidents (customer_id);
    CREATE TABLE attempts (
        id TEXT PRIMARY KEY,
        incident_id TEXT NOT NULL REFERENCES incidents (id),
        channel TEXT NOT NULL,
        at REAL NOT NULL,
        outcome TEXT NOT NULL,
        conversation_id TEXT NOT NULL
    ) STRICT;
    CREATE INDEX attempts_by_incident ON attempts (incident_id);
    CREATE TABLE inbound (
        incident_id TEXT NOT NULL REFERENCES incidents (id),
        conversation_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (incident_id, conversation_id)
    ) STRICT, WITHOUT ROWID;
    """,
)
"""A change is a new entry at the end, never an edit of an old one."""


def _file_of(path: Path) -> SqliteFile:
    return SqliteFile(path, "incident ledger", MIGRATIONS, ScorecardError, ("foreign_keys = ON", "secure_delete = ON"))


def forget(path: Path, people: Collection[str]) -> None:
    """Keep what happened to people and no longer that it was they, nor in which conversations; beside a controller, too.

    `people`: under all the names that they may stand under. Raises ScorecardError; then nothing was changed.
    """
    if not path.exists():
        return
    file = _file_of(path)
    theirs = f"incident_id IN (SELECT id FROM incidents WHERE customer_id IN ({', '.join('?' * len(people))}))"
    names = tuple(people)
    try:
        with closing(file.open()) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"UPDATE attempts SET conversation_id = '' WHERE {theirs}", names)
            # A contact counts by its key, so it keeps one that leads nowhere.
            db.execute(f"UPDATE inbound SET conversation_id = 'gone-' || hex(randomblob(8)) WHERE {theirs}", names)
            db.executemany("UPDATE incidents SET customer_id = '' WHERE customer_id = ?", [(name,) for name in names])
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise file.explained(error) from error


class SqliteIncidents:
    """`IncidentLedger`. Open with `await SqliteIncidents.start(path)`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._shut = False

    @classmethod
    async def start(cls, path: Path) -> SqliteIncidents:
        """Open or make the file. Raises ScorecardError."""
        worker = Worker(_file_of(path))
        await asyncio.to_thread(worker.open)
        worker.start()
        return cls(worker)

    async def open(self, incident: Incident) -> None:
        await self._do(
            "INSERT INTO incidents (id, kind, customer_id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (incident.id, incident.kind, incident.customer_id, incident.at),
        )

    async def attempted(self, attempt: Attempt) -> None:
        await self._do(
            "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, conversation_id = excluded.conversation_id",
            (
                attempt.id,
                attempt.incident_id,
                attempt.channel,
                attempt.at,
                attempt.outcome,
                attempt.conversation_id,
            ),
        )

    async def contacted(self, incident_id: str, conversation_id: str, channel: str, at: float) -> None:
        await self._do(
            "INSERT INTO inbound VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (incident_id, conversation_id, channel, at),
        )

    async def close(self, incident_id: str, resolution: Resolution, by: str, at: float) -> None:
        await self._do(
            "UPDATE incidents SET resolution = ?, by = ?, closed = ? WHERE id = ? AND closed IS NULL",
            (resolution.value, by, at, incident_id),
        )

    async def shut(self) -> None:
        if not self._shut:
            self._shut = True
            self._worker.stop()
            await asyncio.to_thread(self._worker.join)

    async def _do(self, sql: str, values: tuple[object, ...]) -> None:
        if self._shut:
            raise ScorecardError("the incident ledger is closed; nothing more can be stored in it")

        def work(db: sqlite3.Connection) -> None:
            db.execute(sql, values)

        await self._worker.ask(work, writes=True)
