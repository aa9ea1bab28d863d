"""A text channel without a network, through which two sides talk, and what stands around a channel.

channel = FakeTextChannel()
await channel.start(surroundings(FakeInbox()))
await channel.write("I need another flight.", address="+16175550142")
… the application answers with `channel.send` …
channel.told("+16175550142")
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from ccaas.errors import MessageFailed
from ccaas.ports.journey import Assurance, Identity, IdentityKind
from ccaas.ports.messaging import (
    ChannelCapabilities,
    Delivery,
    InboundMessage,
    Inbox,
    OutboundMessage,
    Reception,
    SipText,
    Surroundings,
)

_KINDS = {"sms": IdentityKind.PHONE, "email": IdentityKind.EMAIL, "chat": IdentityKind.CHAT}
OURS = "+15550100"
"""What the fake's customers write to."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel told of a message that was sent."""

    message_id: str
    delivery: Delivery
    detail: str = ""


class FakeInbox:
    """An inbox that keeps what it is given and answers nothing."""

    def __init__(self, greeting: str = "") -> None:
        """`greeting`: what somebody who opens a chat is shown."""
        self.messages: list[InboundMessage] = []
        """Without those that came again."""
        self.receipts: list[Receipt] = []
        self.openings: list[tuple[str, str, Identity | None, str]] = []
        self.writing: dict[str, bool] = {}
        """By address, whether somebody writes."""
        self.fails: Exception | None = None
        """Raised by `received`."""
        self.flooded = False
        """Whoever writes has written too much."""
        self._greeting = greeting

    async def received(self, message: InboundMessage) -> Reception:
        if self.fails is not None:
            raise self.fails
        if any(known.id == message.id for known in self.messages):
            return Reception.KNOWN
        if self.flooded:
            return Reception.FLOOD
        self.messages.append(message)
        return Reception.NEW

    def typing(self, address: str, on: bool) -> None:
        self.writing[address] = on

    async def receipt(self, message_id: str, delivery: Delivery, detail: str = "") -> None:
        self.receipts.append(Receipt(message_id, delivery, detail))

    async def opened(self, address: str, to: str, identity: Identity | None, customer_id: str = "") -> Sequence[str]:
        self.openings.append((address, to, identity, customer_id))
        return (self._greeting,) if self._greeting else ()


class FakeSipMessages:
    """SIP MESSAGE without a switch: `arrive` is the far side, `sent` what was sent to it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        """To, sender, text."""
        self.fails: MessageFailed | None = None
        self._takers: list[Callable[[SipText], None]] = []

    async def send(self, to: str, sender: str, text: str) -> None:
        if self.fails is not None:
            raise self.fails
        self.sent.append((to, sender, text))

    async def listen(self, on_text: Callable[[SipText], None]) -> None:
        self._takers.append(on_text)

    def arrive(self, message: SipText) -> None:
        """A phone has written."""
        assert self._takers, "nobody listens"
        for on_text in self._takers:
            on_text(message)


def surroundings(inbox: Inbox, sip: FakeSipMessages | None = None) -> Surroundings:
    """What the core lends to a channel, with this inbox."""
    return Surroundings(inbox, sip or FakeSipMessages(), b"k" * 32)


class FakeTextChannel:
    """A `TextChannel` whose customers a test commands."""

    def __init__(self, capabilities: ChannelCapabilities | None = None) -> None:
        """Without `capabilities`, SMS with keywords and receipts."""
        self._capabilities = capabilities or ChannelCapabilities(
            "sms", longest=1_600, can_begin=True, receipts=True, keywords=True
        )
        self._inbox: Inbox | None = None
        self._ids = itertools.count(1)
        self.sent: list[OutboundMessage] = []
        """What customers got, each id once, in order."""
        self.attempts: list[str] = []
        """Ids that were to be sent, also those that failed or came again."""
        self.shown: list[tuple[str, bool]] = []
        """Address, and whether it was shown that the agent writes."""
        self.fails: MessageFailed | None = None
        """Raised by `send` until it is None again."""
        self.concealed: list[tuple[str, str]] = []
        """Address and id of messages whose words are not to be kept."""
        self.routes_offered: tuple[web.RouteDef, ...] = ()
        self.closed = False

    @property
    def capabilities(self) -> ChannelCapabilities:
        return self._capabilities

    async def start(self, around: Surroundings) -> None:
        self._inbox = around.inbox

    def routes(self) -> Sequence[web.RouteDef]:
        return self.routes_offered

    async def send(self, message: OutboundMessage) -> None:
        self.attempts.append(message.id)
        if self.closed:
            raise MessageFailed("this channel is closed; start it again", again=False)
        if self.fails is not None:
            raise self.fails
        if not any(known.id == message.id for known in self.sent):
            self.sent.append(message)
            if self._capabilities.receipts:
                await self.inbox.receipt(message.id, Delivery.DELIVERED)

    async def typing(self, address: str, on: bool) -> None:
        self.shown.append((address, on))

    async def conceal(self, address: str, message_id: str) -> None:
        self.concealed.append((address, message_id))

    async def close(self) -> None:
        self.closed = True

    # — the customers' side —

    @property
    def inbox(self) -> Inbox:
        """What the channel was started with."""
        assert self._inbox is not None, "the channel was not started"
        return self._inbox

    async def write(
        self,
        text: str,
        address: str = "+16175550142",
        *,
        message_id: str = "",
        at: float | None = None,
        customer_id: str = "",
        spelled: bool = True,
    ) -> Reception:
        """A customer writes; what the inbox said. `customer_id`: a signed token says so. Not `spelled`: the channel leaves
        it to the core whose address it is."""
        kind = _KINDS[self._capabilities.channel]
        return await self.inbox.received(
            InboundMessage(
                message_id or f"in-{next(self._ids)}",
                address,
                OURS,
                text,
                time.time() if at is None else at,
                Identity(kind, address) if spelled else None,
                Assurance.VERIFIED if customer_id else Assurance.CLAIMED,
                customer_id,
            )
        )

    def told(self, address: str) -> list[str]:
        """What the customer at this address has got, in order."""
        return [message.text for message in self.sent if message.address == address]
