"""The journal for people: calls that were, read beside a controller that may be writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ccaas.actions.audit import ToolRun
from ccaas.conversation.events import TurnRecord
from ccaas.errors import CcaasError
from ccaas.journal.entries import event_from_json, run_from_row, turn_from_json
from ccaas.telephony.events import TelephonyEvent


@dataclass(frozen=True, slots=True)
class PastCall:
    """One line of the list; `ended` is None while the call is up."""

    call_id: str
    ani: str
    dnis: str
    entry: str
    customer_id: str
    began: float
    """Unix time (s)."""
    ended: float | None
    end_reason: str
    turns: int
    writes: int


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Everything that the journal knows of one call."""

    call: PastCall
    transitions: tuple[TelephonyEvent, ...]
    turns: tuple[TurnRecord, ...]
    runs: tuple[ToolRun, ...]


_LIST = """
    SELECT call_id, ani, dnis, entry, customer_id, began, ended, coalesce(end_reason, '') AS end_reason,
        (SELECT count(*) FROM turns WHERE turns.call_id = calls.call_id) AS turns,
        (SELECT count(*) FROM tool_runs WHERE tool_runs.call_id = calls.call_id AND effect = 'write') AS writes
    FROM calls
"""


def past_calls(journal: Path, count: int) -> tuple[PastCall, ...]:
    """The newest `count` calls, oldest first. Raises CcaasError where there is no journal."""
    with _opened(journal) as db:
        rows = db.execute(f"{_LIST} ORDER BY began DESC LIMIT ?", (count,)).fetchall()
    return tuple(PastCall(**dict(row)) for row in reversed(rows))


def call_record(journal: Path, call_id: str) -> CallRecord:
    """One call, by its id or the id's beginning. Raises CcaasError where none or several fit."""
    with _opened(journal) as db:
        pattern = call_id.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        rows = db.execute(f"{_LIST} WHERE call_id LIKE ? ESCAPE '\\' LIMIT 2", (pattern,)).fetchall()
        exact = db.execute(f"{_LIST} WHERE call_id = ?", (call_id,)).fetchall()
        if not rows:
            raise CcaasError(f"there is no call {call_id} in {journal}; `ccaas calls` lists them")
        if len(rows) > 1 and not exact:
            raise CcaasError(f"several calls begin with {call_id}; give more of the id")
        call = PastCall(**dict((exact or rows)[0]))
        key = (call.call_id,)
        transitions = db.execute("SELECT event FROM transitions WHERE call_id = ? ORDER BY seq", key).fetchall()
        turns = db.execute("SELECT record FROM turns WHERE call_id = ? ORDER BY id", key).fetchall()
        runs = db.execute("SELECT * FROM tool_runs WHERE call_id = ? ORDER BY id", key).fetchall()
    return CallRecord(
        call,
        tuple(event_from_json(row["event"]) for row in transitions),
        tuple(turn_from_json(row["record"]) for row in turns),
        tuple(run_from_row(dict(row)) for row in runs),
    )


@contextmanager
def _opened(journal: Path) -> Iterator[sqlite3.Connection]:
    if not journal.exists():
        raise CcaasError(f"there is no journal at {journal}; take a call with `ccaas up` first")
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5.0)) as db:
            db.row_factory = sqlite3.Row
            yield db
    except sqlite3.Error as error:
        raise CcaasError(f"{journal} cannot be read: {error}; is it the journal of another version?") from None
