"""A web chat that is served over HTTP, and pages that talk to it without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from ccaas_webchat.channel import WebChat
from ccaas_webchat.settings import WebChatSettings

from ccaas.ports.messaging import OutboundMessage, Surroundings
from ccaas.ports.site import Site
from ccaas.testing.fakes.messaging import FakeInbox, FakeSipMessages

KEY = b"the installation's own secret, 32+"
SENDER = "web"
Frame = dict[str, Any]


async def until(true: Callable[[], object], what: str, limit_s: float = 15.0) -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(limit_s):
            while not true():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {limit_s} s: {what}") from None


class Server:
    """A channel behind a port; it can be stopped and started again with the same files and the same port."""

    def __init__(self, folder: Path, inbox: FakeInbox, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.inbox = inbox
        self.settings = settings
        self.now = 1_750_000_000.0
        """The channel's clock when `real_time` is False."""
        self.real_time = True
        self.dark = False
        """Pages are served and no chat is: the socket's part of the network is down."""
        self.port = 0
        self.channel: WebChat = self._made()
        self._runner: web.AppRunner | None = None
        self._ids = itertools.count(1)

    def _made(self) -> WebChat:
        site = Site(self.folder, self.folder, self.folder, self.folder)
        settings = WebChatSettings.model_validate(self.settings)
        return WebChat(settings, site, lambda: time.time() if self.real_time else self.now)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/channels/web"

    async def start(self) -> None:
        self.channel = self._made()
        await self.channel.start(Surroundings(self.inbox, FakeSipMessages(), KEY))
        app = web.Application(middlewares=[self._network])
        app.add_routes(
            [web.RouteDef(r.method, f"/channels/web{r.path}", r.handler, r.kwargs) for r in self.channel.routes()]
        )
        app.router.add_get("/host", self._host)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.channel.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def go_dark(self) -> None:
        """Lose every chat connection, until `dark` is False again."""
        self.dark = True
        for room in self.channel._rooms._rooms.values():
            for tab in room.tabs:
                tab.cut()

    @web.middleware
    async def _network(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.dark and request.path.endswith("/socket"):
            raise web.HTTPServiceUnavailable
        response: web.StreamResponse = await handler(request)
        return response

    async def answer(self, text: str, address: str = "", message_id: str = "") -> None:
        """The agent writes to who wrote last."""
        last = self.inbox.messages[-1] if self.inbox.messages else None
        to = address or (last.address if last else "")
        await self.channel.send(OutboundMessage(message_id or f"out-{next(self._ids)}", to, SENDER, text))

    async def _host(self, request: web.Request) -> web.Response:
        """A page of a site: hostile style, and the tag's attributes from the query."""
        attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in request.query.items())
        return web.Response(
            content_type="text/html",
            text=f"""<!doctype html><html lang="en"><head><title>A shop</title><meta name="viewport"
            content="width=device-width, initial-scale=1"><style>
            * {{ all: unset; color: red !important; font-size: 40px !important; }} button {{ display: none !important; }}
            html, body, main, h1, p {{ display: block; }}</style></head><body><main><h1>A shop</h1><p>Its page.</p></main>
            <script src="/channels/web/widget.js" {attributes}></script></body></html>""",
        )


@contextlib.asynccontextmanager
async def served(folder: Path, inbox: FakeInbox | None = None, **settings: Any) -> AsyncIterator[Server]:
    """A server until the end of the block."""
    server = Server(folder, inbox or FakeInbox(), settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@dataclass
class Page:
    """A page as the protocol sees it; `frames` is all that it got."""

    socket: aiohttp.ClientWebSocketResponse
    http: aiohttp.ClientSession
    frames: list[Frame] = field(default_factory=list)
    closed: int | None = None
    reading: asyncio.Task[None] | None = None
    on_line: Callable[[Frame], Awaitable[None]] | None = None
    """Called with each new line."""

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def got(self, kind: str, count: int = 1) -> list[Frame]:
        """At least so many frames of a kind."""
        await until(lambda: len(self.of(kind)) >= count, f"{count} {kind} (got {self.frames}, closed {self.closed})")
        return self.of(kind)

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def lines(self) -> list[Frame]:
        """Every line that it got, however it came."""
        welcome = [line for frame in self.of("welcome") for line in frame["lines"]]
        return welcome + self.of("line")

    async def close(self) -> None:
        await self.socket.close()
        if self.reading is not None:
            await self.reading
        await self.http.close()

    async def end(self) -> int | None:
        """The code with which the other side closes."""
        await until(lambda: self.closed is not None, "the socket is closed")
        await self.close()
        return self.closed

    async def _read(self) -> None:
        async for message in self.socket:
            frame = json.loads(message.data)
            self.frames.append(frame)
            if frame["type"] == "line" and self.on_line is not None:
                await self.on_line(frame)
        self.closed = self.socket.close_code


async def connect(server: Server, *, read: bool = True, **headers: str) -> Page:
    """A page before its hello."""
    http = aiohttp.ClientSession()
    given = {"Origin": f"http://127.0.0.1:{server.port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    try:
        page = Page(await http.ws_connect(f"{server.url}/socket", headers=given), http)
    except aiohttp.ClientError:
        await http.close()
        raise
    if read:
        page.reading = asyncio.create_task(page._read())
    return page


async def visit(server: Server, **hello: Any) -> Page:
    """A page after its welcome."""
    page = await connect(server)
    await page.send("hello", **hello)
    await page.got("welcome")
    return page


async def come_back(server: Server, page: Page, **hello: Any) -> Page:
    """The same browser again."""
    welcome = page.of("welcome")[-1]
    return await visit(server, session=welcome["session"], resume=welcome["resume"], **hello)
