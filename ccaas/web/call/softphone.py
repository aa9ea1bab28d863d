"""The softphone of who is signed in: credentials for one page, and the socket over which it speaks SIP."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from ccaas.ports.accounts import Role
from ccaas.ports.telephony import BrowserLines
from ccaas.web.call.relay import Relay
from ccaas.web.call.sip import TELEPHONE
from ccaas.web.staff.routes import Routes, account_of

SIP_PATH = "/sip"


class SoftphoneRoutes:
    """Adds its routes to a site."""

    def __init__(self, lines: BrowserLines, relay: Relay, own: Callable[[web.Request], None]) -> None:
        """`own`: refuses a request that another site's page makes, by raising."""
        self._lines = lines
        self._relay = relay
        self._own = own

    def add_to(self, routes: Routes) -> None:
        """POST /softphone gives this page the telephone of its login, and voids what any other page has of it."""
        routes.add("POST", "/softphone", self._give, role=Role.AGENT)
        routes.add("GET", SIP_PATH, self._speak, role=Role.AGENT)

    async def _give(self, request: web.Request) -> web.StreamResponse:
        account = account_of(request)
        try:
            line = await self._lines.open_desk(account.login, account.name)
        except ValueError as error:
            raise web.HTTPConflict(text=f"{error}\n") from None
        return web.json_response({"user": line.user, "password": line.password, "path": SIP_PATH})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        login = account_of(request).login
        if not await self._lines.is_open(login):
            raise web.HTTPConflict(text="this telephone is not open; ask for its credentials again\n")
        return await self._relay.serve(request, login, TELEPHONE)
