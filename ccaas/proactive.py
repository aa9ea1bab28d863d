"""Events and plays of one controller, joined to the ways in which customers are reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiohttp import web

from ccaas.agency import Agency
from ccaas.config.configuration import Configuration
from ccaas.config.picks import Pick
from ccaas.errors import CcaasError, SetupError
from ccaas.frontdesk import FrontDesk
from ccaas.journal.journal import Journal
from ccaas.journal.messages import FAILED, REFUSED, MessageQueued
from ccaas.media.clock import Clock
from ccaas.messaging.outbox import Outbox
from ccaas.outreach import cases, refusals
from ccaas.outreach.answer_tool import Answers
from ccaas.outreach.events import EventBook, WebhookDoor, keep_schedule
from ccaas.outreach.late import AskLate
from ccaas.outreach.listing import PluginStep
from ccaas.outreach.pages import PlayPages, PlayRoutes
from ccaas.outreach.plays import Plays
from ccaas.outreach.reach import CoreReach, end_of
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Assurance, Identity, Journey
from ccaas.ports.plays import PlayStep
from ccaas.ports.tools import Toolbox
from ccaas.scorecard.incidents import IncidentLedger, SqliteIncidents
from ccaas.scorecard.incidents.ledger import FILE as LEDGER
from ccaas.telephony.events import EndReason
from ccaas.textdesk import TextDesk

if TYPE_CHECKING:
    from ccaas.outreach.durable import DurablePlays

_log = structlog.get_logger(__name__)

Door = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REFUSED = 50
_REACHED = frozenset({EndReason.HUNG_UP, EndReason.DISMISSED, EndReason.TRANSFERRED})


class Around(Protocol):
    """What a controller lends."""

    @property
    def clock(self) -> Clock: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def journey(self) -> Journey: ...

    @property
    def agency(self) -> Agency: ...

    @property
    def desk(self) -> FrontDesk: ...

    async def place_call(
        self, endpoint: str, entry: str, caller_id: str, purpose: str, call_id: str, play: str
    ) -> str: ...

    async def take_back_call(self, call_id: str) -> None: ...


class Proactive:
    """Made before the channels listen; `open` comes when everything else is there."""

    def __init__(self, configuration: Configuration, store: OutreachStore) -> None:
        """Raises SetupError when a webhook's secret cannot be read."""
        self.settings = configuration.settings.proactive
        self.store = store
        self.book = EventBook(self.settings, store)
        self._configuration = configuration
        self._durable: DurablePlays | None = None
        self._late: AskLate | None = None
        self._early: list[tuple[MessageQueued, str, str]] = []
        """What became of messages before plays were there."""
        self.doors: Mapping[str, Door] = {
            name: WebhookDoor(name, hook, self._secret(name, hook.secret_file), self.book).post
            for name, hook in self.settings.webhooks.items()
        }
        """What answers below `/events/`, by name."""

    @property
    def routes(self) -> PlayRoutes:
        """What the control server answers."""
        return PlayRoutes(self.book, PlayView(self.store))

    @property
    def pages(self) -> PlayPages:
        """What the site of the people who work here shows."""
        return PlayPages(PlayView(self.store))

    def watch(self, outbox: Outbox) -> None:
        """Before the outbox goes on with what an earlier controller left: an offer that was answered meanwhile is not sent, and
        what could not be is told to its play once there is one."""
        outbox.wanted = self._wanted
        if self.settings.plays:
            outbox.told = lambda *told: self._early.append(told)

    async def late(self, customers: tuple[str, ...], word: str, after: float) -> str:
        """What a lone yes or no by text means that fits no offer any more; see `ccaas.outreach.late`."""
        if self._late is None:
            return ""
        try:
            return await self._late(customers, word, after)
        except CcaasError as error:
            _log.error("what became of an offer could not be looked up", error=str(error))
            return ""

    @property
    def plays(self) -> DurablePlays | None:
        """The workflows; None where the YAML has no plays, and before `open`."""
        return self._durable

    async def open(
        self,
        around: Around,
        texts: TextDesk,
        answers: Answers,
        spell: Callable[[str, str], Identity | None],
        steps: Mapping[str, Pick[PlayStep]],
        stack: AsyncExitStack,
    ) -> None:
        """Go on with what an earlier controller left, and take events. Raises SetupError."""
        if not self.settings.plays:
            return
        wall = _wall(around.clock)
        reach = CoreReach(
            texts.lines,
            texts.outbox,
            texts.correspondence,
            around.journal,
            texts.chronicle,
            self._configuration.settings.outreach.voice,
            around.place_call,
            around.take_back_call,
            wall,
        )

        def toolbox(case_id: str, record_id: str) -> Toolbox:
            return around.agency.tools(case_id, record_id, Assurance.VERIFIED, around.journal, (), "", "")

        # It brings a database library, which nobody without plays pays for.
        from ccaas.outreach.durable import DurablePlays  # noqa: PLC0415

        incidents = await SqliteIncidents.start(self._configuration.site.state_dir / LEDGER)
        stack.push_async_callback(incidents.shut)
        site = self._configuration.site
        made = {name: PluginStep(one.plugin, await one.make(site)) for name, one in steps.items()}
        plays = Plays(self.settings, self.store, around.journey, reach, toolbox, incidents, wall, spell, made)
        self._late = plays.late
        durable = DurablePlays(plays, self.store, self.settings, site)
        self._durable = durable
        stack.push_async_callback(durable.close)
        texts.outbox.told = self._told(durable)
        for early in self._early:
            texts.outbox.told(*early)
        self._early.clear()
        around.desk.over = self._over(plays, durable)
        case_of = lambda case_id: self.store.read(cases.one(case_id))  # noqa: E731
        answers.open(durable.answer, case_of, self._spoken_of(plays, incidents))
        self.book.taken = durable.begin
        await durable.start()
        await self._lost_calls(around.journal, plays, durable)
        schedule = asyncio.create_task(keep_schedule(self.settings, self.book, around.clock.wall), name="schedule")
        stack.callback(schedule.cancel)
        self._listen(stack)
        _log.info("ready for events", events=list(self.settings.events), plays=list(self.settings.plays))

    def _listen(self, stack: AsyncExitStack) -> None:
        """Take events from the buses of the YAML. Raises SetupError when a secret cannot be read."""
        if not self.settings.nats:
            return
        # Its library is for those who have a bus.
        from ccaas.outreach.bus import NatsBus  # noqa: PLC0415

        for name, stream in self.settings.nats.items():
            bus = NatsBus(name, stream, self.book, self.store, self._configuration.site)
            listening = asyncio.create_task(bus.run(), name=f"bus {name}")
            stack.push_async_callback(_ended, listening)

    async def _lost_calls(self, journal: Journal, plays: Plays, durable: DurablePlays) -> None:
        """Calls of an earlier controller that ended while nobody listened: their customers are reached otherwise."""
        for case in await self.store.read(cases.offered_by("voice")):
            call_id = plays.expect_call(case)
            reason = await journal.ask(end_of(call_id))
            if reason is not None and reason not in _REACHED:
                durable.failed(case.case_id, "voice", reason.value)

    @staticmethod
    def _spoken_of(plays: Plays, incidents: IncidentLedger) -> Callable[[cases.Case, str], Awaitable[None]]:
        async def spoken_of(case: cases.Case, conversation_id: str) -> None:
            """A call that the customer made is a contact that the incident has cost; an answer to our own is none."""
            if conversation_id.startswith("t") or conversation_id == plays.call_of(case):
                return
            try:
                await incidents.contacted(case.case_id, conversation_id, "voice", time.time())
            except CcaasError as error:
                _log.error("the incident ledger was not told", error=str(error))

        return spoken_of

    async def _wanted(self, queued: MessageQueued) -> bool:
        """Whether a message is no offer, or one that still stands."""
        case_id = queued.message.data.get("case", "")
        case = await self.store.read(cases.one(case_id)) if case_id else None
        return not case_id or (case is not None and case.state in cases.OPEN)

    @staticmethod
    def _told(durable: DurablePlays) -> Callable[[MessageQueued, str, str], None]:
        def told(queued: MessageQueued, state: str, detail: str) -> None:
            case_id = queued.message.data.get("case", "")
            if case_id and state in (FAILED, REFUSED):
                durable.failed(case_id, queued.message.id.rpartition("-")[2], detail)

        return told

    @staticmethod
    def _over(plays: Plays, durable: DurablePlays) -> Callable[[str, EndReason], None]:
        def over(call_id: str, reason: EndReason) -> None:
            case_id = plays.case_of_call(call_id)
            if case_id and reason not in _REACHED:
                durable.failed(case_id, "voice", reason.value)

        return over

    def _secret(self, name: str, file: str) -> bytes:
        path = self._configuration.site.path(file)
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SetupError(f"{path}: proactive.webhooks.{name}.secret_file cannot be read ({why}); mend it") from None
        if len(secret) < 16:
            raise SetupError(f"{path}: this secret is too short; write at least 16 characters into it")
        return secret.encode()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _wall(clock: Clock) -> Callable[[], float]:
    return lambda: clock.wall().timestamp()


