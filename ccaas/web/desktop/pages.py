"""The desktop and the board as part of the site: their pages, sockets and what they fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from aiohttp import web

from ccaas.errors import CcaasError
from ccaas.journey.rows import to_line
from ccaas.ports.accounts import Role
from ccaas.ports.contact import ContactCentre
from ccaas.ports.journey import Journey
from ccaas.web.desktop.board import Observer
from ccaas.web.desktop.desk import Desk
from ccaas.web.desktop.frames import (
    BOARD_FRAME,
    DESK_FRAME,
    BoardOrder,
    DeskOrder,
    Hello,
    Read,
    Shown,
    Sign,
    Types,
    encode,
)
from ccaas.web.desktop.hub import Hub
from ccaas.web.desktop.orders import Approvals, Orders
from ccaas.web.desktop.socket import SIGNED_OUT, SUPERSEDED, TICK, Page
from ccaas.web.settings import DeskWeb
from ccaas.web.staff.routes import SESSION
from ccaas.web.staff.server import STATIC, StaffSite

_TICK_S = 5.0
"""How often pages are told that the connection lives, and sessions are looked at (s)."""
_FACTS = 100
"""Facts of the timeline at once."""


class DeskPages:
    """Added to a site before it starts; `start` and `close` with it."""

    def __init__(
        self,
        site: StaffSite,
        settings: DeskWeb,
        centre: ContactCentre,
        journey: Journey,
        approvals: Approvals,
        destinations: Iterable[str],
        *,
        numbers: bool = False,
    ) -> None:
        """`destinations`: where calls may be transferred to besides queues and agents; `numbers`: to outside numbers too."""
        self.hub = Hub(centre, settings.lost_s, silent_s=settings.silent_s)
        self._site = site
        self._settings = settings
        self._journey = journey
        self._orders = Orders(centre, approvals, site.book)
        self._destinations = sorted(destinations)
        self._numbers = numbers
        self._pages: dict[Page, Desk | Observer] = {}
        self._ticking: asyncio.Task[None] | None = None
        site.routes.page("/desk", "Desk", STATIC / "desk.html", role=Role.AGENT)
        site.routes.page("/board", "Board", STATIC / "board.html", role=Role.SUPERVISOR)
        site.routes.add("GET", "/desk/socket", self._desk, role=Role.AGENT)
        site.routes.add("GET", "/board/socket", self._board, role=Role.SUPERVISOR)
        site.routes.add("GET", "/desk/timeline/{conversation}", self._timeline, role=Role.AGENT)
        site.routes.add("GET", "/deeds", self._deeds, role=Role.ADMIN)
        site.sessions.on_end(self._look)

    def start(self) -> None:
        """From now on."""
        self.hub.start()
        self._ticking = asyncio.create_task(self._tick(), name="desk ticks")

    async def close(self) -> None:
        """Sign everybody out. Safe to call twice."""
        ticking, self._ticking = self._ticking, None
        if ticking is not None:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        for page in self._pages:
            page.end(1012, "the controller stops")
        await self.hub.close()

    # — sockets —

    async def _desk(self, request: web.Request) -> web.StreamResponse:
        self._site.guard.own(request)
        page, address = Page(request, request[SESSION]), self._site.guard.address(request)
        hello = await page.hello(DESK_FRAME)
        if hello is None:
            return page.socket
        desk = await self.hub.come(page.session.account)
        for other in [other for other, place in self._pages.items() if place is desk]:
            other.end(SUPERSEDED, "the desktop is open in another window")
        self._pages[page] = desk

        async def told(frame: Hello | Sign | DeskOrder) -> None:
            if isinstance(frame, Shown):
                desk.shown(frame.handoff)
            elif isinstance(frame, Read):
                desk.texts.read(frame.conversation)
            elif isinstance(frame, Types):
                self._orders.types(desk, frame)
            elif not isinstance(frame, Hello):
                await self._orders.desk(desk, frame, address)

        try:
            page.welcome(hello, desk.feed, lambda: self._snapshot(desk))
            await page.talk(DESK_FRAME, told)
        finally:
            del self._pages[page]
            if not any(place is desk for place in self._pages.values()):
                desk.feed.listen(None)
                self.hub.gone(desk, at_once=page.socket.close_code == SIGNED_OUT)
        return page.socket

    async def _board(self, request: web.Request) -> web.StreamResponse:
        self._site.guard.own(request)
        page, address = Page(request, request[SESSION]), self._site.guard.address(request)
        hello = await page.hello(BOARD_FRAME)
        if hello is None:
            return page.socket
        observer = Observer()
        self._pages[page] = observer

        async def told(frame: Hello | BoardOrder) -> None:
            if not isinstance(frame, Hello):
                await self._orders.board(observer, page.session.account, frame, address)

        snapshot: Callable[[], str] = lambda: encode(  # noqa: E731
            "snapshot",
            **observer.snapshot(self.hub.centre.board()),
            reasons=self._settings.reasons,
            numbers=self._numbers,
        )
        self.hub.watch(observer)
        try:
            page.welcome(hello, observer.feed, snapshot)
            await page.talk(BOARD_FRAME, told)
        finally:
            self.hub.unwatch(observer)
            del self._pages[page]
        return page.socket

    def _snapshot(self, desk: Desk) -> str:
        return encode(
            "snapshot",
            **desk.snapshot(),
            dispositions=self._settings.dispositions,
            reasons=self._settings.reasons,
            destinations=self._destinations,
            numbers=self._numbers,
            lost_s=self._settings.lost_s,
            outline=self.hub.outline(),
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            for page in self._pages:
                page.send(TICK)
            await self._check()

    def _look(self) -> None:
        """A session has ended: its pages do too."""
        self._checking = asyncio.ensure_future(self._check())

    async def _check(self) -> None:
        if not self._pages:
            return
        with suppress(CcaasError):  # it is asked again in a moment
            alive = await self._site.sessions.alive({page.session.id for page in self._pages})
            for page in self._pages:
                if page.session.id not in alive:
                    page.end(SIGNED_OUT, "the session is over")

    # — what pages fetch —

    async def _timeline(self, request: web.Request) -> web.StreamResponse:
        conversation, account = request.match_info["conversation"], request[SESSION].account
        desk = next((one for one in self.hub.desks if one.account.login == account.login), None)
        work = desk.work_on(conversation) if desk is not None else None
        if work is None:
            raise web.HTTPForbidden(text="this conversation is not yours any more\n")
        bundle = work.bundle
        customer = bundle.context.profile.id if bundle.context else bundle.customer.id if bundle.customer else ""
        try:
            before = float(request.query["before"]) if "before" in request.query else None
        except ValueError:
            raise web.HTTPBadRequest(text="before is a number of Unix seconds\n") from None
        facts = await self._journey.timeline(customer, _FACTS, before) if customer else ()
        return web.json_response({"facts": [to_line("fact", fact) for fact in facts]})

    async def _deeds(self, request: web.Request) -> web.StreamResponse:
        deeds = await asyncio.to_thread(self._site.book.deeds, 500, request.query.get("login", ""))
        return web.json_response({"deeds": [to_line("deed", deed) for deed in deeds]})
