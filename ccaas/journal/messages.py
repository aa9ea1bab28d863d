"""What is journalled of conversations by text: what came in, what goes out, who wants no more, what the journey is told.

Texts are masked; addresses stay as they are, for a masked one could not be answered.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from ccaas.journal.masking import masked_text
from ccaas.ports.messaging import InboundMessage, OutboundMessage
from ccaas.ports.reasoning import NOT_KEPT

WAITING, SENT, DELIVERED, FAILED, REFUSED = "waiting", "sent", "delivered", "failed", "refused"
"""States of a message that goes out; the last three are final."""
_FROM = {SENT: (WAITING,), DELIVERED: (WAITING, SENT), FAILED: (WAITING, SENT), REFUSED: (WAITING,)}


@dataclass(frozen=True, slots=True)
class ConversationBegan:
    """A conversation by text was opened."""

    conversation_id: str
    channel: str
    """The channel's name in the YAML."""
    message: InboundMessage
    """With which it began; its words are not kept here."""
    entry: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """A conversation by text is over."""

    conversation_id: str
    reason: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message came in. One that is there already is left as it was."""

    receipt: str
    """Ours; of two rows with the channel's same id the first one's stays."""
    channel: str
    message: InboundMessage
    at: float
    """When it was written: Unix seconds of the business's clock."""
    cut_from: int = 0
    """Characters that it had before it was cut; 0: it was not."""


@dataclass(frozen=True, slots=True)
class MessagesTaken:
    """Messages have become a turn, or need none. Those of a turn that is private keep no words from now on."""

    receipts: tuple[str, ...]
    turn: str
    """"<conversation> <turn>", or a word on why there is no turn."""


@dataclass(frozen=True, slots=True)
class MessageQueued:
    """A message is to be sent."""

    channel: str
    message: OutboundMessage
    conversation_id: str = ""
    customer_id: str = ""
    """The journey's."""
    keyword: bool = False
    """It confirms STOP or answers HELP: it goes out whatever the person has said."""
    private: bool = False
    """It repeats an answer to a check: its words are kept until it was sent."""
    by: str = ""
    """The login of the person who wrote it; empty: the AI."""
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class MessageIs:
    """What became of a message that was to be sent; what is final stays."""

    id: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Somebody wants no more messages."""

    channel: str
    """"sms", "email", "chat"."""
    address: str
    proof: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class OptedIn:
    """They want them again."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Chronicled:
    """Something the journey is still to be told."""

    whose: str
    """What must stay in order: the customer's key."""
    record: str
    """JSON, masked by who wrote it."""


@dataclass(frozen=True, slots=True)
class ChronicleTold:
    """The journey knows it."""

    ids: tuple[int, ...]


MessageEntry = (
    ConversationBegan
    | ConversationEnded
    | MessageReceived
    | MessagesTaken
    | MessageQueued
    | MessageIs
    | OptedOut
    | OptedIn
    | Chronicled
    | ChronicleTold
)
DURABLE = (MessageReceived, MessagesTaken, MessageQueued, OptedOut, OptedIn)
"""What must outlive a power cut: somebody was told that we have it."""

Statement = tuple[str, tuple[object, ...]]
"""SQL and its parameters."""


def _began(entry: ConversationBegan) -> Statement:
    return (
        (
            "INSERT INTO conversations (conversation_id, channel, address, recipient, message, entry, began)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ),
        (
            entry.conversation_id,
            entry.channel,
            entry.message.address,
            entry.message.to,
            _json(replace(entry.message, text="", subject="")),
            entry.entry,
            entry.at,
        ),
    )


def _ended(entry: ConversationEnded) -> Statement:
    return (
        "UPDATE conversations SET ended = ?, end_reason = ? WHERE conversation_id = ? AND ended IS NULL",
        (entry.at, entry.reason, entry.conversation_id),
    )


def _received(entry: MessageReceived) -> Statement:
    message = replace(entry.message, text=masked_text(entry.message.text), subject=masked_text(entry.message.subject))
    return (
        (
            "INSERT INTO messages_in (channel, message_id, receipt, record, cut_from, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING"
        ),
        (entry.channel, message.id, entry.receipt, _json(message), entry.cut_from, entry.at),
    )


def _taken(entry: MessagesTaken) -> Statement:
    conversation, _, turn = entry.turn.partition(" ")
    return (
        (
            "UPDATE messages_in SET turn = ?, record = CASE WHEN EXISTS (SELECT 1 FROM turns WHERE call_id = ?"
            " AND turn_id = ? AND json_extract(turns.record, '$.private'))"
            " THEN json_set(record, '$.text', ?, '$.subject', '') ELSE record END"
            " WHERE turn IS NULL AND receipt IN (SELECT value FROM json_each(?))"
        ),
        (entry.turn, conversation, turn, NOT_KEPT, json.dumps(entry.receipts)),
    )


def _out(entry: MessageQueued) -> Statement:
    message = replace(entry.message, text=masked_text(entry.message.text), subject=masked_text(entry.message.subject))
    return (
        (
            "INSERT INTO messages_out (message_id, channel, conversation_id, customer_id, keyword, record, state, detail, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING"
        ),
        (
            message.id,
            entry.channel,
            entry.conversation_id,
            entry.customer_id,
            int(entry.keyword),
            _json(msgspec.to_builtins(message) | _marks(entry)),
            WAITING,
            entry.at,
        ),
    )


def _marks(entry: MessageQueued) -> dict[str, Any]:
    marks: dict[str, Any] = {"private": True} if entry.private else {}
    return marks | ({"by": entry.by} if entry.by else {})


def _is(entry: MessageIs) -> Statement:
    return (
        (
            "UPDATE messages_out SET state = ?, detail = ?, record = CASE WHEN json_extract(record, '$.private')"
            " THEN json_set(record, '$.text', ?) ELSE record END"
            " WHERE message_id = ? AND state IN (SELECT value FROM json_each(?))"
        ),
        (entry.state, masked_text(entry.detail), NOT_KEPT, entry.id, json.dumps(_FROM[entry.state])),
    )


def _opted_out(entry: OptedOut) -> Statement:
    return (
        "INSERT INTO opted_out (channel, address, proof, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (entry.channel, entry.address, entry.proof, entry.at),
    )


def _opted_in(entry: OptedIn) -> Statement:
    return "DELETE FROM opted_out WHERE channel = ? AND address = ?", (entry.channel, entry.address)


def _chronicled(entry: Chronicled) -> Statement:
    return "INSERT INTO chronicle (whose, record) VALUES (?, ?)", (entry.whose, entry.record)


def _told(entry: ChronicleTold) -> Statement:
    return "DELETE FROM chronicle WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(entry.ids),)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


STATEMENTS: Mapping[type[Any], Callable[[Any], Statement]] = {
    ConversationBegan: _began,
    ConversationEnded: _ended,
    MessageReceived: _received,
    MessagesTaken: _taken,
    MessageQueued: _out,
    MessageIs: _is,
    OptedOut: _opted_out,
    OptedIn: _opted_in,
    Chronicled: _chronicled,
    ChronicleTold: _told,
}
