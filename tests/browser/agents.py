"""People at a desk's site, each with a browser of their own."""

from __future__ import annotations

from typing import Any

from desk_site import PASSWORD, DeskServer
from playwright.async_api import Browser, Locator, Page, expect


class Worker:
    """Somebody at the desk or the board."""

    def __init__(self, page: Page, server: DeskServer) -> None:
        self.page = page
        self.server = server
        self.alarms: list[str] = []
        """Faults of the page, dialogs, what the policy forbade, and what it fetched from elsewhere: there must be none."""
        page.on("pageerror", lambda error: self.alarms.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.alarms.append(f"dialog: {dialog.message}"))
        page.on("console", self._console)
        page.on("request", self._requested)

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.alarms.append(f"policy: {message.text}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, "data:")):
            self.alarms.append(f"request: {request.url}")

    async def sign_in(self, login: str = "anna", path: str = "/desk", password: str = PASSWORD) -> Worker:
        await self.page.goto(self.server.url + path)
        await self.page.get_by_label("Login").fill(login)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()
        return self

    async def connected(self) -> Worker:
        await expect(self.page.locator("#link")).to_have_text("Connected")
        return self

    async def available(self) -> Worker:
        await self.page.get_by_role("button", name="Available").click()
        await expect(self.page.locator("#available")).to_have_attribute("aria-pressed", "true")
        return self

    def part(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name)

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")


async def worker(browser: Browser, server: DeskServer, **context: Any) -> Worker:
    """Somebody with a browser of their own."""
    opened = await browser.new_context(**context)
    return Worker(await opened.new_page(), server)
