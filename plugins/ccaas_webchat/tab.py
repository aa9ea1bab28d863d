"""One open page: what it is sent, in order, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import ClientConnectionResetError, WSCloseCode, web

MOST_WAITING = 256
"""Frames that wait for a page before it is given up; it gets what it missed when it comes back."""


class Tab:
    """A WebSocket with a queue before it."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(MOST_WAITING)
        self._code: int | None = None
        self.slow = False
        """It was given up because it did not read."""

    def push(self, frame: str) -> None:
        """Send a frame when its turn comes. A page that does not read is cut off."""
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.slow = True
            self.cut()

    def end(self, code: int) -> None:
        """Close, with a code that tells the page why, after what was pushed before. The first code counts."""
        if self._code is not None:
            return
        self._code = code
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(None)
            return
        self.cut()

    def cut(self) -> None:
        """Drop the connection at once, with what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    async def run(self) -> None:
        """Send what is pushed, until the end or until the page is gone."""
        while (frame := await self._waiting.get()) is not None:
            try:
                await self._socket.send_str(frame)
            except (ClientConnectionResetError, ConnectionError):
                return
        await self._socket.close(code=self._code or WSCloseCode.OK)
