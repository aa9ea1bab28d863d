"""Wiring: the operations that the YAML names, as tools."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable

import aiohttp

from ccaas.declared import Keys, declare, erase, json_model, path_of
from ccaas.errors import SetupError
from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Traces
from ccaas.ports.site import Site
from ccaas.ports.tools import Tool
from ccaas_openapi.calling import Calling
from ccaas_openapi.document import Operation, fetch, operation
from ccaas_openapi.settings import OpenApiSettings

PLUGIN = "openapi"
"""Its name, with which the files of its keys begin."""


async def openapi_tools(settings: OpenApiSettings, site: Site) -> tuple[Tool, ...]:
    """Read the document, and give its operations.

    Raises:
        SetupError: the document, an operation or an environment variable is missing, or something in them is wrong.
    """
    headers = {name: _secret(variable) for name, variable in settings.headers.items()}
    document = await fetch(settings.document, site.config_dir)
    base = str(settings.url or next((one["url"] for one in document.get("servers", ())), ""))
    if not base.startswith(("http://", "https://")):
        raise SetupError(f"{settings.document}: it names no server; add `url`")
    operations = {name: operation(document, name) for name in settings.operations}
    models = {name: (_model(one, "Arguments"), _model(one, "Answer")) for name, one in operations.items()}
    keys = await Keys.open(path_of(site.state_dir, PLUGIN, base))
    http = aiohttp.ClientSession()

    async def close() -> None:
        await http.close()
        await keys.close()

    tools = []
    for name, declared in settings.operations.items():
        calling = Calling(operations[name], declared, base, headers, http, keys, models[name][1])
        tools.append(declare(declared, name, operations[name].summary, models[name], calling.run, close))
    return tuple(tools)


def _model(one: Operation, what: str) -> type:
    return json_model(f"{one.name}{what}", one.arguments if what == "Arguments" else one.answer, one.dialect)


def _secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SetupError(f"the environment variable {variable} is not set; set it where ccaas is started")
    return value


@hookimpl
def ccaas_register_tools(register: Register[Awaitable[tuple[Tool, ...]]]) -> None:
    """Offer the tools of OpenAPI documents."""
    register("openapi", openapi_tools, OpenApiSettings)


@hookimpl
async def ccaas_forget(traces: Traces, site: Site) -> None:
    """Erase what is kept of a person's writes."""
    await asyncio.to_thread(erase, site.state_dir, PLUGIN, traces)
