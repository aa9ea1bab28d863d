"""The channels of a YAML, opened and closed by a controller, and the HTTP that they are reached by."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import structlog
from aiohttp import web
from pydantic import BaseModel
from texting import ADDRESS, DirectJournal

from ccaas.config.picks import Pick
from ccaas.config.settings import CcaasSettings, PublicWeb
from ccaas.errors import SetupError
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.journey.identity import identity
from ccaas.outreach.opening import open_gate
from ccaas.ports.journey import FactKind, Identity, IdentityKind
from ccaas.ports.messaging import ChannelCapabilities, TextChannel
from ccaas.ports.site import Site
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeSipMessages, FakeTextChannel
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.tools import FakeToolbox
from ccaas.textdesk import TextDesk, open_brain, signing_key
from ccaas.web.public import PublicServer

USE = {"use": "x"}


class Nothing(BaseModel):
    """No settings."""


class Tools(FakeToolbox):
    async def settle(self) -> None: ...


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def settings(port: int, **channels: dict[str, str]) -> CcaasSettings:
    return CcaasSettings.model_validate(
        {
            "name": "Test",
            "timezone": "UTC",
            "plugins": [],
            "speech": dict.fromkeys(("recognizer", "voice", "turn", "synthesizer"), USE),
            "reasoners": {"desk": USE},
            "entries": {"front": {"numbers": ["*"], "reasoner": "desk"}},
            "channels": channels,
            "web": {"public": {"port": port}},
        }
    )


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {len(await request.read())}")


async def breaks(_: web.Request) -> web.Response:
    raise RuntimeError("with a secret in it")


async def refuses(_: web.Request) -> web.Response:
    raise web.HTTPForbidden(text="the signature is wrong\nand more")


async def framed(_: web.Request) -> web.Response:
    return web.Response(text="<p>hi</p>", content_type="text/html", headers={"X-Frame-Options": "SAMEORIGIN"})


async def cors(_: web.Request) -> web.Response:
    return web.Response(headers={"Access-Control-Allow-Origin": "https://shop.example"})


ROUTES = (
    web.post("/hello", hello),
    web.get("/breaks", breaks),
    web.get("/refuses", refuses),
    web.get("/framed", framed),
    web.options("/cors", cors),
)


@pytest.fixture
async def site() -> AsyncIterator[str]:
    port = free_port()
    server = PublicServer(PublicWeb(port=port, body_kb=1), {"web": ROUTES, "mail": ()})
    assert server.wanted
    await server.start()
    yield f"http://127.0.0.1:{port}"
    await server.close()
    await server.close()


async def ask(method: str, url: str, **more: Any) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as client, client.request(method, url, **more) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_routes_are_below_the_channels_name_and_bear_security_headers(site: str) -> None:
    status, text, headers = await ask("POST", f"{site}/channels/web/hello", data=b"12345")
    assert (status, text) == (200, "hello 5")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Server" not in headers
    assert "Access-Control-Allow-Origin" not in headers


async def test_a_channel_asks_for_framing_and_other_origins_itself(site: str) -> None:
    assert (await ask("GET", f"{site}/channels/web/framed"))[2]["X-Frame-Options"] == "SAMEORIGIN"
    headers = (await ask("OPTIONS", f"{site}/channels/web/cors"))[2]
    assert headers["Access-Control-Allow-Origin"] == "https://shop.example"


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/", 404, "there is nothing here\n"),
        ("GET", "/channels/web/none", 404, "there is nothing here\n"),
        ("GET", "/metrics", 404, "there is nothing here\n"),
        ("GET", "/channels/web/breaks", 500, "something went wrong here\n"),
        ("GET", "/channels/web/refuses", 403, "the signature is wrong\n"),
        ("GET", "/channels/web/hello", 405, "405: Method Not Allowed\n"),
    ],
)
async def test_errors_are_one_line(site: str, method: str, path: str, status: int, text: str) -> None:
    found = await ask(method, f"{site}{path}")
    assert found[:2] == (status, text)
    assert found[2]["X-Content-Type-Options"] == "nosniff"


async def test_a_body_that_is_too_big_is_refused(site: str) -> None:
    assert (await ask("POST", f"{site}/channels/web/hello", data=b"x" * 2_000))[:2] == (413, "the request is too big\n")


async def test_a_port_that_is_taken_is_told_with_its_setting() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        with pytest.raises(SetupError, match=rf"web\.public\.port: 127\.0\.0\.1:{port} cannot be used"):
            await PublicServer(PublicWeb(port=port), {"web": ROUTES}).start()


def test_nothing_listens_where_no_channel_wants_http() -> None:
    assert not PublicServer(PublicWeb(), {"sms": ()}).wanted


def test_the_signing_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "channels.key"
    key = signing_key(file)
    assert len(key) == 32
    assert signing_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("nonsense")
    with pytest.raises(SetupError, match="this is no key"):
        signing_key(file)
    with pytest.raises(SetupError, match="cannot be used"):
        signing_key(tmp_path / "missing" / "channels.key")


@asynccontextmanager
async def desk_of(folder: Path, channel: FakeTextChannel, journey: FakeJourney, port: int) -> AsyncIterator[TextDesk]:
    """A text side as the controller opens it, with one channel in its YAML."""
    host, clock = PluginHost.of({}), LoopClock()
    journal = cast("Journal", DirectJournal(folder / "journal.sqlite"))
    place = Site(folder, folder, folder, folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(host.close)
        brain = await open_brain(journal, journey, host, clock, identity, stack)
        chosen = settings(port, text={"use": "fake", "entry": "front"})
        desk = TextDesk(
            chosen,
            place,
            brain,
            journal,
            journey,
            host,
            clock,
            lambda *_: Tools({}),
            FakeSipMessages(),
            await open_gate(chosen, place, journey, journal, host, clock, stack),
        )
        pick: Pick[TextChannel] = Pick(("channels", "text"), "fake", "test", Nothing(), lambda *_: channel)
        await desk.open({"text": pick}, {"desk": FakeReasoner({"Hi": Line("Hello.")})}, stack)
        yield desk


async def test_a_channel_of_the_yaml_is_answered_and_its_customer_remembered(tmp_path: Path) -> None:
    channel, journey = FakeTextChannel(), FakeJourney()
    channel.routes_offered = (web.post("/hello", hello),)
    port = free_port()
    async with desk_of(tmp_path, channel, journey, port):
        assert (await ask("POST", f"http://127.0.0.1:{port}/channels/text/hello"))[0] == 200
        await channel.write("Hi", "(617) 555-0142", spelled=False)
        async with asyncio.timeout(10):
            while not channel.sent:
                await asyncio.sleep(0.01)
    assert channel.told("(617) 555-0142") == ["Hello."]
    assert channel.closed
    customer = await journey.find(Identity(IdentityKind.PHONE, ADDRESS))
    assert customer is not None
    said = [fact.text for fact in await journey.timeline(customer) if fact.kind is FactKind.SAID]
    assert said == ["Hi", "Hello."], "the journey was told before the end"


async def test_it_is_told_where_people_can_write_in_a_browser(tmp_path: Path) -> None:
    channel = FakeTextChannel(ChannelCapabilities("chat", page="/demo"))
    channel.routes_offered = (web.get("/demo", framed),)
    port = free_port()
    with structlog.testing.capture_logs() as logs:
        async with desk_of(tmp_path, channel, FakeJourney(), port):
            (told,) = [line for line in logs if line["event"] == "write to it in a browser"]
            assert (told["channel"], told["log_level"]) == ("text", "info")
            assert (await ask("GET", told["open"]))[:2] == (200, "<p>hi</p>")


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8091/channels/web/demo"),
        ("::", "http://[::1]:8091/channels/web/demo"),
        ("192.0.2.7", "http://192.0.2.7:8091/channels/web/demo"),
    ],
)
def test_an_address_that_a_browser_can_open(bind: str, url: str) -> None:
    assert PublicServer(PublicWeb(bind=bind, port=8091), {"web": ROUTES}).url("web", "/demo") == url


async def test_a_channel_without_routes_opens_no_port(tmp_path: Path) -> None:
    port = free_port()
    channel = FakeTextChannel(ChannelCapabilities("sms"))
    async with desk_of(tmp_path, channel, FakeJourney(), port):
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask("GET", f"http://127.0.0.1:{port}/")
