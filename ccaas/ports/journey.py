"""Who the customer is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody reaching us, before we know who."""

    call_id: str
    channel: str
    """"voice", "chat", "sms" or "email"."""
    address: str
    """The calling number, e-mail address or chat session, as it arrived; may be forged or empty."""
    dialled: str
    """The number or address that was reached."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A person that a system of record knows."""

    id: str
    """The system of record's own key."""
    first_name: str
    last_name: str
    tier: str = ""
    """The system of record's word ("gold"); empty when it has none."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What else it says, for flows to use; not for logs."""
