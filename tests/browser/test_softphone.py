"""The softphone module in a real browser, called over the real Asterisk by a real SIP phone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest_asyncio
import soundfile
from aiohttp import web
from callers import CHANGE, SPEECH
from desk_site import until
from playwright.async_api import Page, async_playwright

from ccaas.asterisk.browser_lines import AsteriskBrowserLines
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.testing.asterisk import RunningAsterisk, free_settings
from ccaas.testing.caller import SipCaller
from ccaas.testing.chromium import find
from ccaas.web.call.relay import Relay
from ccaas.web.call.sip import TELEPHONE
from ccaas.web.staff.server import STATIC

ROOT = Path(__file__).parents[2]
DIALPLAN = "[ccaas-test](+)\nexten => ann,1,Dial(PJSIP/ann,30)\n same => n,Hangup(${HANGUPCAUSE})\n"
PAGE = "<!doctype html><title>phone</title>"
BEGIN = """
async () => {
  const { Softphone } = await import("/static/softphone.js");
  const credentials = async () => {
    const answer = await fetch("/softphone", { method: "POST" });
    if (!answer.ok) throw new Error("out of reach");
    return answer.json();
  };
  window.phone = new Softphone({ credentials });
  window.told = [];
  for (const type of ["registered", "ringing", "calling", "answered", "held", "muted", "ended", "lost", "back", "closed", "level"]) {
    phone.addEventListener(type, ({ detail }) => (type === "level" ? (window.level = detail) : told.push([type, detail])));
  }
  await phone.connect();
}
"""


class Site:
    """As much of a site as a softphone needs; its relay can be taken away and put back."""

    def __init__(self, asterisk: RunningAsterisk, lines: AsteriskBrowserLines) -> None:
        self.url = asterisk.access.url.replace("http", "ws", 1) + "/ws"
        self.lines = lines
        self.relay: Relay | None = None
        self.app = web.Application()
        self.app.router.add_get("/", self._page)
        self.app.router.add_post("/softphone", self._give)
        self.app.router.add_get("/sip", self._speak)
        self.app.router.add_static("/static/vendor", ROOT / ".cache/models/jssip")
        self.app.router.add_static("/static", STATIC)

    async def start(self) -> None:
        self.relay = Relay(self.url)
        await self.relay.start()

    async def stop(self) -> None:
        relay, self.relay = self.relay, None
        if relay is not None:
            await relay.close()

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=PAGE, content_type="text/html")

    async def _give(self, _: web.Request) -> web.StreamResponse:
        if self.relay is None:
            raise web.HTTPBadGateway
        line = await self.lines.open_desk("ann", "Ann")
        return web.json_response({"user": line.user, "password": line.password, "path": "/sip"})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        if self.relay is None:
            raise web.HTTPBadGateway
        return await self.relay.serve(request, "ann", TELEPHONE)


@pytest_asyncio.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[RunningAsterisk]:
    (tmp_path / "ann.conf").write_text(DIALPLAN)
    settings = free_settings(dialplan_files=[tmp_path / "ann.conf"])
    async with RunningAsterisk(tmp_path / "asterisk", settings=settings) as asterisk:
        yield asterisk


@pytest_asyncio.fixture
async def site(asterisk: RunningAsterisk) -> AsyncIterator[Site]:
    switch = AsteriskSwitch(asterisk.access, app="ccaas-lines")
    await switch.open()
    site = Site(asterisk, AsteriskBrowserLines(switch.client, asterisk.settings))
    await site.start()
    yield site
    await site.stop()
    await switch.close()


@pytest_asyncio.fixture
async def page(site: Site, tmp_path: Path) -> AsyncIterator[Page]:
    # Chromium reads no µ-law.
    speech, rate = soundfile.read(SPEECH / CHANGE, dtype="int16")
    soundfile.write(tmp_path / "microphone.wav", speech, rate, subtype="PCM_16")
    runner = web.AppRunner(site.app, shutdown_timeout=1)
    await runner.setup()
    place = web.TCPSite(runner, "127.0.0.1", 0)
    await place.start()
    found = find(ROOT / ".cache/chromium")
    fake = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
        f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, env=dict(found.environment), args=[*found.flags, *fake]
        )
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        yield page
        await browser.close()
    await runner.cleanup()


async def told(page: Page, kind: str, count: int = 1) -> Any:
    """What the `count`-th event of a kind carried."""
    await page.wait_for_function(
        "([kind, count]) => told.filter(([one]) => one === kind).length >= count", arg=[kind, count]
    )
    return await page.evaluate("([kind, count]) => told.filter(([one]) => one === kind)[count - 1][1]", [kind, count])


async def test_a_call_from_its_ringing_to_its_end(asterisk: RunningAsterisk, page: Page, site: Site) -> None:
    await page.evaluate(BEGIN)
    async with SipCaller("127.0.0.1", asterisk.settings.sip.udp) as ua:
        dialling = asyncio.create_task(ua.dial("ann", from_number="+16145550109"))
        assert (await told(page, "ringing"))["from"] == "+16145550109"
        call = await dialling
        await page.evaluate("phone.answer()")
        await told(page, "answered")
        await call.answered()
        assert await page.evaluate("phone.state") == "talking"

        # Both hear each other: the caller the microphone's file, the page the caller.
        await call.hear_start(timeout=15)
        await page.evaluate("phone.meter(true)")
        call.start_saying(SPEECH / CHANGE)
        await page.wait_for_function("() => window.level?.remote > 0.3 && window.level?.local > 0.3")
        await page.evaluate("phone.dtmf('4#')")
        assert await call.heard_keys(2) == "4#"

        await page.evaluate("phone.mute(true)")
        assert await told(page, "muted") == {"on": True}
        await until(lambda: _silent(call.stereo(), 0.4), "a muted microphone is not heard")
        await page.evaluate("phone.mute(false)")
        await page.evaluate("phone.hold(true)")
        assert await told(page, "held") == {"on": True}
        assert await page.evaluate("phone.held")
        await page.evaluate("phone.hold(false)")
        assert await told(page, "held", 2) == {"on": False}

        # The line is lost: the call goes on, and can be ended once the line is back.
        await site.stop()
        await told(page, "lost")
        assert call.is_up
        await site.start()
        await told(page, "back")
        assert await page.evaluate("phone.state") == "talking"
        await page.evaluate("phone.hangup()")
        assert (await told(page, "ended"))["ours"] is True
        assert not (await call.wait_ended()).by_us

        # And without a call it comes back with a password of its own, and can be called.
        await site.stop()
        await told(page, "lost", 2)
        await site.start()
        await told(page, "back", 2)
        dialling = asyncio.create_task(ua.dial("ann"))
        await told(page, "ringing", 2)
        await page.evaluate("phone.reject()")
        assert (await told(page, "ended", 2))["reason"] == "rejected"
        assert (await (await dialling).wait_ended()).status == 486

        # It calls out too.
        await page.evaluate("phone.call('echo')")
        await told(page, "answered", 2)
        await page.evaluate("phone.hangup()")
        assert (await told(page, "ended", 3))["reason"] == "hung up"


def _silent(stereo: Any, seconds: float) -> bool:
    """Whether the caller has heard nothing lately."""
    heard = stereo.audio[-int(seconds * stereo.sample_rate) :, 1].astype(np.float64)
    return bool(len(heard) and np.abs(heard).max() < 60)
