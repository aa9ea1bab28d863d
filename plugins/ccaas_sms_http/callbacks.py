"""What a gateway tells us, read by the YAML's description."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from ccaas.errors import CcaasError
from ccaas.ports.messaging import Delivery, InboundMessage
from ccaas_sms_http.settings import HttpSmsSettings, Message, Receipt
from ccaas_sms_http.templates import looked_up, text_at


class BadCallback(CcaasError):
    """A callback that cannot be read; the sentence names what is missing."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a message of ours."""

    id: str
    """As the gateway names it."""
    delivery: Delivery
    detail: str


def parsed(content_type: str, body: bytes) -> Any:
    """The callback's content: JSON, or a form as an object. Raises BadCallback."""
    try:
        if "json" in content_type:
            return json.loads(body)
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (ValueError, RecursionError):
        raise BadCallback("the body is neither JSON nor a form, as its Content-Type says") from None


def entries(settings: HttpSmsSettings, content: Any) -> Iterator[InboundMessage | Told]:
    """What a callback holds, in order. Raises BadCallback at the first entry that is neither message nor receipt."""
    found = [content] if settings.each is None else looked_up(settings.each, content)
    if not isinstance(found, list):
        raise BadCallback(f"there is no list at {settings.each}")
    for entry in found:
        told = _receipt(settings.receipt, entry) if settings.receipt is not None else None
        yield told or _message(settings.message, entry)


def _receipt(receipt: Receipt, entry: Any) -> Told | None:
    """None when it is no receipt."""
    status, which = text_at(receipt.status, entry), text_at(receipt.id, entry)
    if not status or not which:
        return None
    delivery = Delivery.SENT
    if status.lower() in {word.lower() for word in receipt.delivered}:
        delivery = Delivery.DELIVERED
    elif status.lower() in {word.lower() for word in receipt.failed}:
        delivery = Delivery.FAILED
    return Told(which, delivery, text_at(receipt.detail, entry) if receipt.detail else "")


def _message(message: Message, entry: Any) -> InboundMessage:
    parts = {name: text_at(getattr(message, name), entry) for name in ("id", "address", "to")}
    if missing := [name for name, value in parts.items() if not value]:
        where = ", ".join(f"{name} at {getattr(message, name)}" for name in missing)
        raise BadCallback(f"it holds no {where}")
    return InboundMessage(
        parts["id"], parts["address"], parts["to"], text_at(message.text, entry), _seconds(message, entry)
    )


def _seconds(message: Message, entry: Any) -> float:
    """Unix seconds; now, where nothing usable is said."""
    said = text_at(message.at, entry) if message.at else ""
    try:
        return float(said)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        return time.time()
