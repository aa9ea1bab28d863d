"""The front desk: who is calling, which entry takes the call, whether there is room; and the books of all calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Counter, Gauge

from ccaas.agent import Agent
from ccaas.config.settings import CcaasSettings
from ccaas.errors import CcaasError
from ccaas.hooks import PluginHost
from ccaas.journal.entries import CallBegan, CallEnded, Transition
from ccaas.journal.journal import Journal
from ccaas.journal.recovery import OpenCall
from ccaas.ports.journey import Contact, Customer
from ccaas.telephony.desk import Refused
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent
from ccaas.telephony.supervisor import Remembered

_log = structlog.get_logger(__name__)

CALLS = Counter("ccaas_calls_total", "Calls that ended, by reason", ["reason"])
REFUSED = Counter("ccaas_calls_refused_total", "Calls that were not taken or not made", ["why"])
UP = Gauge("ccaas_calls_up", "Calls that are up")

MakeAgent = Callable[[str, str, str, str, Customer | None, str, OpenCall | None], Agent]
"""call id, the far end's address, ANI, DNIS, customer, entry, what was journalled of the call before → the agent."""


_MENDS = {
    "draining": "start ccaas again",
    "full": "wait until a call has ended, or raise limits.calls",
    "slow": "wait until this machine has less to do",
}


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
        """The calls that are up, and the number of each one's next transition."""
        self._offers = 0
        """Offers that are admitted and not yet calls: each has its place."""
        self.over: Callable[[str, EndReason], None] = lambda *_: None
        """Told of each call that has ended, by its id."""
        self.draining = False
        """No new call is taken."""

    def refusal(self) -> str:
        """Why no call is taken or made now, in a word; empty: one is."""
        if self.draining:
            return "draining"
        if len(self._seq) + self._offers >= self._settings.limits.calls:
            return "full"
        if self._lag_s() * 1000 > self._settings.limits.lag_ms:
            return "slow"
        return ""

    async def welcome(self, call_id: str, offer: Offered) -> Agent | Refused:
        """See `Desk`."""
        why = self.refusal()
        if why:
            return _refused(why)
        contact = Contact(call_id, "voice", offer.ani, offer.dnis)
        # Nothing is awaited between the look and the taking, so no two offers get the same place.
        self._offers += 1
        try:
            customer = await self._host.identify(contact)
            entry = await self._entry(contact, customer)
            if entry is None:
                return _refused("number")
            return self._begin(call_id, offer.ani, offer.ani, offer.dnis, customer, entry)
        finally:
            self._offers -= 1

    async def _entry(self, contact: Contact, customer: Customer | None) -> str | None:
        entry = await self._host.route(contact, customer)
        if entry is not None and entry not in self._settings.entries:
            _log.error("a plug-in routed a call to an entry that does not exist", call=contact.call_id, entry=entry)
            entry = None
        return entry or self._settings.entry_for(contact.dialled)

    async def admit(self, call_id: str, endpoint: str, caller_id: str, entry: str) -> Agent:
        """Open the books for a call that is to be made to `endpoint`; it takes a place as one that comes in.

        Raises:
            CcaasError: no new call is taken or made now.
        """
        why = self.refusal()
        if why:
            REFUSED.labels(why).inc()
            raise CcaasError(f"no new call is made now ({why}); {_MENDS[why]}")
        self._offers += 1
        try:
            address = endpoint.partition("/")[2]
            customer = await self._host.identify(Contact(call_id, "voice", address, entry))
            return self._begin(call_id, address, caller_id, entry, customer, entry)
        finally:
            self._offers -= 1

    def _begin(self, call_id: str, address: str, ani: str, dnis: str, customer: Customer | None, entry: str) -> Agent:
        agent = self._make(call_id, address, ani, dnis, customer, entry, None)
        self._seq[call_id] = 0
        UP.set(len(self._seq))
        self._journal.post(CallBegan(call_id, ani, dnis, entry, customer.id if customer else "", address))
        return agent

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
        self.over(call_id, reason)
        self._journal.post(CallEnded(call_id, reason, cause))

    async def remember(self, calls: Iterable[OpenCall]) -> dict[str, Remembered]:
        """Agents for the calls that an earlier controller left, by the caller's leg."""
        remembered: dict[str, Remembered] = {}
        for call in calls:
            if not call.transitions or call.entry not in self._settings.entries:
                self.ended(call.call_id, EndReason.FAILED, 0)
                continue
            customer = await self._host.identify(Contact(call.call_id, "voice", call.address, call.dnis))
            agent = self._make(call.call_id, call.address, call.ani, call.dnis, customer, call.entry, call)
            self._seq[call.call_id] = call.next_seq
            caller = call.transitions[0].leg_id
            remembered[caller] = Remembered(call.call_id, caller, agent)
        UP.set(len(self._seq))
        return remembered


def _refused(why: str) -> Refused:
    REFUSED.labels(why).inc()
    return Refused(why)
