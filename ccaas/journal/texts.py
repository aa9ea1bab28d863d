"""What is read of conversations by text: by a restarted controller, and by what sends and chronicles."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ccaas.actions.audit import ToolRun
from ccaas.conversation.events import TurnRecord
from ccaas.journal.messages import WAITING, Chronicled, ConversationBegan, MessageQueued, MessageReceived
from ccaas.journal.recovery import turns_of, writes_since
from ccaas.ports.messaging import InboundMessage, OutboundMessage


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """A conversation by text that has not ended, as a restarted controller finds it."""

    began: ConversationBegan
    turns: tuple[TurnRecord, ...]
    snapshot: Mapping[str, Any] | None
    thread: str
    """See `Snapshot.thread`."""
    last_at: float
    """Unix seconds of its newest turn, or of its beginning."""
    writes: tuple[ToolRun, ...]
    """Writes that the snapshot does not know of."""


def received(db: sqlite3.Connection) -> tuple[MessageReceived, ...]:
    """Messages that no turn has taken, in the order in which they came."""
    rows = db.execute("SELECT * FROM messages_in WHERE turn IS NULL ORDER BY id").fetchall()
    return tuple(_received(row) for row in rows)


def receipt_of(channel: str, message_id: str) -> Callable[[sqlite3.Connection], str]:
    """Under which receipt a message stands."""

    def ask(db: sqlite3.Connection) -> str:
        row = db.execute(
            "SELECT receipt FROM messages_in WHERE channel = ? AND message_id = ?", (channel, message_id)
        ).fetchone()
        return str(row["receipt"]) if row else ""

    return ask


def queued(db: sqlite3.Connection) -> tuple[MessageQueued, ...]:
    """Messages that are still to be sent, in order."""
    rows = db.execute("SELECT * FROM messages_out WHERE state = ? ORDER BY id", (WAITING,)).fetchall()
    return tuple(_queued(row) for row in rows)


def sent(message_id: str) -> Callable[[sqlite3.Connection], tuple[MessageQueued, str] | None]:
    """A message that was to be sent, and its state; None when there is none of that id."""

    def ask(db: sqlite3.Connection) -> tuple[MessageQueued, str] | None:
        row = db.execute("SELECT * FROM messages_out WHERE message_id = ?", (message_id,)).fetchone()
        return None if row is None else (_queued(row), row["state"])

    return ask


def written_by(channel: str, message_id: str) -> Callable[[sqlite3.Connection], str | None]:
    """From which address a message came; None when it never came."""

    def ask(db: sqlite3.Connection) -> str | None:
        row = db.execute(
            "SELECT json_extract(record, '$.address') AS address FROM messages_in WHERE channel = ? AND message_id = ?",
            (channel, message_id),
        ).fetchone()
        return None if row is None else str(row["address"])

    return ask


def customer_began(conversation_id: str, customer_id: str) -> Callable[[sqlite3.Connection], float | None]:
    """When a customer began this call or conversation with us (Unix seconds); None when we did, or it is another's."""

    def ask(db: sqlite3.Connection) -> float | None:
        row = db.execute(
            "SELECT began FROM calls WHERE call_id = ? AND address = ani AND customer_id IN ('', ?)"
            " UNION SELECT began FROM conversations WHERE conversation_id = ?",
            (conversation_id, customer_id, conversation_id),
        ).fetchone()
        return None if row is None else float(row["began"])

    return ask


