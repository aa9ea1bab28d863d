"""All desktops of a site: one for each login, signed in at the queues while its page is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from ccaas.errors import CcaasError
from ccaas.ports.accounts import Account
from ccaas.ports.contact import (
    AgentState,
    Board,
    BoardChanged,
    CallChanged,
    Closed,
    ContactCentre,
    Drafted,
    News,
    Said,
    Sent,
    Typing,
)
from ccaas.web.desktop.board import Observer, outline
from ccaas.web.desktop.desk import Desk
from ccaas.web.desktop.frames import encode

_log = structlog.get_logger(__name__)

_SEE_S = 0.5
"""Boards are shown at most this often (s)."""
_RINGING_LOST_S = 2.0
"""How long a desktop may be lost while it rings there: somebody waits."""


class Hub:
    """`start` subscribes to the queues' news; `close` signs everybody out."""

    def __init__(
        self,
        centre: ContactCentre,
        lost_s: float,
        now: Callable[[], float] = time.time,
        *,
        silent_s: float | None = None,
    ) -> None:
        """`lost_s`: after this an agent whose page is gone is signed out; who has customers by text, after `silent_s` where
        that is shorter."""
        self.centre = centre
        self._lost_s = lost_s
        self._silent_s = min(silent_s, lost_s) if silent_s is not None else lost_s
        self._now = now
        self._desks: dict[str, Desk] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._observers: set[Observer] = set()
        self._end: Callable[[], None] | None = None
        self._board: Board | None = None
        self._showing: asyncio.TimerHandle | None = None
        self._shown_at = 0.0
        self._outline = ""

    def start(self) -> None:
        """From now on."""
        self._end = self.centre.subscribe(self._tell)

    async def close(self) -> None:
        """Sign everybody out. Safe to call twice."""
        end, self._end = self._end, None
        if end is not None:
            end()
        if self._showing is not None:
            self._showing.cancel()
        for task in self._leaving.values():
            task.cancel()
        await asyncio.gather(*self._leaving.values(), return_exceptions=True)
        for desk in self._desks.values():
            await self._sign_out(desk)

    @property
    def desks(self) -> tuple[Desk, ...]:
        """Those that have been there."""
        return tuple(self._desks.values())

    def outline(self) -> str:
        """The queues, as agents' pages see them."""
        return outline(self.centre.board())

    async def come(self, account: Account) -> Desk:
        """The page of this login is there."""
        desk = self._desks.setdefault(account.login, Desk(account, self._now))
        leaving = self._leaving.pop(account.login, None)
        if leaving is not None:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        if not desk.signed_in:
            try:
                await self.centre.sign_in(account.login, desk)
            except CcaasError as error:
                desk.problem = str(error)
            else:
                desk.signed_in, desk.problem = True, ""
        desk.tell(BoardChanged(self.centre.board()))
        return desk

    def gone(self, desk: Desk, *, at_once: bool = False) -> None:
        """Its page is not there any more; it may come back."""
        login = desk.account.login
        if desk.signed_in and login not in self._leaving:
            self._leaving[login] = asyncio.create_task(self._leave(desk, at_once), name=f"{login} is lost")

    def watch(self, observer: Observer) -> None:
        """A supervisor's page is there."""
        self._observers.add(observer)

    def unwatch(self, observer: Observer) -> None:
        """It is gone."""
        self._observers.discard(observer)

    async def _leave(self, desk: Desk, at_once: bool) -> None:
        if not at_once:
            ringing = desk.view is not None and desk.view.state is AgentState.RINGING
            silent_s = self._silent_s if desk.texts.all else self._lost_s
            await asyncio.sleep(min(_RINGING_LOST_S, self._lost_s) if ringing else silent_s)
        self._leaving.pop(desk.account.login, None)
        await self._sign_out(desk)

    async def _sign_out(self, desk: Desk) -> None:
        if not desk.signed_in:
            return
        desk.signed_in = False
        try:
            await self.centre.sign_out(desk.account.login, desk)
        except CcaasError as error:
            _log.warning("an agent could not be signed out", login=desk.account.login, error=str(error))

    # — news —

    def _tell(self, news: News) -> None:
        match news:
            case BoardChanged(board):
                self._board = board
                for desk in self._desks.values():
                    desk.tell(news)
                if self._showing is None:
                    loop = asyncio.get_running_loop()
                    wait = max(0.0, self._shown_at + _SEE_S - loop.time())
                    self._showing = loop.call_later(wait, self._show)
            case Said(conversation_id, line):
                self._concerns(conversation_id, news)
                for observer in self._observers:
                    observer.said(conversation_id, line)
            case Drafted(conversation_id) | CallChanged(conversation_id):
                self._concerns(conversation_id, news)
            case Typing() | Sent() | Closed():
                for desk in self._desks.values():
                    desk.tell(news)

    def _concerns(self, conversation_id: str, news: News) -> None:
        """Tell those who have had the conversation on their desks, once they know whether it is still theirs."""
        about = [desk for desk in self._desks.values() if desk.has(conversation_id)]
        board = BoardChanged(self.centre.board()) if about else None
        for desk in about:
            if board is not None:
                desk.tell(board)
            desk.tell(news)

    def _show(self) -> None:
        self._showing = None
        self._shown_at = asyncio.get_running_loop().time()
        board = self._board
        if board is None:
            return
        frame = outline(board)
        if frame != self._outline:
            self._outline = frame
            for desk in self._desks.values():
                desk.feed.push_encoded(frame)
        if self._observers:
            whole = encode("board", board=board)
            for observer in self._observers:
                observer.see(whole)
