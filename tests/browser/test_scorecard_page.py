"""The scorecard in a real browser: supervisors see the figures, open what they count, and take them along."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from agents import worker
from axe_playwright_python.async_playwright import Axe
from desk_site import DeskServer, accounts
from playwright.async_api import Browser, expect
from scorecard_world import write

from ccaas.scorecard.pages import ScorecardPages

SPAN = "/scorecard?from=2026-03-07&to=2026-03-08"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    scorecard = await write(tmp_path)
    shutil.copy(accounts(), tmp_path)
    server = DeskServer(tmp_path, {})
    server.extra = lambda site: ScorecardPages(scorecard).add_to(site.routes)
    await server.start()
    yield server
    await server.stop()


async def test_a_supervisor_reads_the_figures_and_what_is_behind_them(browser: Browser, server: DeskServer) -> None:
    boss = await worker(browser, server)
    await boss.sign_in("boss", SPAN)
    figures = boss.part("At one glance")
    await expect(figures).to_contain_text("33.3 %")
    await expect(figures).to_contain_text("40.0 %")
    await expect(boss.part("Shown apart: keeping people away from people is no success")).to_contain_text("66.7 %")
    await expect(boss.page.get_by_role("link", name="Board")).to_be_visible()
    await figures.get_by_role("button", name="Journey Completion Rate").focus()
    await boss.page.keyboard.press("Enter")
    behind = boss.part("Journey Completion Rate: 2")
    await expect(behind.get_by_role("row")).to_have_count(3)
    await expect(behind).to_contain_text("a person")
    await expect(behind).to_contain_text("11:30")  # by the business's clock
    await boss.page.keyboard.press("Escape")
    await expect(behind).to_be_hidden()
    await expect(figures.get_by_role("button", name="Journey Completion Rate")).to_be_focused()
    await boss.page.get_by_label("Intent").check()
    table = boss.part("Every figure opens what it counts")
    await table.get_by_role("button", name="Conversations, refund: 2").click()
    await expect(boss.part("Conversations, refund: 2").get_by_role("row")).to_have_count(3)
    async with boss.page.expect_download() as download:
        await boss.page.get_by_role("link", name="CSV").click()
    text = Path(await (await download.value).path()).read_text()
    assert text.startswith("intent,")
    assert "refund,2," in text
    await boss.page.get_by_role("textbox", name="From").fill("2026-03-09")
    await expect(boss.page.get_by_role("alert").first).to_contain_text("is before 2026-03-09")
    assert boss.alarms == []


async def test_an_agent_has_no_scorecard(browser: Browser, server: DeskServer) -> None:
    anna = await worker(browser, server)
    await anna.sign_in("anna", "/desk")
    await anna.connected()
    await expect(anna.page.get_by_role("link", name="Scorecard")).to_have_count(0)
    for path in ("/scorecard", "/scorecard.json", "/scorecard.csv", "/scorecard/behind?measure=jcr"):
        assert (await anna.page.request.get(server.url + path)).status == 403


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1366)])
async def test_everybody_can_read_it(browser: Browser, server: DeskServer, scheme: str, width: int) -> None:
    boss = await worker(browser, server, color_scheme=scheme, viewport={"width": width, "height": 900})
    await boss.sign_in("boss", SPAN)
    await boss.part("At one glance").get_by_role("button", name="Journey Completion Rate").click()
    await expect(boss.part("Journey Completion Rate: 2")).to_be_visible()
    assert await boss.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(boss.page)
    assert [violation["id"] for violation in found.response["violations"]] == []
