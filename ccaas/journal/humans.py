"""What is journalled of queues and agents: who waits or talks, what each agent does, and what people asked for."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ccaas.journal.masking import masked_text


@dataclass(frozen=True, slots=True)
class HandoffKept:
    """A customer has a place in a queue, or a person has them: the newest record of a handoff counts."""

    handoff_id: str
    call_id: str
    record: str
    """JSON (`contact.handoff.Handoff.record`)."""


@dataclass(frozen=True, slots=True)
class HandoffOver:
    """They have it no longer."""

    handoff_id: str


@dataclass(frozen=True, slots=True)
class HandoffPast:
    """What the last record of a handoff tells the scorecard, before it is over: no name and no address."""

    handoff_id: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class AgentStateKept:
    """What an agent does from now on."""

    login: str
    state: str
    reason: str
    since: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class AgentAct:
    """What somebody asked of the queues."""

    by: str
    """Their login."""
    did: str
    about: str
    """A login, a conversation or a handoff."""
    detail: str
    at: float = field(default_factory=time.time)


HumanEntry = HandoffKept | HandoffPast | HandoffOver | AgentStateKept | AgentAct


def kept_handoffs(db: sqlite3.Connection) -> tuple[str, ...]:
    """The records of all that are under way."""
    return tuple(row["record"] for row in db.execute("SELECT record FROM handoffs ORDER BY rowid"))


def agent_states(db: sqlite3.Connection) -> tuple[AgentStateKept, ...]:
    """What every agent did last."""
    return tuple(AgentStateKept(**dict(row)) for row in db.execute("SELECT login, state, reason, since FROM agents"))


def _kept(entry: HandoffKept) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO handoffs VALUES (?, ?, ?) ON CONFLICT (handoff_id) DO UPDATE SET call_id = excluded.call_id, "
        "record = excluded.record",
        (entry.handoff_id, entry.call_id, entry.record),
    )


def _past(entry: HandoffPast) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO past_handoffs SELECT handoff_id, call_id, json_extract(record, '$.queue'), json_extract(record, '$.why'), "
        "json_extract(record, '$.since'), coalesce(json_extract(record, '$.answered_at'), 0.0) + 0.0, "
        "coalesce(json_extract(record, '$.agent'), ''), ? FROM handoffs WHERE handoff_id = ? ON CONFLICT DO NOTHING",
        (entry.at, entry.handoff_id),
    )


def _over(entry: HandoffOver) -> tuple[str, tuple[object, ...]]:
    return "DELETE FROM handoffs WHERE handoff_id = ?", (entry.handoff_id,)


def _state(entry: AgentStateKept) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO agents VALUES (?, ?, ?, ?) ON CONFLICT (login) DO UPDATE SET state = excluded.state, "
        "reason = excluded.reason, since = excluded.since",
        (entry.login, entry.state, entry.reason, entry.since),
    )


def _act(entry: AgentAct) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO agent_acts (by, did, about, detail, at) VALUES (?, ?, ?, ?, ?)",
        (entry.by, entry.did, entry.about, masked_text(entry.detail), entry.at),
    )


STATEMENTS: dict[type[Any], Callable[[Any], tuple[str, tuple[object, ...]]]] = {
    HandoffKept: _kept,
    HandoffPast: _past,
    HandoffOver: _over,
    AgentStateKept: _state,
    AgentAct: _act,
}
