"""Whoever says or writes, in whatever conversation, that they want to hear no more from us, hears no more: on any channel.

It stands in front of every reasoner, so that no flow and no model decides about it. What is kept is an entry of this
installation's list for each of their addresses, with their words as its proof, and a consent withdrawn in the one brain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.chapter import Page, Rows, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.errors import CcaasError
from ccaas.journal.masking import masked_text
from ccaas.messaging.consent import PURPOSES
from ccaas.outreach.compliance_store import block
from ccaas.outreach.no_more import wants_no_more
from ccaas.outreach.settings import NoMore
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Consent, Fact, FactKind, Identity, Json
from ccaas.ports.reasoning import (
    CallerTurn,
    Dialogue,
    DialogueContext,
    Draft,
    Ending,
    Reasoner,
    Reply,
)

_log = structlog.get_logger(__name__)

STOPS = Counter("ccaas_no_more_total", "People who said in a conversation that they want no more contacts", ["channel"])
INTENT = "no_more_contacts"
_CHANNELS = ("voice", "sms", "email", "chat")


@dataclass(frozen=True, slots=True)
class _NoMore:
    """The plan of a draft that no reasoner has made."""


class NoMoreContacts:
    """Keeps it."""

    def __init__(
        self,
        settings: NoMore,
        store: OutreachStore,
        chronicle: Chronicle,
        spell: Callable[[str, str], Identity | None],
        wall: Callable[[], float],
    ) -> None:
        """`spell`: channel and address → identity; `wall`: the business's clock (Unix seconds)."""
        self.settings = settings
        self._store = store
        self._chronicle = chronicle
        self._spell = spell
        self._wall = wall

    async def keep(self, context: DialogueContext, address: str, turn: CallerTurn) -> None:
        """From now on the gate forbids every contact that we would begin. Raises CcaasError when it could not be stored."""
        identity = self._spell(context.channel, address)
        known = context.journey.identities if context.journey is not None else ()
        addresses = {address, *(one.value for one in known), *([identity.value] if identity is not None else [])} - {""}
        words = masked_text(" ".join(turn.text.split()))[:200]
        conversation = "call" if context.channel == "voice" else "conversation"
        proof = f"“{words}” ({context.channel}, {conversation} {context.call_id}, turn {turn.id})"
        await self._store.write(block(addresses, f"asked for it: {proof}", "customer"))
        STOPS.labels(context.channel).inc()
        _log.info("no more contacts", conversation=context.call_id, channel=context.channel, addresses=len(addresses))
        customer = context.journey.profile.id if context.journey is not None else ""
        whose = Whose(customer, identity)
        try:
            await self._chronicle.append(*self._pages(whose, context, turn, proof))
        except CcaasError as error:
            # The list is what the gate asks first; it has it.
            _log.error("that they want no more could not be told to the journey", error=str(error))

    def _pages(self, whose: Whose, context: DialogueContext, turn: CallerTurn, proof: str) -> Rows:
        at = self._wall()
        fact = Fact(
            id=f"{context.call_id}:{turn.id}:{INTENT}",
            customer_id=whose.customer_id,
            at=at,
            kind=FactKind.NOTED,
            channel=context.channel,
            text="Wants no more contacts from us.",
            source="customer",
            conversation_id=context.call_id,
            turn_id=turn.id,
        )
        consents = (Consent(channel, purpose, False, at, proof) for channel in _CHANNELS for purpose in PURPOSES)
        told = [rows(Page(whose, fact=fact)), *(rows(Page(whose, consent=consent)) for consent in consents)]
        return tuple(row for some in told for row in some)


class Stopping(ReasonerAround):
    """A `Reasoner` in front of another. Where somebody wants no more, it is kept and confirmed; the other is not asked."""

    def __init__(self, reasoner: Reasoner, keeps: NoMoreContacts, address: str = "", *, ours: bool = False) -> None:
        """`address`: the far end's; left out, what the context says. `ours`: we have begun it, so it ends then."""
        super().__init__(reasoner)
        self._keeps = keeps
        self._address = address
        self._ours = ours

    @classmethod
    def each(cls, reasoners: Mapping[str, Reasoner], keeps: NoMoreContacts) -> dict[str, Reasoner]:
        """Before each of these, for conversations that customers began by text."""
        return {name: cls(reasoner, keeps) for name, reasoner in reasoners.items()}

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        address = self._address or context.ani
        return _Stopping(self._reasoner.open(context, snapshot), self._keeps, context, address, self._ours)

    def phrases(self) -> tuple[str, ...]:
        """See the port."""
        return (*self._reasoner.phrases(), self._keeps.settings.confirmed)


class _Stopping(DialogueAround):
    def __init__(
        self, dialogue: Dialogue, keeps: NoMoreContacts, context: DialogueContext, address: str, ours: bool
    ) -> None:
        super().__init__(dialogue)
        self._keeps = keeps
        self._context = context
        self._address = address
        self._ours = ours

    async def draft(self, turn: CallerTurn) -> Draft:
        if wants_no_more(turn.text, self._context.channel, self._keeps.settings.phrases):
            return Draft(turn, None, intent=INTENT, plan=_NoMore())
        return await self._dialogue.draft(turn)

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        if not isinstance(draft.plan, _NoMore):
            async for reply in self._dialogue.commit(draft):
                yield reply
            return
        settings, expect = self._keeps.settings, self._dialogue.expectation
        try:
            # A hang-up in the middle of it does not undo it.
            await asyncio.shield(self._keeps.keep(self._context, self._address, draft.turn))
        except CcaasError as error:
            _log.error("that they want no more could not be kept", conversation=self._context.call_id, error=str(error))
            yield Reply(settings.failed, expect)
            return
        if self._ours:
            yield Reply(f"{settings.confirmed} {settings.goodbye}".strip(), ending=Ending.HANG_UP)
        else:
            yield Reply(settings.confirmed, expect)
