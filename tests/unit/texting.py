"""The text side with nobody real around it, in virtual time: a fake channel, a fake journey, and a journal without a thread.

async with Texts({"Hi": Line("Hello.")}, folder) as texts:
    await texts.write("Hi")
    await texts.until(lambda: texts.told() == ["Hello."], "the answer")
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel

from ccaas.acquaintance import Acquaintance
from ccaas.actions.audit import Audit, ToolRun
from ccaas.actions.phase import Limits
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.brain import Brain
from ccaas.chronicle import Chronicle
from ccaas.errors import CcaasError
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.journal.entries import Entry, statement
from ccaas.journal.journal import Journal
from ccaas.journal.schema import MIGRATIONS
from ccaas.messaging.correspondence import Correspondence
from ccaas.messaging.inbox import ChannelInbox
from ccaas.messaging.outbox import Outbox
from ccaas.messaging.parts import Line as ChannelLine
from ccaas.messaging.parts import People, SettlingToolbox, TextParts
from ccaas.messaging.settings import MessagingSettings
from ccaas.outreach.gate import ComplianceGate
from ccaas.outreach.schema import MIGRATIONS as OUTREACH
from ccaas.outreach.settings import OutreachSettings
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Assurance, Contact, Customer, Fact, Identity, IdentityKind, JourneyContext
from ccaas.ports.messaging import ChannelCapabilities, Reception
from ccaas.ports.outreach import Approach
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext
from ccaas.presence import Presence
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeTextChannel, surroundings
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.sentiment import FakeSentiment

T = TypeVar("T")
ANN = Customer("ann", "Ann", "Lee", "gold")
ADDRESS = "+16175550142"
STRANGER = "+16175550199"
CHAT = ChannelCapabilities("chat", typing=True)
DAY = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""A Monday at noon in Boston, where Ann's number is."""


class Nothing(BaseModel):
    """No arguments, and no result."""


class DirectJournal:
    """The journal's tables on a file, written before `append` returns. `fails`: what every write raises."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self.fails: CcaasError | None = None
        self.entries: list[Entry] = []
        """All that was stored, in order."""
        if not self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'calls'").fetchone():
            for script in MIGRATIONS:
                self._db.executescript(script)

    async def append(self, *entries: Entry) -> None:
        if self.fails is not None:
            raise self.fails
        self.entries += entries
        self._db.execute("BEGIN")
        for entry in entries:
            self._db.execute(*statement(entry))
        self._db.execute("COMMIT")

    def post(self, *entries: Entry) -> bool:
        if self.fails is None:
            self.entries += entries
            for entry in entries:
                self._db.execute(*statement(entry))
        return self.fails is None

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        return question(self._db)

    async def store(self, run: ToolRun) -> None:
        await self.append(run)

    def note(self, run: ToolRun) -> None:
        self.post(run)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.execute(sql, values).fetchall()]

    def close(self) -> None:
        self._db.close()


class DirectOutreach:
    """The store of contacts on a file, without a thread. `fails`: what everything raises."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self.fails: CcaasError | None = None
        if not self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'contacts'").fetchone():
            for script in OUTREACH:
                self._db.executescript(script)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(self._db)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self.fails is not None:
            raise self.fails
        self._db.execute("BEGIN")
        try:
            return work(self._db)
        finally:
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.execute(sql, values).fetchall()]

    def close(self) -> None:
        self._db.close()


class Crm:
    """A plug-in that knows Ann by her number and by her name in a token."""

    def __init__(self) -> None:
        self.turns: list[tuple[str, str]] = []
        self.against: str | None = None
        """What it says against every contact."""

    @hookimpl
    async def ccaas_identify(self, contact: Contact) -> Customer | None:
        return ANN if contact.address == ADDRESS or contact.customer_id == "ann" else None

    @hookimpl
    async def ccaas_context(self, customer: Customer) -> Mapping[str, object] | None:
        return {"miles": 1_200}

    @hookimpl
    async def ccaas_may_contact(self, approach: Approach) -> str | None:
        return self.against

    @hookimpl
    async def ccaas_turn_event(self, call_id: str, turn: Any) -> None:
        self.turns.append((turn.caller_text, turn.agent_text))


