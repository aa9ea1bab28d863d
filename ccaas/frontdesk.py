"""The front desk: who is calling, which entry takes the call, whether there is room; and the books of all calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Counter, Gauge

from ccaas.agent import Agent
from ccaas.config.settings import CcaasSettings
from ccaas.hooks import PluginHost
from ccaas.journal.entries import CallBegan, CallEnded, Transition
from ccaas.journal.journal import Journal
from ccaas.journal.recovery import OpenCall
from ccaas.ports.journey import Contact, Customer
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent
from ccaas.telephony.supervisor import Remembered

_log = structlog.get_logger(__name__)

CALLS = Counter("ccaas_calls_total", "Calls that ended, by reason", ["reason"])
REFUSED = Counter("ccaas_calls_refused_total", "Offers that were given back to the dialplan", ["why"])
UP = Gauge("ccaas_calls_up", "Calls that are up")

MakeAgent = Callable[[str, str, str, Customer | None, str, OpenCall | None], Agent]
"""call id, ANI, DNIS, customer, entry, what was journalled of the call before → the agent."""


class FrontDesk:
    """Implements `telephony.desk.Desk`."""

    def __init__(
        self, settings: CcaasSettings, host: PluginHost, journal: Journal, lag_s: Callable[[], float], make: MakeAgent
    ) -> None:
        self._settings = settings
        self._host = host
        self._journal = journal
        self._lag_s = lag_s
        self._make = make
        self._seq: dict[str, int] = {}
        self.draining = False
        """No new call is taken."""

    def refusal(self) -> str:
        """See `Desk`."""
        why = ""
        if self.draining:
            why = "draining"
        elif len(self._seq) >= self._settings.limits.calls:
            why = "full"
        elif self._lag_s() * 1000 > self._settings.limits.lag_ms:
            why = "slow"
        if why:
            REFUSED.labels(why).inc()
        return why

    async def welcome(self, call_id: str, offer: Offered) -> Agent | None:
        """See `Desk`."""
        contact = Contact(call_id, "voice", offer.ani, offer.dnis)
        customer = await self._host.identify(contact)
        entry = await self._host.route(contact, customer)
        if entry is not None and entry not in self._settings.entries:
            _log.error("a plug-in routed a call to an entry that does not exist", call=call_id, entry=entry)
            entry = None
        entry = entry or self._settings.entry_for(offer.dnis)
        if entry is None:
            REFUSED.labels("number").inc()
            return None
        return self.admit(call_id, offer.ani, offer.dnis, customer, entry)

    def admit(self, call_id: str, ani: str, dnis: str, customer: Customer | None, entry: str) -> Agent:
        """Open the books for a call that is taken or made."""
        self._seq[call_id] = 0
        UP.set(len(self._seq))
        self._journal.post(CallBegan(call_id, ani, dnis, entry, customer.id if customer else ""))
        return self._make(call_id, ani, dnis, customer, entry, None)

    def happened(self, call_id: str, event: TelephonyEvent) -> None:
        """See `Desk`."""
        seq = self._seq.get(call_id, 0)
        self._seq[call_id] = seq + 1
        self._journal.post(Transition(call_id, seq, event))
        self._host.call_event(call_id, event)

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None:
        """See `Desk`."""
        self._seq.pop(call_id, None)
        UP.set(len(self._seq))
        CALLS.labels(reason.value).inc()
        self._journal.post(CallEnded(call_id, reason, cause))

    async def remember(self, calls: Iterable[OpenCall]) -> dict[str, Remembered]:
        """Agents for the calls that an earlier controller left, by the caller's leg."""
        remembered: dict[str, Remembered] = {}
        for call in calls:
            if not call.transitions or call.entry not in self._settings.entries:
                self.ended(call.call_id, EndReason.FAILED, 0)
                continue
            customer = await self._host.identify(Contact(call.call_id, "voice", call.ani, call.dnis))
            agent = self._make(call.call_id, call.ani, call.dnis, customer, call.entry, call)
            self._seq[call.call_id] = call.next_seq
            caller = call.transitions[0].leg_id
            remembered[caller] = Remembered(call.call_id, caller, agent)
        UP.set(len(self._seq))
        return remembered
