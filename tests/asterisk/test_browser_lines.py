"""Telephones in browsers exist in Asterisk's memory alone, and every socket to it is looked after."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from ccaas.asterisk.browser_lines import AsteriskBrowserLines
from ccaas.asterisk.errors import AriError
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.web.call.relay import Relay
from ccaas.web.call.sip import GUEST, TELEPHONE


@pytest_asyncio.fixture
async def lines(asterisk: RunningAsterisk) -> AsyncIterator[AsteriskBrowserLines]:
    switch = AsteriskSwitch(asterisk.access, app="ccaas-lines")
    await switch.open()
    yield AsteriskBrowserLines(switch.client, asterisk.settings, silent_s=5)
    await switch.close()


async def test_a_desk_line_belongs_to_the_page_that_opened_it_last(
    asterisk: RunningAsterisk, lines: AsteriskBrowserLines
) -> None:
    first = await lines.open_desk("ann", 'Ann "O\'Neill" <x>')
    second = await lines.open_desk("ann", "Ann")
    assert first.user == second.user == "ann"
    assert first.password != second.password
    assert second.password not in repr(second)
    endpoint = await asterisk.console("pjsip show endpoint ann")
    for setting in ("webrtc", "ice_support", "rtcp_mux", "media_encryption ", "dtls_fingerprint"):
        assert setting in endpoint
    assert re.search(r"rtp_timeout +: 5\b", endpoint)
    assert await lines.is_open("ann")
    await lines.close("ann")
    await lines.close("ann")
    assert not await lines.is_open("ann")
    assert second.password not in "".join(
        path.read_text(errors="replace") for path in Path(asterisk.folder.etc).rglob("*.conf")
    )


async def test_a_line_never_takes_the_place_of_a_phone_of_the_yaml(lines: AsteriskBrowserLines) -> None:
    with pytest.raises(AriError):
        await lines.open_desk("6001", "Somebody")
    for login in (f"guest{'0' * 16}", "anonymous", "a b", "", "x;y"):
        with pytest.raises(ValueError, match="telephone's name"):
            await lines.open_desk(login, "Somebody")


async def test_guests_are_counted_and_let_go(lines: AsteriskBrowserLines) -> None:
    one, two = await lines.open_guest("1000"), await lines.open_guest("1000")
    assert one.user != two.user
    assert await lines.guests() == {one.user: False, two.user: False}
    for guest in (one, two):
        await lines.close(guest.user)
    assert await lines.guests() == {}


@dataclass(frozen=True)
class Site:
    url: str
    relay: Relay


@pytest_asyncio.fixture
async def site(asterisk: RunningAsterisk) -> AsyncIterator[Site]:
    """A site whose browsers all are the telephone that the path names."""
    relay = Relay(f"{asterisk.access.url.replace('http', 'ws', 1)}/ws")
    await relay.start()
    app = web.Application()

    async def speak(request: web.Request) -> web.StreamResponse:
        user = request.match_info["user"]
        return await relay.serve(request, user, GUEST if user.startswith("guest") else TELEPHONE)

    app.router.add_get("/sip/{user}", speak)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    place = web.TCPSite(runner, "127.0.0.1", 0)
    await place.start()
    yield Site(f"http://127.0.0.1:{runner.addresses[0][1]}/sip", relay)
    await relay.close()
    await runner.cleanup()


def request(user: str, method: str, target: str, count: int = 1) -> str:
    return "\r\n".join(
        [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/WS page.invalid;branch=z9hG4bK{method}{count}",
            f"From: <sip:{user}@ccaas.invalid>;tag=t{count}",
            f"To: <{target}>",
            f"Call-ID: {method}-{user}-{count}",
            f"CSeq: {count} {method}",
            f"Contact: <sip:{user}@page.invalid;transport=ws>",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "",
            "",
        ]
    )


async def test_asterisk_answers_through_the_relay_and_wants_the_password(
    site: Site, lines: AsteriskBrowserLines
) -> None:
    await lines.open_desk("zoe", "Zoe")
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{site.url}/zoe", protocols=["sip"]) as socket,
    ):
        assert socket.protocol == "sip"
        await socket.send_str(request("zoe", "REGISTER", "sip:ccaas.invalid"))
        assert (await socket.receive_str(timeout=10)).startswith("SIP/2.0 401 ")
        await socket.send_str(request("bob", "INVITE", "sip:echo@ccaas.invalid"))
        closed = await socket.receive(timeout=10)
        assert (closed.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)
    await lines.close("zoe")


async def test_a_browser_is_told_when_the_site_goes_away(site: Site) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{site.url}/zoe", protocols=["sip"]) as socket,
    ):
        await asyncio.gather(site.relay.close(), socket.receive(timeout=10))
        assert socket.close_code == aiohttp.WSCloseCode.SERVICE_RESTART


async def test_only_telephones_are_let_in(site: Site) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"{site.url}/zoe")
    assert refused.value.status == 400
