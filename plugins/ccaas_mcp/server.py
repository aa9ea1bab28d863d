"""The connection to an MCP server: kept by a task of its own, made anew when it breaks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import structlog
from anyio import BrokenResourceError, ClosedResourceError
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, RequestParamsMeta
from mcp.types import Tool as Described

from ccaas.errors import SetupError
from ccaas_mcp.settings import McpSettings

_log = structlog.get_logger(__name__)

BROKEN = (OSError, httpx2.HTTPError, MCPError, BrokenResourceError, ClosedResourceError, TimeoutError, EOFError)
"""What a connection that is no more raises."""


class Server:
    """One server. Its task owns the connection, since what opens it must close it."""

    def __init__(self, settings: McpSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._task: asyncio.Task[None] | None = None
        self._client: asyncio.Future[Client]
        self._leave = asyncio.Event()

    async def connected(self) -> Client:
        """The connection; a new one when the last has ended. Raises one of BROKEN."""
        if self._task is None or self._task.done():
            self._client = asyncio.get_running_loop().create_future()
            self._leave = asyncio.Event()
            self._task = asyncio.create_task(self._keep(self._client, self._leave), name="mcp")
        async with asyncio.timeout(self._settings.start_s):
            return await asyncio.shield(self._client)

    async def tools(self) -> list[Described]:
        """All that it offers. Raises one of BROKEN."""
        client, found, cursor = await self.connected(), list[Described](), None
        while True:
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                return found

    async def call(self, name: str, arguments: dict[str, Any], key: str, limit_s: float) -> CallToolResult:
        """Run one of its tools; `key` goes along as the idempotency key. Raises one of BROKEN."""
        client = await self.connected()
        meta = cast("RequestParamsMeta", {"idempotencyKey": key}) if key else None
        try:
            return await client.call_tool(name, arguments, read_timeout_seconds=limit_s, meta=meta)
        except BROKEN:
            await self.close()  # the next call begins with a fresh one
            raise

    async def close(self) -> None:
        """Let the server go. Safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            self._leave.set()
            await asyncio.wait({task}, timeout=5.0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep(self, opened: asyncio.Future[Client], leave: asyncio.Event) -> None:
        try:
            async with self._opened() as client:
                opened.set_result(client)
                await leave.wait()
        except (*BROKEN, BaseExceptionGroup) as error:
            if opened.done():
                _log.warning("connection to an MCP server broke", why=str(error))
            else:
                first: BaseException = error
                while isinstance(first, BaseExceptionGroup):
                    first = first.exceptions[0]
                opened.set_exception(first if isinstance(first, BROKEN) else OSError(str(first)))

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Client]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            if settings.url is None:
                program, *arguments = settings.command
                shared = {name: secret(name) for name in settings.environment}
                parameters = StdioServerParameters(command=program, args=arguments, env=shared, cwd=self._folder)
                yield await stack.enter_async_context(Client(parameters))
                return
            headers = {name: secret(variable) for name, variable in settings.headers.items()}
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, follow_redirects=False))
            transport = streamable_http_client(str(settings.url), http_client=http)
            yield await stack.enter_async_context(Client(transport))


def secret(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of an environment variable. Raises SetupError when it is not set."""
    value = environment.get(variable)
    if not value:
        raise SetupError(f"the environment variable {variable} is not set; set it where ccaas is started")
    return value
