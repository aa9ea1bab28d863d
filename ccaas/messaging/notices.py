"""The core's own tool `send_text`: a short message to the customer of a conversation, such as a confirmation of what was done.

It is a write like any other: gated by phase, audited, and sent once however often it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from ccaas.chapter import Page, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.errors import CcaasError, ToolError
from ccaas.journal import texts
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued
from ccaas.messaging.outbox import Outbox, messages
from ccaas.messaging.parts import Line
from ccaas.ports.journey import Fact, FactKind, IdentityKind, Journey
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext

_KIND = "sms"


class Notice(BaseModel):
    """What is to be sent."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=1_000, description="The words.")


class Handed(BaseModel):
    """It is on its way; the outbox tries until the channel has taken it."""

    channel: str
    """"sms"."""


class Notices:
    """Messages to customers who have not just written to us. `open` comes after the tools are made: channels need them."""

    def __init__(self) -> None:
        self._lines: Mapping[str, Line] = {}
        self._outbox: Outbox
        self._journal: Journal
        self._chronicle: Chronicle
        self._journey: Journey

    def open(
        self, lines: Mapping[str, Line], outbox: Outbox, journal: Journal, chronicle: Chronicle, journey: Journey
    ) -> None:
        """From now on messages can be sent."""
        self._lines = lines
        self._outbox, self._journal = outbox, journal
        self._chronicle, self._journey = chronicle, journey

    @property
    def tool(self) -> Tool:
        """`send_text`."""
        return Tool(
            "send_text",
            "Send the customer a short message, for example to confirm in writing what was done.",
            Notice,
            Handed,
            self._send,
            Effect.WRITE,
            Phase.TRANSACTIONAL,
        )

    async def _send(self, notice: Notice, context: ToolContext) -> Handed:
        line = next((one for one in self._lines.values() if self._can_begin(one)), None)
        if line is None:
            raise ToolError("unavailable", "I can't send messages.")
        message_id = f"n{hashlib.sha256(context.key.encode()).hexdigest()[:24]}"
        try:
            address = await self._number(context.customer_id)
            if await self._known(message_id):
                return Handed(channel=_KIND)
            first = MessageQueued(
                line.name,
                OutboundMessage(message_id, address, "", notice.text, data={"purpose": "transactional"}),
                context.call_id,
                context.customer_id,
            )
            parts = messages(first, line.channel.capabilities.longest)
            await self._chronicle.append(*parts, *rows(self._page(first, context)))
        except ToolError:
            raise
        except CcaasError as error:
            raise ToolError("unavailable", "I can't send messages at the moment.") from error
        for one in parts:
            self._outbox.put(one)
        return Handed(channel=_KIND)

    @staticmethod
    def _can_begin(line: Line) -> bool:
        capabilities = line.channel.capabilities
        return capabilities.channel == _KIND and capabilities.can_begin

    async def _known(self, message_id: str) -> bool:
        """Whether a message of this id, or its first part, was queued before."""
        for known in (message_id, f"{message_id}-1"):
            if await self._journal.ask(texts.sent(known)) is not None:
                return True
        return False

    async def _number(self, customer_id: str) -> str:
        """The customer's telephone number, by the journey."""
        context = await self._journey.context(customer_id) if customer_id else None
        for identity in context.identities if context is not None else ():
            if identity.kind is IdentityKind.PHONE:
                return identity.value
        raise ToolError("no_address", "I have no number to which I could send that.")

    @staticmethod
    def _page(queued: MessageQueued, context: ToolContext) -> Page:
        return Page(
            Whose(queued.customer_id),
            fact=Fact(
                id=f"{queued.message.id}:said",
                customer_id=queued.customer_id,
                at=context.now.timestamp(),
                kind=FactKind.SAID,
                channel=_KIND,
                text=queued.message.text,
                source="agent",
                conversation_id=queued.conversation_id,
                turn_id=context.turn_id,
                data={"message": queued.message.id},
            ),
        )
