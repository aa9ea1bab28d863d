"""The compliance gate: in front of every contact that we begin, however it arises. Nobody goes round it.

What reaches customers (the outbox, the supervisor's `originate`, SIP messages) demands a permit, and only this gate's are
honoured. Each decision is durable before its permit exists.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from ccaas.errors import CcaasError, JourneyError
from ccaas.hooks import PluginHost
from ccaas.journal import texts
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued
from ccaas.journey.identity import identity
from ccaas.messaging.consent import OptOuts
from ccaas.outreach.abandonment import Met
from ccaas.outreach.compliance import CONVERSATION, DAY_S, Clear, Facts, Verdict
from ccaas.outreach.compliance_store import deciding, keep, spelled
from ccaas.outreach.permits import ContactRefused, Register
from ccaas.outreach.settings import OutreachSettings
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Consent, Identity, Journey, JourneyContext
from ccaas.ports.outreach import Allowed, Approach, Decision, Permit, Purpose, Refused

_log = structlog.get_logger(__name__)

CONTACTS = Counter(
    "ccaas_contacts_total",
    "Contacts that we wanted to begin, by what the gate decided",
    ["channel", "purpose", "decision", "rule"],
)
REPLY, OURS = "reply", "phone of ours"


class ComplianceGate:
    """Decides, keeps the decision, and makes the permit."""

    def __init__(
        self,
        settings: OutreachSettings,
        store: OutreachStore,
        journey: Journey,
        journal: Journal,
        host: PluginHost,
        wall: Callable[[], datetime],
        *,
        region: str,
        phones: Collection[str] = (),
        listed: Mapping[str, str] | None = None,
        opt_outs: OptOuts | None = None,
    ) -> None:
        """Args:
        wall: the business's clock.
        region: the installation's country.
        phones: names of the phones of this installation: colleagues', not customers'.
        listed: addresses that are never contacted → the list's name, as lists spell them.
        """
        self._settings = settings
        self.store = store
        self._store = store
        self._journey = journey
        self._journal = journal
        self._host = host
        self._wall = wall
        self._region = region
        self._phones = frozenset(phones)
        self._listed = listed or {}
        self.opt_outs = opt_outs or OptOuts()
        """Who said STOP; shared with the inbox, so that it counts at once."""
        self.register = Register()
        self.met: Callable[[str], Awaitable[Met]] | None = None
        """How many who answered a campaign's calls found nobody, by `Approach.play`; without it no call is begun ahead."""

    async def text(self, queued: MessageQueued, kind: str, longest: int | None) -> Decision:
        """Whether a message may go out now on a channel of this kind."""
        message = queued.message
        approach = Approach(
            message.id,
            queued.customer_id,
            kind,
            message.address,
            _purpose(message.data.get("purpose", "")),
            message.text,
            longest,
            queued.conversation_id,
            message.data.get("play", ""),
        )
        if self.opt_outs.stopped(kind, message.address) and not queued.keyword:
            return await self._keep(approach, Refused("stopped", "they said STOP"))
        free = await self._no_contact(queued)
        aliases = tuple(value for value in message.data.values() if value)
        return await self._decide(approach, free, aliases)

    @property
    def must_say(self) -> str:
        """What a call that we began says first; empty: nothing."""
        return self._settings.disclosure.voice

    async def permit_call(self, call_id: str, endpoint: str, purpose: Purpose, play: str = "") -> Permit:
        """The permit to call an endpoint of Asterisk's now. Raises ContactRefused, also where it may be later."""
        decision = await self.decide_call(call_id, endpoint, purpose, play)
        if not isinstance(decision, Allowed):
            raise ContactRefused(decision.rule, decision.words)
        return decision.permit

    async def decide_call(
        self, call_id: str, endpoint: str, purpose: Purpose, play: str = "", *, ahead: bool = False
    ) -> Decision:
        """Whether an endpoint of Asterisk's may be called now; whose it is is looked up. `ahead`: see `Approach`."""
        address = number_in(endpoint)
        found = identity("voice", address, self._region)
        customer = ""
        if found is not None:
            try:
                customer = await self._journey.find(found) or ""
            except JourneyError as error:
                _log.warning("nobody is called while customers cannot be looked up", error=str(error))
                return Refused("unreadable", "who it is cannot be looked up")
        address = found.value if found is not None else address
        return await self.call(
            Approach(call_id, customer, "voice", address, purpose, conversation_id=call_id, play=play, ahead=ahead),
            endpoint,
        )

    async def call(self, approach: Approach, endpoint: str) -> Decision:
        """Whether somebody may be called now. `endpoint` is Asterisk's name of the phone; the permit is for it."""
        technology, _, name = endpoint.partition("/")
        ours = technology == "PJSIP" and name in self._phones
        decision = await self._decide(approach, OURS if ours else "", ())
        if isinstance(decision, Allowed):
            self.register.void(decision.permit)
            permit = self.register.issue(Permit(approach.id, "voice", endpoint))
            return Allowed(decision.rule, decision.text, permit)
        return decision

    def seconds_until(self, moment: float) -> float:
        """How long it is until a moment of the business's clock (Unix seconds)."""
        return moment - self._wall().timestamp()

    async def _no_contact(self, queued: MessageQueued) -> str:
        """The rule by which a message is no contact of ours, looked up in the journal; empty when it is one."""
        message = queued.message
        if message.reference:
            writer = await self._journal.ask(texts.written_by(queued.channel, message.reference))
            late = time.time() - queued.at > self._settings.reply_days * DAY_S
            if writer == message.address and not late:
                return REPLY
        elif queued.conversation_id and _purpose(message.data.get("purpose", "")) is Purpose.TRANSACTIONAL:
            hours = timedelta(hours=self._settings.conversation_hours)
            began = await self._journal.ask(texts.customer_began(queued.conversation_id, queued.customer_id))
            if began is not None and time.time() - began <= hours.total_seconds():
                return CONVERSATION
        return ""

    async def _decide(self, approach: Approach, free: str, aliases: tuple[str, ...]) -> Decision:
        if free in (REPLY, OURS):
            # An answer is the customer's own contact: it is neither counted nor kept here, the journal has it.
            if free == OURS:
                await self._store.write(lambda db: keep(db, approach, Clear(free, ""), self._wall().timestamp()))
            text = "" if free == OURS else approach.text
            return Allowed(free, text, self._permit(approach, aliases))
        facts = await self._facts(approach, free)
        try:
            verdict = await self._store.write(deciding(approach, facts, self._settings))
        except CcaasError as error:
            _log.error("nobody is contacted while decisions cannot be kept", error=str(error))
            verdict = Refused("unreadable", "the decision could not be kept")
        return self._told(approach, verdict, aliases)

    async def _keep(self, approach: Approach, refused: Refused) -> Refused:
        at = self._wall().timestamp()
        try:
            await self._store.write(lambda db: keep(db, approach, refused, at))
        except CcaasError as error:
            _log.error("a refusal could not be kept", rule=refused.rule, error=str(error))
        CONTACTS.labels(approach.channel, approach.purpose.value, "refused", refused.rule).inc()
        return refused

    def _told(self, approach: Approach, verdict: Verdict, aliases: tuple[str, ...]) -> Decision:
        word = "allowed" if isinstance(verdict, Clear) else "refused" if isinstance(verdict, Refused) else "later"
        CONTACTS.labels(approach.channel, approach.purpose.value, word, verdict.rule).inc()
        if isinstance(verdict, Clear):
            return Allowed(verdict.rule, verdict.text, self._permit(approach, aliases))
        _log.info("contact not made", contact=approach.id, decision=word, rule=verdict.rule, why=verdict.words)
        return verdict

    def _permit(self, approach: Approach, aliases: tuple[str, ...]) -> Permit:
        return self.register.issue(Permit(approach.id, approach.channel, approach.address, aliases))

    async def _facts(self, approach: Approach, free: str) -> Facts:
        context: JourneyContext | None = None
        readable = True
        try:
            if approach.customer_id:
                context = await self._journey.context(approach.customer_id)
        except JourneyError as error:
            _log.warning("nobody is contacted while consents cannot be read", error=str(error))
            readable = False
        identities = context.identities if context is not None else ()
        consents: tuple[Consent, ...] = context.consents if context is not None else ()
        return Facts(
            now=self._wall(),
            region=self._region,
            free=free,
            stopped=self._stopped(approach, identities),
            listed=self._on_list(approach, identities),
            readable=readable,
            profile=context.profile if context is not None else None,
            identities=identities,
            consents=consents,
            against=await self._host.may_contact(approach),
            met=await self.met(approach.play) if approach.ahead and self.met is not None else Met(0, 0),
        )

    def _stopped(self, approach: Approach, identities: tuple[Identity, ...]) -> bool:
        """STOP in one channel counts in all, at once: also before the journey was told."""
        addresses = {approach.address, *(one.value for one in identities)}
        return any(self.opt_outs.stopped_anywhere(address) for address in addresses)

    def _on_list(self, approach: Approach, identities: tuple[Identity, ...]) -> str:
        for address in (approach.address, *(one.value for one in identities)):
            if (name := self._listed.get(spelled(address))) is not None:
                return name
        return ""


def number_in(endpoint: str) -> str:
    """The number or name that an endpoint of Asterisk's leads to: "PJSIP/+1555…@carrier", "PJSIP/carrier/sip:+1555…@host"."""
    last = endpoint.partition("/")[2].rpartition("/")[2]
    user = last.partition("@")[0].rpartition(":")[2]
    return user or last


def _purpose(word: str) -> Purpose:
    return next((one for one in Purpose if one.value == word), Purpose.SERVICE)


class PermittedCalls:
    """Where calls leave: `Supervisor` asks this before it rings anybody."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def __call__(self, permit: object, endpoint: str) -> None:
        """Raises ContactRefused."""
        self._register.redeem(permit, "voice", endpoint)
