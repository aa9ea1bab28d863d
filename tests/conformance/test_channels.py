"""The conformance suite of text channels, on the fake."""

from __future__ import annotations

from collections.abc import Sequence

import pytest_asyncio

from ccaas.errors import MessageFailed
from ccaas.testing.conformance.messaging import ChannelConformance, Correspondence
from ccaas.testing.fakes.messaging import OURS, FakeInbox, FakeTextChannel, surroundings


class FakeCorrespondence:
    """One customer at the fake's other end."""

    sender = OURS

    def __init__(self) -> None:
        self.channel, self.inbox = FakeTextChannel(), FakeInbox()
        self._last = ("", "")
        self._count = 0

    async def write(self, text: str) -> None:
        self._count += 1
        self._last = (text, f"id-{self._count}")
        await self.again()

    async def again(self) -> None:
        text, message_id = self._last
        await self.channel.write(text, message_id=message_id)

    def got(self) -> Sequence[str]:
        return [message.text for message in self.channel.sent]

    async def break_down(self, *, for_good: bool) -> None:
        self.channel.fails = MessageFailed("the fake was to fail", again=not for_good)


class TestFakeChannel(ChannelConformance):
    @pytest_asyncio.fixture
    async def correspondence(self) -> Correspondence:
        correspondence = FakeCorrespondence()
        await correspondence.channel.start(surroundings(correspondence.inbox))
        return correspondence
