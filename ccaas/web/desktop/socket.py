"""The one WebSocket of a page: hello, then everything or what was missed, then news as they come and answers to orders."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiohttp import WSMsgType, web
from pydantic import TypeAdapter, ValidationError

from ccaas.errors import CcaasError
from ccaas.web.accounts.sessions import Session
from ccaas.web.desktop.feed import Feed
from ccaas.web.desktop.frames import Hello, encode

_log = structlog.get_logger(__name__)

HELLO_S = 10.0
"""How long a page may take to say who it is."""
_HEARTBEAT_S = 5.0
"""How often it is asked whether it is still there (s)."""
_BEHIND = 2_000
"""Frames that may wait for a slow page; it then comes back and is told everything anew."""
_FRAME = 64 * 1024

SUPERSEDED, SIGNED_OUT, REFUSED, BEHIND = 4001, 4401, 4403, 4008
"""Close codes: another page of this login is open; the session is over; the hello was wrong; too slow."""
TICK = encode("tick")
"""Tells pages that the connection is alive; not numbered."""

F = TypeVar("F")


class Page:
    """One connection. `hello` first, then `talk`."""

    def __init__(self, request: web.Request, session: Session) -> None:
        self.session = session
        self.socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_FRAME, compress=False)
        self._request = request
        self._waiting: deque[str] = deque()
        self._stirred = asyncio.Event()
        self._code = 1000
        self._why = b""
        self._ending = False

    def send(self, frame: str) -> None:
        """Put a frame on its way. Never waits."""
        if len(self._waiting) >= _BEHIND:
            self.end(BEHIND, "this page is too slow")
        if not self._ending:
            self._waiting.append(frame)
            self._stirred.set()

    def end(self, code: int, why: str) -> None:
        """Close it after what is on its way."""
        if not self._ending:
            self._ending, self._code, self._why = True, code, why.encode()
            self._stirred.set()

    async def hello(self, frames: TypeAdapter[F]) -> Hello | None:
        """The page's first words; None when they are wrong, and it is closed."""
        await self.socket.prepare(self._request)
        try:
            message = await self.socket.receive(timeout=HELLO_S)
        except TimeoutError:
            await self.socket.close(code=REFUSED, message=b"no hello came")
            return None
        if message.type is WSMsgType.TEXT:
            try:
                hello = frames.validate_json(message.data)
            except ValidationError:
                hello = None
            if isinstance(hello, Hello) and hmac.compare_digest(hello.csrf.encode(), self.session.csrf.encode()):
                return hello
        await self.socket.close(code=REFUSED, message=b"the hello was wrong; load the page again")
        return None

    def welcome(self, hello: Hello, feed: Feed, snapshot: Callable[[], str]) -> None:
        """What was missed, or everything; then news."""
        missed = feed.since(hello.instance, hello.seq)
        for frame in [encode("resumed", seq=feed.seq), *missed] if missed is not None else [snapshot()]:
            self.send(frame)
        feed.listen(self.send)

    async def talk(self, frames: TypeAdapter[F], told: Callable[[F], Awaitable[None]]) -> None:
        """Until it is closed. Orders are done one after the other, and answered."""
        writing = asyncio.create_task(self._write(), name="desk page")
        try:
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    await self._told(frames, told, message.data)
        finally:
            self.end(1000, "")
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _told(self, frames: TypeAdapter[F], told: Callable[[F], Awaitable[None]], data: str) -> None:
        try:
            frame = frames.validate_json(data)
        except ValidationError:
            self.end(REFUSED, "that is none of our frames")
            return
        number = getattr(frame, "id", None)
        try:
            await told(frame)
        except CcaasError as error:
            self.send(encode("refused", id=number, why=str(error)))
        except Exception:  # noqa: BLE001  (an order's fault is answered and logged; the page goes on)
            _log.exception("an order of the desk failed", login=self.session.account.login)
            self.send(encode("refused", id=number, why="something went wrong here; it is logged"))
        else:
            if number is not None:
                self.send(encode("done", id=number))

    async def _write(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._waiting:
                try:
                    await self.socket.send_str(self._waiting.popleft())
                except ConnectionError:
                    return
            if self._ending:
                await self.socket.close(code=self._code, message=self._why)
                return
