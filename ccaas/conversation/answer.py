"""One answer on its way: the dialogue's replies drawn out of a commit, whether or not anybody lets the agent finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ccaas.conversation.mouth import Speech
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import Ending, Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why the conversation is over."""

    ending: Ending | None
    """None: the audio was lost, and the conversation can be taken up again."""
    destination: str = ""
    """For TRANSFER."""


@dataclass(slots=True)
class Taken:
    """The newest committed turn, while the caller may still show that it was taken too early."""

    text: str
    before: Json
    """The dialogue as it was."""
    writes: int
    """Writes begun when it was committed."""
    answered_at: float | None = None
    """When the answer's first frame was sent."""
    over: bool = False
    """The answer was heard to its end."""


class Answer:
    """Draws all replies as fast as they come, so that the dialogue is free for the next draft while they are spoken.

    What nobody heard of it because the caller interrupted is told later, if the commit wrote something.
    """

    def __init__(self, replies: AsyncIterator[Reply], first: Speech | None) -> None:
        """`first`: the first reply's audio, when it was prepared."""
        self._source = replies
        self._first = first
        self._queue: asyncio.Queue[Reply | None] = asyncio.Queue()
        self.abandoned = False
        """The caller took the turn: say nothing further."""
        self.writes_before = 0
        """Writes of the conversation that were begun before this answer."""

    async def draw(self, limit_s: float) -> None:
        """Run the commit to its end. Whatever it raises is raised here, and TimeoutError after `limit_s` without a reply."""
        try:
            while True:
                async with asyncio.timeout(limit_s):
                    reply = await anext(self._source, None)
                if reply is None:
                    return
                self._queue.put_nowait(reply)
        finally:
            self._queue.put_nowait(None)

    def take_first(self, text: str) -> Speech | None:
        """The audio that was prepared, if `text` is what it says; it is given once."""
        if self._first is None or self._first.text != text:
            return None
        first, self._first = self._first, None
        return first

    def drop_first(self) -> None:
        """What was prepared will not be said."""
        if self._first is not None:
            self._first.drop()
            self._first = None

    async def replies(self) -> AsyncIterator[Reply]:
        """The replies as they come, in order."""
        while (reply := await self._queue.get()) is not None:
            yield reply
