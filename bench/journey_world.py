"""Journeys to measure with: customers and their facts as calls and messages would have left them, loaded in bulk.

Facts come conversation by conversation in the order of time, so that a customer's rows lie scattered as in real life;
indices are made behind the rows, and briefs by the store's own code.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from ccaas.journey import rows
from ccaas.journey.brief import ALL, renew
from ccaas.journey.database import Database
from ccaas.journey.postgres import PostgresDatabase
from ccaas.journey.schema import for_postgres, for_sqlite
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.ports.journey import Fact, FactKind, Profile, Thread, ThreadState

TURNS = 4
"""Turns of a conversation; each is two facts, and there are two more: that it began, and what was wanted."""
TOGETHER = 20_000
"""Rows that are loaded at once."""
BRIEFS = 500
BEGAN = 1_600_000_000.0
SECONDS = 150_000_000.0
"""The world's first conversation (Unix seconds), and how long it goes on."""

Rows = Iterator[tuple[object, ...]]
Progress = Callable[[int], None]

_SAID = (
    "I'd like to change my flight to Friday morning, please",
    "yes",
    "Sure. The flight at nine fifteen has two seats left; shall I take it?",
    "the second one, and could you put my bag on it as well",
    "That is done. You will get a message with the new times in a minute.",
)


@dataclass(frozen=True, slots=True)
class World:
    """What there is; the same numbers make the same rows."""

    customers: int
    facts: int

    @property
    def conversations(self) -> int:
        """How many; a customer has none, some or many."""
        return self.facts // (2 + 2 * TURNS)

    @property
    def rows(self) -> int:
        """All rows that are loaded, for a progress bar."""
        return self.facts + self.customers * 31 // 6

    def id(self, number: int) -> str:
        """A customer's id."""
        return f"c-{number:016x}"

    def customer_rows(self) -> Rows:
        """`customers`."""
        zones = ("America/New_York", "America/Chicago", "America/Los_Angeles")
        for number in range(self.customers):
            id_ = self.id(number)
            profile = Profile(
                id_, f"First{number}", f"Last{number}", ("", "silver", "gold")[number % 3], number, zones[number % 3]
            )
            yield id_, "", id_, rows.profile_text(profile), ""

    def identity_rows(self) -> Rows:
        """`identities`: everybody has a number, a third an e-mail address."""
        for number in range(self.customers):
            yield "phone", f"+1{2_000_000_000 + number}", self.id(number)
            if number % 3 == 0:
                yield "email", f"person{number}@example.com", self.id(number)

    def thread_rows(self) -> Rows:
        """`threads`: a closed one for everybody, an open one for every third."""
        for number in range(self.customers):
            states = (ThreadState.CLOSED, ThreadState.OPEN) if number % 3 == 0 else (ThreadState.CLOSED,)
            for state in states:
                snapshot = {"flow": "change", "turns": [{"said": said} for said in _SAID]}
                thread = Thread(
                    f"t-{number}-{state.value}",
                    self.id(number),
                    "change_flight",
                    "the change of flight",
                    state,
                    "voice",
                    BEGAN,
                    BEGAN + number,
                    ("date",),
                    {"to": "SEA"},
                    "it was changed" if state is ThreadState.CLOSED else "",
                    "flows",
                    snapshot if state is ThreadState.OPEN else None,
                )
                yield (
                    thread.id,
                    thread.customer_id,
                    state.value,
                    thread.updated_at,
                    msgspec.json.encode(thread).decode(),
                )

    def consent_rows(self) -> Rows:
        """`consents`: half have said something."""
        for number in range(0, self.customers, 2):
            yield self.id(number), "sms", "marketing", number % 4 // 2, BEGAN, "form"

    def fact_rows(self) -> Rows:
        """`facts`, as `rows.FACT_COLUMNS`; every tenth conversation leaves a promise, half of which is kept."""
        chance = random.Random(7)
        step = SECONDS / max(1, self.conversations)
        for number in range(self.conversations):
            customer = self.id(chance.randrange(self.customers))
            channel = ("voice", "voice", "sms", "chat")[number % 4]
            for fact in _conversation(f"20260301{number:010}", customer, BEGAN + number * step, channel, number):
                yield rows.fact_values(fact, customer)


