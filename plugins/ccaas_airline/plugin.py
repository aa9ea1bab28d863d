"""Wiring of the airline: its tools, and who calls from which number."""

from __future__ import annotations

from collections.abc import Awaitable

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Contact, Customer
from ccaas.ports.site import Site
from ccaas.ports.tools import Tool
from ccaas_airline.callers import customer_of
from ccaas_airline.desk import Desk
from ccaas_airline.published_reads import published_reads
from ccaas_airline.published_writes import published_writes
from ccaas_airline.settings import AirlineSettings
from ccaas_airline.store import Store
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
    return tools_of(desk)


async def open_desk(settings: AirlineSettings, site: Site) -> Desk:
    """The airline's desk over the database of this installation."""
    data = site.path(settings.data) if settings.data else site.models_dir / "tau2-airline"
    return Desk(await Store.open(site.state_dir / settings.database, data), settings.now, settings.policy == "enforced")


def tools_of(desk: Desk) -> tuple[Tool, ...]:
    """All tools of this desk."""
    return (*voice_tools(desk), *published_reads(desk), *published_writes(desk))


@hookimpl
def ccaas_register_tools(register: Register[Awaitable[tuple[Tool, ...]]]) -> None:
    """Offer the airline's tools."""
    register("airline", airline_tools, AirlineSettings)


@hookimpl
async def ccaas_identify(contact: Contact) -> Customer | None:
    """The customer whose number it is."""
    if not _open:
        return None
    desk, settings = _open[0]
    return await customer_of(desk.store, contact.address, settings.region)
