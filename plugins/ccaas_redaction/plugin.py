"""Wiring: the redactor "pii"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.redaction import Redactor
from ccaas_redaction.finding import Finder
from ccaas_redaction.settings import RedactionSettings


@hookimpl
def ccaas_register_redactors(register: Register[Redactor]) -> None:
    register("pii", Finder, RedactionSettings)
