"""Wiring of the airline: its tools, who calls from which number, and what is known of them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import datetime

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Contact, Customer
from ccaas.ports.outreach import Approach
from ccaas.ports.plays import PlayStep
from ccaas.ports.sentiment import Conversing, Handover, Signal, Why
from ccaas.ports.site import Site
from ccaas.ports.tools import Effect, Tool
from ccaas_airline.buying import buying_tools
from ccaas_airline.callers import customer_at, known_of, on_board
from ccaas_airline.connecting import ConnectingSettings, connecting
from ccaas_airline.desk import Desk
from ccaas_airline.goodwill import goodwill_tools
from ccaas_airline.holding import holding_tools
from ccaas_airline.published_reads import published_reads
from ccaas_airline.published_writes import published_writes
from ccaas_airline.services import service_tools
from ccaas_airline.settings import AirlineSettings
from ccaas_airline.store import Store
from ccaas_airline.upgrading import upgrade_tools
from ccaas_airline.voice import voice_tools

# The hooks are called on this module: the desk that the last factory call opened serves them.
_open: list[tuple[Desk, AirlineSettings]] = []


async def airline_tools(settings: AirlineSettings, site: Site) -> tuple[Tool, ...]:
    """Open the airline's database (built when it is not there), and give its tools.

    Raises:
        SetupError: the published data is missing, or the database is broken.
    """
    desk = await open_desk(settings, site)
    _open[:] = [(desk, settings)]
    return (*tools_of(desk), *holding_tools(desk))


async def open_desk(settings: AirlineSettings, site: Site) -> Desk:
    """The airline's desk over the database of this installation."""
    data = site.path(settings.data) if settings.data else site.models_dir / "tau2-airline"
    return Desk(await Store.open(site.state_dir / settings.database, data), settings.now, settings.policy == "enforced")


def tools_of(desk: Desk) -> tuple[Tool, ...]:
    """All tools of this desk. Its writes can be rehearsed: the database takes them back."""
    writes = (*published_writes(desk), *goodwill_tools(desk))
    spoken = (*voice_tools(desk), *upgrade_tools(desk), *service_tools(desk), *buying_tools(desk))
    tools = (*spoken, *published_reads(desk), *writes)
    return tuple(replace(tool, rehearses=tool.effect is Effect.WRITE, close=desk.store.close) for tool in tools)


@hookimpl
def ccaas_register_tools(register: Register[Awaitable[tuple[Tool, ...]]]) -> None:
    """Offer the airline's tools."""
    register("airline", airline_tools, AirlineSettings)


@hookimpl
def ccaas_register_plays(register: Register[PlayStep]) -> None:
    """Offer what the YAML cannot say of a cancelled flight."""
    register("airline_connecting", connecting, ConnectingSettings)


@hookimpl
async def ccaas_identify(contact: Contact) -> Customer | None:
    """The customer whose number or address it is."""
    if not _open:
        return None
    desk, settings = _open[0]
    return await customer_at(desk.store, contact, settings.region)


@hookimpl
async def ccaas_escalate(conversation: Conversing, signal: Signal) -> Handover | None:
    """Upset members of some levels have colleagues of their own."""
    if not _open or conversation.customer is None or signal.why is not Why.UPSET:
        return None
    _, settings = _open[0]
    colleague = settings.colleagues.get(conversation.customer.tier)
    return Handover(colleague) if colleague else None


@hookimpl
async def ccaas_may_contact(approach: Approach) -> str | None:
    """Who is in the air is not called: they cannot take it, and would pay for the message."""
    if not _open or approach.channel not in ("voice", "sms"):
        return None
    return "they are on board of a flight" if await on_board(_open[0][0].store, approach.customer_id) else None


@hookimpl
async def ccaas_context(customer: Customer, now: datetime) -> Mapping[str, object] | None:
    """Membership and the flights ahead."""
    if not _open:
        return None
    desk, settings = _open[0]
    return await known_of(desk.store, customer.id, (settings.now or now).replace(tzinfo=None))
