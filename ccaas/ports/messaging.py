"""Text channels: chat, SMS, e-mail. What arrives goes to the inbox; what is to be said goes out through `send`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from aiohttp import web

from ccaas.ports.journey import Assurance, Identity


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """What a channel can do; declared, never sniffed."""

    channel: str
    """"chat", "sms" or "email": the word in the timeline."""
    longest: int | None = None
    """Most characters of one message; longer ones are sent as several."""
    can_begin: bool = False
    """We may write first, to an address that has not written to us."""
    typing: bool = False
    """Shows that the agent is writing."""
    receipts: bool = False
    """Tells whether a message was delivered."""
    keywords: bool = False
    """STOP, START and HELP are the network's own words here."""
    page: str = ""
    """The path, among its routes, of a page on which people can write to us; empty when it has none."""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Something a customer wrote."""

    id: str
    """The channel's own; the same id again is the same message and changes nothing."""
    address: str
    """Whose it is, as it arrived: a number, an e-mail address, a chat session."""
    to: str
    """What was written to: our number, our mailbox, the widget's entry."""
    text: str
    """Plain text; whatever it contains is data and never markup."""
    at: float
    """Unix seconds at which it was sent, or arrived where that is not known."""
    identity: Identity | None = None
    """Whose address it is, in its one spelling; None when it is not usable."""
    assurance: Assurance = Assurance.CLAIMED
    customer_id: str = ""
    """Who it is, when a signed token says so."""
    reference: str = ""
    """What it answers to (an e-mail's In-Reply-To); empty when the channel has no such thing."""
    subject: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    """The channel's own, handed back with each answer (`OutboundMessage.data`). It is stored as it is: no secrets."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """Something to be sent."""

    id: str
    """Ours, chosen before it is sent; the same id again must not be delivered twice."""
    address: str
    sender: str
    """Our number, mailbox or entry that it comes from."""
    text: str
    reference: str = ""
    """The message that it answers (`InboundMessage.id`), empty when we begin."""
    subject: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


class Delivery(Enum):
    """What became of a message that was sent."""

    SENT = "sent"
    """The channel has taken it."""
    DELIVERED = "delivered"
    FAILED = "failed"


class Reception(Enum):
    """What became of a message that arrived. True for one that is new."""

    NEW = "new"
    """Durably stored; it will be answered."""
    KNOWN = "known"
    """It was stored before: nothing changed."""
    FLOOD = "flood"
    """Its sender floods us, and it is not taken."""

    def __bool__(self) -> bool:
        return self is Reception.NEW


class Inbox(Protocol):
    """Where one channel hands over what arrives. Nothing here waits for the answer to be made."""

    async def received(self, message: InboundMessage) -> Reception:
        """Take a message, once.

        Raises:
            JourneyError: it could not be stored; nothing has happened, and the same message may come again.
        """
        ...

    def typing(self, address: str, on: bool) -> None:
        """The customer writes, or has stopped: what they send until then may be one turn. Optional."""
        ...

    async def receipt(self, message_id: str, delivery: Delivery, detail: str = "") -> None:
        """Tell what became of `OutboundMessage.id`; late, repeated and unknown ones change nothing."""
        ...

    async def opened(self, address: str, to: str, identity: Identity | None, customer_id: str = "") -> Sequence[str]:
        """Somebody opened a chat without having written: the first words to show, none when a conversation goes on."""
        ...


@dataclass(frozen=True, slots=True)
class SipText:
    """A SIP MESSAGE that arrived."""

    id: str
    """Of this message: the same one, sent again by an impatient phone, has the same."""
    sender: str
    """The From URI, "sip:+15550100@host"; only as trustworthy as `endpoint`."""
    to: str
    """What was written to: "ccaas"."""
    text: str
    endpoint: str
    """The switch's name of who sent it: "6001" once it has proved who it is, a trunk's name, or "anonymous"."""
    reply_to: str
    """Where an answer goes, for `SipMessages.send`."""


class SipMessages(Protocol):
    """SIP MESSAGE (RFC 3428) through the switch."""

    async def send(self, to: str, sender: str, text: str) -> None:
        """Send to a phone that is registered ("PJSIP/6001"), or to a URI by way of an endpoint
        ("PJSIP/trunk/sip:+15550100@host"); `sender` is the From URI.

        Raises MessageFailed. Returning means that the switch has taken it: SIP tells it no more.
        """
        ...

    async def listen(self, on_text: Callable[[SipText], None]) -> None:
        """Hand over what arrives from now on. Raises AsteriskError when the switch is not reached."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the core lends to a channel."""

    inbox: Inbox
    sip: SipMessages
    secret: bytes
    """This installation's key for signing tokens (32 bytes); kept in the state folder."""


class TextChannel(Protocol):
    """One way to write to us. Made by a factory that `ccaas_register_channels` offers."""

    @property
    def capabilities(self) -> ChannelCapabilities: ...

    async def start(self, around: Surroundings) -> None:
        """Begin to receive. Raises SetupError or ConfigError."""
        ...

    def routes(self) -> Sequence[web.RouteDef]:
        """HTTP that it wants to answer; paths are put below `/channels/<name in the YAML>`."""
        ...

    async def send(self, message: OutboundMessage) -> None:
        """Hand over one message to the channel. Raises MessageFailed (`again` tells whether trying later can help)."""
        ...

    async def typing(self, address: str, on: bool) -> None:
        """Show, or no longer show, that an answer is being written; nothing where the channel cannot."""
        ...

    async def conceal(self, address: str, message_id: str) -> None:
        """`InboundMessage.id` was an answer to a check of who somebody is: keep its words no longer, where they are kept."""
        ...

    async def close(self) -> None: ...
