"""Where one channel hands over what arrives: stored before it is believed to be here, and once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

import structlog

from ccaas.chapter import Page, Rows, Whose, rows
from ccaas.errors import CcaasError, JourneyError
from ccaas.journal import texts
from ccaas.journal.entries import Entry
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued, MessageReceived, MessagesTaken
from ccaas.messaging import figures
from ccaas.messaging.consent import OptOuts
from ccaas.messaging.correspondence import Correspondence
from ccaas.messaging.floods import Floods, Heard
from ccaas.messaging.keywords import Keyword, keyword_of
from ccaas.messaging.outbox import Outbox, messages
from ccaas.messaging.parts import Line, TextParts
from ccaas.messaging.plain import plain
from ccaas.ports.journey import Fact, FactKind, Identity
from ccaas.ports.messaging import Delivery, InboundMessage, OutboundMessage, Reception

_log = structlog.get_logger(__name__)

_LONGEST_ID = 500


class ChannelInbox:
    """Implements `Inbox` for one line."""

    def __init__(
        self,
        line: Line,
        journal: Journal,
        correspondence: Correspondence,
        outbox: Outbox,
        opt_outs: OptOuts,
        parts: TextParts,
    ) -> None:
        self._line = line
        self._journal = journal
        self._correspondence = correspondence
        self._outbox = outbox
        self._opt_outs = opt_outs
        self._parts = parts
        self._settings = parts.settings
        self._floods = Floods(parts.settings.flood, parts.clock.now)

    async def received(self, message: InboundMessage) -> Reception:
        """See the port."""
        heard = self._floods.heard(message.address)
        if heard is Heard.NO:
            figures.RECEIVED.labels(self._line.name, "flood").inc()
            return Reception.FLOOD
        letter = self._letter(message)
        keyword = None
        if self._line.channel.capabilities.keywords:
            keyword = keyword_of(letter.message.text)
        if heard is Heard.TOLD and keyword is not Keyword.STOP:
            await self._refuse(letter)
            return Reception.FLOOD
        if not await self._stored(letter):
            figures.RECEIVED.labels(self._line.name, "known").inc()
            return Reception.KNOWN
        stopped = self._opt_outs.stopped(self._line.kind, message.address)
        if keyword is not None and (stopped or keyword is not Keyword.START):
            await self._keyword(letter, keyword, stopped)
        elif stopped:
            figures.RECEIVED.labels(self._line.name, "stopped").inc()
            said = self._fact(letter, FactKind.SAID, letter.message.text, "customer")
            await self._parts.brain.chronicle.append(MessagesTaken((letter.receipt,), "stopped"), *said)
        else:
            figures.RECEIVED.labels(self._line.name, "taken").inc()
            self._correspondence.deliver(letter)
        return Reception.NEW

    def typing(self, address: str, on: bool) -> None:
        """See the port."""
        self._correspondence.typing(self._line, address, on)

    async def receipt(self, message_id: str, delivery: Delivery, detail: str = "") -> None:
        """See the port."""
        try:
            await self._outbox.receipt(self._line.name, message_id, delivery, detail[:_LONGEST_ID])
        except CcaasError as error:
            _log.warning("receipt not stored", message=message_id, error=str(error))

    async def opened(self, address: str, to: str, identity: Identity | None, customer_id: str = "") -> Sequence[str]:
        """See the port."""
        identity = identity or self._parts.brain.spell(self._line.kind, address)
        return await self._correspondence.opened(self._line, address, to, identity, customer_id)

    def _letter(self, message: InboundMessage) -> MessageReceived:
        words = plain(message.text, self._settings.longest_message)
        clean = replace(
            message,
            id=message.id[:_LONGEST_ID],
            identity=message.identity or self._parts.brain.spell(self._line.kind, message.address),
            text=words.text,
            subject=plain(message.subject, 300).text.replace("\n", " "),
        )
        return MessageReceived(
            secrets.token_hex(8), self._line.name, clean, self._parts.then(message.at), words.cut_from
        )

    async def _stored(self, letter: MessageReceived, *with_it: Entry) -> bool:
        """Whether it is new. Raises JourneyError when it could not be stored."""
        try:
            await self._journal.append(letter, *with_it)
            receipt = await self._journal.ask(texts.receipt_of(letter.channel, letter.message.id))
        except CcaasError as error:
            figures.RECEIVED.labels(self._line.name, "not stored").inc()
            raise JourneyError(f"the message was not taken: {error}") from error
        return receipt == letter.receipt

    async def _refuse(self, letter: MessageReceived) -> None:
        """They have written too much: say so this once."""
        figures.RECEIVED.labels(self._line.name, "flood").inc()
        _log.warning("an address writes too much and is not heard for a while", channel=self._line.name)
        if await self._stored(letter, MessagesTaken((letter.receipt,), "flood")):
            await self._reply(letter, self._settings.flooded, keyword=False)

    async def _keyword(self, letter: MessageReceived, keyword: Keyword, stopped: bool) -> None:
        figures.RECEIVED.labels(self._line.name, keyword.value).inc()
        _log.info("keyword", channel=self._line.name, keyword=keyword.value)
        address, at = letter.message.address, letter.at
        whose = Whose("", letter.message.identity)
        proof = f"message {letter.message.id}"
        entries: list[Entry] = [MessagesTaken((letter.receipt,), keyword.value)]
        entries += self._fact(letter, FactKind.NOTED, f"Wrote {keyword.name}.", "customer")
        text = self._settings.help
        if keyword is Keyword.STOP:
            text = "" if stopped else self._settings.stopped
            if not stopped:
                entries += self._opt_outs.stop(self._line.kind, address, whose, proof, at)
        elif keyword is Keyword.START:
            entries += self._opt_outs.start(self._line.kind, address, whose, proof, at)
            text = self._settings.started
        if keyword is not Keyword.HELP:
            self._correspondence.stopped(self._line, letter, stopped=keyword is Keyword.STOP)
        await self._reply(letter, text, *entries, keyword=True)

    async def _reply(self, letter: MessageReceived, text: str, *entries: Entry, keyword: bool) -> None:
        """Store these and an answer of the core's own, and send it."""
        asked = letter.message
        message = OutboundMessage(
            f"k{letter.receipt}", asked.address, asked.to, text, asked.id, asked.subject, asked.data
        )
        queued = messages(
            MessageQueued(self._line.name, message, keyword=keyword), self._line.channel.capabilities.longest
        )
        try:
            await self._parts.brain.chronicle.append(*entries, *queued)
        except CcaasError as error:
            _log.error("an answer could not be stored", channel=self._line.name, error=str(error))
        for one in queued:
            self._outbox.put(one)

    def _fact(self, letter: MessageReceived, kind: FactKind, text: str, source: str) -> Rows:
        whose = Whose("", letter.message.identity)
        fact = Fact(f"m:{letter.receipt}", "", letter.at, kind, self._line.kind, text, source)
        return rows(Page(whose, fact=fact))
