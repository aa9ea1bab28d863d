"""The site's server: one port, its accounts, and what other modules have added to it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import structlog
from aiohttp import web

from ccaas.errors import SetupError
from ccaas.ports.accounts import Accounts, Role
from ccaas.web.accounts.book import AccountBook
from ccaas.web.accounts.local import LocalAccounts
from ccaas.web.accounts.sessions import FormTokens, Sessions
from ccaas.web.settings import DeskWeb
from ccaas.web.staff.guard import Guard, answered
from ccaas.web.staff.routes import SESSION, Routes, account_of
from ccaas.web.staff.sign_in import SignIn

_log = structlog.get_logger(__name__)

STATIC = Path(__file__).parents[1] / "static"
_STOP_S = 2.0
"""How long open connections may take to end when it stops."""
_MOST = 256 * 1024
"""Bytes of one request's body."""


class StaffSite:
    """Made, filled (`routes`), started, closed."""

    def __init__(
        self,
        settings: DeskWeb,
        name: str,
        state_dir: Path,
        config_dir: Path,
        key: bytes,
        accounts: Accounts | None = None,
    ) -> None:
        """`name`: the installation's. `key`: its own secret. `accounts`: instead of passwords in the file of accounts."""
        self._settings = settings
        self._name = name
        self._config_dir = config_dir
        self.book = AccountBook(state_dir)
        self.sessions = Sessions(self.book, key, settings.session_hours)
        self.routes = Routes()
        self.guard = Guard(settings, self.sessions, self.routes)
        self._accounts = accounts or LocalAccounts(self.book)
        self._forms = FormTokens(key)
        self._runner: web.AppRunner | None = None
        self.port = settings.port
        """The port it listens on."""

    async def start(self) -> None:
        """Raises SetupError when the port or the certificate cannot be used, AccountError for the file of accounts."""
        SignIn(self._name, self._accounts, self.book, self.sessions, self._forms, self.guard).add_to(self.routes)
        self.routes.add("GET", "/me", self._me, role=Role.AGENT)
        self.routes.add("GET", "/", self._home, role=Role.AGENT)
        self.routes.static("/static", STATIC)
        app = web.Application(middlewares=[answered], client_max_size=_MOST)
        app.on_response_prepare.append(self.guard.prepare)
        for route in self.routes.routes:
            app.router.add_route(route.method, route.path, self.guard.wrap(route))
        # The longer prefix first: one may lie within another.
        for prefix, folder in sorted(self.routes.folders.items(), reverse=True):
            app.router.add_static(prefix, folder)
        app.on_response_prepare.append(_revalidated)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_STOP_S)
        await self._runner.setup()
        settings = self._settings
        site = web.TCPSite(self._runner, settings.bind, settings.port, reuse_address=True, ssl_context=self._tls())
        try:
            await site.start()
        except OSError as error:
            await self.close()
            where = f"{settings.bind}:{settings.port}"
            raise SetupError(
                f"web.desk.port: {where} cannot be used ({os.strerror(error.errno or 0)}); choose another port"
            ) from None
        _log.info("the desk listens", bind=settings.bind, port=settings.port, tls=settings.tls is not None)

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        self.book.close()

    def _tls(self) -> ssl.SSLContext | None:
        tls = self._settings.tls
        if tls is None:
            return None
        certificate, key = self._config_dir / tls.certificate, self._config_dir / tls.key
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise SetupError(
                f"web.desk.tls: {certificate} and {key} cannot be used ({error}); name PEM files that belong together"
            ) from None
        return context

    async def _me(self, request: web.Request) -> web.StreamResponse:
        account = account_of(request)
        pages = [
            {"path": page.path, "title": page.title} for page in self.routes.pages if account.role.covers(page.role)
        ]
        return web.json_response(
            {
                "login": account.login,
                "name": account.name,
                "role": account.role.value,
                "csrf": request[SESSION].csrf,
                "pages": pages,
                "installation": self._name,
            }
        )

    async def _home(self, request: web.Request) -> web.StreamResponse:
        account = account_of(request)
        pages = [page for page in self.routes.pages if account.role.covers(page.role)]
        own = next((page for page in pages if page.role is account.role), pages[0] if pages else None)
        raise web.HTTPSeeOther(own.path if own else "/me")


async def _revalidated(_: web.Request, response: web.StreamResponse) -> None:
    """Files may be kept, and are asked for again: a new version is seen at once."""
    if isinstance(response, web.FileResponse):
        response.headers["Cache-Control"] = "no-cache"
