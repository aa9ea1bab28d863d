"""A real browser, and the web chat that it looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from customers import HELLO, Customer, customer
from playwright.async_api import Browser, async_playwright
from webchat_site import Server, served

from ccaas.testing.chromium import find
from ccaas.testing.fakes.messaging import FakeInbox

CHROMIUM = Path(__file__).parents[2] / ".cache/chromium"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """With an empty profile."""
    found = find(CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, env=dict(found.environment), args=list(found.flags)
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with served(tmp_path, FakeInbox(HELLO)) as server:
        yield server


@pytest_asyncio.fixture
async def ann(browser: Browser, server: Server) -> AsyncIterator[Customer]:
    ann = await customer(browser, server)
    yield await ann.go()
    assert ann.alarms == []
