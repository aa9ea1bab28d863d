"""What one page and we say to each other, from its hello until it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

import prometheus_client
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from ccaas.errors import CcaasError
from ccaas.ports.messaging import Delivery, InboundMessage, Inbox, Reception
from ccaas_webchat import frames
from ccaas_webchat.door import Door, TurnedAway, Visitor
from ccaas_webchat.frames import Closed
from ccaas_webchat.limits import Rate
from ccaas_webchat.lines import clean
from ccaas_webchat.rooms import Rooms
from ccaas_webchat.settings import WebChatSettings
from ccaas_webchat.store import Store
from ccaas_webchat.tab import Tab

HELLO_S = 10.0
"""How long a page may take to say hello."""
LATER_S = 5.0
"""When to try again what could not be stored."""
VISIT_S = 3_600.0
"""A conversation that rested for so long is opened anew: the agent may have something to say first."""

REFUSED = prometheus_client.Counter(
    "ccaas_webchat_refused",
    "Chat connections and messages that were refused: origin, places, token, sign_in, rate, flood.",
    ["why"],
)

_log = structlog.get_logger("webchat")


@dataclass(frozen=True, slots=True)
class House:
    """What all talks of a channel share."""

    settings: WebChatSettings
    store: Store
    rooms: Rooms
    door: Door
    inbox: Inbox
    by_session: Rate
    by_address: Rate
    frames_of: Rate
    """Frames of one page, whatever they are: no person sends so many."""
    clock: Callable[[], float] = time.time


class _Gone(Exception):
    """The page has left."""


class _Bad(Exception):
    """It sent what no page of ours sends."""


class Talk:
    """One page."""

    def __init__(self, house: House, socket: web.WebSocketResponse, tab: Tab, address: str) -> None:
        self._house = house
        self._socket = socket
        self._tab = tab
        self._address = address

    async def run(self) -> None:
        """Talk until one side ends it."""
        try:
            hello = await self._next(HELLO_S)
            if not isinstance(hello, frames.Hello):
                raise _Bad
            visitor = await self._house.door.enter(hello, self._address, self._house.clock())
            await self._stay(visitor, hello)
        except _Gone:
            return
        except TimeoutError:
            self._tab.end(Closed.SLOW)
        except _Bad:
            _log.info("chat page sent no frame of ours", address=self._address)
            self._tab.end(Closed.BAD_FRAME)
        except TurnedAway as error:
            REFUSED.labels(error.code.name.lower()).inc()
            self._tab.end(error.code)
        except CcaasError as error:
            _log.error("chat failed", problem=str(error), address=self._address)
            self._tab.end(WSCloseCode.INTERNAL_ERROR)

    async def _stay(self, visitor: Visitor, hello: frames.Hello) -> None:
        rooms, same = self._house.rooms, visitor.session == hello.session
        with ExitStack() as seat:
            async with rooms.held(visitor.session) as room:
                room.kept = room.kept or visitor.kept
                page, reset = await rooms.missed(visitor.session, hello.after if same else 0)
                welcome = frames.Welcome(
                    visitor.session,
                    visitor.resume,
                    page.lines,
                    page.earlier,
                    reset or not same,
                    room.typing,
                    self._house.settings.longest,
                    bool(visitor.customer),
                )
                self._tab.push(welcome.encode())
                seat.enter_context(rooms.seated(room, self._tab))
            try:
                while True:
                    visitor = await self._take(visitor, await self._next())
            finally:
                self._house.inbox.typing(visitor.session, False)

    async def _take(self, visitor: Visitor, frame: frames.Frame) -> Visitor:
        """Do what a frame asks; the visitor as they are now."""
        match frame:
            case frames.Say():
                return await self._say(visitor, frame)
            case frames.Open():
                return await self._open(visitor)
            case frames.Typing():
                self._house.inbox.typing(visitor.session, frame.on)
            case frames.Seen():
                await self._seen(visitor, frame.seq)
            case frames.Earlier():
                page = await self._house.store.before(visitor.session, frame.before, self._house.settings.history)
                self._tab.push(frames.earlier_frame(page.lines, page.earlier))
            case frames.Ping():
                self._tab.push(frames.PONG)
            case frames.Hello():
                raise _Bad
        return visitor

    async def _say(self, visitor: Visitor, said: frames.Say) -> Visitor:
        text = clean(said.text)
        if not text or len(text) > self._house.settings.longest:
            self._tab.push(frames.refused_frame(said.id, "long" if text else "empty"))
            return visitor
        wait = self._house.by_session.take(visitor.session) or self._house.by_address.take(self._address)
        if wait:
            REFUSED.labels("rate").inc()
            self._tab.push(frames.refused_frame(said.id, "rate", wait))
            return visitor
        at = self._house.clock()
        message = InboundMessage(
            f"{visitor.session}-{said.id}",
            visitor.session,
            visitor.entry,
            text,
            at,
            visitor.identity,
            visitor.assurance,
            visitor.customer,
        )
        try:
            visitor = await self._keep(visitor)
            if await self._house.store.record(visitor.session) is None:
                # It was erased, or is too old: the page says it again in a new one.
                self._tab.end(Closed.GONE)
                return visitor
            # Nobody else speaks in this conversation until the line has its number: the answer comes after it.
            async with self._house.rooms.held(visitor.session) as room:
                if await self._house.inbox.received(message) is Reception.FLOOD:
                    REFUSED.labels("flood").inc()
                    self._tab.push(frames.refused_frame(said.id, "flood"))
                    return visitor
                await self._house.rooms.say(room, said.id, "customer", text, at)
        except CcaasError as error:
            _log.error("chat message not taken", problem=str(error), session=visitor.session)
            self._tab.push(frames.refused_frame(said.id, "later", LATER_S))
        return visitor

    async def _seen(self, visitor: Visitor, seq: int) -> None:
        for message_id in await self._house.store.seen(visitor.session, seq):
            try:
                await self._house.inbox.receipt(message_id, Delivery.DELIVERED)
            except CcaasError as error:
                _log.error("chat receipt not taken", problem=str(error), message=message_id)

    async def _open(self, visitor: Visitor) -> Visitor:
        """The panel was opened: somebody who has not written lately is greeted, if the agent has something to say."""
        newest = await self._house.store.newest(visitor.session)
        if newest is not None and self._house.clock() - newest.at < VISIT_S:
            return visitor
        try:
            words = await self._house.inbox.opened(visitor.session, visitor.entry, visitor.identity, visitor.customer)
        except CcaasError as error:
            _log.error("chat not greeted", problem=str(error), session=visitor.session)
            return visitor
        if not words:
            return visitor
        visitor = await self._keep(visitor)
        async with self._house.rooms.held(visitor.session) as room:
            for number, text in enumerate(words):
                # Two pages that are opened at once are greeted once: the ids are the same.
                line_id = f"opened-{newest.seq if newest else 0}-{number}"
                await self._house.rooms.say(room, line_id, "agent", text, self._house.clock())
        return visitor

    async def _keep(self, visitor: Visitor) -> Visitor:
        """Have the session in the store: one in which nothing was said is not kept."""
        if visitor.kept:
            return visitor
        await self._house.store.touch(visitor.session, visitor.record, self._house.clock())
        return replace(visitor, kept=True)

    async def _next(self, limit_s: float | None = None) -> frames.Frame:
        """The page's next frame.

        Raises:
            _Gone, _Bad: there is none, or it is not one.
            TimeoutError: it did not come within `limit_s` seconds.
        """
        message = await self._socket.receive(limit_s)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            raise _Gone
        frame = frames.parse(message.data) if message.type is WSMsgType.TEXT else None
        if frame is None or self._house.frames_of.take(f"{id(self)}"):
            raise _Bad
        return frame
