"""Wiring: the reasoner "llm"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.reasoning import Reasoner
from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings


@hookimpl
def ccaas_register_reasoners(register: Register[Reasoner]) -> None:
    register("llm", LlmReasoner, LlmSettings)
