"""A supervisor at the board listens to a call with the page alone: no telephone, no other window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from callers import CHANGE, CHANGES, EXAMPLE, Listener, ask, greeted, listening, nothing_left, until, wanted_words
from playwright.async_api import expect
from test_call_page import EARS, RATE, chromium, heard

from ccaas.ports.accounts import Role
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation
from ccaas.web.accounts.book import AccountBook

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a long enough one"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with Installation(tmp_path_factory.mktemp("site"), EXAMPLE, CHANGES) as running:
        book = AccountBook(running.state)
        await asyncio.to_thread(book.add, "boss", Role.SUPERVISOR, PASSWORD)
        book.close()
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def listener(site: Installation) -> AsyncIterator[Listener]:
    async with listening(site) as one:
        yield one


async def test_a_supervisor_hears_caller_and_agent_and_leaves_again(site: Installation, listener: Listener) -> None:
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with chromium(*flags) as browser, SipCaller("127.0.0.1", site.sip_port) as ua:
        board = await browser.new_page()
        await board.add_init_script(EARS)
        await board.goto(f"http://127.0.0.1:{site.desk_port}/board")
        await board.get_by_label("Login").fill("boss")
        await board.get_by_label("Password").fill(PASSWORD)
        await board.get_by_role("button", name="Sign in").click()
        call = await greeted(ua)
        listen = board.get_by_role("button", name="Listen")
        await listen.click()
        await expect(listen).to_have_attribute("aria-pressed", "true")
        await until(lambda: board.evaluate("window.heard.length"), "the board's page hears something")
        await ask(call, CHANGE)
        overheard = await heard(board)
        await board.get_by_role("button", name="Read").click()
        recap = board.locator("#heard-body li")
        await expect(recap).to_have_count(3)
        await expect(recap.first).to_contain_text("Seattle")
        await expect(board.locator("#heard-body")).to_contain_text("from Boston to Seattle")
        look = site.rows("SELECT by, about FROM agent_acts WHERE did = 'look'")[-1]
        assert look["by"] == "boss"
        await board.get_by_role("button", name="Whisper").click()
        await expect(board.get_by_role("alert").first).to_contain_text("nobody in the call")
        await listen.click()
        await expect(listen).to_have_attribute("aria-pressed", "false")
        assert call.is_up
        await call.hang_up()
    words = wanted_words(await listener.words(overheard, RATE))
    assert "boston to seattle" in words  # the caller
    assert "for your security" in words  # the agent, who asks for the date of birth
    await until(lambda: nothing_left(site), "nothing is left behind")
