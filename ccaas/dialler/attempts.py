"""Attempts as they are kept: claimed before a phone rings, so that none is made twice. All functions run inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ccaas.dialler.dispositions import DEAD, NOT_MADE, Disposition
from ccaas.dialler.records import first_due, state_of
from ccaas.dialler.retries import DAY_S, History, Next, Number, next_after, next_number
from ccaas.dialler.settings import CampaignSettings
from ccaas.dialler.state import CampaignState, RecordState, RecordStep, record_after

_NOT_MADE = ", ".join(f"'{one.value}'" for one in NOT_MADE)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to one attempt."""

    call_id: str
    record_id: int
    key: str
    number: str
    data: Mapping[str, str]
    agent: str
    """Who has asked for it, in preview; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Open:
    """An attempt whose end is not known."""

    call_id: str
    campaign: str
    at: float
    answered: float | None
    met: str


def claiming(
    name: str, call_id: str, settings: CampaignSettings, now: float, *, released: bool
) -> Callable[[sqlite3.Connection], Claim | None]:
    """Claim the next record that is due under this call's id, or None: nothing is due, or the campaign does not run.

    `released`: only records that an agent has released.
    """
    come_from = (RecordState.RELEASED,) if released else (RecordState.RELEASED, RecordState.WAITING)

    def work(db: sqlite3.Connection) -> Claim | None:
        if state_of(name)(db) is not CampaignState.RUNNING:
            return None
        while True:
            row = next(filter(None, (first_due(db, name, state, now) for state in come_from)), None)
            if row is None:
                return None
            number = next_number(_numbers(db, row["id"]), settings.most_per_number)
            state = record_after(RecordState(row["state"]), RecordStep.CLAIM)
            if number is not None:
                break
            # Caps were lowered since: nothing of it may be called any more.
            done = record_after(state, RecordStep.FINISH)
            db.execute("UPDATE records SET state = ?, outcome = 'capped' WHERE id = ?", (done.value, row["id"]))
        db.execute(
            "UPDATE records SET state = ?, tries = tries + 1, at = ? WHERE id = ?", (state.value, now, row["id"])
        )
        db.execute("UPDATE numbers SET tries = tries + 1 WHERE record_id = ? AND number = ?", (row["id"], number))
        db.execute(
            "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, NULL, '', NULL, '', '')",
            (call_id, name, row["id"], number, now),
        )
        return Claim(call_id, row["id"], row["key"], number, json.loads(row["data"]), row["agent"])

    return work


def answering(call_id: str, now: float) -> Callable[[sqlite3.Connection], None]:
    """A call was answered."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("UPDATE attempts SET answered = ? WHERE call_id = ? AND answered IS NULL", (now, call_id))

    return work


def meeting(call_id: str, *, abandoned: bool) -> Callable[[sqlite3.Connection], None]:
    """A person answered, and found an agent, or nobody."""

    def work(db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE attempts SET met = ? WHERE call_id = ? AND met = ''",
            ("abandoned" if abandoned else "agent", call_id),
        )

    return work


def unmeeting(call_id: str) -> Callable[[sqlite3.Connection], None]:
    """What answered was no person after all."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("UPDATE attempts SET met = '' WHERE call_id = ? AND met = 'agent'", (call_id,))

    return work


def ending(
    call_id: str, disposition: Disposition, settings: CampaignSettings, now: float, words: str = ""
) -> Callable[[sqlite3.Connection], Next | None]:
    """Keep how an attempt ended, and what becomes of its record; None where it was known, or its record is gone."""

    def work(db: sqlite3.Connection) -> Next | None:
        attempt = _close(db, call_id, disposition, now, words)
        if attempt is None:
            return None
        record_id, number = attempt["record_id"], attempt["number"]
        if disposition in DEAD:
            db.execute("UPDATE numbers SET dead = 1 WHERE record_id = ? AND number = ?", (record_id, number))
        following = next_after(disposition, _history(db, record_id, number, disposition, now), settings, now)
        _leave(db, record_id, following, now)
        return following

    return work


def not_making(
    call_id: str, disposition: Disposition, words: str, outcome: str, until: float | None, now: float
) -> Callable[[sqlite3.Connection], None]:
    """The gate was against it: no phone rang, and it counts as no attempt. `until`: when it is asked again; None: never."""

    def work(db: sqlite3.Connection) -> None:
        attempt = _close(db, call_id, disposition, now, words)
        if attempt is None:
            return
        record_id = attempt["record_id"]
        db.execute("UPDATE records SET tries = tries - 1 WHERE id = ?", (record_id,))
        db.execute(
            "UPDATE numbers SET tries = tries - 1 WHERE record_id = ? AND number = ?", (record_id, attempt["number"])
        )
        _leave(db, record_id, Next(until, outcome), now)

    return work


def unended(db: sqlite3.Connection) -> list[Open]:
    """Attempts whose end is not known: an earlier controller's."""
    rows = db.execute("SELECT call_id, campaign, at, answered, met FROM attempts WHERE ended IS NULL")
    return [Open(**dict(row)) for row in rows]


def _close(
    db: sqlite3.Connection, call_id: str, disposition: Disposition, now: float, words: str
) -> sqlite3.Row | None:
    db.execute(
        "UPDATE attempts SET ended = ?, disposition = ?, words = ? WHERE call_id = ? AND ended IS NULL",
        (now, disposition.value, words, call_id),
    )
    if db.execute("SELECT changes()").fetchone()[0] != 1:
        return None
    found: sqlite3.Row = db.execute("SELECT * FROM attempts WHERE call_id = ?", (call_id,)).fetchone()
    return found


def _leave(db: sqlite3.Connection, record_id: int, following: Next, now: float) -> None:
    row = db.execute("SELECT state FROM records WHERE id = ?", (record_id,)).fetchone()
    if row is None:
        return
    step = RecordStep.FINISH if following.due is None else RecordStep.AGAIN
    state = record_after(RecordState(row["state"]), step)
    db.execute(
        "UPDATE records SET state = ?, due = ?, outcome = coalesce(nullif(?, ''), outcome), agent = '', at = ? WHERE id = ?",
        (state.value, following.due or 0.0, following.outcome, now, record_id),
    )


def _numbers(db: sqlite3.Connection, record_id: int) -> list[Number]:
    rows = db.execute("SELECT number, tries, dead FROM numbers WHERE record_id = ? ORDER BY place", (record_id,))
    return [Number(row["number"], row["tries"], bool(row["dead"])) for row in rows]


def _history(db: sqlite3.Connection, record_id: int, number: str, disposition: Disposition, now: float) -> History:
    tries = db.execute("SELECT tries FROM records WHERE id = ?", (record_id,)).fetchone()
    same = db.execute(
        "SELECT count(*) AS many FROM attempts WHERE record_id = ? AND number = ? AND disposition = ?",
        (record_id, number, disposition.value),
    ).fetchone()
    today = db.execute(
        f"SELECT at FROM attempts WHERE record_id = ? AND at > ? AND disposition NOT IN ({_NOT_MADE}) ORDER BY at",
        (record_id, now - DAY_S),
    )
    return History(
        _numbers(db, record_id),
        tries["tries"] if tries is not None else 0,
        same["many"],
        tuple(row["at"] for row in today),
    )
