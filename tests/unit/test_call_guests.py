"""The caller's page gives out telephones: to its own pages, not too often, not too many, and closes them behind itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ccaas.asterisk.errors import AriError
from ccaas.ports.telephony import BrowserLine
from ccaas.web.call import guests as module
from ccaas.web.call.guests import GuestRoutes
from ccaas.web.call.relay import Relay
from ccaas.web.call.settings import CallPage
from ccaas.web.staff.routes import Routes

OWN = {"Origin": "http://site"}


@dataclass
class Lines:
    """Telephones without an Asterisk."""

    open: dict[str, bool] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    fails: bool = False

    async def open_desk(self, login: str, name: str) -> BrowserLine:
        return BrowserLine(login, "secret")

    async def open_guest(self, number: str) -> BrowserLine:
        if self.fails:
            raise AriError("Asterisk cannot be reached: start it")
        self.numbers.append(number)
        line = BrowserLine(f"guest{len(self.numbers)}", "secret")
        self.open[line.user] = False
        return line

    async def is_open(self, user: str) -> bool:
        return user in self.open

    async def close(self, user: str) -> None:
        self.open.pop(user, None)

    async def guests(self) -> dict[str, bool]:
        return dict(self.open)


class Site:
    def __init__(self, asterisk: str) -> None:
        self.lines = Lines()
        self.spoken: dict[str, str] = {}
        self.relay = Relay(asterisk)
        page = CallPage(at_once=3, per_minute=5)
        self.guests = GuestRoutes(
            page, "1000", self.lines, self.relay, b"k" * 32, _own, lambda _: self.address, self._said
        )
        self.address = "192.0.2.1"
        routes = Routes()
        self.guests.add_to(routes)
        app = web.Application()
        for route in routes.routes:
            app.router.add_route(route.method, route.path, route.respond)
        self.client = TestClient(TestServer(app))

    async def _said(self, user: str) -> dict[str, str]:
        return dict(self.spoken)

    async def give(self, **headers: str) -> aiohttp.ClientResponse:
        return await self.client.post("/call", headers=headers or OWN)


def _own(request: web.Request) -> None:
    if request.headers.get("Origin") != "http://site":
        raise web.HTTPForbidden


@pytest_asyncio.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site whose Asterisk says back what it is told."""
    monkeypatch.setattr(module, "_GRACE_S", 0.01)

    async def echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["sip"])
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    asterisk = web.Application()
    asterisk.router.add_get("/ws", echo)
    async with TestServer(asterisk) as server:
        site = Site(f"ws://127.0.0.1:{server.port}/ws")
        await site.relay.start()
        site.guests.start()
        async with site.client:
            yield site
            await site.relay.close()
        await site.guests.close()


async def test_a_telephone_for_one_visit(site: Site) -> None:
    answer = await (await site.give()).json()
    assert site.lines.numbers == ["1000"]
    assert (answer["user"], answer["password"]) == ("guest1", "secret")
    async with site.client.ws_connect(answer["path"], protocols=["sip"], headers=OWN) as socket:
        await socket.send_str("\r\n\r\n")
        assert await socket.receive_str(timeout=5) == "\r\n\r\n"
        await socket.send_str("REGISTER sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n")
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    async with asyncio.timeout(5):
        while site.lines.open:
            await asyncio.sleep(0.01)


async def test_one_in_a_call_is_kept(site: Site) -> None:
    answer = await (await site.give()).json()
    async with site.client.ws_connect(answer["path"], protocols=["sip"], headers=OWN):
        site.lines.open["guest1"] = True
    other = await (await site.give()).json()
    async with site.client.ws_connect(other["path"], protocols=["sip"], headers=OWN):
        pass
    async with asyncio.timeout(5):
        while "guest2" in site.lines.open:
            await asyncio.sleep(0.01)
    assert site.lines.open == {"guest1": True}
    async with site.client.ws_connect(answer["path"], protocols=["sip"], headers=OWN) as socket:
        await socket.send_str("\r\n\r\n")
        assert await socket.receive_str(timeout=5) == "\r\n\r\n"


@pytest.mark.parametrize("forged", ["", "guest1", "guest1.x", "guest2.{proof}"])
async def test_nobody_else_speaks_on_it(site: Site, forged: str) -> None:
    answer = await (await site.give()).json()
    proof = answer["path"].rpartition(".")[2]
    for path in ("/call/sip", "/call/captions"):
        refused = await site.client.get(path, params={"line": forged.format(proof=proof)}, headers=OWN)
        assert refused.status == 409
    assert (await site.client.get(answer["path"], headers={"Origin": "http://elsewhere"})).status == 403


async def test_not_from_elsewhere_not_too_often_and_not_too_many(site: Site) -> None:
    assert (await site.give(Origin="http://elsewhere")).status == 403
    assert [(await site.give()).status for _ in range(4)] == [200, 200, 200, 503]
    site.lines.open.clear()
    assert [(await site.give()).status for _ in range(2)] == [200, 429]
    site.address = "192.0.2.2"
    site.lines.fails = True
    assert (await site.give()).status == 502


async def test_what_is_said_is_told_and_mended(site: Site) -> None:
    answer = await (await site.give()).json()
    async with site.client.ws_connect(answer["path"], protocols=["sip"], headers=OWN) as socket:
        site.spoken = {"butler t1": "How can", "customer t1": ""}
        stream = await site.client.get(answer["captions"])
        assert await stream.content.readline() == b"event: said\n"
        assert await stream.content.readline() == b'data: {"id": "butler t1", "who": "butler", "text": "How can"}\n'
        await stream.content.readline()
        site.spoken = {"butler t1": "How can I help?", "customer t1": "Hello"}
        lines = [await stream.content.readline() for _ in range(6)]
        assert b'"text": "How can I help?"' in lines[1]
        assert b'"who": "customer"' in lines[4]
        more = [await site.client.get(answer["captions"]) for _ in range(3)]
        assert [one.status for one in more] == [200, 200, 200]
        assert (await site.client.get(answer["captions"])).status == 429
        for one in more:
            one.close()
        while (again := await site.client.get(answer["captions"])).status == 429:
            await asyncio.sleep(0.05)
        assert again.status == 200
        await socket.close()
        assert await stream.content.read() == b""