def opted_out(db: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Channel and address of everybody who wants no more messages."""
    return frozenset((row["channel"], row["address"]) for row in db.execute("SELECT * FROM opted_out"))


def chronicled(limit: int) -> Callable[[sqlite3.Connection], tuple[tuple[int, Chronicled], ...]]:
    """What the journey is still to be told, in order."""

    def ask(db: sqlite3.Connection) -> tuple[tuple[int, Chronicled], ...]:
        rows = db.execute("SELECT * FROM chronicle ORDER BY id LIMIT ?", (limit,)).fetchall()
        return tuple((row["id"], Chronicled(row["whose"], row["record"])) for row in rows)

    return ask


def open_conversations(db: sqlite3.Connection) -> tuple[OpenConversation, ...]:
    """The conversations that have begun and not ended, oldest first."""
    rows = db.execute("SELECT * FROM conversations WHERE ended IS NULL AND message != '' ORDER BY began").fetchall()
    return tuple(_open_conversation(db, row) for row in rows)


def _open_conversation(db: sqlite3.Connection, row: sqlite3.Row) -> OpenConversation:
    name = row["conversation_id"]
    message = msgspec.convert(json.loads(row["message"]), InboundMessage)
    began = ConversationBegan(name, row["channel"], message, row["entry"], row["began"])
    snapshot = db.execute("SELECT state, last_run, thread, at FROM snapshots WHERE call_id = ?", (name,)).fetchone()
    return OpenConversation(
        began,
        turns_of(db, name),
        json.loads(snapshot["state"]) if snapshot else None,
        snapshot["thread"] if snapshot else "",
        snapshot["at"] if snapshot else row["began"],
        writes_since(db, name, snapshot["last_run"] if snapshot else 0),
    )


WITH_PERSON = "person"
"""The turn of messages that a person was to read, in `MessagesTaken.turn`."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a conversation that a person had."""

    at: float
    by: str
    """The person's login; empty: the customer."""
    text: str
    id: str
    """The receipt of the customer's, the id of the person's."""
    state: str = ""
    """Of the person's: what became of it."""
    detail: str = ""


def written_with_person(conversation_id: str) -> Callable[[sqlite3.Connection], tuple[Written, ...]]:
    """What customer and people wrote to each other in a conversation, in order: what a person wrote stands behind the
    message that it answers, whatever clocks said."""

    def ask(db: sqlite3.Connection) -> tuple[Written, ...]:
        rows = db.execute(
            "SELECT id AS place, 0 AS behind, at, '' AS by, json_extract(record, '$.text') AS text, receipt AS name,"
            " '' AS state, '' AS detail FROM messages_in WHERE turn = ?"
            " UNION ALL SELECT coalesce((SELECT max(id) FROM messages_in WHERE messages_in.channel = messages_out.channel"
            " AND message_id = json_extract(messages_out.record, '$.reference')), 0), id, at,"
            " json_extract(record, '$.by'), json_extract(record, '$.text'), message_id, state, detail"
            " FROM messages_out WHERE conversation_id = ? AND json_extract(record, '$.by') IS NOT NULL"
            " ORDER BY place, behind",
            (f"{conversation_id} {WITH_PERSON}", conversation_id),
        ).fetchall()
        return tuple(
            Written(row["at"], row["by"], row["text"], row["name"], row["state"], row["detail"]) for row in rows
        )

    return ask


def turn_times(conversation_id: str) -> Callable[[sqlite3.Connection], dict[str, float]]:
    """When each turn of a conversation was stored (Unix seconds), by its id."""

    def ask(db: sqlite3.Connection) -> dict[str, float]:
        rows = db.execute("SELECT turn_id, at FROM turns WHERE call_id = ?", (conversation_id,)).fetchall()
        return {row["turn_id"]: row["at"] for row in rows}

    return ask


def newest_letter(conversation_id: str) -> Callable[[sqlite3.Connection], MessageReceived | None]:
    """The message of a conversation that came last: what is written to the customer answers it."""

    def ask(db: sqlite3.Connection) -> MessageReceived | None:
        row = db.execute(
            "SELECT * FROM messages_in WHERE turn LIKE ? || ' %' ORDER BY id DESC LIMIT 1", (conversation_id,)
        ).fetchone()
        return None if row is None else _received(row)

    return ask


def private_turn(call_id: str, turn_id: str) -> Callable[[sqlite3.Connection], bool]:
    """Whether a turn was an answer to a check of who the customer is."""

    def ask(db: sqlite3.Connection) -> bool:
        row = db.execute(
            "SELECT json_extract(record, '$.private') FROM turns WHERE call_id = ? AND turn_id = ?", (call_id, turn_id)
        ).fetchone()
        return row is not None and bool(row[0])

    return ask


def _queued(row: sqlite3.Row) -> MessageQueued:
    message = msgspec.convert(json.loads(row["record"]), OutboundMessage)
    by = json.loads(row["record"]).get("by", "")
    return MessageQueued(
        row["channel"],
        message,
        row["conversation_id"],
        row["customer_id"],
        bool(row["keyword"]),
        by=by,
        at=row["at"],
    )


def _received(row: sqlite3.Row) -> MessageReceived:
    message = msgspec.convert(json.loads(row["record"]), InboundMessage)
    return MessageReceived(row["receipt"], row["channel"], message, row["at"], row["cut_from"])