class Texts:
    """One controller's text side. Leaving it is a stop; `crash` is not."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        folder: Path,
        *,
        journey: FakeJourney | None = None,
        channels: Mapping[str, FakeTextChannel] | None = None,
        bookings: list[str] | None = None,
        sentiment: FakeSentiment | None = None,
        outreach: Mapping[str, Any] | None = None,
        listed: Mapping[str, str] | None = None,
        wall: datetime = DAY,
        people: Callable[[Texts], Awaitable[People]] | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.lines = dict(lines)
        self.journey = journey or FakeJourney()
        self.channels = dict(channels or {"sms": FakeTextChannel()})
        self.settings = MessagingSettings.model_validate(settings)
        self.sentiment = sentiment
        self.outreach = OutreachSettings.model_validate(outreach or {})
        self._listed, self._wall, self._people = listed, wall, people
        self.crm = Crm()
        self.reasoner = FakeReasoner(lines, greeting="Welcome. How can I help?")
        self.bookings = [] if bookings is None else bookings
        """Keys of what was booked, each once."""
        self.booking = asyncio.Event()
        """Set while bookings come to their end."""
        self.booking.set()
        self.booking_began = asyncio.Event()
        self._complaints: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._complaints.append(context))
        self._before = asyncio.all_tasks()
        self.clock = LoopClock(self._wall)
        self.journal = DirectJournal(self.folder / "journal.sqlite")
        journal = cast("Journal", self.journal)
        host = PluginHost.of({"crm": self.crm})
        self.host = host
        self.chronicle = Chronicle(journal, self.journey)
        self.presence = Presence()
        self.acquaintance = Acquaintance(self.journey, host, self.clock.wall)
        brain = Brain(self.acquaintance, self.chronicle, self.presence, lambda channel, address: None)
        people = await self._people(self) if self._people is not None else None
        self.parts = TextParts(self.settings, self.clock, brain, host, self._tools, self.sentiment, people)
        self.contacts = DirectOutreach(self.folder / "outreach.sqlite")
        self.gate = ComplianceGate(
            self.outreach,
            cast("OutreachStore", self.contacts),
            self.journey,
            journal,
            host,
            self.clock.wall,
            region="US",
            phones=["6001"],
            listed=self._listed,
        )
        self.opt_outs = self.gate.opt_outs
        await self.opt_outs.resume(journal)
        self.places = {
            name: ChannelLine(name, channel, "front", "desk", self.reasoner) for name, channel in self.channels.items()
        }
        self.outbox = Outbox(self.places, journal, self.chronicle, self.gate, self.settings.give_up_minutes * 60)
        self.correspondence = Correspondence(self.places, journal, self.outbox, self.parts)
        for name, channel in self.channels.items():
            inbox = ChannelInbox(
                self.places[name], journal, self.correspondence, self.outbox, self.opt_outs, self.parts
            )
            await channel.start(surroundings(inbox))
        self.telling = asyncio.create_task(self.chronicle.run())
        await self.outbox.resume()
        await self.correspondence.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.correspondence.close()
        await self.outbox.close()
        await self.host.close()
        await self._end()
        if error is None:
            left = asyncio.all_tasks() - self._before
            assert not left, f"tasks were left: {left}"
            assert not self._complaints, self._complaints

    async def crash(self) -> None:
        """The controller is killed: every task ends where it stands, and nothing more is stored."""
        self.contacts.close()
        self.journal.close()
        tasks = asyncio.all_tasks() - self._before - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self) -> None:
        self.telling.cancel()
        await asyncio.gather(self.telling, return_exceptions=True)
        self.journal.close()
        self.contacts.close()

    def _tools(
        self,
        conversation_id: str,
        customer_id: str,
        assurance: Assurance,
        audit: Audit,
        earlier: Iterable[ToolRun],
        entry: str,
        channel: str,
    ) -> SettlingToolbox:
        book = Tool("book", "Books.", Nothing, Nothing, self._book, Effect.WRITE, Phase.TRANSACTIONAL)
        return CallTools(
            Tools([book]),
            Limits(Phase.TRANSACTIONAL),
            audit,
            call_id=conversation_id,
            customer_id=customer_id,
            now=self.clock.wall,
            earlier=earlier,
            assurance=assurance,
        )

    async def _book(self, _: BaseModel, context: ToolContext) -> BaseModel:
        self.booking_began.set()
        if context.key not in self.bookings:
            self.bookings.append(context.key)
        await self.booking.wait()
        return Nothing()

    # — the test's side —

    @property
    def sms(self) -> FakeTextChannel:
        return self.channels["sms"]

    async def write(self, text: str, address: str = ADDRESS, **more: Any) -> Reception:
        return await self.sms.write(text, address, **more)

    def told(self, address: str = ADDRESS) -> list[str]:
        return self.sms.told(address)

    async def until(self, true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while not true():
            assert loop.time() < ends, f"not within {seconds} s: {what}; told: {self.channels['sms'].sent}"
            await asyncio.sleep(0.01)

    async def quiet(self, seconds: float = 5.0) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)

    async def facts(self, address: str = ADDRESS) -> tuple[Fact, ...]:
        await self.quiet(1.0)
        customer = await self.journey.find(Identity(IdentityKind.PHONE, address))
        return await self.journey.timeline(customer) if customer else ()

    async def context(self, address: str = ADDRESS) -> JourneyContext:
        await self.quiet(1.0)
        customer = await self.journey.find(Identity(IdentityKind.PHONE, address))
        assert customer is not None
        context = await self.journey.context(customer)
        assert context is not None
        return context
