"""Wiring: the tool that looks things up."""

from __future__ import annotations

from collections.abc import Awaitable

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.tools import Tool
from ccaas_knowledge.settings import KnowledgeSettings
from ccaas_knowledge.tool import knowledge_tools


@hookimpl
def ccaas_register_tools(register: Register[Awaitable[tuple[Tool, ...]]]) -> None:
    register("knowledge", knowledge_tools, KnowledgeSettings)
