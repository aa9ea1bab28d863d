"""A bounded queue in front of one plug-in: what it is told and nobody waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

L = TypeVar("L")


class Mailbox(Generic[L]):
    """Delivers letters one at a time, in order. When it is full, the oldest letter is dropped and counted."""

    def __init__(self, size: int, deliver: Callable[[L], Awaitable[None]], on_drop: Callable[[L], None]) -> None:
        """An empty one.

        Args:
            size: most letters that wait.
            deliver: hands over one letter; does not raise.
            on_drop: is told of each letter that was dropped.
        """
        self._letters: deque[L] = deque()
        self._size = size
        self._deliver = deliver
        self._on_drop = on_drop
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._letters)

    def put(self, letter: L) -> None:
        """Queue a letter; never waits. Ignored once closed."""
        if self._closed:
            return
        if len(self._letters) >= self._size:
            self._on_drop(self._letters.popleft())
        self._letters.append(letter)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="mailbox")

    async def close(self, limit_s: float) -> None:
        """Take no more letters, and give the waiting ones `limit_s` seconds to be delivered."""
        self._closed = True
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=limit_s)
        self._task.cancel()
        while self._letters:
            self._on_drop(self._letters.popleft())

    async def _run(self) -> None:
        while self._letters:
            await self._deliver(self._letters.popleft())
