"""Who somebody is and what we know of them, before the first sentence is said or written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Histogram

from ccaas.chapter import Whose
from ccaas.errors import JourneyError
from ccaas.hooks import PluginHost
from ccaas.ports.journey import Assurance, Contact, Customer, Identity, Journey, JourneyContext, Profile

_log = structlog.get_logger(__name__)

CONTEXT_S = 0.05
"""What the journey may take before a conversation begins without it."""
_PATIENCE_S = 5.0
"""How long it is waited for that an answer is needed at all."""
CONTEXT_SECONDS = Histogram(
    "ccaas_context_seconds",
    "What is known of a customer, before a conversation",
    ["found"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody."""

    customer: Customer | None
    """As a system of record knows them."""
    whose: Whose
    context: JourneyContext | None = None
    """None when nobody is known, or the store failed."""
    assurance: Assurance = Assurance.NONE


class Acquaintance:
    """Asks the journey and the systems of record, both within their limits."""

    def __init__(
        self, journey: Journey, host: PluginHost, wall: Callable[[], datetime], limit_s: float = CONTEXT_S
    ) -> None:
        """`wall`: the business's clock; `limit_s`: what the journey may take."""
        self._journey = journey
        self._host = host
        self._wall = wall
        self._limit_s = limit_s

    async def owner(self, identity: Identity | None) -> str:
        """The journey's id of who has this identity; empty when nobody has, or the store does not answer in time."""
        if identity is None:
            return ""
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._journey.find(identity) or ""
        except (JourneyError, TimeoutError) as error:
            _log.warning("the journey does not say who it is", error=str(error) or "it takes too long")
            return ""

    async def meet(
        self,
        contact: Contact,
        customer: Customer | None,
        identity: Identity | None,
        assurance: Assurance = Assurance.CLAIMED,
        *,
        named: str = "",
        register: bool = True,
        needed: asyncio.Event | None = None,
    ) -> Known:
        """What is known of who contacts us. Never raises for a store or a plug-in that fails.

        Args:
            contact: how they reach us.
            customer: as a system of record knows them.
            identity: the address in its one spelling.
            assurance: how sure the channel is of the address.
            named: who it is, when a signed token says so.
            register: whether the journey is to know somebody from now on whom it does not know.
            needed: set when the answer is waited for, and the journey's limit begins; left out, it begins now.
        """
        began = asyncio.get_running_loop().time()
        profile = profile_of(customer) or (Profile(named) if named else None)
        stranger = Known(customer, Whose("", identity, profile), None, assurance if profile else Assurance.NONE)
        if profile is None and identity is None:
            return stranger
        records = asyncio.create_task(self._records(contact, customer), name=f"{contact.call_id} records")
        try:
            context = await self._in_time(self._context(profile, identity, register), needed)
        except (JourneyError, TimeoutError) as error:
            _log.warning(
                "begins without the journey", call=contact.call_id, error=str(error) or f"not within {self._limit_s} s"
            )
            context = None
        finally:
            found = await records
        CONTEXT_SECONDS.labels("no" if context is None else "yes").observe(asyncio.get_running_loop().time() - began)
        if context is None:
            return stranger
        return Known(
            customer,
            Whose(context.profile.id, identity, profile),
            replace(context, records=found),
            assurance,
        )

    async def _in_time(
        self, asking: Coroutine[Any, Any, JourneyContext | None], needed: asyncio.Event | None
    ) -> JourneyContext | None:
        """Raises TimeoutError when the answer is not there in time."""
        task = asyncio.create_task(asking, name="journey's context")
        try:
            if needed is not None:
                waiting = asyncio.create_task(needed.wait())
                try:
                    await asyncio.wait({task, waiting}, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
            await asyncio.wait({task}, timeout=self._limit_s)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    async def _context(
        self, profile: Profile | None, identity: Identity | None, register: bool
    ) -> JourneyContext | None:
        found = await self._journey.find(identity) if identity is not None else None
        if profile is None:
            assert identity is not None  # otherwise there is nothing to ask by
            if found is None and register:
                found = await self._journey.recognise(identity)
            return await self._journey.context(found) if found is not None else None
        context = await self._journey.context(profile.id)
        if not register or (context is not None and (identity is None or found == context.profile.id)):
            return context
        return await self._journey.context(await self._introduce(profile, identity, found))

    async def _introduce(self, profile: Profile, identity: Identity | None, found: str | None) -> str:
        """Make the journey know a system of record's customer, and that the identity is theirs."""
        known = await self._journey.context(profile.id)
        if known is not None and found is not None:
            if not found.startswith("c-"):
                _log.warning("an address has two owners; the system of record's is taken", kept=profile.id, other=found)
                return profile.id
            # Somebody without a name turns out to be this customer.
            await self._journey.merge(known.profile.id, found, "the system of record says that it is the same person")
            return known.profile.id
        return await self._journey.register(profile, () if identity is None else (identity,))

    async def _records(self, contact: Contact, customer: Customer | None) -> dict[str, dict[str, object]]:
        if customer is None:
            return {}
        added = await self._host.context(contact.call_id, customer, self._wall())
        return {plugin: dict(record) for plugin, record in added.items()}


def profile_of(customer: Customer | None) -> Profile | None:
    """What a system of record says of somebody, as the journey keeps it."""
    if customer is None:
        return None
    return Profile(customer.id, customer.first_name, customer.last_name, customer.tier)
