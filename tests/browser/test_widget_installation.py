"""The widget on a whole installation: the airline's agent answers, also after the controller was killed."""

from __future__ import annotations

from pathlib import Path

from customers import Customer
from playwright.async_api import Browser, expect

from ccaas.testing.installation import Installation

EXAMPLE = Path(__file__).parents[2] / "examples/airline/ccaas.yaml"
SOON_MS = 60_000


async def test_a_chat_with_the_agent_outlives_the_controller(browser: Browser, tmp_path: Path) -> None:
    async with Installation(tmp_path, EXAMPLE) as site:
        page = await (await browser.new_context()).new_page()
        ann = await Customer(page, f"http://127.0.0.1:{site.public_port}/channels/web").go()
        answers = page.locator("ccaas-chat [role=log] .agent .text")
        await ann.open()
        await expect(answers).to_have_count(1, timeout=SOON_MS)
        await ann.write("I'd like to change my flight.")
        await expect(answers.nth(1)).to_contain_text("confirmation code", timeout=SOON_MS)
        killed = await site.kill_controller()
        await expect(ann.notice).to_contain_text("Connection lost")
        await ann.write("CMPLX7")
        await site.ready(not_pid=killed)
        await expect(answers.nth(2)).to_contain_text("last name", timeout=SOON_MS)
        await expect(page.locator("ccaas-chat [role=log] .customer .text")).to_have_text(
            ["I'd like to change my flight.", "CMPLX7"]
        )
        assert len(site.rows("SELECT id FROM session", file="webchat.sqlite")) == 1
        assert ann.alarms == []