class PlayView:
    """What the control server and the command line show."""

    def __init__(self, store: OutreachStore) -> None:
        self._store = store

    async def all(self) -> list[dict[str, Any]]:
        """Every event, and where its cases stand."""
        return await self._store.read(cases.counted)

    async def refused(self) -> list[dict[str, Any]]:
        """The newest messages of buses that were no events, oldest of them first."""
        return [asdict(one) for one in await self._store.read(refusals.refused(_REFUSED))]

    async def about(self, event_id: str) -> dict[str, Any] | None:
        """An event, when it came and was worked on, and how many customers it affects."""
        return await self._store.read(cases.about(event_id))

    async def event(self, event_id: str, first: int = 0, count: int = 1_000_000) -> list[dict[str, Any]]:
        """The cases of an event with their steps, by their numbers."""
        found = await self._store.read(cases.batch(event_id, first, count))
        return [
            {
                "number": case.number,
                "case": case.case_id,
                "customer": case.record_id,
                "tier": case.tier,
                "state": case.state.value,
                "channel": case.channel,
                "outcome": case.outcome,
                "due": case.due,
                "steps": [
                    {"step": step.step, "words": step.words, "at": step.at, "took_ms": round(step.took_ms, 1)}
                    for step in await self._store.read(cases.steps_of(case.case_id))
                ],
            }
            for case in found
        ]
