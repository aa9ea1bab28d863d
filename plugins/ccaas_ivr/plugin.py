"""Wiring: the reasoner "ivr"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.reasoning import Reasoner
from ccaas_ivr.reasoner import IvrReasoner
from ccaas_ivr.settings import IvrSettings


@hookimpl
def ccaas_register_reasoners(register: Register[Reasoner]) -> None:
    register("ivr", IvrReasoner, IvrSettings)
