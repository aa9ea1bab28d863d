"""The text channel: SIP MESSAGE in, SIP MESSAGE out."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence

import structlog
from aiohttp import web

from ccaas.errors import JourneyError, MessageFailed
from ccaas.ports.messaging import (
    ChannelCapabilities,
    InboundMessage,
    OutboundMessage,
    SipText,
    Surroundings,
)
from ccaas.ports.site import Site
from ccaas_sms_sip.settings import SipSmsSettings

_log = structlog.get_logger(__name__)

_SENT = 2_000
"""Ids of messages that are remembered, so that none is sent twice."""
_BACK = "reply_to"


class SipSms:
    """Implements `TextChannel`."""

    def __init__(self, settings: SipSmsSettings, site: Site) -> None:
        self._settings = settings
        self._around: Surroundings | None = None
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._taking: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> ChannelCapabilities:
        """See the port."""
        return ChannelCapabilities("sms", longest=self._settings.longest, can_begin=True, keywords=True)

    async def start(self, around: Surroundings) -> None:
        """Listen to what the switch receives."""
        self._around = around
        await around.sip.listen(self._arrived)

    def routes(self) -> Sequence[web.RouteDef]:
        """None: nothing of it is HTTP."""
        return ()

    async def send(self, message: OutboundMessage) -> None:
        """See the port. What the other end says to it is not told by SIP's MESSAGE; taken by the switch is sent."""
        if self._around is None:
            raise MessageFailed("the channel is not started", again=True)
        if message.id in self._sent:
            return
        sender = f"sip:{message.sender or self._settings.numbers[0]}@{self._settings.host}"
        await self._around.sip.send(message.data.get(_BACK) or self._way_to(message.address), sender, message.text)
        self._sent[message.id] = None
        if len(self._sent) > _SENT:
            self._sent.popitem(last=False)

    async def typing(self, address: str, on: bool) -> None:
        """A short message shows nothing before it is there."""

    async def conceal(self, address: str, message_id: str) -> None:
        """Nothing of a message is kept here."""

    async def close(self) -> None:
        """What arrived is handed over before we go."""
        self._around = None
        await asyncio.gather(*self._taking, return_exceptions=True)

    def _way_to(self, address: str) -> str:
        """A number goes by the trunk, where there is one; anything else is a phone that is registered here."""
        if self._settings.trunk and address.lstrip("+").isdigit():
            return f"PJSIP/{self._settings.trunk}/sip:{address}@{self._settings.trunk_host}"
        return f"PJSIP/{address}"

    def _arrived(self, text: SipText) -> None:
        if self._around is None or text.to not in self._settings.numbers:
            _log.info("a SIP message to another number is left alone", to=text.to)
            return
        address = text.sender.partition(":")[2].partition("@")[0]
        message = InboundMessage(
            id=text.id,
            address=address,
            to=text.to,
            text=text.text,
            at=time.time(),
            data={_BACK: text.reply_to},
        )
        task = asyncio.get_running_loop().create_task(self._hand_over(self._around, message), name="sip sms")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _hand_over(self, around: Surroundings, message: InboundMessage) -> None:
        try:
            await around.inbox.received(message)
        except JourneyError as error:
            # SIP has said 202 already: the phone believes that it arrived, so at least the log must hold who is waited for.
            _log.error("a SIP message was lost", sender=message.address, error=str(error))
