"""The widget by keyboard, on a phone, by screen reader, in every colour."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from customers import HELLO, PHONE, Customer, customer, heard
from playwright.async_api import Browser, Locator, expect
from webchat_site import Server


async def test_everything_works_by_keyboard(ann: Customer, server: Server) -> None:
    focused = ann.page.locator("ccaas-chat :focus")
    for _ in range(5):
        await ann.page.keyboard.press("Tab")
        if await focused.count():
            break
    await expect(ann.launcher).to_be_focused()
    await expect(ann.launcher).to_have_attribute("aria-expanded", "false")
    await ann.page.keyboard.press("Enter")
    await expect(ann.box).to_be_focused()
    await expect(ann.launcher).to_have_attribute("aria-expanded", "true")
    await ann.sees(HELLO)
    await ann.page.keyboard.type("one")
    await ann.page.keyboard.press("Shift+Enter")
    await ann.page.keyboard.type("two")
    await ann.page.keyboard.press("Tab")
    await expect(ann.page.get_by_role("button", name="Send")).to_be_focused()
    await ann.page.keyboard.press("Space")
    assert await heard(server, 1) == ["one\ntwo"]
    await expect(ann.box).to_be_focused()
    await ann.page.keyboard.press("Shift+Tab")
    await expect(ann.page.locator("ccaas-chat .scroll")).to_be_focused()
    await ann.page.keyboard.press("Shift+Tab")
    await expect(ann.page.get_by_role("dialog").get_by_role("button", name="Close chat")).to_be_focused()
    await ann.page.keyboard.press("Escape")
    await expect(ann.page.get_by_role("dialog")).to_be_hidden()
    await expect(ann.launcher).to_be_focused()
    await expect(ann.launcher).to_have_attribute("aria-expanded", "false")


async def test_beside_the_page_focus_is_free_and_over_it_it_stays_within(browser: Browser, server: Server) -> None:
    desktop = await (await customer(browser, server)).go("/host")
    await desktop.open()
    await desktop.page.keyboard.press("Tab")
    await expect(desktop.launcher).to_be_focused()
    phone = await (await customer(browser, server, **PHONE)).go()
    await phone.open()
    dialog = phone.page.get_by_role("dialog")
    assert await dialog.evaluate("node => node.matches(':modal')")
    seen = set()
    for _ in range(12):
        await phone.page.keyboard.press("Tab")
        seen.add(await phone.page.evaluate("document.activeElement.localName"))
    assert seen <= {"ccaas-chat", "body"}


async def test_a_phone_shows_nothing_but_the_chat(browser: Browser, server: Server) -> None:
    phone = await (await customer(browser, server, reduced_motion="reduce", **PHONE)).go()
    await phone.launcher.tap()
    dialog = phone.page.get_by_role("dialog")
    box = await dialog.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 780}
    await phone.box.tap()
    await phone.page.keyboard.type("from my phone")
    await phone.page.get_by_role("button", name="Send").tap()
    await phone.sees(HELLO, "from my phone")
    for name in ("Send", "Close chat"):
        size = await dialog.get_by_role("button", name=name).bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44
    assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    await dialog.get_by_role("button", name="Close chat").tap()
    await expect(dialog).to_be_hidden()
    assert phone.alarms == []


async def test_turning_the_window_small_keeps_what_was_typed(ann: Customer) -> None:
    await ann.open()
    await ann.box.fill("half a sen")
    await ann.page.set_viewport_size({"width": 400, "height": 700})
    dialog = ann.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await until_modal(dialog, modal=True)
    await expect(ann.box).to_have_value("half a sen")
    await expect(ann.box).to_be_focused()
    await ann.page.set_viewport_size({"width": 1_000, "height": 700})
    await until_modal(dialog, modal=False)
    await expect(ann.box).to_have_value("half a sen")


async def until_modal(dialog: Locator, *, modal: bool) -> None:
    async with asyncio.timeout(10):
        while await dialog.evaluate("node => node.matches(':modal')") is not modal:
            await asyncio.sleep(0.02)


async def test_history_is_not_read_aloud_and_new_messages_are(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    log = ann.page.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await ann.page.evaluate(
        """() => {
          const log = document.querySelector("ccaas-chat").shadowRoot.querySelector("[role=log]");
          globalThis.announced = [];
          new MutationObserver((all) => { for (const one of all) for (const node of one.addedNodes)
            if (log.getAttribute("aria-live") === "polite" && node.classList?.contains("message"))
              announced.push(node.textContent); }).observe(log, { childList: true, subtree: true });
        }"""
    )
    await server.answer("two")
    await ann.sees(HELLO, "one", "two")
    announced = await ann.page.evaluate("announced")
    assert len(announced) == 1
    assert re.match(r"Agent: two", announced[0])


async def test_who_wants_less_motion_gets_none(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server, reduced_motion="reduce")).go()
    await ann.open()
    assert await ann.page.get_by_role("dialog").evaluate("node => getComputedStyle(node).animationName") == "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"viewport": {"width": 1_000, "height": 760}}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("color", ["#0b57d0", "#ffb300", "#777777"])
async def test_axe_finds_nothing(
    browser: Browser, server: Server, scheme: Any, size: dict[str, Any], color: str
) -> None:
    ann = await customer(browser, server, color_scheme=scheme, reduced_motion="reduce", **size)
    await ann.go("/host", color=color, title="Acorn Air", greeting="We are here at any time of the day.")
    # What the host page looks like is not the widget's: only that is judged.
    closed = await Axe().run(ann.page, context={"include": [["ccaas-chat"]]})
    assert closed.violations_count == 0, closed.generate_report()
    await ann.open()
    await ann.write("hello", "x" * 3)
    await heard(server, 2)
    await server.answer("See https://example.com")
    await server.channel.typing(server.inbox.messages[0].address, True)
    await expect(ann.page.locator("ccaas-chat .dots")).to_be_visible()
    await ann.box.fill("draft")
    opened = await Axe().run(ann.page, context={"include": [["ccaas-chat"]]})
    assert opened.violations_count == 0, opened.generate_report()
    await server.stop()
    await expect(ann.notice).to_contain_text("Connection lost. Trying again in")
    await ann.write("later")
    lost = await Axe().run(ann.page, context={"include": [["ccaas-chat"]]})
    assert lost.violations_count == 0, lost.generate_report()
