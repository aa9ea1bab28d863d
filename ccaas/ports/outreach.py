"""Contacts that we begin, as the gate sees them and as it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Purpose(Enum):
    """What a contact is for."""

    SERVICE = "service"
    """Something about what they have from us: their flight is cancelled."""
    TRANSACTIONAL = "transactional"
    """The proof of something that they have just done."""
    MARKETING = "marketing"
    """Anything that is to sell."""


@dataclass(frozen=True, slots=True)
class Approach:
    """A contact that we are about to begin."""

    id: str
    """Of this contact, chosen by who wants it; the same id again is the same contact and is counted once."""
    customer_id: str
    """The journey's; empty when we do not know who it is."""
    channel: str
    """"sms", "email", "chat" or "voice"."""
    address: str
    """The number, mailbox or chat session that would be reached."""
    purpose: Purpose
    text: str = ""
    """What would be sent; empty for a call."""
    longest: int | None = None
    """Most characters that the channel takes."""
    conversation_id: str = ""
    """The call or conversation that it belongs to."""
    play: str = ""
    """The play or campaign that wants it."""
    ahead: bool = False
    """A call that is begun before an agent is free for it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be, with `text`. The permit is for this one contact and for one use."""

    rule: str
    """Why: "contact", or the rule that makes it no contact of ours ("reply", "conversation", "phone of ours")."""
    text: str
    """What is to be sent, with what the gate has added; for a call what must be said before anything else."""
    permit: Permit


@dataclass(frozen=True, slots=True)
class Refused:
    """It must not be."""

    rule: str
    """Which rule says so, a stable word: "stopped", "listed", "unknown", "consent", "frequency", …"""
    words: str
    """The same for people, in one sentence."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now."""

    rule: str
    """"hours" or "holiday"."""
    words: str
    until: float
    """The first moment at which it may be asked again (Unix seconds of the business's clock)."""


class Permit:
    """The right to one contact. Only the gate's own are honoured, once each: one that is made elsewhere opens nothing."""

    __slots__ = ("address", "aliases", "channel", "contact_id", "texts")

    def __init__(self, contact_id: str, channel: str, address: str, aliases: tuple[str, ...] = ()) -> None:
        self.contact_id = contact_id
        self.channel = channel
        self.address = address
        self.aliases = aliases
        """What the channel itself calls the address: the way back of a SIP message."""
        self.texts = 1
        """SIP messages that may still be sent with it."""


Decision = Allowed | Refused | Later
