"""The site on which people work, over HTTP: sign-in, roles, origins, tokens, headers, pages of other modules."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from ccaas.errors import ContactError, SetupError
from ccaas.ports.accounts import Role
from ccaas.web.accounts.book import FILE, AccountBook
from ccaas.web.settings import DeskWeb, Tls
from ccaas.web.staff.routes import account_of
from ccaas.web.staff.server import StaffSite
from ccaas.web.staff.sign_in import PER_LOGIN

PASSWORD = "a long enough one"
KEY = b"k" * 32


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def told(request: web.Request) -> web.StreamResponse:
    return web.json_response({"by": account_of(request).login})


async def open_to_all(_: web.Request) -> web.StreamResponse:
    return web.Response(text="hello")


async def refuses(_: web.Request) -> web.StreamResponse:
    raise ContactError("the call is over")


async def breaks(_: web.Request) -> web.StreamResponse:
    raise ZeroDivisionError("a secret of ours")


class Desk:
    """A site, and browsers of its users."""

    def __init__(self, site: StaffSite, settings: DeskWeb) -> None:
        self.site = site
        self.url = f"http://127.0.0.1:{settings.port}"
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def get(self, path: str, **given: Any) -> aiohttp.ClientResponse:
        return await self.http.get(self.url + path, allow_redirects=False, **given)

    async def post(self, path: str, **given: Any) -> aiohttp.ClientResponse:
        given.setdefault("headers", {}).setdefault("Origin", self.url)
        return await self.http.post(self.url + path, allow_redirects=False, **given)

    async def form(self) -> str:
        text = await (await self.get("/sign-in")).text()
        found = re.search(r'name="token" value="([^"]+)"', text)
        assert found is not None
        return found[1]

    async def sign_in(self, login: str, password: str = PASSWORD, onward: str = "") -> aiohttp.ClientResponse:
        token = await self.form()
        return await self.post("/sign-in", data={"login": login, "password": password, "token": token, "next": onward})

    async def csrf(self) -> dict[str, str]:
        return {"X-Ccaas-Csrf": (await (await self.get("/me")).json())["csrf"]}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of accounts: hashing takes its time, once."""
    folder = tmp_path_factory.mktemp("accounts")
    book = AccountBook(folder)
    for login, role in (("anna", Role.AGENT), ("boss", Role.SUPERVISOR), ("root", Role.ADMIN)):
        book.add(login, role, PASSWORD)
    book.close()
    return folder / FILE


@pytest_asyncio.fixture
async def opened(tmp_path: Path, accounts: Path) -> AsyncIterator[Callable[..., Any]]:
    desks: list[Desk] = []
    shutil.copy(accounts, tmp_path)

    async def open_site(**given: Any) -> Desk:
        settings = DeskWeb(port=free_port(), **given)
        site = StaffSite(settings, "Acorn <Air>", tmp_path, tmp_path, KEY)

        async def where(request: web.Request) -> web.StreamResponse:
            return web.Response(text=site.guard.address(request))

        (tmp_path / "page.html").write_text("<!doctype html><title>x</title>")
        site.routes.page("/desk", "Desk", tmp_path / "page.html", role=Role.AGENT)
        site.routes.page("/board", "Board", tmp_path / "page.html", role=Role.SUPERVISOR)
        site.routes.add("POST", "/told", told, role=Role.AGENT)
        site.routes.add("POST", "/open", open_to_all, role=None)
        site.routes.add("GET", "/where", where, role=None)
        site.routes.add("GET", "/refuses", refuses, role=None)
        site.routes.add("GET", "/breaks", breaks, role=None)
        site.routes.connects.append("wss://pbx.example.com:8089")
        await site.start()
        desks.append(Desk(site, settings))
        return desks[-1]

    yield open_site
    for desk in desks:
        await desk.http.close()
        await desk.site.close()


@pytest_asyncio.fixture
async def desk(opened: Callable[..., Any]) -> Desk:
    opened_desk: Desk = await opened()
    return opened_desk


async def test_pages_want_a_sign_in_and_lead_on_afterwards(desk: Desk) -> None:
    away = await desk.get("/desk?x=1", headers={"Accept": "text/html"})
    assert (away.status, away.headers["Location"]) == (303, "/sign-in?next=/desk?x%3D1")
    assert (await desk.get("/me")).status == 401
    done = await desk.sign_in(" Anna ", onward="/desk?x=1")
    assert (done.status, done.headers["Location"]) == (303, "/desk?x=1")
    me = await (await desk.get("/me")).json()
    assert (me["login"], me["role"], me["pages"]) == ("anna", "agent", [{"path": "/desk", "title": "Desk"}])
    assert (await desk.get("/desk")).status == 200
    assert (await desk.get("/")).headers["Location"] == "/desk"


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"])
async def test_a_link_to_the_form_leads_nowhere_else(desk: Desk, onward: str) -> None:
    assert (await desk.sign_in("anna", onward=onward)).headers["Location"] == "/"


