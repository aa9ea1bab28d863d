"""Signing in and out: a plain form, so that password stores know it."""

from __future__ import annotations

import asyncio
import math
import time
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web

from ccaas.ports.accounts import Account, Accounts
from ccaas.web.accounts.book import AccountBook
from ccaas.web.accounts.sessions import FormTokens, Sessions
from ccaas.web.accounts.throttle import Throttle
from ccaas.web.staff.guard import Guard
from ccaas.web.staff.routes import SESSION, Routes, account_of

PAGE = Path(__file__).parents[1] / "static/sign-in.html"
PER_LOGIN, PER_ADDRESS = 5, 30
WINDOW_S = 300.0
"""So many failures are free within this time, for one login and for one address."""


class SignIn:
    """Adds its routes to a site."""

    def __init__(
        self, name: str, accounts: Accounts, book: AccountBook, sessions: Sessions, forms: FormTokens, guard: Guard
    ) -> None:
        """`name`: what the installation is called."""
        self._name = name
        self._accounts = accounts
        self._book = book
        self._sessions = sessions
        self._forms = forms
        self._guard = guard
        self._by_login = Throttle(PER_LOGIN, WINDOW_S, time.monotonic)
        self._by_address = Throttle(PER_ADDRESS, WINDOW_S, time.monotonic)
        self._page = Template(PAGE.read_text(encoding="utf-8"))

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        routes.add("GET", "/sign-in", self._show, role=None)
        # The form carries a token of its own: nobody is signed in yet.
        routes.add("POST", "/sign-in", self._try, role=None, foreign=True)
        routes.add("POST", "/sign-out", self._out, role=None)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if SESSION in request:
            raise web.HTTPSeeOther(_local(request.query.get("next", "")))
        return self._form(request, request.query.get("next", ""))

    async def _try(self, request: web.Request) -> web.StreamResponse:
        self._guard.own(request)
        form = await request.post()
        login, password, onward, token = (str(form.get(name, "")) for name in ("login", "password", "next", "token"))
        login = login.strip().lower()[:64]
        if not self._forms.fits(request.cookies.get(self._cookie, ""), token):
            return self._form(request, onward, "This page was open for too long. Please try again.", login, 403)
        address = self._guard.address(request)
        if wait := max(self._by_login.wait_s(login), self._by_address.wait_s(address)):
            return self._wait(request, onward, login, wait)
        # Counted before it is looked at, so that tries at the same time count too.
        self._by_login.failed(login)
        self._by_address.failed(address)
        account = await self._accounts.authenticate(login, password)
        if account is None:
            await self._note(login, "sign-in refused", address)
            return self._form(request, onward, "The login or the password is wrong.", login, 401)
        self._by_login.forgive(login)
        self._by_address.forgive(address)
        return await self._signed_in(request, account, address, onward)

    async def _signed_in(self, request: web.Request, account: Account, address: str, onward: str) -> web.StreamResponse:
        if SESSION in request:
            await self._sessions.end(request[SESSION])
        cookie = await self._sessions.begin(account, address)
        await self._note(account.login, "signed in", address)
        answer = web.HTTPSeeOther(_local(onward))
        answer.set_cookie(
            self._guard.cookie, cookie, path="/", httponly=True, samesite="Lax", secure=self._guard.secure
        )
        raise answer

    async def _out(self, request: web.Request) -> web.StreamResponse:
        if SESSION in request:
            account, everywhere = account_of(request), "everywhere" in request.query
            if everywhere:
                await self._sessions.end_all(account.login)
            else:
                await self._sessions.end(request[SESSION])
            what = "signed out everywhere" if everywhere else "signed out"
            await self._note(account.login, what, self._guard.address(request))
        answer = web.json_response({"next": "/sign-in"})
        answer.del_cookie(self._guard.cookie, path="/", httponly=True, samesite="Lax", secure=self._guard.secure)
        return answer

    async def _note(self, login: str, what: str, address: str) -> None:
        await asyncio.to_thread(self._book.note, login, what, "", "", address)

    @property
    def _cookie(self) -> str:
        return "__Host-ccaas-form" if self._guard.secure else "ccaas-form"

    def _wait(self, request: web.Request, onward: str, login: str, wait_s: float) -> web.StreamResponse:
        minutes = math.ceil(wait_s / 60)
        when = "in a minute" if minutes == 1 else f"in {minutes} minutes"
        answer = self._form(
            request, onward, f"Too many tries were wrong. Please try again {when}, or ask an admin.", login, 429
        )
        answer.headers["Retry-After"] = str(math.ceil(wait_s))
        return answer

    def _form(
        self, request: web.Request, onward: str, problem: str = "", login: str = "", status: int = 200
    ) -> web.Response:
        browser = request.cookies.get(self._cookie, "") or self._forms.browser()
        text = self._page.substitute(
            name=escape(self._name),
            token=escape(self._forms.token(browser)),
            next=escape(_local(onward)),
            login=escape(login),
            problem=escape(problem),
            hidden="" if problem else "hidden",
        )
        answer = web.Response(status=status, text=text, content_type="text/html")
        answer.set_cookie(self._cookie, browser, path="/", httponly=True, samesite="Strict", secure=self._guard.secure)
        return answer


def _local(onward: str) -> str:
    """Where to go after signing in: a path of this site, whatever the link said."""
    plain = onward.startswith("/") and not onward.startswith("//") and "\\" not in onward and onward.isprintable()
    return onward if plain else "/"
