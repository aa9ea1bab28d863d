"""The desk and the board by keyboard, on a phone, by screen reader, in both schemes; and the supervisor's board."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from agents import Worker, worker
from axe_playwright_python.async_playwright import Axe
from desk_site import PASSWORD, DeskServer, desk_served, until
from playwright.async_api import Browser, expect

from ccaas.ports.contact import AgentState, BoardChanged, CallView, Line, Proposal
from ccaas.ports.journey import Consent, JourneyContext, Profile
from ccaas.testing.conformance.contact import SilentDesktop
from ccaas.testing.fakes.contact import bundle_of

SIZES = {"phone": (390, 844), "tablet": (900, 1000), "laptop": (1366, 768), "wide": (2560, 1300)}
BUNDLE = bundle_of(
    context=JourneyContext(
        Profile("mia", tier="gold", lifetime_value_cents=90_000), consents=(Consent("sms", "service", True, 1.0, "m"),)
    ),
    only_you=(Proposal("p1", "Waive the change fee of $75", "Why", "waive_fee", {}, "a1"),),
    next_best=(Proposal("n1", "A seat on 13:15", "It is in time."),),
)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    async with desk_served(tmp_path) as server:
        yield server


async def test_everything_works_by_keyboard(browser: Browser, server: DeskServer) -> None:
    anna = await worker(browser, server)
    keys, centre = anna.page.keyboard, server.centre
    await anna.page.goto(f"{server.url}/desk")
    await expect(anna.page.get_by_label("Login")).to_be_focused()
    await keys.type("anna")
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await anna.connected()
    await keys.press("Tab")
    await expect(anna.page.get_by_role("link", name="To the conversation")).to_be_focused()
    await keys.press("v")
    await until(lambda: centre.agents["anna"].state is AgentState.AVAILABLE, "available")
    await keys.press("?")
    await expect(anna.page.get_by_role("dialog", name="Keys")).to_be_visible()
    await keys.press("Escape")
    await centre.hand_over("anna", BUNDLE)
    centre.call("c1", "talking")
    await keys.press("p")
    await keys.press("Tab")
    await expect(anna.page.get_by_role("button", name="Approve")).to_be_focused()
    await keys.press("Enter")
    await expect(anna.log).to_contain_text("Done: Waive")
    await keys.press("t")
    dialog = anna.page.get_by_role("dialog", name="Pass the call on")
    await expect(dialog.get_by_role("radio").first).to_be_focused()
    await keys.press("Space")
    await keys.press("Enter")
    await expect(dialog).to_be_hidden()
    await until(lambda: "transfer" in [one.what for one in centre.asked], "passed on")
    await expect(anna.page.get_by_role("radio", name="solved", exact=True)).to_be_focused()
    await keys.press("Space")
    await keys.press("Tab")
    await keys.type("vwax: none of these is a key here")
    await keys.press("Control+Enter")
    await until(lambda: centre.asked[-1].what == "wrap up", "wrapped up")
    assert centre.asked[-1].detail == "solved: vwax: none of these is a key here"
    await expect(anna.page.locator("#available")).to_be_focused()
    await anna.page.evaluate("localStorage.setItem('keys', 'off')")
    await keys.press("?")
    await expect(anna.page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert anna.alarms == []


@pytest.mark.parametrize(
    ("size", "scheme"),
    [("phone", "light"), ("phone", "dark"), ("tablet", "dark"), ("laptop", "light"), ("wide", "dark")],
)
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    browser: Browser, server: DeskServer, scheme: Any, size: str
) -> None:
    width, height = SIZES[size]
    anna = await worker(
        browser, server, viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    centre = server.centre
    await (await anna.sign_in()).connected()
    await anna.available()

    async def fine(where: str) -> None:
        report = await Axe().run(anna.page)
        assert report.violations_count == 0, f"{where}: {report.generate_report()}"
        assert await anna.page.evaluate("document.documentElement.scrollWidth") <= width

    await fine("idle")
    assert await centre.hand_over("anna", BUNDLE)
    centre.call("c1", "consulting", "sam")
    centre.say("c1", Line(time.time(), "customer", "x" * 300, "t", 0.9, {"words": 0.9, "prosody": None, "trend": 0.2}))
    await expect(anna.page.get_by_role("button", name="All three")).to_be_visible()
    await fine("a call")
    if await anna.page.locator(".tabs").is_visible():
        for tab in ("Customer", "Offers", "Timeline", "Talk"):
            await anna.page.get_by_role("navigation", name="Parts").get_by_role("button", name=tab).click()
            await fine(tab)
    await anna.page.get_by_role("button", name="Pass on").click()
    await fine("the dialog")
    await anna.page.keyboard.press("Escape")
    centre.call("c1", "ended")
    await expect(anna.page.get_by_role("button", name="Finish")).to_be_visible()
    await fine("the wrap-up")
    assert anna.alarms == []


async def test_nothing_jumps_when_a_handoff_comes(browser: Browser, server: DeskServer) -> None:
    anna = await worker(browser, server, viewport={"width": 1366, "height": 768})
    await (await anna.sign_in()).connected()
    await anna.available()
    places = "['#talk', '#call', '.side.right', '.top'].map((s) => JSON.stringify(document.querySelector(s).getBoundingClientRect().toJSON()))"
    before = await anna.page.evaluate(
        f"{places}.map((s) => {{ const {{x, y, width}} = JSON.parse(s); return [x, y, width]; }})"
    )
    await server.centre.hand_over("anna", BUNDLE)
    server.centre.call("c1", "talking")
    await expect(anna.page.get_by_role("button", name="Hold")).to_be_visible()
    after = await anna.page.evaluate(
        f"{places}.map((s) => {{ const {{x, y, width}} = JSON.parse(s); return [x, y, width]; }})"
    )
    assert after == before


async def test_only_new_words_are_read_aloud(browser: Browser, server: DeskServer) -> None:
    anna = await worker(browser, server)
    await (await anna.sign_in()).connected()
    await server.centre.hand_over("anna", BUNDLE)
    await expect(anna.log).to_have_attribute("aria-live", "polite")
    await anna.page.evaluate(
        """() => {
          const log = document.querySelector("[role=log]");
          globalThis.announced = [];
          new MutationObserver((all) => { for (const one of all) for (const node of one.addedNodes)
            if (log.getAttribute("aria-live") === "polite" && node.classList?.contains("line"))
              announced.push(node.textContent); }).observe(log, { childList: true });
        }"""
    )
    server.centre.say("c1", Line(time.time(), "customer", "One."))
    server.centre.say("c1", Line(time.time(), "customer", "Two."))
    await expect(anna.log).to_contain_text("Two.")
    announced = await anna.page.evaluate("announced")
    assert len(announced) == 2
    assert "Mia Silva" in announced[0] and announced[1].endswith("Mia Silva: Two.")


async def test_the_board_shows_everything_and_a_supervisor_takes_part(browser: Browser, server: DeskServer) -> None:
    centre = server.centre
    centre.calls = (
        CallView("c1", "voice", "talking", time.time() - 60, "Mia <b>Silva</b>", "anna", "senior", 0.84),
        CallView("c2", "voice", "talking", time.time() - 10, "Noah", "butler", "", -0.1),
    )
    await centre.sign_in("sam", SilentDesktop())
    boss: Worker = await worker(browser, server)
    await boss.sign_in("boss", "/board")
    await boss.connected()
    await expect(boss.part("Conversations").get_by_role("row", name="Mia <b>Silva</b>")).to_contain_text("upset 0.84")
    await expect(boss.part("Waiting")).to_contain_text("Noah Muller")
    await expect(boss.part("At one glance")).to_contain_text("89 %")
    row = boss.part("Conversations").get_by_role("row", name="Mia")
    for name, mode in (("Listen", "listen"), ("Whisper", "whisper"), ("Barge in", "barge")):
        await row.get_by_role("button", name=name).click()
        await expect(row.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        assert (centre.asked[-1].what, centre.asked[-1].about, centre.asked[-1].detail) == ("supervise", "c1", mode)
    await row.get_by_role("button", name="Barge in").click()
    await until(lambda: centre.asked[-1].detail == "end", "no part any more")
    centre.bundles["c1"] = bundle_of()
    await row.get_by_role("button", name="Read").click()
    await expect(row.get_by_role("button", name="Read")).to_have_attribute("aria-pressed", "true")
    await expect(boss.part("What is said").get_by_role("listitem")).to_have_count(3)
    await expect(boss.part("What is said")).to_contain_text("This is ridiculous.")
    centre.say("c1", Line(time.time(), "customer", "Finally."))
    centre.say("c2", Line(time.time(), "customer", "Not to be seen."))
    await expect(boss.part("What is said")).to_contain_text("Finally.")
    await expect(boss.part("What is said")).not_to_contain_text("Not to be seen.")
    await boss.page.get_by_label("Move Noah Muller to").select_option("everybody")
    await until(lambda: centre.asked[-1].what == "reroute", "moved")
    await boss.page.get_by_label("Set Sam to").select_option("away")
    await until(lambda: centre.asked[-1].what == "set state", "set")
    assert (centre.asked[-1].about, centre.asked[-1].detail, centre.asked[-1].by) == ("sam", "away supervisor", "boss")
    centre.calls = (replace(centre.calls[0], score=-0.5),)
    centre.tell(BoardChanged(centre.board()))
    await expect(boss.part("Conversations")).to_contain_text("pleased")
    report = await Axe().run(boss.page)
    assert report.violations_count == 0, report.generate_report()
    centre.refuses = "the call is over"
    await row.get_by_role("button", name="Listen").click()
    await expect(boss.page.locator("#problem")).to_have_text("the call is over")
    assert boss.alarms == []
