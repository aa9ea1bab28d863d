"""What can be journalled, and the statement that stores each kind.

Times are Unix seconds: the monotonic clock of the events means nothing to the process that reads them after a crash.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import msgspec

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.conversation.events import TurnRecord
from ccaas.journal import humans, messages
from ccaas.journal.humans import HumanEntry
from ccaas.journal.masking import masked, masked_text
from ccaas.journal.messages import MessageEntry
from ccaas.ports.tools import Effect
from ccaas.telephony.events import EndReason, TelephonyEvent


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A call was accepted or originated."""

    call_id: str
    ani: str
    dnis: str
    entry: str
    """The entry of the YAML that took it."""
    customer_id: str = ""
    address: str = ""
    """The far end's: the calling number, or the one that we called."""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class CallIdentified:
    """It became known who is calling."""

    call_id: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over."""

    call_id: str
    reason: EndReason
    cause: int
    """Q.850 hangup cause, 0 when unknown."""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Transition:
    """A call's state machine took an event."""

    call_id: str
    seq: int
    """Counts a call's transitions from 0."""
    event: TelephonyEvent
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn was committed, or more of it is known: the newest record of a turn replaces the older one."""

    call_id: str
    record: TurnRecord
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The dialogue's state after a committed turn; only the newest of a call is kept."""

    call_id: str
    state: Mapping[str, Any]
    thread: str = ""
    """Which thread of the journey it belongs to (`ccaas.chapter`'s own JSON); empty while it is about nothing."""
    at: float = field(default_factory=time.time)


Entry = CallBegan | CallIdentified | CallEnded | Transition | Turn | Snapshot | ToolRun | MessageEntry | HumanEntry


Statement = messages.Statement


def statement(entry: Entry) -> Statement:
    """How the entry is stored, with card numbers and secrets already masked. Storing an entry again changes nothing."""
    return _STATEMENTS[type(entry)](entry)


def durable(entry: Entry) -> bool:
    """Whether it must outlive a power cut: a write of a tool, a message that somebody was told we have."""
    return bool(entry.key) if isinstance(entry, ToolRun) else isinstance(entry, messages.DURABLE)


def event_from_json(text: str) -> TelephonyEvent:
    """The event of a stored transition."""
    fields = json.loads(text)
    event: TelephonyEvent = msgspec.convert(fields, _EVENTS[fields.pop("type")])
    return event


def turn_from_json(text: str) -> TurnRecord:
    """The record of a stored turn."""
    return msgspec.convert(json.loads(text), TurnRecord)


def run_from_row(row: Mapping[str, Any]) -> ToolRun:
    """The tool run of a stored row (columns as in the table)."""
    return ToolRun(
        key=row["key"] or "",
        call_id=row["call_id"],
        turn_id=row["turn_id"],
        customer_id=row["customer_id"],
        tool=row["tool"],
        effect=Effect(row["effect"]),
        arguments=json.loads(row["arguments"]),
        confirmed_by=row["confirmed_by"],
        outcome=Outcome(row["outcome"]),
        at=row["at"],
        took_ms=row["took_ms"],
        result=_loaded(row["result"]),
        error=row["error"],
        before=_loaded(row["before"]),
        after=_loaded(row["after"]),
        actor=row["actor"],
        intent=row["intent"],
        rule=row["rule"],
    )


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _began(entry: CallBegan) -> Statement:
    return (
        (
            "INSERT INTO calls (call_id, ani, dnis, entry, customer_id, address, began) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING"
        ),
        (
            entry.call_id,
            masked_text(entry.ani),
            masked_text(entry.dnis),
            entry.entry,
            entry.customer_id,
            entry.address,
            entry.at,
        ),
    )


def _identified(entry: CallIdentified) -> Statement:
    return "UPDATE calls SET customer_id = ? WHERE call_id = ?", (entry.customer_id, entry.call_id)


def _ended(entry: CallEnded) -> Statement:
    return (
        "UPDATE calls SET ended = ?, end_reason = ?, cause = ? WHERE call_id = ? AND ended IS NULL",
        (entry.at, entry.reason.value, entry.cause, entry.call_id),
    )


def _transition(entry: Transition) -> Statement:
    event = {"type": type(entry.event).__name__, **msgspec.to_builtins(entry.event)}
    return (
        "INSERT INTO transitions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (entry.call_id, entry.seq, _json(event), entry.at),
    )


def _turn(entry: Turn) -> Statement:
    return (
        (
            "INSERT INTO turns (call_id, turn_id, record, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (call_id, turn_id) DO UPDATE SET record = excluded.record"
        ),
        (entry.call_id, entry.record.turn_id, _json(msgspec.to_builtins(entry.record)), entry.at),
    )


def _snapshot(entry: Snapshot) -> Statement:
    return (
        (
            "INSERT INTO snapshots (call_id, state, last_run, at, thread)"
            " SELECT ?, ?, coalesce(max(id), 0), ?, ? FROM tool_runs WHERE true"
            " ON CONFLICT (call_id) DO UPDATE SET state = excluded.state, last_run = excluded.last_run,"
            " at = excluded.at, thread = excluded.thread"
        ),
        (entry.call_id, _json(entry.state), entry.at, entry.thread),
    )


def _run(entry: ToolRun) -> Statement:
    return (
        (
            "INSERT INTO tool_runs (key, call_id, turn_id, customer_id, tool, effect, arguments, confirmed_by, outcome, at,"
            " took_ms, result, error, before, after, actor, intent, rule)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) WHERE key IS NOT NULL DO UPDATE SET outcome = excluded.outcome, took_ms = excluded.took_ms,"
            " result = excluded.result, error = excluded.error, before = excluded.before, after = excluded.after,"
            " actor = excluded.actor, rule = excluded.rule"
        ),
        (
            entry.key or None,
            entry.call_id,
            entry.turn_id,
            entry.customer_id,
            entry.tool,
            entry.effect.value,
            _json(entry.arguments),
            entry.confirmed_by,
            entry.outcome.value,
            entry.at,
            entry.took_ms,
            None if entry.result is None else _json(entry.result),
            masked_text(entry.error),
            None if entry.before is None else _json(entry.before),
            None if entry.after is None else _json(entry.after),
            entry.actor,
            masked_text(entry.intent),
            entry.rule,
        ),
    )


def _json(value: object) -> str:
    return json.dumps(masked(value), ensure_ascii=False, separators=(",", ":"))


_EVENTS: dict[str, type[TelephonyEvent]] = {kind.__name__: kind for kind in get_args(TelephonyEvent)}
_STATEMENTS: dict[type[Any], Callable[[Any], Statement]] = {
    CallBegan: _began,
    CallIdentified: _identified,
    CallEnded: _ended,
    Transition: _transition,
    Turn: _turn,
    Snapshot: _snapshot,
    ToolRun: _run,
    **messages.STATEMENTS,
    **humans.STATEMENTS,
}
