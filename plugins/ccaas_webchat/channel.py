"""The channel: `TextChannel` for web pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from aiohttp import WSCloseCode, web

from ccaas.errors import MessageFailed, SetupError
from ccaas.ports.messaging import ChannelCapabilities, OutboundMessage, Surroundings
from ccaas.ports.site import Site
from ccaas_webchat.door import Door
from ccaas_webchat.limits import Places, Rate
from ccaas_webchat.lines import clean
from ccaas_webchat.pages import Pages
from ccaas_webchat.rooms import Rooms
from ccaas_webchat.sessions import is_session
from ccaas_webchat.settings import WebChatSettings
from ccaas_webchat.socket import ChatSocket
from ccaas_webchat.store import FILE, Store
from ccaas_webchat.talk import House
from ccaas_webchat.tokens import read_secret

PURGE_S = 3_600.0
"""How often old conversations are deleted."""
LOOK_S = 1.0
"""How often it is looked whether somebody was erased whose page is open."""
DAY_S = 86_400.0


class WebChat:
    """One widget's server side. `start` opens its conversations, `routes` serve pages, `send` reaches them."""

    def __init__(self, settings: WebChatSettings, site: Site, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._site = site
        self._clock = clock
        self._store = Store(site.state_dir / FILE)
        self._rooms = Rooms(self._store, settings.history)
        self._socket: ChatSocket | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._pages = Pages(settings.words)
        self._log = structlog.get_logger("webchat")

    @property
    def capabilities(self) -> ChannelCapabilities:
        return ChannelCapabilities("chat", typing=True, receipts=True, page="/demo")

    async def start(self, around: Surroundings) -> None:
        settings = self._settings
        token_key = read_secret(self._site.path(settings.secret_file)) if settings.secret_file else around.secret
        if not settings.anonymous and settings.bad_token == "anonymous":
            raise SetupError("bad_token: anonymous needs anonymous: true; set one of them otherwise")
        await self._store.open()
        house = House(
            settings,
            self._store,
            self._rooms,
            Door(settings, self._store, around.secret, token_key),
            around.inbox,
            by_session=Rate(settings.messages_per_minute, settings.messages_per_minute // 3, time.monotonic),
            by_address=Rate(settings.ip_messages_per_minute, settings.ip_messages_per_minute // 2, time.monotonic),
            frames_of=Rate(600, 200, time.monotonic),
            clock=self._clock,
        )
        connects = Rate(settings.ip_connections_per_minute, settings.ip_connections_per_minute // 2, time.monotonic)
        self._socket = ChatSocket(house, Places(settings.connections, settings.ip_connections), connects)
        self._tasks = (
            asyncio.create_task(self._purge(), name="webchat purge"),
            asyncio.create_task(self._look(), name="webchat erasures"),
        )

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/widget.js", self._pages.script),
            web.get("/demo", self._pages.demo),
            web.get("/demo.css", self._pages.demo_style),
            web.get("/socket", self._connect),
        )

    async def send(self, message: OutboundMessage) -> None:
        if self._socket is None:
            raise MessageFailed("the chat is closed; start it again", again=True)
        if not is_session(message.address):
            raise MessageFailed(f"{message.address!r} is no chat session", again=False)
        text = clean(message.text)
        if not text:
            raise MessageFailed("a message without text cannot be shown", again=False)
        async with self._rooms.held(message.address) as room:
            await self._rooms.say(room, message.id, "agent", text, self._clock())
        self._rooms.typing(message.address, False)

    async def typing(self, address: str, on: bool) -> None:
        self._rooms.typing(address, on)

    async def conceal(self, address: str, message_id: str) -> None:
        await self._store.conceal(address, message_id.removeprefix(f"{address}-"))

    async def close(self) -> None:
        self._socket = None
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._rooms.end(WSCloseCode.GOING_AWAY)
        await self._store.close()

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self._socket is None:
            raise web.HTTPServiceUnavailable(text="The chat is closed.\n")
        return await self._socket(request)

    async def _purge(self) -> None:
        while True:
            try:
                gone = await self._store.purge(self._clock() - self._settings.keep_days * DAY_S)
            except MessageFailed as error:
                self._log.error("old chats cannot be deleted", problem=str(error))
            else:
                if gone:
                    self._log.info("old chats deleted", chats=gone)
            await asyncio.sleep(PURGE_S)

    async def _look(self) -> None:
        while True:
            try:
                if await self._store.changed_by_others():
                    await self._rooms.leave_erased()
            except MessageFailed as error:
                self._log.error("pages of erased chats are not closed yet", problem=str(error))
            await asyncio.sleep(LOOK_S)
