"""The conformance suite of text channels, on the web chat over a real WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest_asyncio
from ccaas_webchat.channel import DAY_S, WebChat
from webchat_site import SENDER, Page, Server, served, visit

from ccaas.testing.conformance.messaging import ChannelConformance, Correspondence
from ccaas.testing.fakes.messaging import FakeInbox


class OnePage:
    """A page that is open the whole time and tells what it has seen, as the widget does."""

    sender = SENDER

    def __init__(self, server: Server, page: Page) -> None:
        self._server, self._page = server, page
        self._last = ("", "")
        self._count = 0
        page.on_line = self._seen

    @property
    def channel(self) -> WebChat:
        return self._server.channel

    @property
    def inbox(self) -> FakeInbox:
        return self._server.inbox

    async def write(self, text: str) -> None:
        self._count += 1
        self._last = (text, f"id-{self._count}")
        await self.again()

    async def again(self) -> None:
        text, line_id = self._last
        await self._page.send("say", id=line_id, text=text)

    def got(self) -> Sequence[str]:
        return [line["text"] for line in self._page.lines if line["side"] == "agent"]

    async def break_down(self, *, for_good: bool) -> None:
        """For good: the conversation is too old and deleted. Until later: the disk does not take it."""
        store = self.channel._store
        if for_good:
            await store.purge(self._server.now + 1_000 * DAY_S)
        else:
            await store._run(lambda db: db.execute("PRAGMA query_only = ON"))

    async def _seen(self, line: dict[str, object]) -> None:
        await self._page.send("seen", seq=line["seq"])


class TestWebChat(ChannelConformance):
    @pytest_asyncio.fixture
    async def correspondence(self, tmp_path: Path) -> AsyncIterator[Correspondence]:
        async with served(tmp_path, longest=20_000, messages_per_minute=1_000) as server:
            page = await visit(server)
            yield OnePage(server, page)
            await page.close()
