"""Plays in a real browser: a supervisor finds an event, its customers, their answers, and when each step was done."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from agents import worker
from axe_playwright_python.async_playwright import Axe
from desk_site import DeskServer, accounts
from playwright.async_api import Browser, expect

from ccaas.outreach import cases
from ccaas.outreach.cases import CaseState
from ccaas.outreach.pages import PlayPages
from ccaas.outreach.refusals import keeping
from ccaas.outreach.store import OutreachStore
from ccaas.proactive import PlayView


async def write(store: OutreachStore) -> None:
    """One event with one customer, who has said yes; and a message that was no event."""
    body = '{"flight":"HAT170"}'
    values = ("e-1", "flight.cancelled", "rebook", body, "operations", 1_000.0, 1_000.5, 1_002.0)
    sql = "INSERT INTO events (event_id, type, play, body, source, at, begun, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    await store.write(lambda db: db.execute(sql, values))
    await store.write(cases.adding("e-1", [("ann <lee>", "gold", {})]))
    await store.write(cases.moving("e-1:0", [CaseState.NEW], CaseState.HELD, channel="sms"))
    await store.write(cases.noting("e-1:0", "held", "your seat", 17.0))
    await store.write(cases.noting("e-1:0", "offered by sms", "offer-e-1:0-sms"))
    await store.write(cases.moving("e-1:0", [CaseState.HELD], CaseState.CONFIRMED))
    await store.write(cases.noting("e-1:0", "answer yes", "confirmed"))
    await store.write(keeping("operations", "FLIGHTS 7", "flights.x", "", "body: it is no JSON"))


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    store = await OutreachStore.open(tmp_path / "outreach.sqlite")
    await write(store)
    shutil.copy(accounts(), tmp_path)
    server = DeskServer(tmp_path, {})
    server.extra = lambda site: PlayPages(PlayView(store)).add_to(site.routes)
    await server.start()
    yield server
    await server.stop()
    await store.close()


async def test_a_supervisor_reads_what_an_event_has_set_off(browser: Browser, server: DeskServer) -> None:
    boss = await worker(browser, server)
    await boss.sign_in("boss", "/plays")
    events = boss.page.get_by_role("region", name="Events", exact=True)
    await expect(events).to_contain_text("1 confirmed")
    await expect(boss.part("Messages of buses that were no events")).to_contain_text("FLIGHTS 7")
    await expect(boss.page.get_by_role("link", name="Plays")).to_have_attribute("aria-current", "page")
    assert (await Axe().run(boss.page)).violations_count == 0
    await boss.page.get_by_role("link", name="e-1").click()
    told = boss.part("Customers, in the order in which they were told")
    for words in ("ann <lee>", "gold", "confirmed", "offered by sms", "answer yes: confirmed", "took 17 ms"):
        await expect(told).to_contain_text(words)
    await expect(boss.page.get_by_role("main")).to_contain_text("HAT170")
    assert (await Axe().run(boss.page)).violations_count == 0
    await expect(boss.page.get_by_role("link", name="Board")).to_be_visible()
