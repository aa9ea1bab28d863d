"""Agents at real desks take real calls: the bundle first, then the ring; words both ways, hold, passing on; browsers die."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile
import yaml
from callers import (
    CHANGE,
    CHANGES,
    EXAMPLE,
    HOURS,
    PERSON,
    SPEECH,
    Listener,
    asked,
    greeted,
    listening,
    nothing_left,
    until,
    wanted_words,
)
from playwright.async_api import Browser, Page, async_playwright, expect

from ccaas.ports.accounts import Role
from ccaas.testing.caller import SipCaller
from ccaas.testing.chromium import find
from ccaas.testing.installation import Installation
from ccaas.web.accounts.book import AccountBook

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = Path(__file__).parents[2] / ".cache/chromium"
PASSWORD = "a long enough one"
NUMBERS = itertools.count(160)
RATE = 16_000
DESK: dict[str, Any] = {
    "tools": [{"use": "airline"}],
    "plugins": [*yaml.safe_load(EXAMPLE.read_text())["plugins"], "sms_sip", "outbound"],
    "destinations": {"front": {"endpoint": "PJSIP/6001", "blind": True}},
    "agents": {
        "anna": {"name": "Anna", "skills": {"general": 5}},
        "sam": {"name": "Sam", "skills": {"general": 3, "complaints": 8}},
    },
    "queues": {
        "agents": {
            "skills": {"general": 1},
            "strategy": "skills-first",
            "ring_s": 15,
            "announce_s": 600,
            "callback_s": 0,
        },
        "senior": {"skills": {"complaints": 5}, "ring_s": 15, "callback_s": 0},
    },
    "outreach": {
        "voice": {"endpoint": "PJSIP/{number}@carrier", "entry": "airline", "caller_id": "+15550142"},
        "unknown": "allow",
    },
    "dialler": {
        "campaigns": {
            "winback": {
                "entry": "airline",
                "pacing": {"use": "preview"},
                "queue": "agents",
                "purpose": "service",
                "grace_s": 10,
            }
        }
    },
    "handoff": {"numbers": {"endpoint": "PJSIP/{number}@carrier", "allow": ["+1555*"], "caller_id": "+15550142"}},
}

EARS = """
const Peer = window.RTCPeerConnection;
window.heard = [];
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", ({ streams }) => {
      const recorder = new MediaRecorder(streams[0]);
      recorder.addEventListener("dataavailable", ({ data }) => window.heard.push(data));
      recorder.start(200);
    });
  }
};
"""
TELL = """
async () => {
  const context = new OfflineAudioContext(1, 1, 16000);
  const audio = await context.decodeAudioData(await new Blob(window.heard).arrayBuffer());
  const samples = Int16Array.from(audio.getChannelData(0), (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
  let text = "";
  const bytes = new Uint8Array(samples.buffer);
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Installation, SipCaller]]:
    """The airline with two agents whose phones are their browsers, and the far end of its trunk."""
    running = Installation(tmp_path_factory.mktemp("desk"), EXAMPLE, CHANGES | DESK)
    async with SipCaller("127.0.0.1", running.sip_port) as carrier:
        trunk = {"name": "carrier", "host": f"127.0.0.1:{carrier.port}", "from_addresses": ["127.0.0.1/32"]}
        running._document["asterisk"]["trunks"] = [trunk]
        async with running:
            book = AccountBook(running.state)
            for login in ("anna", "sam"):
                book.add(login, Role.AGENT, PASSWORD)
            book.add("boss", Role.SUPERVISOR, PASSWORD)
            book.close()
            yield running, carrier


@pytest.fixture(scope="module")
def site(both: tuple[Installation, SipCaller]) -> Installation:
    return both[0]


@pytest.fixture(scope="module")
def carrier(both: tuple[Installation, SipCaller]) -> SipCaller:
    """Takes the calls to outside numbers."""
    return both[1]


@pytest_asyncio.fixture(loop_scope="module")
async def ua(site: Installation) -> AsyncIterator[SipCaller]:
    async with SipCaller("127.0.0.1", site.sip_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener(site: Installation) -> AsyncIterator[Listener]:
    async with listening(site) as one:
        yield one


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """A browser into whose microphone somebody asks for Christmas Day again and again."""
    speech, rate = soundfile.read(SPEECH / HOURS, dtype="int16")
    folder.mkdir(exist_ok=True)
    file = folder / "microphone.wav"
    soundfile.write(file, np.concatenate((np.zeros(rate, np.int16), speech, np.zeros(rate, np.int16))), rate)
    found = find(CHROMIUM)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, env=dict(found.environment), args=[*found.flags, *flags]
        )
        yield browser
        if browser.is_connected():
            await browser.close()


def kill(folder: Path) -> None:
    """All processes of the browser that was started with this folder, as a crash or a power cut would."""
    mark = f"--use-file-for-fake-audio-capture={folder}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


async def at_the_desk(browser: Browser, site: Installation, login: str) -> Page:
    """Signed in, connected by socket and by softphone, and available."""
    page = await (await browser.new_context()).new_page()
    await page.add_init_script(EARS)
    await page.goto(f"http://127.0.0.1:{site.desk_port}/desk")
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("body")).to_have_attribute("data-phone", "idle", timeout=15_000)
    await page.get_by_role("button", name="Available").click()
    await expect(page.locator("#available")).to_have_attribute("aria-pressed", "true")
    return page


