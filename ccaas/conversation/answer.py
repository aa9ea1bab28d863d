"""One answer on its way: the dialogue's replies drawn out of a commit, whether or not anybody lets the agent finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ccaas.conversation.mouth import Speech
from ccaas.ports.reasoning import Reply


class Answer:
    """Draws all replies as fast as they come, so that the dialogue is free for the next draft while they are spoken.

    What nobody heard of it because the caller interrupted is told later, if the commit wrote something.
    """

    def __init__(self, replies: AsyncIterator[Reply], first: Speech | None) -> None:
        self._source = replies
        self.first = first
        """The first reply's audio, when it was prepared."""
        self._queue: asyncio.Queue[Reply | None] = asyncio.Queue()
        self.abandoned = False
        """The caller took the turn: say nothing further."""
        self.begun = False
        """Its first frame was sent."""
        self.writes_before = 0
        """Writes of the conversation that were begun before this answer."""

    async def draw(self) -> None:
        """Run the commit to its end. Whatever it raises is raised here."""
        try:
            async for reply in self._source:
                self._queue.put_nowait(reply)
        finally:
            self._queue.put_nowait(None)

    async def replies(self) -> AsyncIterator[Reply]:
        """The replies as they come, in order."""
        while (reply := await self._queue.get()) is not None:
            yield reply
