"""Campaigns and their records as they are kept. All functions run inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ccaas.dialler.dispositions import NOT_MADE, Disposition
from ccaas.dialler.state import (
    RECORD,
    CampaignState,
    CampaignStep,
    RecordState,
    RecordStep,
    campaign_after,
)
from ccaas.dialler.store import CampaignError
from ccaas.errors import TransitionError

NEVER_AGAIN = frozenset({Disposition.ANSWERED, Disposition.REFUSED})
"""Outcomes that are recycled only where they are named."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record to be taken in."""

    key: str
    """By which it is known again: the customer's id, or the first number."""
    numbers: Sequence[str]
    """As they are called, the first first."""
    data: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    """The higher, the sooner."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record that an agent looks at."""

    record_id: int
    numbers: tuple[str, ...]
    data: Mapping[str, str]
    tries: int
    outcome: str
    """Of the last attempt; empty where there was none."""
    until: float
    """When it goes back (Unix s)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Where a campaign stands."""

    name: str
    state: CampaignState
    since: float
    note: str
    """What it says of itself: that it dials one call per agent, and why."""
    states: Mapping[str, int]
    """Records by state."""
    outcomes: Mapping[str, int]
    """Done records by outcome."""
    attempts: int
    answered: int
    """By people."""
    abandoned: int


def making(name: str, now: float) -> Callable[[sqlite3.Connection], None]:
    """Have the campaign there, paused where it is new."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO campaigns VALUES (?, 'paused', ?, '') ON CONFLICT DO NOTHING", (name, now))

    return work


def taking_in(name: str, rows: Sequence[Row], now: float) -> Callable[[sqlite3.Connection], list[int]]:
    """Keep all of them, or none when it breaks off; the places of those that were there already."""

    def work(db: sqlite3.Connection) -> list[int]:
        making(name, now)(db)
        known: list[int] = []
        for place, row in enumerate(rows):
            added = db.execute(
                "INSERT INTO records (campaign, key, data, priority, state, due, tries, outcome, agent, at)"
                " VALUES (?, ?, ?, ?, 'waiting', 0, 0, '', '', ?) ON CONFLICT DO NOTHING",
                (name, row.key, json.dumps(dict(row.data), ensure_ascii=False), row.priority, now),
            )
            if added.rowcount != 1:
                known.append(place)
                continue
            db.executemany(
                "INSERT INTO numbers VALUES (?, ?, ?, 0, 0)",
                [(added.lastrowid, number_place, number) for number_place, number in enumerate(row.numbers)],
            )
        return known

    return work


def stepping(name: str, step: CampaignStep, now: float) -> Callable[[sqlite3.Connection], CampaignState]:
    """What an admin asks. Counts at once: no attempt is claimed for a campaign that does not run. Raises CampaignError."""

    def work(db: sqlite3.Connection) -> CampaignState:
        state = state_of(name)(db)
        if state is None:
            raise CampaignError(f"nothing was imported into {name} yet; `ccaas campaign import {name} FILE` does it")
        try:
            after = campaign_after(state, step)
        except TransitionError as error:
            raise CampaignError(f"{name}: {error}") from None
        if after is not state:
            db.execute("UPDATE campaigns SET state = ?, since = ? WHERE name = ?", (after.value, now, name))
        return after

    return work


def noting(name: str, note: str) -> Callable[[sqlite3.Connection], None]:
    """Keep what a campaign says of itself."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("UPDATE campaigns SET note = ? WHERE name = ?", (note, name))

    return work


def recycling(name: str, outcomes: Collection[str], now: float) -> Callable[[sqlite3.Connection], int]:
    """Begin done records anew, those with one of these outcomes, or all but `NEVER_AGAIN`; how many. Dead numbers stay dead."""

    def work(db: sqlite3.Connection) -> int:
        stepping(name, CampaignStep.RECYCLE, now)(db)
        to = RECORD[RecordState.DONE, RecordStep.RECYCLE]
        rows = db.execute("SELECT id, outcome FROM records WHERE campaign = ? AND state = 'done'", (name,)).fetchall()
        wanted = [
            (row["id"],)
            for row in rows
            if (
                row["outcome"].partition(":")[0] in outcomes
                if outcomes
                else row["outcome"].partition(":")[0] not in NEVER_AGAIN
            )
            and db.execute("SELECT 1 FROM numbers WHERE record_id = ? AND dead = 0", (row["id"],)).fetchone()
        ]
        db.executemany(f"UPDATE records SET state = '{to.value}', due = 0, tries = 0 WHERE id = ?", wanted)
        db.executemany("UPDATE numbers SET tries = 0 WHERE record_id = ?", wanted)
        return len(wanted)

    return work


