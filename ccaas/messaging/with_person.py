"""A written conversation's time with people: waiting for one, being read and answered by one, and back to the AI.

While somebody has it the AI is silent: what the customer writes goes to the desk as it comes, and is in the journal before;
what the person writes goes out as the AI's answers do, by the same outbox and the same gate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from ccaas.chapter import Chapter, Moment
from ccaas.errors import ContactError
from ccaas.journal import texts
from ccaas.journal.entries import Entry
from ccaas.journal.journal import Journal
from ccaas.journal.messages import (
    FAILED,
    REFUSED,
    WAITING,
    MessageQueued,
    MessageReceived,
    MessagesTaken,
)
from ccaas.journal.texts import WITH_PERSON, Written
from ccaas.messaging.outbox import Outbox, messages
from ccaas.messaging.parts import Handing, Line, TextParts
from ccaas.messaging.plain import plain
from ccaas.ports.contact import Line as Words
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.queueing import Stands, With

_log = structlog.get_logger(__name__)

TOLD_AGAIN_S = 60.0
"""Who writes while they wait is told their place at most this often (s)."""
NO_TEXT = "(a message without text)"
STOPPED = "They wrote STOP: nothing may be sent to them here until they write START."


class Told(Protocol):
    """What is stored, and told to the journey."""

    def __call__(self, *entries: Entry) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Finished:
    """The person has finished with it."""

    by: str
    disposition: str
    note: str


@dataclass(frozen=True, slots=True)
class Back:
    """The AI has it again."""

    by: str


@dataclass(frozen=True, slots=True)
class Types:
    """The person is writing, or has stopped."""

    on: bool


class WithPerson:
    """One conversation's; implements `ports.queueing.TextSide`. `stir` wakes the conversation's owner."""

    def __init__(
        self,
        conversation_id: str,
        handing: Handing,
        parts: TextParts,
        outbox: Outbox,
        chapter: Callable[[], Chapter],
        customer_id: str,
        store: Told,
        stir: Callable[[], None],
    ) -> None:
        self.handing = handing
        self._id = conversation_id
        self._parts = parts
        self._settings = parts.settings
        self._outbox = outbox
        self._chapter = chapter
        self._customer_id = customer_id
        self._store = store
        self._stir = stir
        self._letter: MessageReceived | None = None
        """The newest: what is written answers it."""
        self._line: Line | None = None
        self._wrote: dict[str, tuple[MessageQueued, str]] = {}
        """What people wrote, and how it stands, by id."""
        self._count = 0
        self._told_at = 0.0
        self.orders: list[Back | Finished | Types] = []
        """What the conversation's owner has to do."""

    # — how it stands —

    @property
    def stands(self) -> Stands:
        """Who has it."""
        return self.handing.stands

    @property
    def waits(self) -> bool:
        """Whether it waits for a person or one has it: it does not end by itself."""
        return self.stands.who is not With.AI

    @property
    def silent(self) -> bool:
        """Whether the AI says nothing."""
        return self.stands.who in (With.LINE, With.PERSON)

    @property
    def closed(self) -> str:
        """See `TextSide`."""
        if self._letter is None or self._line is None:
            return "It is not known where to write to."
        return STOPPED if self._outbox.stopped(self._line.kind, self._letter.message.address) else ""

    def words(self) -> str:
        """What the customer is told of it now."""
        stands = self.stands
        self._told_at = self._parts.clock.now()
        if stands.who is With.LINE:
            return f"{self._settings.joins} {self._settings.position.format(position=stands.position)}"
        when = stands.opens.strftime("%A at %H:%M") if stands.opens is not None else ""
        return f"{self._settings.away} {self._settings.opens.format(when=when)}" if when else self._settings.away

    # — what comes in —

    def reads(self, letters: Sequence[MessageReceived], line: Line) -> None:
        """These came last, on this line."""
        self._letter, self._line = letters[-1], line

    async def resume(self, line: Line, journal: Journal) -> bool:
        """Whether an earlier controller left it with people; what was written with them is known again."""
        if not self.handing.kept():
            return False
        self._letter, self._line = await journal.ask(texts.newest_letter(self._id)), line
        ahead = self._parts.at() - time.time()  # the customer's messages are on the business's clock
        written = await journal.ask(texts.written_with_person(self._id))
        self.handing.recall(_in_time(written, ahead), await journal.ask(texts.turn_times(self._id)))
        self._count = len(written)
        for one in written:
            if one.by and (found := await journal.ask(texts.sent(one.id))) is not None:
                self._wrote[one.id] = found
        return True

    async def record(self, letters: Sequence[MessageReceived], line: Line) -> None:
        """What the customer wrote while the AI is silent: on the desk, in the journal, on the timeline."""
        self.reads(letters, line)
        entries: list[Entry] = []
        for letter in letters:
            self._told(Words(time.time(), "customer", letter.message.text or NO_TEXT, letter.receipt))
            entries += self._chapter().wrote(letter.receipt, letter.message.text, letter.at, "", line.kind)
        taken = MessagesTaken(tuple(one.receipt for one in letters), f"{self._id} {WITH_PERSON}")
        await self._store(*entries, taken)
        if self.stands.who is With.LINE and self._parts.clock.now() - self._told_at >= TOLD_AGAIN_S:
            await self.say(self.words(), "place")

    def _told(self, line: Words) -> None:
        self.handing.wrote(line)

    def customer_stopped(self, letter: MessageReceived, *, stopped: bool) -> None:
        """They wrote STOP, or START."""
        self._told(Words(time.time(), "customer", letter.message.text, letter.receipt))
        self.handing.closed(STOPPED if stopped else "")

    # — what goes out —

    async def say(self, text: str, name: str) -> None:
        """Words of the core's own: a place in the line, the AI's first ones."""
        self._count += 1
        queued = self._queued(f"{self._id}-{name}{self._count}", text, "")
        if queued and await self._store(
            *queued, *self._chapter().answered(text, self._parts.at(), f"{name}{self._count}", self._kind)
        ):
            self._put(queued)
            self._told(Words(time.time(), "butler", text, queued[0].message.id))

    async def write(self, text: str, by: str) -> None:
        """See `TextSide`."""
        whole = plain(text, 10**6).text
        if not whole.strip():
            raise ContactError("there is nothing in it; write something")
        if len(whole) > (most := self._settings.longest_message):
            raise ContactError(f"it has {len(whole)} characters, and at most {most} go at once; make it shorter")
        if self.closed:
            raise ContactError(self.closed)
        self._count += 1
        await self._send(self._queued(f"{self._id}-p{self._count}", whole, by), by)

    async def again(self, message_id: str, by: str) -> None:
        """See `TextSide`."""
        found = self._wrote.get(message_id)
        if found is None or found[1] not in (FAILED, REFUSED):
            raise ContactError("that message need not be sent again")
        if self.closed:
            raise ContactError(self.closed)
        self._count += 1
        queued = self._queued(f"{self._id}-p{self._count}", found[0].message.text, by)
        await self._send(queued, by)
        self._wrote[message_id] = (found[0], "again")
        self.handing.sent(message_id, "again", "")

    async def _send(self, queued: tuple[MessageQueued, ...], by: str) -> None:
        at = self._parts.at()
        rows = [
            self._chapter().overheard(one.message.id, f"human:{by}", one.message.text, Moment(at)) for one in queued
        ]
        if not await self._store(*queued, *(row for some in rows for row in some)):
            raise ContactError("it could not be stored, and was not sent; try again")
        for one in queued:
            self._wrote[one.message.id] = (one, WAITING)
            self._told(Words(time.time(), by, one.message.text, one.message.id))
            self.handing.sent(one.message.id, WAITING, "")
        self._put(queued)

    def settled(self, queued: MessageQueued, state: str, detail: str) -> None:
        """What became of a person's message."""
        if queued.message.id in self._wrote:
            self._wrote[queued.message.id] = (queued, state)
            self.handing.sent(queued.message.id, state, detail)

    def typing(self, on: bool) -> None:
        """See `TextSide`."""
        if self._letter is not None and self._line is not None:
            self.orders.append(Types(on))
            self._stir()

    async def show(self, order: Types) -> None:
        """Show that the person is writing, where the channel can."""
        letter, line = self._letter, self._line
        if letter is None or line is None or not line.channel.capabilities.typing:
            return
        try:
            async with asyncio.timeout(2.0):
                await line.channel.typing(letter.message.address, order.on)
        except Exception as error:  # noqa: BLE001  (whatever a channel raises here, the words are sent)
            _log.warning("not shown that a person writes", error=repr(error))

    # — the end —

    def back(self, by: str) -> None:
        """See `TextSide`."""
        self.orders.append(Back(by))
        self._stir()

    def finish(self, by: str, disposition: str, note: str) -> None:
        """See `TextSide`."""
        self.orders.append(Finished(by, disposition, note))
        self._stir()

    def ending(self, order: Finished) -> list[Entry]:
        """What the timeline is told of its end."""
        text = f"{order.disposition.capitalize()}." + (f" {order.note}" if order.note else "")
        return [*self._chapter().noted("person:done", text, self._parts.at(), {}, f"human:{order.by}")]

    # —

    @property
    def _kind(self) -> str:
        return self._line.kind if self._line is not None else ""

    def _queued(self, name: str, text: str, by: str) -> tuple[MessageQueued, ...]:
        letter, line = self._letter, self._line
        if letter is None or line is None:
            raise ContactError("it is not known where to write to")
        asked = letter.message
        message = OutboundMessage(name, asked.address, asked.to, text, asked.id, asked.subject, asked.data)
        first = MessageQueued(line.name, message, self._id, self._customer_id)
        return messages(replace(first, by=by), line.channel.capabilities.longest)

    def _put(self, queued: Iterable[MessageQueued]) -> None:
        for one in queued:
            self._outbox.put(one)


def _in_time(written: Sequence[Written], ahead: float) -> list[Words]:
    """As lines. `ahead`: by how much the clock of the customer's messages is ahead of that of ours; no line of theirs is
    later than the answer behind it."""
    lines: list[Words] = []
    latest = float("inf")
    for one in reversed(written):
        latest = min(latest, one.at if one.by else one.at - ahead)
        lines.append(Words(latest, one.by or "customer", one.text, one.id))
    return lines[::-1]
