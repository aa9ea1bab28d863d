"""One agent's desktop, as the queues see it: it outlives its page's connection, and knows what the page shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ccaas.ports.accounts import Account
from ccaas.ports.contact import AgentState, AgentView, BoardChanged, Bundle, CallChanged, Drafted, Line, News, Said
from ccaas.web.desktop.feed import Feed
from ccaas.web.desktop.texts import Texts, TextWork

_LINES = 2_000
"""Most lines of one conversation that a page gets."""


@dataclass
class Work:
    """The conversation that the agent has, is offered, or has had and not yet wrapped up."""

    bundle: Bundle
    lines: list[Line]
    call: str = "offered"
    """As in `CallChanged.state`; "offered" before."""
    detail: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    """What became of proposals."""


_ON_IT = (AgentState.RINGING, AgentState.ON_CALL)


class Desk:
    """`Desktop` for one login."""

    def __init__(self, account: Account, now: Callable[[], float]) -> None:
        self.account = account
        self.feed = Feed()
        self.texts = Texts(self.feed)
        """Their written conversations."""
        self.signed_in = False
        self.problem = ""
        """Why the queues do not know this agent; empty when they do."""
        self.work: Work | None = None
        self.view: AgentView | None = None
        self._now = now
        self._shown: dict[str, asyncio.Event] = {}

    # — what the queues ask —

    async def offer(self, bundle: Bundle) -> bool:
        if bundle.written:
            return await self.texts.offer(bundle)
        shown = self._shown[bundle.handoff_id] = asyncio.Event()
        before, self.work = self.work, Work(bundle, list(bundle.transcript[-_LINES:]))
        self.feed.push("offer", work=self.work)
        try:
            await shown.wait()
        except asyncio.CancelledError:
            # What it replaced had been wrapped up or is over: it need not come back.
            if self.work is not None and self.work.bundle is bundle:
                self.work = before if before is not None and before.call != "ended" else None
                self.feed.push("withdrawn", handoff=bundle.handoff_id, why="it was not shown here in time")
            raise
        finally:
            del self._shown[bundle.handoff_id]
        return True

    def withdraw(self, handoff_id: str, why: str) -> None:
        if self.texts.withdraw(handoff_id, why):
            return
        if self.work is not None and self.work.bundle.handoff_id == handoff_id:
            self.work = None
            self.feed.push("withdrawn", handoff=handoff_id, why=why)

    def tell(self, news: News) -> None:
        if self.texts.tell(news):
            return
        match news:
            case BoardChanged(board):
                self.see(next((one for one in board.agents if one.login == self.account.login), None))
            case Said(conversation_id, line):
                if self._is_on(conversation_id):
                    self._said(conversation_id, line)
            case Drafted(conversation_id, who, text):
                if self._is_on(conversation_id):
                    self.feed.push("drafted", conversation=conversation_id, who=who, text=text)
            case CallChanged(conversation_id, state, detail):
                if self._is_on(conversation_id):
                    self._call(state, detail)

    # — what its page asks —

    def shown(self, handoff_id: str) -> None:
        """The page shows the bundle."""
        self.texts.shown(handoff_id)
        if (waiting := self._shown.get(handoff_id)) is not None:
            waiting.set()

    def has(self, conversation_id: str) -> bool:
        """Whether it is this agent's."""
        if self.texts.of(conversation_id) is not None:
            return True
        own = self.view is not None and self.view.conversation_id == conversation_id
        return own or (self.work is not None and self.work.bundle.conversation_id == conversation_id)

    def wrapped_up(self, conversation_id: str) -> None:
        """The agent has finished with it."""
        self.texts.gone(conversation_id, "you have finished with it")
        if self.work is not None and self.work.bundle.conversation_id == conversation_id:
            self.work = None
            self.feed.push("finished", conversation=conversation_id)

    def decided(self, conversation_id: str, approval_id: str, verdict: str, text: str) -> None:
        """What became of a proposal: it is shown with it and in the transcript."""
        work = self.work_on(conversation_id)
        if work is None:
            return
        result = {"approval": approval_id, "verdict": verdict, "text": text}
        work.results.append(result)
        self.feed.push("decided", conversation=conversation_id, **result)
        line = Line(self._now(), self.account.login, text)
        if self.texts.of(conversation_id) is not None:
            self.texts.said(conversation_id, line)
        else:
            self._said(conversation_id, line)

    def work_on(self, conversation_id: str) -> Work | TextWork | None:
        """The call or the written conversation, if it is on this desktop."""
        if self.work is not None and self.work.bundle.conversation_id == conversation_id:
            return self.work
        return self.texts.of(conversation_id)

    def see(self, view: AgentView | None) -> None:
        """The agent as the board has them."""
        if view == self.view:
            return
        self.view = view
        self.feed.push("me", agent=view)
        self.texts.held(view.texts if view is not None else ())
        work = self.work
        if view is None or work is None or view.state in _ON_IT:
            return
        if work.call not in {"offered", "ended"}:
            self._call("ended", "")
        if work.call == "ended" and view.state is not AgentState.WRAP_UP:
            # The time for wrapping up is over.
            self.wrapped_up(work.bundle.conversation_id)

    def snapshot(self) -> dict[str, Any]:
        """Everything that the page shows."""
        return {
            "instance": self.feed.instance,
            "seq": self.feed.seq,
            "agent": self.view,
            "work": self.work,
            "texts": self.texts.all,
            "problem": self.problem,
        }

    def _is_on(self, conversation_id: str) -> bool:
        """Whether news of a conversation are this agent's: not before they have it, and not once others do."""
        work, view = self.work, self.view
        mine = work is not None and work.bundle.conversation_id == conversation_id and work.call != "ended"
        return mine and view is not None and view.state in _ON_IT and view.conversation_id == conversation_id

    def _call(self, state: str, detail: str) -> None:
        assert self.work is not None
        self.work.call, self.work.detail = state, detail
        self.feed.push("call", conversation=self.work.bundle.conversation_id, state=state, detail=detail)

    def _said(self, conversation_id: str, line: Line) -> None:
        work = self.work
        if work is None or work.bundle.conversation_id != conversation_id or line in work.lines[-20:]:
            return
        work.lines.append(line)
        del work.lines[:-_LINES]
        self.feed.push("said", conversation=conversation_id, line=line)