def state_of(name: str) -> Callable[[sqlite3.Connection], CampaignState | None]:
    """Whether it calls; None when it is not there."""

    def ask(db: sqlite3.Connection) -> CampaignState | None:
        row = db.execute("SELECT state FROM campaigns WHERE name = ?", (name,)).fetchone()
        return None if row is None else CampaignState(row["state"])

    return ask


def states(db: sqlite3.Connection) -> dict[str, CampaignState]:
    """All campaigns that are there."""
    return {row["name"]: CampaignState(row["state"]) for row in db.execute("SELECT name, state FROM campaigns")}


# — preview —


def showing(name: str, agent: str, now: float, until: float) -> Callable[[sqlite3.Connection], Shown | None]:
    """Put the next record before an agent, until then; None when none is due. What was shown too long goes back."""

    def work(db: sqlite3.Connection) -> Shown | None:
        db.execute(
            "UPDATE records SET state = 'waiting', agent = '', due = 0 WHERE campaign = ? AND state = 'shown' AND due <= ?",
            (name, now),
        )
        row = first_due(db, name, RecordState.WAITING, now)
        if row is None:
            return None
        db.execute("UPDATE records SET state = 'shown', agent = ?, due = ? WHERE id = ?", (agent, until, row["id"]))
        return _shown(db, row, until)

    return work


def _shown(db: sqlite3.Connection, row: sqlite3.Row, until: float) -> Shown:
    numbers = db.execute("SELECT number FROM numbers WHERE record_id = ? AND dead = 0 ORDER BY place", (row["id"],))
    found = tuple(one["number"] for one in numbers)
    return Shown(row["id"], found, json.loads(row["data"]), row["tries"], row["outcome"], until)


def shown_to(agent: str, now: float) -> Callable[[sqlite3.Connection], list[tuple[str, Shown]]]:
    """What an agent looks at, with the campaign's name."""

    def ask(db: sqlite3.Connection) -> list[tuple[str, Shown]]:
        rows = db.execute("SELECT * FROM records WHERE state = 'shown' AND agent = ? AND due > ?", (agent, now))
        return [(row["campaign"], _shown(db, row, row["due"])) for row in rows.fetchall()]

    return ask


def came_to(
    name: str, record_id: int, agent: str
) -> Callable[[sqlite3.Connection], tuple[RecordState, str, str] | None]:
    """What became of a record that an agent has released: its state, and the last attempt's disposition and words."""

    def ask(db: sqlite3.Connection) -> tuple[RecordState, str, str] | None:
        row = db.execute(
            "SELECT state FROM records WHERE id = ? AND campaign = ? AND agent IN (?, '')", (record_id, name, agent)
        ).fetchone()
        if row is None:
            return None
        last = db.execute(
            "SELECT disposition, words FROM attempts WHERE record_id = ? ORDER BY at DESC LIMIT 1", (record_id,)
        ).fetchone()
        return RecordState(row["state"]), last["disposition"] if last else "", last["words"] if last else ""

    return ask


def first_due(db: sqlite3.Connection, name: str, state: RecordState, now: float) -> sqlite3.Row | None:
    """The record that is next: of those that are due, the highest priority, and of these who has waited longest."""
    values = (name, state.value, now)
    # Where none is due, that is seen at once; otherwise one is found in the order of the other index.
    if (
        db.execute("SELECT 1 FROM records WHERE campaign = ? AND state = ? AND due <= ? LIMIT 1", values).fetchone()
        is None
    ):
        return None
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM records INDEXED BY records_in_order WHERE campaign = ? AND state = ? AND due <= ?"
        " ORDER BY priority DESC, due LIMIT 1",
        values,
    ).fetchone()
    return found


