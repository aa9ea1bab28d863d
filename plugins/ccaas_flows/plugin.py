"""Wiring: the reasoner "flows"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.reasoning import Reasoner
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings


@hookimpl
def ccaas_register_reasoners(register: Register[Reasoner]) -> None:
    register("flows", FlowsReasoner, FlowsSettings)
