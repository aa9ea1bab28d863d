"""The gate of one installation, opened with its store and its lists."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ccaas.config.settings import CcaasSettings
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.media.clock import Clock
from ccaas.outreach.compliance_store import read_lists
from ccaas.outreach.gate import ComplianceGate
from ccaas.outreach.store import FILE, OutreachStore
from ccaas.ports.journey import Journey
from ccaas.ports.site import Site


async def open_gate(
    settings: CcaasSettings,
    site: Site,
    journey: Journey,
    journal: Journal,
    host: PluginHost,
    clock: Clock,
    stack: AsyncExitStack,
) -> ComplianceGate:
    """The gate, ready: it knows who said STOP. Raises OutreachError or ConfigError."""
    listed = read_lists([site.path(name) for name in settings.outreach.do_not_contact])
    store = await OutreachStore.open(site.state_dir / FILE)
    stack.push_async_callback(store.close)
    gate = ComplianceGate(
        settings.outreach,
        store,
        journey,
        journal,
        host,
        clock.wall,
        region=settings.journey.region,
        phones=[phone.name for phone in settings.asterisk.phones],
        listed=listed,
    )
    await gate.opt_outs.resume(journal)
    return gate
