"""How plays reach people: the outbox and the supervisor, both behind the gate; and what they tell of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from ccaas.chapter import Page, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.errors import CcaasError
from ccaas.journal import texts
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued
from ccaas.messaging.correspondence import Correspondence
from ccaas.messaging.outbox import Outbox, messages
from ccaas.messaging.parts import Line
from ccaas.outreach.settings import VoiceLine
from ccaas.ports.journey import Fact, FactKind
from ccaas.telephony.events import EndReason

_log = structlog.get_logger(__name__)


class Originate(Protocol):
    """The controller's: endpoint, entry, caller id, purpose, call id, play. Raises CcaasError."""

    def __call__(
        self, endpoint: str, entry: str, caller_id: str, purpose: str, call_id: str, play: str
    ) -> Awaitable[str]: ...


class CoreReach:
    """Implements `plays.Reach`."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        outbox: Outbox,
        correspondence: Correspondence,
        journal: Journal,
        chronicle: Chronicle,
        voice: VoiceLine | None,
        originate: Originate,
        cancel: Callable[[str], Awaitable[None]],
        wall: Callable[[], float],
    ) -> None:
        """`cancel` ends a call by its id that nobody has answered yet; `wall`: the business's clock (Unix seconds)."""
        self.lines = lines
        self._outbox = outbox
        self._correspondence = correspondence
        self._journal = journal
        self._chronicle = chronicle
        self._voice = voice
        self._originate = originate
        self._cancel = cancel
        self._wall = wall

    async def send(self, queued: MessageQueued, fact: str) -> None:
        """See the protocol."""
        parts = messages(queued, self.lines[queued.channel].channel.capabilities.longest)
        if await self._journal.ask(texts.sent(parts[0].message.id)) is not None:
            return
        page = Page(
            Whose(queued.customer_id),
            fact=Fact(
                id=f"{queued.message.id}:offered",
                customer_id=queued.customer_id,
                at=self._wall(),
                kind=FactKind.OFFERED,
                channel=fact,
                text=queued.message.text,
                source="agent",
                data={"play": queued.message.data.get("play", "")},
            ),
        )
        await self._chronicle.append(*parts, *rows(page))
        for part in parts:
            self._outbox.put(part)

    async def call(self, call_id: str, number: str, purpose: str, play: str) -> None:
        """See the protocol."""
        if self._voice is None:
            raise CcaasError("outreach.voice is not set, so nobody is called")
        if await self._journal.ask(_called(call_id)):
            return
        endpoint = self._voice.endpoint.replace("{number}", number)
        await self._originate(endpoint, self._voice.entry, self._voice.caller_id, purpose, call_id, play)

    async def hang_up(self, call_id: str) -> None:
        """See the protocol."""
        try:
            await self._cancel(call_id)
        except CcaasError as error:
            _log.warning("a call could not be taken back", call=call_id, error=str(error))

    def begin_anew(self, customer_id: str) -> None:
        """See the protocol."""
        self._correspondence.begin_anew(customer_id)


def _called(call_id: str) -> Callable[[sqlite3.Connection], bool]:
    return lambda db: db.execute("SELECT 1 FROM calls WHERE call_id = ?", (call_id,)).fetchone() is not None


def end_of(call_id: str) -> Callable[[sqlite3.Connection], EndReason | None]:
    """Why a call ended; None while it has not."""

    def ask(db: sqlite3.Connection) -> EndReason | None:
        row = db.execute("SELECT end_reason FROM calls WHERE call_id = ? AND ended IS NOT NULL", (call_id,)).fetchone()
        return None if row is None else EndReason(row["end_reason"])

    return ask
