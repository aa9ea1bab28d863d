"""Wiring: the channel "webchat"."""

from __future__ import annotations

import asyncio

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Traces
from ccaas.ports.messaging import TextChannel
from ccaas.ports.site import Site
from ccaas_webchat.channel import WebChat
from ccaas_webchat.forgetting import erase
from ccaas_webchat.settings import WebChatSettings
from ccaas_webchat.store import FILE


@hookimpl
def ccaas_register_channels(register: Register[TextChannel]) -> None:
    register("webchat", WebChat, WebChatSettings)


@hookimpl
async def ccaas_forget(traces: Traces, site: Site) -> None:
    await asyncio.to_thread(erase, site.state_dir / FILE, traces)