def deciding(
    name: str, record_id: int, step: RecordStep, now: float, agent: str = ""
) -> Callable[[sqlite3.Connection], None]:
    """What is done with a record that is shown: RELEASE (call), PUT_BACK or SKIP; by `agent`, who has to be the one that sees it,
    or by an admin. Raises CampaignError."""
    to = RECORD[RecordState.SHOWN, step]

    def work(db: sqlite3.Connection) -> None:
        changed = db.execute(
            "UPDATE records SET state = ?, due = ?, at = ?, outcome = CASE ? WHEN 'skip' THEN 'skipped' ELSE outcome END"
            " WHERE id = ? AND campaign = ? AND state = 'shown' AND (agent = ? OR ? = '')",
            (to.value, now, now, step.value, record_id, name, agent, agent),
        ).rowcount
        if changed != 1:
            raise CampaignError(
                f"the record {record_id} of {name} is not shown; `ccaas campaign next {name}` shows one"
            )

    return work


# — what is shown of campaigns —


def figures(since: float) -> Callable[[sqlite3.Connection], list[Figures]]:
    """Where all of them stand; people and abandoned calls since then."""

    def ask(db: sqlite3.Connection) -> list[Figures]:
        return [_figures(db, row, since) for row in db.execute("SELECT * FROM campaigns ORDER BY name").fetchall()]

    return ask


def _figures(db: sqlite3.Connection, row: sqlite3.Row, since: float) -> Figures:
    name = row["name"]
    count = "SELECT {} AS what, count(*) AS many FROM records WHERE campaign = ? {} GROUP BY 1"
    made = ", ".join(f"'{one.value}'" for one in NOT_MADE)
    attempts = db.execute(
        f"SELECT count(*) AS many FROM attempts WHERE campaign = ? AND disposition NOT IN ({made})", (name,)
    ).fetchone()
    answered, abandoned = met(name, since)(db)
    return Figures(
        name,
        CampaignState(row["state"]),
        row["since"],
        row["note"],
        {one["what"]: one["many"] for one in db.execute(count.format("state", ""), (name,))},
        {one["what"]: one["many"] for one in db.execute(count.format("outcome", "AND state = 'done'"), (name,))},
        attempts["many"],
        answered,
        abandoned,
    )


def met(name: str, since: float) -> Callable[[sqlite3.Connection], tuple[int, int]]:
    """Calls that people answered since then, and those of them that found nobody."""

    def ask(db: sqlite3.Connection) -> tuple[int, int]:
        row = db.execute(
            "SELECT count(*) AS people, coalesce(sum(met = 'abandoned'), 0) AS abandoned FROM attempts"
            " WHERE campaign = ? AND at > ? AND met <> ''",
            (name, since),
        ).fetchone()
        return row["people"], row["abandoned"]

    return ask


def listed(name: str, limit: int) -> Callable[[sqlite3.Connection], list[dict[str, Any]]]:
    """The newest attempts of a campaign, oldest of them first."""

    def ask(db: sqlite3.Connection) -> list[dict[str, Any]]:
        rows = db.execute(
            "SELECT call_id, key, number, attempts.at, answered, ended, disposition, words FROM attempts"
            " JOIN records ON records.id = record_id WHERE attempts.campaign = ? ORDER BY attempts.at DESC LIMIT ?",
            (name, limit),
        ).fetchall()
        return [dict(row) for row in reversed(rows)]

    return ask


def forget(db: sqlite3.Connection, identities: Collection[str]) -> int:
    """Delete the records of a person, by the customer's id or any of their numbers, and what was tried; how many."""
    ids: set[int] = set()
    for one in identities:
        ids |= {row["id"] for row in db.execute("SELECT id FROM records WHERE key = ?", (one,))}
        ids |= {row["record_id"] for row in db.execute("SELECT record_id FROM numbers WHERE number = ?", (one,))}
    for record_id in ids:
        # What is counted of abandoned calls stays, without whose it was.
        db.execute("UPDATE attempts SET record_id = 0, number = '', words = '' WHERE record_id = ?", (record_id,))
        db.execute("DELETE FROM numbers WHERE record_id = ?", (record_id,))
        db.execute("DELETE FROM records WHERE id = ?", (record_id,))
    return len(ids)
