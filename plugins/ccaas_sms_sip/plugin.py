"""Wiring: the channel "sms_sip"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.messaging import TextChannel
from ccaas_sms_sip.channel import SipSms
from ccaas_sms_sip.settings import SipSmsSettings


@hookimpl
def ccaas_register_channels(register: Register[TextChannel]) -> None:
    register("sms_sip", SipSms, SipSmsSettings)
