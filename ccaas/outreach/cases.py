"""One customer's part of a play: its states as one table, and how it is kept. All functions run inside a transaction.

A case waits as a row: days of it cost nothing, and a restart finds it where it stood.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class CaseState(Enum):
    """Where a case stands."""

    NEW = "new"
    HELD = "held"
    """Something is held, and nobody was told of it yet."""
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"
    """Nobody answered in time."""
    PERSON = "person"
    """They want a person. What is held stays held until the case is due: they, or the person, may still take it."""
    UNREACHED = "unreached"
    """No channel led to them, or the gate forbade all."""
    NOTHING = "nothing"
    """There was nothing to offer."""


NEXT: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.NEW: frozenset({CaseState.HELD, CaseState.NOTHING}),
    CaseState.HELD: frozenset(
        {
            CaseState.OFFERED,
            CaseState.CONFIRMED,
            CaseState.DECLINED,
            CaseState.EXPIRED,
            CaseState.PERSON,
            CaseState.UNREACHED,
        }
    ),
    CaseState.OFFERED: frozenset(
        {CaseState.CONFIRMED, CaseState.DECLINED, CaseState.EXPIRED, CaseState.PERSON, CaseState.UNREACHED}
    ),
    CaseState.PERSON: frozenset({CaseState.CONFIRMED, CaseState.DECLINED}),
}
"""What may follow what; a state that is not here is final."""
OPEN = frozenset({CaseState.NEW, CaseState.HELD, CaseState.OFFERED})
"""Who is in one of these has given no answer."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is kept."""

    case_id: str
    """ "<event>:<number>"."""
    event_id: str
    number: int
    """Its place in the play: the highest tier first."""
    record_id: str
    """The system of record's key of the customer."""
    customer_id: str
    """The journey's; empty until the case has begun."""
    tier: str
    state: CaseState
    facts: Mapping[str, Any]
    """What earlier steps gave, by their names."""
    hold_id: str
    due: float | None
    """When the wait is over (Unix seconds)."""
    channel: str
    """Where it was offered."""
    tried: tuple[str, ...]
    """Channels that were used."""
    outcome: str
    at: float

    @property
    def answerable(self) -> bool:
        """Whether a yes or a no still counts."""
        return self.state in OPEN or (self.state is CaseState.PERSON and self.due is not None)


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One thing that was done."""

    step: str
    words: str
    at: float
    took_ms: float


def adding(
    event_id: str, customers: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> Callable[[sqlite3.Connection], int]:
    """Keep all cases of an event, in this order: record, tier, facts of each. Again, nothing changes."""
    now = time.time()

    def work(db: sqlite3.Connection) -> int:
        db.executemany(
            "INSERT INTO cases VALUES (?, ?, ?, ?, '', ?, 'new', ?, '', NULL, '', '', '', ?) ON CONFLICT DO NOTHING",
            [
                (f"{event_id}:{number}", event_id, number, record, tier, json.dumps(facts), now)
                for number, (record, tier, facts) in enumerate(customers)
            ],
        )
        return len(customers)

    return work


def moving(
    case_id: str, states: Iterable[CaseState], to: CaseState, **more: object
) -> Callable[[sqlite3.Connection], bool]:
    """Compare and set: False when the case is in none of `states`, or may not go there; nothing is changed then. Out of the open
    states nothing is due any more, unless `more` says when."""
    come_from = [one for one in states if to in NEXT.get(one, ())]

    def work(db: sqlite3.Connection) -> bool:
        sets = {"state": to.value, **({} if to in OPEN else {"due": None}), **more}
        marks = ", ".join("?" for _ in come_from)
        changed = db.execute(
            f"UPDATE cases SET {', '.join(f'{name} = ?' for name in sets)} WHERE case_id = ? AND state IN ({marks})",
            (*sets.values(), case_id, *(one.value for one in come_from)),
        ).rowcount
        return changed == 1

    return work


def setting(case_id: str, **values: object) -> Callable[[sqlite3.Connection], None]:
    """Change what is no state."""

    def work(db: sqlite3.Connection) -> None:
        sets = ", ".join(f"{name} = ?" for name in values)
        db.execute(f"UPDATE cases SET {sets} WHERE case_id = ?", (*values.values(), case_id))

    return work


def trying(case_id: str, channel: str) -> Callable[[sqlite3.Connection], None]:
    """Keep that a channel was used."""

    def work(db: sqlite3.Connection) -> None:
        tried = "CASE tried WHEN '' THEN :channel ELSE tried || ' ' || :channel END"
        db.execute(
            f"UPDATE cases SET tried = {tried} WHERE case_id = :case"
            " AND ' ' || tried || ' ' NOT LIKE '% ' || :channel || ' %'",
            {"case": case_id, "channel": channel},
        )

    return work


def offering(case_id: str, channel: str) -> Callable[[sqlite3.Connection], bool]:
    """Keep that it was offered there, in one step with the state: cut off in between, it would pass for not reached."""
    offered = moving(case_id, [CaseState.HELD], CaseState.OFFERED)

    def work(db: sqlite3.Connection) -> bool:
        trying(case_id, channel)(db)
        return offered(db)

    return work


def noting(case_id: str, step: str, words: str, took_ms: float = 0.0) -> Callable[[sqlite3.Connection], None]:
    """Keep that a step was done; the first time counts."""
    at = time.time()

    def work(db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT INTO case_steps (case_id, step, words, at, took_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (case_id, step, words, at, took_ms),
        )

    return work


def one(case_id: str) -> Callable[[sqlite3.Connection], Case | None]:
    """A case, or None."""

    def ask(db: sqlite3.Connection) -> Case | None:
        row = db.execute("SELECT * FROM cases WHERE case_id = ?", (case_id,)).fetchone()
        return None if row is None else _case(row)

    return ask


def batch(event_id: str, first: int, count: int) -> Callable[[sqlite3.Connection], tuple[Case, ...]]:
    """Cases of an event by their numbers."""

    def ask(db: sqlite3.Connection) -> tuple[Case, ...]:
        rows = db.execute(
            "SELECT * FROM cases WHERE event_id = ? AND number >= ? AND number < ? ORDER BY number",
            (event_id, first, first + count),
        )
        return tuple(_case(row) for row in rows)

    return ask


def unbegun(event_id: str) -> Callable[[sqlite3.Connection], int]:
    """How many customers of an event have been told nothing yet, and should be."""

    def ask(db: sqlite3.Connection) -> int:
        sql = "SELECT count(*) FROM cases WHERE event_id = ? AND state IN ('new', 'held')"
        return int(db.execute(sql, (event_id,)).fetchone()[0])

    return ask


def due(now: float, limit: int) -> Callable[[sqlite3.Connection], tuple[str, ...]]:
    """Cases whose wait is over."""

    def ask(db: sqlite3.Connection) -> tuple[str, ...]:
        rows = db.execute("SELECT case_id FROM cases WHERE due <= ? ORDER BY due LIMIT ?", (now, limit))
        return tuple(row["case_id"] for row in rows)

    return ask


def offered_by(channel: str) -> Callable[[sqlite3.Connection], tuple[Case, ...]]:
    """Cases that wait for an answer on this channel, or were cut off while they were offered by it."""

    def ask(db: sqlite3.Connection) -> tuple[Case, ...]:
        rows = db.execute(
            "SELECT * FROM cases WHERE due IS NOT NULL AND state IN ('held', 'offered') AND channel = ?", (channel,)
        )
        return tuple(_case(row) for row in rows)

    return ask


def last_over(customers: Sequence[str], after: float) -> Callable[[sqlite3.Connection], Case | None]:
    """The offer of a customer (any of their ids) that was over last, since `after`; None where there is none, or where one of
    theirs still waits for an answer."""

    def ask(db: sqlite3.Connection) -> Case | None:
        marks = ", ".join("?" for _ in customers)
        theirs = f"(customer_id IN ({marks}) OR record_id IN ({marks}))"
        if db.execute(f"SELECT 1 FROM cases WHERE {theirs} AND due IS NOT NULL", (*customers, *customers)).fetchone():
            return None
        row = db.execute(
            f"SELECT cases.* FROM cases JOIN case_steps USING (case_id) WHERE {theirs} AND step = 'ended'"
            " AND case_steps.at >= ? AND channel <> '' ORDER BY case_steps.at DESC LIMIT 1",
            (*customers, *customers, after),
        ).fetchone()
        return None if row is None else _case(row)

    return ask


def steps_of(case_id: str) -> Callable[[sqlite3.Connection], tuple[CaseStep, ...]]:
    """What was done in a case, in order."""

    def ask(db: sqlite3.Connection) -> tuple[CaseStep, ...]:
        rows = db.execute("SELECT step, words, at, took_ms FROM case_steps WHERE case_id = ? ORDER BY id", (case_id,))
        return tuple(CaseStep(**dict(row)) for row in rows)

    return ask


def names_of(db: sqlite3.Connection, people: Iterable[str]) -> set[str]:
    """Further names of a person whom we know by these: what their cases call them."""
    found: set[str] = set()
    for one in people:
        for row in db.execute("SELECT customer_id, record_id FROM cases WHERE ? IN (customer_id, record_id)", (one,)):
            found.update(row)
    return found - {""}


def cases_of(db: sqlite3.Connection, people: Iterable[str]) -> set[str]:
    """The ids of a person's cases, by any of the person's."""
    ask = "SELECT case_id FROM cases WHERE ? IN (customer_id, record_id)"
    return {row[0] for one in people for row in db.execute(ask, (one,))}


def forget(db: sqlite3.Connection, people: Iterable[str]) -> None:
    """Delete a person's cases, by any of their ids; what is held for them runs out by itself."""
    for customer in people:
        whose = "SELECT case_id FROM cases WHERE customer_id = ? OR record_id = ?"
        db.execute(f"DELETE FROM case_steps WHERE case_id IN ({whose})", (customer, customer))
        db.execute("DELETE FROM cases WHERE customer_id = ? OR record_id = ?", (customer, customer))


