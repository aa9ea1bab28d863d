"""Wiring: the channel "sms_http"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Traces
from ccaas.ports.messaging import TextChannel
from ccaas.ports.site import Site
from ccaas_sms_http.channel import HttpSms
from ccaas_sms_http.sent import FILE, SentIds
from ccaas_sms_http.settings import HttpSmsSettings


@hookimpl
def ccaas_register_channels(register: Register[TextChannel]) -> None:
    register("sms_http", HttpSms, HttpSmsSettings)


@hookimpl
async def ccaas_forget(traces: Traces, site: Site) -> None:
    if (site.state_dir / FILE).exists():
        sent = SentIds(site.state_dir / FILE)
        await sent.open()
        try:
            await sent.erase(traces.conversations)
        finally:
            await sent.close()
