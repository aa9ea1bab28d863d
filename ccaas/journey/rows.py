"""Between the port's values and the tables' columns. Card numbers and secrets are taken out on the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from ccaas.journal.masking import masked, masked_text
from ccaas.journey.statements import Row
from ccaas.ports.journey import Case, Consent, Fact, FactKind, JourneyContext, Profile, Thread

FACT_COLUMNS = "id, customer_id, at, kind, channel, text, source, conversation_id, turn_id, thread_id, recording, moment, data, keeps"
READ_FACT = "f.id, f.at, f.kind, f.channel, f.text, f.source, f.conversation_id, f.turn_id, f.thread_id, f.recording, f.moment, f.data"
"""What `fact` reads."""

_profile = msgspec.json.Decoder(Profile)
_thread = msgspec.json.Decoder(Thread)
_case = msgspec.json.Decoder(Case)
_context = msgspec.json.Decoder(JourneyContext)
T = TypeVar("T")


def clean(text: str) -> str:
    """The text as every database can keep it: without NUL and halves of characters, and without card numbers."""
    if "\0" in text or not text.isprintable():
        text = text.replace("\0", "").encode("utf-8", "replace").decode()
    return masked_text(text)


def to_json(value: object) -> str:
    """Compact JSON without card numbers and secrets; what is not JSON in it becomes text."""
    plain = masked(msgspec.to_builtins(value, enc_hook=str))
    try:
        return msgspec.json.encode(plain).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(plain)).decode()


def _whole(value: object) -> object:
    """A JSON value without halves of characters."""
    if isinstance(value, dict):
        return {clean(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return clean(value) if isinstance(value, str) else value


def to_line(kind: str, value: object) -> dict[str, object]:
    """A value of the port as a JSON object with a "type"."""
    fields: dict[str, object] = msgspec.json.decode(msgspec.json.encode(value))
    return {"type": kind, **fields}


def body(value: Thread | Case) -> str:
    """A thread or a case as it is stored; its id is an id, whatever it looks like."""
    return msgspec.json.encode({**msgspec.json.decode(to_json(value)), "id": value.id}).decode()


def fact_values(fact: Fact, customer_id: str) -> tuple[object, ...]:
    """In the order of `FACT_COLUMNS`."""
    recording, mark, moment = fact.recording.partition("#")
    keeps = fact.data.get("promise", "") if fact.kind is FactKind.DONE else ""
    return (
        fact.id,
        customer_id,
        float(fact.at),
        fact.kind.value,
        fact.channel,
        clean(fact.text),
        clean(fact.source),
        fact.conversation_id,
        fact.turn_id,
        fact.thread_id,
        recording,
        mark + moment,
        to_json(fact.data) if fact.data else "",
        keeps if isinstance(keeps, str) else str(keeps),
    )


def fact(row: Row, customer_id: str) -> Fact:
    """A row of `READ_FACT`."""
    id_, at, kind, channel, text, source, conversation, turn, thread, recording, moment, data = row
    return Fact(
        id_,
        customer_id,
        at,
        FactKind(kind),
        channel,
        text,
        source,
        conversation,
        turn,
        thread,
        recording + moment,
        msgspec.json.decode(data) if data else {},
    )


def thread(body: str, customer_id: str) -> Thread:
    """A thread's `body`."""
    return replace(_thread.decode(body), customer_id=customer_id)


def case(body: str, customer_id: str) -> Case:
    """A case's `body`."""
    return replace(_case.decode(body), customer_id=customer_id)


def consent(row: Row) -> Consent:
    """A row of channel, purpose, granted, at, proof."""
    channel, purpose, granted, at, proof = row
    return Consent(channel, purpose, bool(granted), at, proof)


def profile(text: str) -> Profile:
    """A customer's own `profile`."""
    return _profile.decode(text)


def profile_text(value: Profile) -> str:
    """A profile as it is stored."""
    return msgspec.json.encode(value).decode()


def context(text: str) -> JourneyContext:
    """A `brief`."""
    return _context.decode(text)


def context_text(value: JourneyContext) -> str:
    """A context as it is stored."""
    return msgspec.json.encode(value).decode()


def over(old: Profile, new: Profile) -> Profile:
    """The old profile with the new one's fields that are not empty."""
    fields: dict[str, Any] = {name: value for name in _FIELDS if (value := getattr(new, name))}
    preferences: Mapping[str, str] = {**old.preferences, **new.preferences}
    return replace(old, **fields, preferences=preferences)


_FIELDS = ("first_name", "last_name", "tier", "lifetime_value_cents", "timezone", "language")
