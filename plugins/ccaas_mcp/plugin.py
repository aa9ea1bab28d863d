"""Wiring: an MCP server's tools, as the YAML declares them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from mcp.types import CallToolResult, TextContent
from mcp.types import Tool as Described
from pydantic import BaseModel, ValidationError

from ccaas.declared import Declared, Keys, NotKnown, declare, erase, json_model, path_of
from ccaas.errors import SetupError, ToolError
from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.journey import Traces
from ccaas.ports.site import Site
from ccaas.ports.tools import Tool, ToolContext
from ccaas.spelling import nearest
from ccaas_mcp.server import BROKEN, Server, secret
from ccaas_mcp.settings import McpSettings

PLUGIN = "mcp"
"""Its name, with which the files of its keys begin."""
_DOWN = "Our system cannot be reached at the moment."
_TEXT: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
"""The answer of a tool that does not describe it."""


async def mcp_tools(settings: McpSettings, site: Site) -> tuple[Tool, ...]:
    """Connect to the server, and give its tools.

    Raises:
        SetupError: it cannot be started or reached, or has not the tools that the YAML declares.
    """
    for variable in (*settings.environment, *settings.headers.values()):
        secret(variable)
    where = str(settings.url or " ".join(settings.command))
    server = Server(settings, site.config_dir)
    try:
        described = {one.name: one for one in await server.tools()}
    except BROKEN as error:
        await server.close()
        raise SetupError(f"the MCP server {where} does not answer ({error}); start it, or correct the YAML") from None
    wrong = next((name for name in settings.tools if name not in described), None)
    if wrong is not None:
        await server.close()
        raise SetupError(f"the MCP server {where} has no tool {wrong}; {nearest(wrong, described)}")
    keys = await Keys.open(path_of(site.state_dir, PLUGIN, where))

    async def close() -> None:
        await server.close()
        await keys.close()

    wanted = {**(dict.fromkeys(described, Declared()) if settings.unlisted else {}), **settings.tools}
    return tuple(_tool(described[name], declared, server, keys, close) for name, declared in wanted.items())


def _tool(one: Described, declared: Declared, server: Server, keys: Keys, close: Any) -> Tool:
    answer = json_model(f"{one.name}_answer", one.output_schema or _TEXT)

    async def call(asked: BaseModel, key: str) -> BaseModel:
        try:
            reply = await server.call(one.name, asked.model_dump(mode="json"), key, declared.timeout_s)
        except BROKEN as error:
            raise NotKnown(f"{one.name}: {type(error).__name__}") from error
        if reply.is_error:
            said = _text(reply).removeprefix(f"Error executing tool {one.name}")
            if not said:
                # What the official SDK's servers say, and no more, when a tool broke in the middle.
                raise NotKnown(f"{one.name}: it broke")
            raise ToolError("not_allowed", said.removeprefix(": "))
        try:
            return answer.model_validate(reply.structured_content if one.output_schema else {"text": _text(reply)})
        except ValidationError as error:
            raise NotKnown(f"{one.name}: the answer is not what it says") from error

    async def run(asked: BaseModel, context: ToolContext) -> BaseModel:
        if declared.effect == "read":
            try:
                return await call(asked, "")
            except NotKnown as error:
                raise ToolError("unavailable", _DOWN) from error

        async def send() -> dict[str, Any]:
            return (await call(asked, context.key)).model_dump(mode="json")

        return answer.model_validate(await keys.once(context, send, again=declared.idempotent))

    models = (json_model(f"{one.name}_arguments", one.input_schema), answer)
    return declare(declared, one.name, one.description or one.title or "", models, run, close)


def _text(reply: CallToolResult) -> str:
    return " ".join(part.text for part in reply.content if isinstance(part, TextContent)).strip()


@hookimpl
def ccaas_register_tools(register: Register[Awaitable[tuple[Tool, ...]]]) -> None:
    """Offer the tools of MCP servers."""
    register("mcp", mcp_tools, McpSettings)


@hookimpl
async def ccaas_forget(traces: Traces, site: Site) -> None:
    """Erase what is kept of a person's writes."""
    await asyncio.to_thread(erase, site.state_dir, PLUGIN, traces)
