"""Customers at a page with the web chat's widget."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from webchat_site import Server, until

HELLO = "Hello! How can I help?"
"""What who opens a chat is greeted with."""

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}


class Customer:
    """Somebody at a page with the widget."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.alarms: list[str] = []
        """Faults of the page, dialogs, and what it fetched from elsewhere: there must be none."""
        page.on("pageerror", lambda error: self.alarms.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.alarms.append(f"dialog: {dialog.message}"))
        page.on("request", self._requested)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.url.partition("/channels")[0], "data:")):
            self.alarms.append(f"request: {request.url}")

    @property
    def launcher(self) -> Locator:
        return self.page.locator("ccaas-chat .launcher")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your message")

    @property
    def notice(self) -> Locator:
        return self.page.locator("ccaas-chat .notice")

    async def go(self, path: str = "/channels/web/demo", **attributes: str) -> Customer:
        query = f"?{urlencode(attributes)}" if attributes else ""
        await self.page.goto(f"{self.url.partition('/channels')[0]}{path}{query}")
        await expect(self.launcher).to_be_visible()
        return self

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.page.get_by_role("dialog")).to_be_visible()

    async def write(self, *texts: str) -> None:
        for text in texts:
            await self.box.fill(text)
            await self.box.press("Enter")

    async def sees(self, *texts: str) -> None:
        """Exactly these messages, in this order, all of them out of the outbox."""
        own = self.page.locator("ccaas-chat [role=log] .text")
        await expect(own).to_have_text(list(texts))
        await expect(self.page.locator("ccaas-chat .pending .message")).to_have_count(0)


async def customer(browser: Browser, server: Server, **context: Any) -> Customer:
    """Somebody with a browser of their own."""
    opened: BrowserContext = await browser.new_context(**context)
    return Customer(await opened.new_page(), server.url)


async def heard(server: Server, count: int) -> list[str]:
    await until(lambda: len(server.inbox.messages) >= count, f"{count} messages arrive")
    return [message.text for message in server.inbox.messages]