def _conversation(id_: str, customer: str, at: float, channel: str, number: int) -> Iterator[Fact]:
    def fact(place: int, kind: FactKind, text: str, source: str, **data: Any) -> Fact:
        recording = f"recordings/{id_}.wav#t={place * 3.5:.1f}" if channel == "voice" else ""
        where: dict[str, Any] = {"conversation_id": id_, "turn_id": f"{id_}-{place // 2}", "recording": recording}
        return Fact(f"{id_}-{place}", customer, at + place, kind, channel, text, source, data=data, **where)

    yield fact(0, FactKind.CONTACTED, "", "customer")
    for place in range(1, 2 * TURNS + 1):
        yield fact(place, FactKind.SAID, _SAID[(number + place) % len(_SAID)], ("agent", "customer")[place % 2])
    last = 2 * TURNS + 1
    match number % 20:
        case 0:
            yield fact(last, FactKind.PROMISED, "a call back by Friday", "agent", due=at + 86_400)
        case 10:
            yield fact(last, FactKind.PROMISED, "a refund", "agent", due=at + 86_400)
        case 11:
            yield fact(
                last, FactKind.DONE, "refunded", "tool:refund", tool="refund", key="k", promise=_before(number, last)
            )
        case _:
            yield fact(last, FactKind.ASKED, "change_flight", "customer")


def _before(number: int, last: int) -> str:
    """The promise that the conversation before this one has left."""
    return f"20260301{number - 1:010}-{last}"


_TABLES = {
    "customers": ("id, parent, root, profile, brief", World.customer_rows),
    "identities": ("kind, value, customer_id", World.identity_rows),
    "threads": ("id, customer_id, state, updated_at, body", World.thread_rows),
    "consents": ("customer_id, channel, purpose, granted, at, proof", World.consent_rows),
    "facts": (rows.FACT_COLUMNS, World.fact_rows),
}


def _statements(script: str, *, indices: bool) -> Iterator[str]:
    for statement in script.split(";"):
        if statement.strip().startswith("CREATE INDEX") == indices:
            yield statement


async def load_sqlite(world: World, file: Path, progress: Progress) -> None:
    """Make the file. Nothing waits for the disk until the end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("CREATE TABLE migrations (version INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT")
        for number, script in enumerate(for_sqlite(), 1):
            for statement in _statements(script, indices=False):
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, 0)", (number,))
        for table, (columns, made) in _TABLES.items():
            marks = ", ".join("?" * len(columns.split(", ")))
            found = made(world)
            while some := list(islice(found, TOGETHER)):
                db.execute("BEGIN")
                db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", some)
                db.execute("COMMIT")
                progress(len(some))
        for script in for_sqlite():
            for statement in _statements(script, indices=True):
                db.execute(statement)
    database = await SqliteDatabase.open(file)
    await _briefs(world, database, progress)
    await database.close()


async def load_postgres(world: World, url: str, password: str, progress: Progress) -> None:
    """Fill an empty database."""
    settings = {"search_path": "journey"}
    connection = await asyncpg.connect(url, password=password, server_settings=settings, command_timeout=None)
    await connection.execute("CREATE SCHEMA journey; SET session_replication_role = replica")
    await connection.execute("CREATE TABLE migrations (version BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL)")
    for number, script in enumerate(for_postgres(), 1):
        for statement in _statements(script, indices=False):
            await connection.execute(statement)
        await connection.execute("INSERT INTO migrations VALUES ($1, 0)", number)
    for table, (columns, made) in _TABLES.items():
        found = made(world)
        while some := list(islice(found, TOGETHER)):
            await connection.copy_records_to_table(table, records=some, columns=columns.split(", "))
            progress(len(some))
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for script in for_postgres():
        for statement in _statements(script, indices=True):
            await connection.execute(statement)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    database = await PostgresDatabase.open(url, password)
    await _briefs(world, database, progress)
    await database.scour()
    await database.close()


async def _briefs(world: World, database: Database, progress: Progress) -> None:
    for first in range(0, world.customers, BRIEFS):
        some = {world.id(number): ALL for number in range(first, min(first + BRIEFS, world.customers))}
        await database.write(lambda some=some: renew(some))  # type: ignore[misc]
        progress(len(some))
