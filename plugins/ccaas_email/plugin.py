"""Wiring: the channel "email"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.messaging import TextChannel
from ccaas_email.channel import Email
from ccaas_email.settings import EmailSettings


@hookimpl
def ccaas_register_channels(register: Register[TextChannel]) -> None:
    register("email", Email, EmailSettings)
