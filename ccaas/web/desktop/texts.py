"""The written conversations on one agent's desktop: those that they are offered and those that they have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ccaas.ports.contact import Bundle, CallChanged, Closed, Line, News, Said, Sent, Typing
from ccaas.web.desktop.feed import Feed

_LINES = 2_000
"""Most lines of one conversation that a page gets."""
OFFERED, TALKING = "offered", "talking"


@dataclass
class TextWork:
    """One of them."""

    bundle: Bundle
    lines: list[Line]
    call: str = OFFERED
    """OFFERED or TALKING."""
    detail: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    """What became of proposals."""
    unread: int = 0
    """Messages of the customer's that the agent has not looked at."""
    sent: dict[str, dict[str, str]] = field(default_factory=dict)
    """What became of each message that a person wrote, by its id."""
    closed: str = ""
    """Why nothing can be written to the customer; empty: it can."""
    typing: bool = False
    """The customer is writing."""


class Texts:
    """Of one desktop. Each change is a frame to its page."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._works: dict[str, TextWork] = {}
        """By conversation."""
        self._shown: dict[str, asyncio.Event] = {}

    @property
    def all(self) -> list[TextWork]:
        """The oldest first."""
        return list(self._works.values())

    def of(self, conversation_id: str) -> TextWork | None:
        """The conversation, if it is on this desktop."""
        return self._works.get(conversation_id)

    async def offer(self, bundle: Bundle) -> bool:
        """See `Desktop.offer`."""
        shown = self._shown[bundle.handoff_id] = asyncio.Event()
        name = bundle.conversation_id
        self._works[name] = TextWork(bundle, list(bundle.transcript[-_LINES:]), closed=bundle.closed)
        self._feed.push("text", work=self._works[name])
        try:
            await shown.wait()
        except asyncio.CancelledError:
            self.withdraw(bundle.handoff_id, "it was not shown here in time")
            raise
        finally:
            self._shown.pop(bundle.handoff_id, None)
        return True

    def shown(self, handoff_id: str) -> None:
        """The page shows the bundle."""
        if (waiting := self._shown.get(handoff_id)) is not None:
            waiting.set()

    def withdraw(self, handoff_id: str, why: str) -> bool:
        """It is no longer theirs; False: it was not here."""
        for name, work in self._works.items():
            if work.bundle.handoff_id == handoff_id:
                self.gone(name, why)
                return True
        return False

    def gone(self, conversation_id: str, why: str) -> None:
        """It is no longer here."""
        if self._works.pop(conversation_id, None) is not None:
            self._feed.push("text_gone", conversation=conversation_id, why=why)

    def held(self, conversations: Iterable[str]) -> None:
        """What the queues say that the agent has: what they have taken is theirs."""
        for name in conversations:
            work = self._works.get(name)
            if work is not None and work.call == OFFERED:
                work.call = TALKING
                self._feed.push("text_is", conversation=name, state=TALKING)

    def read(self, conversation_id: str) -> None:
        """The agent looks at it."""
        work = self._works.get(conversation_id)
        if work is not None and work.unread:
            work.unread = 0
            self._feed.push("text_unread", conversation=conversation_id, unread=0)

    def tell(self, news: News) -> bool:
        """Something has happened in one of them; False: it is none of these."""
        match news:
            case Said(name, line) if name in self._works:
                self.said(name, line)
            case CallChanged(name, state) if name in self._works:
                if state == "ended":
                    self.gone(name, "it is over")
            case Typing(name, on) if name in self._works:
                self._works[name].typing = on
                self._feed.push("text_typing", conversation=name, on=on)
            case Sent(name, message, state, detail) if name in self._works:
                self._works[name].sent[message] = {"state": state, "detail": detail}
                self._feed.push("text_sent", conversation=name, message=message, state=state, detail=detail)
            case Closed(name, why) if name in self._works:
                self._works[name].closed = why
                self._feed.push("text_closed", conversation=name, why=why)
            case _:
                return False
        return True

    def said(self, conversation_id: str, line: Line) -> None:
        """A new line."""
        work = self._works[conversation_id]
        if line in work.lines[-20:]:
            return
        work.lines.append(line)
        del work.lines[:-_LINES]
        work.typing = work.typing and line.who != "customer"
        work.unread += line.who == "customer"
        self._feed.push("text_said", conversation=conversation_id, line=line, unread=work.unread)