async def state(site: Installation, login: str) -> str:
    board = await site.ask("GET", "/board")
    return next(str(one["state"]) for one in board["agents"] if one["login"] == login)


async def test_a_call_from_the_bundle_to_the_wrap_up(
    site: Installation, ua: SipCaller, listener: Listener, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "both") as browser:
        anna = await at_the_desk(browser, site, "anna")
        sam = await at_the_desk(browser, site, "sam")
        call = await greeted(ua)
        await asked(call, CHANGE)
        await asked(call, PERSON)
        await expect(anna.locator("#recap")).to_contain_text("Isabella Anderson", timeout=15_000)
        await expect(anna.get_by_role("log")).to_contain_text("I'd like to change my flight", ignore_case=True)
        await anna.get_by_role("button", name="Answer").click(timeout=15_000)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        talking = time.monotonic()
        await call.say(SPEECH / CHANGE)
        await call.hear_start(talking + 1.0, 15.0)
        await expect(anna.get_by_role("log")).to_contain_text("You", timeout=20_000)
        heard = np.frombuffer(base64.b64decode(await anna.evaluate(TELL)), dtype=np.int16)

        await anna.get_by_role("button", name="Hold").click()
        await expect(anna.get_by_role("button", name="Hold")).to_have_attribute("aria-pressed", "true")
        held = time.monotonic()
        await call.hear_start(held + 0.5, 10.0)  # music: no caller waits in silence
        await anna.get_by_role("button", name="Hold").click()
        await expect(anna.get_by_role("button", name="Hold")).to_have_attribute("aria-pressed", "false")

        await anna.get_by_role("button", name="Pass on").click()
        await anna.get_by_role("radio", name="Sam").check()
        await anna.get_by_role("button", name="Speak with them first").click()
        await expect(sam.locator("#recap")).to_contain_text("Isabella Anderson", timeout=15_000)
        await sam.get_by_role("button", name="Answer").click(timeout=15_000)
        for page in (anna, sam):
            await expect(page.get_by_role("region", name="Call")).to_contain_text(
                "Speaking with a colleague", timeout=15_000
            )
        await sam.get_by_role("button", name="Hang up").click()
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        await expect(sam.locator("#recap")).not_to_contain_text("Isabella Anderson")
        await sam.get_by_role("button", name="Available").click()
        await expect(sam.get_by_text("You are available", exact=True)).to_be_visible(timeout=15_000)

        await anna.get_by_role("button", name="Pass on").click()
        await anna.get_by_role("radio", name="Sam").check()
        await anna.get_by_role("button", name="Send there").click()
        await expect(sam.locator("#recap")).to_contain_text("Isabella Anderson", timeout=15_000)
        await sam.get_by_role("button", name="Answer").click(timeout=15_000)
        await expect(sam.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        await expect(anna.get_by_role("button", name="Finish")).to_be_visible()
        with_sam = time.monotonic()
        await call.hear_start(with_sam + 0.5, 15.0)
        await sam.get_by_role("button", name="Hang up").click()
        await call.wait_ended()
        for page in (anna, sam):
            await page.get_by_role("radio", name="solved", exact=True).check()
            await page.get_by_role("button", name="Finish").click()
            await expect(page.get_by_text("You are available", exact=True)).to_be_visible()
    assert "boston" in wanted_words(await listener.words(heard, RATE))
    assert "christmas" in wanted_words(await listener.heard(call.stereo(), since=talking, until=held))
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_a_browser_that_dies_while_it_rings_loses_nobody(
    site: Installation, ua: SipCaller, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "doomed") as doomed, chromium(tmp_path / "other") as other:
        anna = await at_the_desk(doomed, site, "anna")
        sam = await at_the_desk(other, site, "sam")
        call = await greeted(ua)
        await asked(call, PERSON)
        await expect(anna.get_by_role("button", name="Answer")).to_be_visible(timeout=20_000)
        kill(tmp_path / "doomed")
        await expect(sam.get_by_role("button", name="Answer")).to_be_visible(timeout=30_000)
        await sam.get_by_role("button", name="Answer").click()
        await expect(sam.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        assert await state(site, "anna") == "offline"
        await call.hang_up()
        await expect(sam.get_by_role("button", name="Finish")).to_be_visible(timeout=15_000)
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_a_browser_that_dies_while_it_talks_loses_nobody(
    site: Installation, ua: SipCaller, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "doomed") as doomed:
        anna = await at_the_desk(doomed, site, "anna")
        call = await greeted(ua)
        await asked(call, PERSON)
        await anna.get_by_role("button", name="Answer").click(timeout=20_000)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        kill(tmp_path / "doomed")
        died = time.monotonic()
    await call.hear_start(died + 1.0, 45.0)
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_after_the_controller_died_the_desk_has_the_call_again(
    site: Installation, ua: SipCaller, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "stays") as browser:
        anna = await at_the_desk(browser, site, "anna")
        call = await greeted(ua)
        await asked(call, CHANGE)
        await asked(call, PERSON)
        await anna.get_by_role("button", name="Answer").click(timeout=20_000)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        dead = await site.kill_controller()
        await expect(anna.locator("#link")).not_to_have_text("Connected", timeout=15_000)
        await site.ready(dead)

        await expect(anna.locator("#link")).to_have_text("Connected", timeout=30_000)
        await expect(anna.locator("#recap")).to_contain_text("Isabella Anderson", timeout=15_000)
        await expect(anna.get_by_role("log")).to_contain_text("I'd like to change my flight", ignore_case=True)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        assert await state(site, "anna") == "on call"
        again = time.monotonic()
        await call.hear_start(again + 0.5, 15.0)  # they talk on
        await call.say(SPEECH / HOURS)
        await expect(anna.get_by_role("log")).to_contain_text("Christmas", timeout=20_000)

        await expect(anna.locator("body")).to_have_attribute("data-phone", "talking", timeout=20_000)
        await anna.get_by_role("button", name="Hold").click()
        await expect(anna.get_by_role("button", name="Hold")).to_have_attribute("aria-pressed", "true", timeout=15_000)
        await anna.get_by_role("button", name="Hold").click()
        await expect(anna.get_by_role("button", name="Hold")).to_have_attribute("aria-pressed", "false", timeout=15_000)
        await anna.get_by_role("button", name="Hang up").click()
        await call.wait_ended()
        await anna.get_by_role("radio", name="solved", exact=True).check()
        await anna.get_by_role("button", name="Finish").click()
        await expect(anna.get_by_text("You are available", exact=True)).to_be_visible()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_an_outside_number_is_asked_and_then_has_the_caller(
    site: Installation, ua: SipCaller, carrier: SipCaller, listener: Listener, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "asks") as browser:
        anna = await at_the_desk(browser, site, "anna")
        call = await greeted(ua)
        await asked(call, PERSON)
        await anna.get_by_role("button", name="Answer").click(timeout=20_000)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)

        await anna.get_by_role("button", name="Pass on").click()
        await anna.get_by_role("textbox", name="Telephone number").fill("+33 1 23 45 67 89")
        await anna.get_by_role("button", name="Speak with them first").click()
        await expect(anna.get_by_role("alert").filter(has_text="handoff.numbers.allow has +1555*")).to_be_visible()
        await anna.get_by_role("textbox", name="Telephone number").fill("+1 555 0177")
        await anna.get_by_role("button", name="Speak with them first").click()
        busy = await carrier.incoming()
        assert "+15550177@" in busy.dialled
        assert "+15550142@" in busy.peer
        busy.refuse(486)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)

        await anna.get_by_role("button", name="Pass on").click()
        await anna.get_by_role("textbox", name="Telephone number").fill("+15550178")
        await anna.get_by_role("button", name="Send there").click()
        outside = await carrier.incoming()
        await outside.answer()
        await expect(anna.get_by_role("button", name="Finish")).to_be_visible(timeout=15_000)
        talking = time.monotonic()
        await call.say(SPEECH / CHANGE)
        await outside.hear_start(talking, 15.0)
        await outside.hang_up()
        await call.wait_ended()
        await anna.get_by_role("radio", name="solved", exact=True).check()
        await anna.get_by_role("button", name="Finish").click()
    heard = wanted_words(await listener.heard(outside.stereo(), since=talking))
    assert "boston" in heard
    acts = site.rows("SELECT did, detail FROM agent_acts WHERE did = 'transfer' AND detail LIKE '+%'")
    assert [(row["did"], row["detail"]) for row in acts] == [("transfer", "+15550178")]
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_a_supervisor_sends_who_waits_to_an_outside_number(
    site: Installation, ua: SipCaller, carrier: SipCaller, tmp_path: Path
) -> None:
    async with chromium(tmp_path / "sends") as browser:
        anna = await at_the_desk(browser, site, "anna")
        await anna.get_by_label("Away, because of").select_option(index=1)
        await expect(anna.locator("#mine")).to_contain_text("away")
        call = await greeted(ua)
        await asked(call, PERSON)
        board = await (await browser.new_context()).new_page()
        await board.goto(f"http://127.0.0.1:{site.desk_port}/board")
        await board.get_by_label("Login").fill("boss")
        await board.get_by_label("Password").fill(PASSWORD)
        await board.get_by_role("button", name="Sign in").click()
        moves = board.get_by_role("region", name="Waiting").get_by_role("combobox")
        await expect(moves).to_be_visible(timeout=20_000)
        await moves.select_option("A telephone number…")
        number = board.get_by_role("textbox", name="Telephone number")
        await number.fill("+33 1 23 45 67 89")
        await number.press("Enter")
        await expect(board.get_by_role("alert").filter(has_text="handoff.numbers.allow has +1555*")).to_be_visible()
        await number.fill("+1 555 0179")
        await number.press("Enter")
        await expect(board.get_by_role("dialog")).to_be_hidden()
        outside = await carrier.incoming()
        assert "+15550179@" in outside.dialled
        await outside.answer()
        await expect(board.get_by_role("region", name="Waiting")).to_contain_text("Nobody is waiting.")
        talking = time.monotonic()
        await call.say(SPEECH / CHANGE)
        await outside.hear_start(talking, 15.0)
        await outside.hang_up()
        await call.wait_ended()
    act = site.rows("SELECT by, detail FROM agent_acts WHERE did = 'reroute'")[-1]
    assert (act["by"], act["detail"]) == ("boss", "+15550179")
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_an_agent_sees_who_is_to_be_called_and_calls_them(
    site: Installation, carrier: SipCaller, tmp_path: Path
) -> None:
    first, listed, last = (f"+1212555{next(NUMBERS):04}" for _ in range(3))  # others when it is tried again
    people = [
        {"phone": first, "first_name": "Ada", "last_name": "Vale", "about": "her refund", "priority": "9"},
        {"phone": listed, "first_name": "Bo", "last_name": "Dunn", "priority": "5"},
        {"phone": last, "first_name": "Cy", "last_name": "Ode", "priority": "1"},
    ]
    await site.ask("POST", "/campaigns/winback/records", {"records": people})
    await site.ask("POST", "/campaigns/winback/resume")
    blocking = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ccaas.cli", "contacts", "block", listed, str(site.file)
    )
    assert await blocking.wait() == 0
    async with chromium(tmp_path / "previews") as browser:
        anna = await at_the_desk(browser, site, "anna")
        card = anna.locator("#preview")
        await card.get_by_role("button", name="Next of winback").click()
        await expect(card).to_contain_text("Ada Vale")
        await expect(card).to_contain_text("her refund")
        await expect(card).to_contain_text("left")
        await anna.reload()
        await expect(card).to_contain_text("Ada Vale", timeout=15_000)
        await expect(anna.locator("body")).to_have_attribute("data-phone", "idle", timeout=15_000)
        await anna.get_by_role("button", name="Available").click()
        await card.get_by_role("button", name="Call now").click()
        call = await carrier.incoming()
        assert f"{first}@" in call.dialled
        await call.answer()
        await anna.get_by_role("button", name="Answer").click(timeout=20_000)
        await expect(anna.get_by_role("region", name="Call")).to_contain_text("Talking", timeout=15_000)
        talking = time.monotonic()
        await call.hear_start(talking, 15.0)
        await anna.get_by_role("button", name="Hang up").click()
        await call.wait_ended()
        await expect(card).to_contain_text("answered", timeout=15_000)
        await anna.get_by_role("radio", name="solved", exact=True).check()
        await anna.get_by_role("button", name="Finish").click()

        await card.get_by_role("button", name="Next of winback").click()
        await expect(card).to_contain_text("Bo Dunn")
        await card.get_by_role("button", name="Call now").click()
        await expect(card.get_by_role("status")).to_contain_text("refused", timeout=15_000)
        await card.get_by_role("button", name="Next of winback").click()
        await expect(card).to_contain_text("Cy Ode")
        await card.get_by_role("button", name="Skip").click()
        await card.get_by_role("button", name="Next of winback").click()
        await expect(card).to_contain_text("Nobody of winback is to be called now.")
    rows = site.rows("SELECT key, outcome FROM records", file="campaigns.sqlite")
    outcomes = {row["key"]: row["outcome"] for row in rows}
    assert {key: outcomes[key] for key in (first, listed, last)} == {
        first: "answered",
        listed: "refused:listed",
        last: "skipped",
    }
    await until(lambda: nothing_left(site), "the call left nothing behind")
