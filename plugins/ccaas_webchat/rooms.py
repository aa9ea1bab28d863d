"""The conversations that are open in a page or are being added to: one order for all that is said in one.

A room's lock is held while a line is stored and handed to the pages, and while a page joins: so that each page gets
every line once, and in the order of the numbers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from ccaas.errors import MessageFailed
from ccaas_webchat.frames import Closed, line_frame, typing_frame
from ccaas_webchat.lines import Line, Side
from ccaas_webchat.store import Page, Store
from ccaas_webchat.tab import Tab

MOST_TABS = 8
"""Pages with one conversation; the oldest makes room for another."""


@dataclass(slots=True, weakref_slot=True)
class Room:
    """One conversation while somebody holds it."""

    session: str
    tabs: list[Tab] = field(default_factory=list)
    """The oldest first."""
    typing: bool = False
    kept: bool = False
    """Something was said in it, and stored."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def push(self, frame: str) -> None:
        """To every page."""
        for tab in self.tabs:
            tab.push(frame)


class Rooms:
    """All of them. A room lives as long as a page or a coroutine has it."""

    def __init__(self, store: Store, history: int) -> None:
        """`history`: most lines that a page gets at once."""
        self._store = store
        self._history = history
        self._rooms: WeakValueDictionary[str, Room] = WeakValueDictionary()

    @asynccontextmanager
    async def held(self, session: str) -> AsyncIterator[Room]:
        """A room in which nobody else speaks meanwhile."""
        room = self._rooms.get(session)
        if room is None:
            room = self._rooms[session] = Room(session)
        async with room.lock:
            yield room

    @contextmanager
    def seated(self, room: Room, tab: Tab) -> Iterator[None]:
        """Have a page in a room that is held; it gets what is said from now on."""
        if len(room.tabs) >= MOST_TABS:
            room.tabs.pop(0).end(Closed.OFTEN)
        room.tabs.append(tab)
        try:
            yield
        finally:
            if tab in room.tabs:
                room.tabs.remove(tab)

    async def missed(self, session: str, after: int) -> tuple[Page, bool]:
        """What a page that has lines up to `after` is sent; True when it must begin anew with them."""
        page = await self._store.after(session, after, self._history)
        if page.lines:
            return page, page.lines[0].seq != after + 1
        newest = await self._store.newest(session)
        if after == (newest.seq if newest else 0):
            return page, False
        return await self._store.after(session, 0, self._history), True

    async def say(self, room: Room, line_id: str, side: Side, text: str, at: float | None = None) -> Line:
        """Store a line in a room that is held and hand it to the pages; one whose id is known is not said again.

        Raises:
            MessageFailed: it could not be stored, or there is no such conversation.
        """
        stored = await self._store.append(room.session, line_id, side, text, time.time() if at is None else at)
        if stored is None:
            raise MessageFailed("this chat is over: nothing was said in it for too long", again=False)
        line, new = stored
        room.kept = True
        if new:
            room.push(line_frame(line))
        return line

    def typing(self, session: str, on: bool) -> None:
        """Show, or no longer show, that the agent writes."""
        room = self._rooms.get(session)
        if room is not None and room.typing is not on:
            room.typing = on
            room.push(typing_frame(on))

    async def leave_erased(self) -> None:
        """Close the pages of conversations that are no longer in the store: they begin anew. Raises MessageFailed."""
        for session in [one.session for one in self._rooms.values() if one.kept and one.tabs]:
            async with self.held(session) as room:
                if await self._store.record(session) is None:
                    room.kept = False
                    for tab in room.tabs:
                        tab.end(Closed.GONE)

    def end(self, code: int) -> None:
        """Close every page."""
        for room in list(self._rooms.values()):
            for tab in room.tabs:
                tab.end(code)