async def test_the_session_cookie_is_for_nobody_else(desk: Desk, opened: Callable[..., Any]) -> None:
    cookie = (await desk.sign_in("anna")).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    behind = await opened(address="https://desk.example.com")
    token = await behind.form()
    browser = next(c.value for c in behind.http.cookie_jar if c.key == "__Host-ccaas-form")
    done = await behind.post(
        "/sign-in",
        data={"login": "anna", "password": PASSWORD, "token": token},
        headers={"Origin": "https://desk.example.com", "Cookie": f"__Host-ccaas-form={browser}"},
    )
    assert done.status == 303
    assert "Secure" in done.headers["Set-Cookie"] and done.headers["Set-Cookie"].startswith("__Host-ccaas=")
    assert "max-age" in done.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "127.0.0.1"),
        ({"address": "https://desk.example.com"}, "198.51.100.1"),
        ({"address": "https://desk.example.com", "trusted_proxies": ("10.0.0.5",)}, "127.0.0.1"),
    ],
)
async def test_where_a_browser_is_only_our_own_proxies_say(
    opened: Callable[..., Any], settings: dict[str, Any], address: str
) -> None:
    desk = await opened(**settings)
    answer = await desk.get("/where", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.1"})
    assert await answer.text() == address


async def test_signing_in_gives_a_new_session_and_ends_the_old_one(desk: Desk) -> None:
    await desk.sign_in("anna")
    first = {c.key: c.value for c in desk.http.cookie_jar}["ccaas"]
    token = (await desk.site.sessions.of(first)).csrf  # type: ignore[union-attr]
    shown = {c.key: c.value for c in desk.http.cookie_jar}["ccaas-form"]
    form = desk.site._forms.token(shown)
    assert (await desk.post("/sign-in", data={"login": "anna", "password": PASSWORD, "token": form})).status == 303
    second = {c.key: c.value for c in desk.http.cookie_jar}["ccaas"]
    assert second != first and await desk.site.sessions.of(first) is None
    assert (await desk.csrf())["X-Ccaas-Csrf"] != token


async def test_wrong_passwords_are_refused_and_then_have_to_wait(desk: Desk) -> None:
    for _ in range(PER_LOGIN):
        refused = await desk.sign_in("anna", "wrong password")
        assert refused.status == 401
        assert "The login or the password is wrong." in await refused.text()
    waits = await desk.sign_in("anna")
    assert waits.status == 429 and int(waits.headers["Retry-After"]) > 200
    assert "Too many tries were wrong. Please try again in 5 minutes" in await waits.text()
    assert (await desk.sign_in("boss")).status == 303
    whats = [deed.what for deed in desk.site.book.deeds()]
    assert whats == ["signed in", *["sign-in refused"] * PER_LOGIN]


async def test_a_form_of_another_browser_or_site_signs_nobody_in(desk: Desk) -> None:
    fields = {"login": "anna", "password": PASSWORD}
    assert (await desk.post("/sign-in", data={**fields, "token": "forged"})).status == 403
    token = await desk.form()
    for origin in ("https://evil.example", "null", ""):
        refused = await desk.post("/sign-in", data={**fields, "token": token}, headers={"Origin": origin})
        assert refused.status == 403
    desk.http.cookie_jar.clear()
    assert (await desk.post("/sign-in", data={**fields, "token": token})).status == 403


async def test_what_changes_something_needs_the_token_and_our_own_origin(desk: Desk) -> None:
    assert (await desk.post("/told")).status == 401
    await desk.sign_in("anna")
    csrf = await desk.csrf()
    assert await (await desk.post("/told", headers=dict(csrf))).json() == {"by": "anna"}
    assert (await desk.post("/told")).status == 403
    assert (await desk.post("/told", headers={"X-Ccaas-Csrf": "ü"})).status == 403
    for origin in ("https://evil.example", "null", ""):
        assert (await desk.post("/told", headers={**csrf, "Origin": origin})).status == 403
        assert (await desk.post("/open", headers={"Origin": origin})).status == 403


async def test_roles(desk: Desk) -> None:
    await desk.sign_in("anna")
    refused = await desk.get("/board")
    assert (refused.status, await refused.text()) == (403, "this is for the role supervisor\n")
    desk.http.cookie_jar.clear()
    await desk.sign_in("boss")
    assert (await desk.get("/board")).status == 200
    assert (await desk.get("/")).headers["Location"] == "/board"


async def test_signing_out_here_and_everywhere(desk: Desk) -> None:
    await desk.sign_in("anna")
    cookie = {c.key: c.value for c in desk.http.cookie_jar}["ccaas"]
    csrf = await desk.csrf()
    assert (await desk.post("/sign-out", headers=dict(csrf))).status == 200
    assert (await desk.get("/me", headers={"Cookie": f"ccaas={cookie}"})).status == 401
    await desk.sign_in("anna")
    other = await desk.site.sessions.begin(desk.site.book.find("anna"), "elsewhere")  # type: ignore[arg-type]
    await desk.post("/sign-out?everywhere", headers=await desk.csrf())
    assert await desk.site.sessions.of(other) is None


async def test_every_answer_has_its_headers(desk: Desk) -> None:
    for path in ("/sign-in", "/nothing", "/desk", "/breaks", "/static/site.css", "/static/../secret"):
        headers = (await desk.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert "connect-src 'self' wss://pbx.example.com:8089;" in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in headers and "Access-Control-Allow-Origin" not in headers
    assert "Acorn &lt;Air&gt;" in await (await desk.get("/sign-in")).text()


async def test_errors_are_one_sentence_and_faults_tell_nothing(desk: Desk) -> None:
    refused = await desk.get("/refuses")
    assert (refused.status, await refused.text()) == (409, "the call is over\n")
    broken = await desk.get("/breaks")
    assert (broken.status, await broken.text()) == (500, "something went wrong here\n")


async def test_a_port_or_a_certificate_that_cannot_be_used(desk: Desk, tmp_path: Path) -> None:
    port = int(desk.url.rpartition(":")[2])
    with pytest.raises(SetupError, match=f"web.desk.port: 127.0.0.1:{port} cannot be used"):
        await StaffSite(DeskWeb(port=port), "x", tmp_path, tmp_path, KEY).start()
    tls = DeskWeb(port=free_port(), tls=Tls(certificate=Path("a.pem"), key=Path("b.pem")))
    with pytest.raises(SetupError, match=r"web\.desk\.tls: .*a\.pem"):
        await StaffSite(tls, "x", tmp_path, tmp_path, KEY).start()
