"""A supervisor sends who waits to an outside number, from the board and by keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from agents import Worker, worker
from axe_playwright_python.async_playwright import Axe
from desk_site import DeskServer, desk_served
from playwright.async_api import Browser, Locator, expect

from ccaas.ports.contact import BoardChanged

ENTRY = "A telephone number…"


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    async with desk_served(tmp_path) as server:
        yield server


async def at_the_board(browser: Browser, server: DeskServer, **context: Any) -> Worker:
    boss = await worker(browser, server, **context)
    return await (await boss.sign_in("boss", "/board")).connected()


def move(boss: Worker) -> Locator:
    return boss.page.get_by_label("Move Noah Muller to")


def dialog(boss: Worker) -> Locator:
    return boss.page.get_by_role("dialog", name="Send Noah Muller to a telephone number")


def waits(server: DeskServer, **changed: Any) -> None:
    """The one who waits, otherwise; nobody, when nothing is changed."""
    for queue in server.centre.queues:
        if queue.waiting:
            one = tuple(replace(one, **changed) for one in queue.waiting) if changed else ()
            server.centre.queues = tuple(
                replace(queue, waiting=one) if each is queue else each for each in server.centre.queues
            )
            break
    server.centre.tell(BoardChanged(server.centre.board()))


async def test_by_keyboard_from_the_list_to_the_telephone(browser: Browser, server: DeskServer) -> None:
    boss = await at_the_board(browser, server)
    keys = boss.page.keyboard
    await move(boss).focus()
    await keys.press("ArrowDown")
    await keys.press("End")
    assert server.centre.asked == [], "keys that look through the list move nobody"
    await keys.press("Enter")
    field = dialog(boss).get_by_role("textbox", name="Telephone number")
    await expect(field).to_be_focused()
    await keys.press("Escape")
    await expect(dialog(boss)).to_be_hidden()
    await expect(move(boss)).to_be_focused()
    await keys.press("ArrowDown")
    await keys.press("End")
    await keys.press("Enter")
    await expect(field).to_be_focused()
    await keys.type("+1 555 0100")
    await keys.press("Enter")
    await expect(dialog(boss)).to_be_hidden()
    await expect(boss.page.get_by_role("status")).to_have_text("Noah Muller is sent to +1 555 0100.")
    await expect(boss.part("Waiting")).to_be_focused()
    (asked,) = server.centre.asked
    assert (asked.what, asked.about, asked.detail, asked.by) == ("reroute", "h9", "+1 555 0100", "boss")
    assert boss.alarms == []


async def test_what_is_refused_stays_with_the_reason(browser: Browser, server: DeskServer) -> None:
    boss = await at_the_board(browser, server)
    await move(boss).select_option(ENTRY)
    field = dialog(boss).get_by_role("textbox", name="Telephone number")
    send = dialog(boss).get_by_role("button", name="Send there")
    alert = dialog(boss).get_by_role("alert")
    await expect(alert).to_be_hidden()
    await send.click()
    await expect(alert).to_have_text("Write a telephone number.")
    for wrong in ("15550100", "everybody"):
        await field.fill(wrong)
        await send.click()
        await expect(alert).to_have_text(f"{wrong} is no telephone number; write + and 7 to 15 digits, as in +15550100")
        await expect(field).to_have_value(wrong)
        await expect(field).to_be_focused()
    server.centre.refuses = "+33123456789 is not allowed; handoff.numbers.allow has +1555*"
    await field.fill("+33123456789")
    await send.click()
    await expect(alert).to_have_text(server.centre.refuses)
    await expect(field).to_have_attribute("aria-invalid", "true")
    server.centre.refuses = ""
    waits(server)
    await expect(boss.part("Waiting")).to_contain_text("Nobody is waiting.")
    await field.fill("+15550100")
    await send.click()
    await expect(alert).to_have_text("they do not wait any more")
    await expect(field).to_have_value("+15550100")
    await boss.page.keyboard.press("Escape")
    await expect(dialog(boss)).to_be_hidden()
    await expect(boss.part("Waiting")).to_be_focused()
    assert server.centre.asked == [] and boss.alarms == []


async def test_only_callers_on_the_line_and_only_where_numbers_are_allowed(
    browser: Browser, server: DeskServer
) -> None:
    boss = await at_the_board(browser, server)
    entries = move(boss).get_by_role("option")
    await expect(entries).to_have_text(["Move…", "everybody", ENTRY])
    waits(server, callback=True)
    await expect(entries).to_have_text(["Move…", "everybody"])
    waits(server, callback=False, channel="sms")
    await expect(boss.part("Waiting")).to_contain_text("sms")
    await expect(entries).to_have_text(["Move…", "everybody"])
    server.numbers = False
    await server.restart()
    await boss.connected()
    await boss.page.reload()
    await expect(entries).to_have_text(["Move…", "everybody"])


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (1366, "light"), (1366, "dark")], ids=["phone", "light", "dark"]
)
async def test_axe_finds_nothing(browser: Browser, server: DeskServer, width: int, scheme: Any) -> None:
    boss = await at_the_board(
        browser, server, viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    await move(boss).select_option(ENTRY)
    await dialog(boss).get_by_role("textbox").fill("1")
    await boss.page.keyboard.press("Enter")
    await expect(dialog(boss).get_by_role("alert")).to_be_visible()
    report = await Axe().run(boss.page)
    assert report.violations_count == 0, report.generate_report()
    assert await boss.page.evaluate("document.documentElement.scrollWidth") <= width