def about(event_id: str) -> Callable[[sqlite3.Connection], dict[str, Any] | None]:
    """An event with its data and the number of its customers; None where there is none of this id."""

    def ask(db: sqlite3.Connection) -> dict[str, Any] | None:
        row = db.execute(
            "SELECT event_id, type, play, source, body, at, begun, ended,"
            " (SELECT count(*) FROM cases WHERE cases.event_id = events.event_id) AS customers"
            " FROM events WHERE event_id = ?",
            (event_id,),
        ).fetchone()
        if row is None:
            return None
        found = dict(row)
        found["data"] = json.loads(found.pop("body"))
        return found

    return ask


def counted(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every event with its play, and how many cases stand where."""
    rows = db.execute(
        "SELECT events.event_id, type, play, source, events.at, begun, ended, state, count(case_id) AS cases FROM events"
        " LEFT JOIN cases USING (event_id) GROUP BY events.event_id, state ORDER BY events.at"
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        fields = ("event_id", "type", "play", "source", "at", "begun", "ended")
        event = found.setdefault(row["event_id"], {**{name: row[name] for name in fields}, "cases": {}})
        if row["state"]:
            event["cases"][row["state"]] = row["cases"]
    return list(found.values())


def _case(row: sqlite3.Row) -> Case:
    fields = dict(row)
    fields["state"] = CaseState(fields["state"])
    fields["facts"] = json.loads(fields["facts"])
    fields["tried"] = tuple(filter(None, fields["tried"].split(" ")))
    return Case(**fields)
