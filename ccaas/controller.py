"""The controller's process: the composition root, where adapters, core and plug-ins are joined.

Run by the guard as `python -m ccaas.controller FILE --asterisk-starts`; it may die at any moment, and the next one goes on.

This module is long because everything meets here: each part that is joined costs a few lines.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog
import uvloop

from ccaas.actions.tool import Tools
from ccaas.agency import Agency
from ccaas.agent import Agent
from ccaas.asterisk.access import access_of
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.asterisk.texts import AsteriskTexts
from ccaas.brain import Brain
from ccaas.call_memory import CallMemory
from ccaas.campaigns import Campaigns
from ccaas.config.asterisk import AsteriskSettings
from ccaas.config.configuration import Configuration, load
from ccaas.config.document import Document
from ccaas.config.making import side_by_side
from ccaas.config.picks import Pick, Picks, load_plugins, pick
from ccaas.contact.handoff import Handoff
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.parts import Parts
from ccaas.conversation.phrases import Phrases
from ccaas.dialler.opening import Opened
from ccaas.erasure import Erasure
from ccaas.errors import CcaasError
from ccaas.frontdesk import FrontDesk
from ccaas.guarding.reasoner import Guarded
from ccaas.handing import Handing
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.journal.recovery import OpenCall
from ccaas.journey.identity import customer_of, identity
from ccaas.journey.opening import ControllersJourney
from ccaas.logs import configure_logs, redact_lines
from ccaas.media.clock import SystemClock
from ccaas.media.recording import repair
from ccaas.messaging.notices import Notices
from ccaas.orphans import Orphans
from ccaas.outreach.answer_tool import Answers
from ccaas.outreach.disclosure import Disclosing
from ccaas.outreach.gate import ComplianceGate, PermittedCalls
from ccaas.outreach.late import Late
from ccaas.outreach.opening import open_gate
from ccaas.outreach.stopping import NoMoreContacts, Stopping
from ccaas.ports.contact import ContactCentre
from ccaas.ports.journey import Assurance, Contact, Customer
from ccaas.ports.outreach import Purpose
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.sentiment import Conversing, Sentiment
from ccaas.ports.tools import Tool
from ccaas.proactive import Proactive
from ccaas.scorecard.opening import scorecard_of
from ccaas.scorecard.pages import ScorecardPages
from ccaas.settling import Settling
from ccaas.spelling import nearest
from ccaas.succession import AWAITS
from ccaas.telephones import open_telephones
from ccaas.telephony.supervisor import Supervisor, new_call_id
from ccaas.text_people import TextPeople
from ccaas.textdesk import TextDesk, open_brain
from ccaas.tidings import Tidings
from ccaas.watchdog import Watchdog
from ccaas.web.control import ControlServer
from ccaas.web.desktop.opening import open_staff
from ccaas.web.staff.opening import staff_site

_log = structlog.get_logger("ccaas")

READY = "ready for calls"
"""What is logged when calls are taken; the guard and the tests wait for it."""


class Part(Protocol):
    """What is started at boot and closed at the end."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class Controller:
    """Everything that one controller process holds, opened in order and closed in reverse."""

    def __init__(self, configuration: Configuration, access: AriAccess, asterisk: asyncio.Event) -> None:
        """`asterisk`: set when it may be connected to; models are loaded meanwhile."""
        self.configuration = configuration
        self.settings = configuration.settings
        self.site = configuration.site
        self.clock = SystemClock(ZoneInfo(self.settings.timezone), self.settings.clock)
        self._wall = lambda: self.clock.wall().timestamp()
        self._access = access
        self._asterisk = asterisk
        self._disk = ThreadPoolExecutor(1, "disk")
        self.host: PluginHost
        self.journal: Journal
        self.journey = ControllersJourney(self.settings.journey, self.site)
        self.parts: Parts
        self.sentiment: Sentiment | None = None
        self.desk: FrontDesk
        self.supervisor: Supervisor
        self.brain: Brain
        self.gate: ComplianceGate
        self.agency: Agency
        self.handing: Handing
        self.staff = staff_site(configuration)
        """Where people work; pages and routes are added until it starts. None where the YAML has no desk."""
        self._notices = Notices()
        self._answers = Answers()
        self._no_more: NoMoreContacts
        self.proactive: Proactive
        self.campaigns = Campaigns(configuration, self)
        self.erasure: Erasure
        self._reasoners: dict[str, Reasoner] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Supervisor]:
        """Start everything; calls are taken while the supervisor's `run` is running."""
        async with AsyncExitStack() as stack:
            self.host = load_plugins(self.configuration)
            picks = pick(self.configuration, self.host)
            stack.push_async_callback(self.host.close)
            self.site.state_dir.mkdir(parents=True, exist_ok=True)
            self.journal = await Journal.open(self.site.state_dir / "journal.sqlite")
            stack.push_async_callback(self.journal.close)
            stack.push_async_callback(self.journey.close)
            await self.journey.start()
            stack.callback(self._disk.shutdown)
            await self._open_parts(picks, stack)
            region = self.settings.journey.region
            self.brain = await open_brain(
                self.journal, self.journey, self.host, self.clock, partial(identity, region=region), stack
            )
            self.gate = await open_gate(
                self.settings, self.site, self.journey, self.journal, self.host, self.clock, stack
            )
            self._no_more = NoMoreContacts(
                self.settings.outreach.no_more,
                self.gate.store,
                self.brain.chronicle,
                self.brain.spell,
                self._wall,
            )
            self.agency.approvals.orphans = Orphans(self.journal, time.time).requests
            self.agency.approvals.outcomes = Settling(
                self.journal,
                self.journey,
                self.brain.chronicle,
                self.brain.spell,
                self.settings.conversation.outcomes,
                self._wall,
            ).tell
            self.handing = Handing(
                self.configuration,
                self.journal,
                self.clock.wall,
                lambda: self.supervisor.calls,
                self._call_back,
                self.agency.approvals,
            )
            await self.handing.open()
            self.host.on_turn = self.handing.turn
            watchdog = Watchdog(at_work=lambda: bool(self.supervisor.calls), on_rest=_give_back)
            self.desk = FrontDesk(
                self.settings,
                self.host,
                self.journal,
                lambda: max(watchdog.lag_s, self.parts.recognizer.lag_s),
                self._agent,
            )
            remembered = await self.desk.remember(await self.journal.open_calls())
            await self.campaigns.open(picks.pacers, stack)
            await asyncio.to_thread(_repair_recordings, self.site.state_dir / "recordings")
            switch = AsteriskSwitch(self._access)
            await self._asterisk.wait()
            await switch.open()
            stack.push_async_callback(switch.close)
            remembered = self.campaigns.wrapped(remembered)
            self.supervisor = Supervisor(switch, self.desk, remembered, PermittedCalls(self.gate.register))
            self.handing.supervises = self.supervisor.supervise
            queues = asyncio.create_task(self.handing.centre.run(), name="queues")
            stack.callback(queues.cancel)
            watchdog.start()
            stack.callback(watchdog.stop)
            await self._open_texts(picks, stack)
            await self.campaigns.start(stack)
            if self.staff is not None:
                await open_telephones(
                    self.configuration,
                    self.staff,
                    switch,
                    self._access,
                    lambda: self.supervisor.calls,
                    self.journal,
                    stack,
                )
                ScorecardPages(scorecard_of(self.configuration)).add_to(self.staff.routes)
                if self.settings.proactive.plays:
                    self.proactive.pages.add_to(self.staff.routes)
                self.campaigns.preview.add_to(self.staff.routes)
                await open_staff(
                    self.staff, self.settings, self.handing.centre, self.journey, self.agency.approvals, stack
                )
            control = ControlServer(
                self.settings.web, self.site.state_dir, self, self.proactive.routes, self.campaigns.routes
            )
            await control.start()
            stack.push_async_callback(control.close)
            gc.collect()
            gc.freeze()  # What the start has made stays: no later collection need look at it
            yield self.supervisor

    async def _open_parts(self, picks: Picks, stack: AsyncExitStack) -> None:
        site = self.site
        recognizer = await picks.recognizer.make(site)
        voice = await picks.voice.make(site)
        turn = await picks.turn.make(site)
        synthesizer = await picks.synthesizer.make(site)
        fallback = await picks.fallback_synthesizer.make(site) if picks.fallback_synthesizer else None
        document = self.configuration.document
        redactor = await picks.redactor.make(site) if picks.redactor else None
        if self.settings.redaction is not None and self.settings.redaction.log:
            redact_lines(redactor)
            stack.callback(redact_lines, None)
        for name, reasoner in picks.reasoners.items():
            with reasoner.placed(document):
                self._reasoners[name] = Guarded(await reasoner.make(site), self.settings.guard, redactor)
        self.sentiment = await picks.sentiment.make(site) if picks.sentiment else None
        everything: list[Part] = [recognizer, voice, turn, synthesizer]
        everything += [*([fallback] if fallback else []), *self._reasoners.values()]
        everything += [self.sentiment] if self.sentiment else []
        for part in everything:
            stack.push_async_callback(part.close)
        starts = [
            _start(chosen, part, document) for chosen, part in zip(picks.made_without_effect, everything, strict=True)
        ]
        made = await side_by_side([*starts, *(tools.make_for(site, document) for tools in picks.tools)])
        offered = [tool for some in made for tool in some]
        tools = Tools([self._notices.tool, self._answers.tool, *offered])
        self.agency = await Agency.open(self.configuration, tools, self.journal, self.clock, stack)
        identity = f"{picks.synthesizer.name} {picks.synthesizer.settings.model_dump_json()}"
        phrases = Phrases(synthesizer, fallback, site.cache_dir / "phrases", identity)
        self.parts = Parts(recognizer, voice, turn, phrases, self.settings.conversation, self.clock)
        warming = asyncio.create_task(self._warm(phrases), name="phrases")
        stack.callback(warming.cancel)

    async def _warm(self, phrases: Phrases) -> None:
        """Have all fixed sentences ready as audio."""
        conversation = self.settings.conversation
        texts = [conversation.returned, conversation.unanswered, *conversation.acknowledgements]
        felt = self.settings.sentiment
        if felt is not None and felt.escalation is not None:
            texts += felt.escalation.sentences
        if self.settings.queues:
            texts += self.settings.handoff.phrases()
        no_more = self.settings.outreach.no_more
        texts += [no_more.confirmed, f"{no_more.confirmed} {no_more.goodbye}".strip()]
        for reasoner in self._reasoners.values():
            texts += reasoner.phrases()
        rates = phrase_rates(self.settings.asterisk)
        ready = await phrases.warm(texts, rates)
        _log.info("phrases ready", phrases=ready, sample_rates=rates)

    async def _open_texts(self, picks: Picks, stack: AsyncExitStack) -> None:
        sip = AsteriskTexts(self._access)
        stack.push_async_callback(sip.close)
        desk = TextDesk(
            self.settings,
            self.site,
            self.brain,
            self.journal,
            self.journey,
            self.host,
            self.clock,
            self.agency.tools,
            sip,
            self.gate,
            self.sentiment,
            TextPeople(self.handing, self.settings, self.host, self.sentiment) if self.settings.queues else None,
        )
        self.proactive = Proactive(self.configuration, self.gate.store)
        self.proactive.watch(desk.outbox)
        telling = Tidings.each(self._reasoners, self.brain.chronicle, self._wall)
        reasoners = Stopping.each(Late.each(telling, self.proactive.late, time.time), self._no_more)
        await desk.open(picks.channels, reasoners, stack, self.proactive.doors)
        self.erasure = Erasure(self.journey, self.site, self.host, desk.let_go, self.settings.proactive)
        self._notices.open(desk.lines, desk.outbox, self.journal, self.brain.chronicle, self.journey)
        spell = partial(identity, region=self.settings.journey.region)
        await self.proactive.open(self, desk, self._answers, spell, picks.steps, stack)

    def _agent(
        self,
        call_id: str,
        address: str,
        ani: str,
        dnis: str,
        customer: Customer | None,
        entry: str,
        before: OpenCall | None,
    ) -> Agent:
        memory = CallMemory(
            self.brain,
            self.clock,
            Contact(call_id, "voice", address, dnis),
            customer,
            entry,
            self.settings.entries[entry].reasoner,
            outgoing=address != ani,
            kept=before.thread if before else "",
            before=before.turns if before else (),
        )
        sure = Assurance.CLAIMED if customer else Assurance.NONE
        writes = before.writes if before else ()
        handing = self.handing.for_call({"call_id": call_id, "address": address}, customer, entry)
        audit = handing.audited(memory.audit)
        tools = self.agency.tools(call_id, customer.id if customer else "", sure, audit, writes, entry, "voice")
        reasoner = self._reasoners[self.settings.entries[entry].reasoner]
        if address == ani:
            reasoner = Tidings(reasoner, self.brain.chronicle, self._wall)
        if opening := self.campaigns.opening(call_id):
            reasoner = Opened(reasoner, opening)
        if address != ani and self.gate.must_say:
            reasoner = Disclosing(reasoner, self.gate.must_say)
        reasoner = Stopping(reasoner, self._no_more, address, ours=address != ani)
        agent = Agent(
            call_id,
            ani,
            dnis,
            customer,
            reasoner,
            tools,
            self.parts,
            self.host,
            dict(self.settings.destinations),
            self.site.state_dir / "recordings" if self.settings.recording.enabled else None,
            self._disk,
            memory,
            self._escalation(call_id, customer),
            handing,
        )
        if before is not None:
            agent.remember(before.snapshot, before.turns)
        return agent

    def _escalation(self, call_id: str, customer: Customer | None) -> Escalation | None:
        felt = self.settings.sentiment
        if self.sentiment is None or felt is None:
            return None
        destinations = {name: one.endpoint for name, one in self.settings.destinations.items()}
        destinations |= dict.fromkeys(self.handing.centre.rules.queues, "")
        conversing = Conversing(call_id, "voice", customer, "en-US", destinations)
        return Escalation(
            self.sentiment.open(),
            felt.escalation,
            partial(self.host.escalate, conversing),
            destinations.__contains__,
            conversing.locale,
        )

    # — what the control server asks —

    async def originate(self, endpoint: str, entry: str, caller_id: str, purpose: str) -> str:
        """Call `endpoint` and let the entry's agent speak; the call's id. Raises ContactRefused or AsteriskError."""
        return await self.place_call(endpoint, entry, caller_id, purpose, new_call_id(), "")

    async def place_call(self, endpoint: str, entry: str, caller_id: str, purpose: str, call_id: str, play: str) -> str:
        """As `originate`, for a play or for nobody, under an id that was chosen before."""
        if entry not in self.settings.entries:
            raise CcaasError(f"there is no entry {entry}; {nearest(entry, self.settings.entries)}")
        permit = await self.gate.permit_call(call_id, endpoint, Purpose(purpose), play)
        agent = await self.desk.admit(call_id, endpoint, caller_id, entry)
        await self.supervisor.originate(endpoint, entry, agent, call_id, caller_id, permit)
        return call_id

    async def take_back_call(self, call_id: str) -> None:
        """End a call of ours that nobody has answered yet. Raises AsteriskError."""
        await self.supervisor.take_back(call_id)

    async def _call_back(self, handoff: Handoff) -> str:
        """Call a customer whose turn it is; see `contact.rules.Outside`."""
        through = self.settings.handoff.call_back
        if handoff.entry not in self.settings.entries or not through:
            raise CcaasError("there is no way to call them back; set handoff.call_back")
        endpoint = through.replace("{number}", handoff.address)
        call_id = new_call_id()
        permit = await self.gate.permit_call(call_id, endpoint, Purpose.SERVICE)
        before, handoff.call_id = handoff.call_id, call_id  # so that the call finds its place
        try:
            agent = await self.desk.admit(call_id, endpoint, "", handoff.entry)
            await self.supervisor.originate(endpoint, handoff.entry, agent, call_id, "", permit)
        except CcaasError:
            handoff.call_id = before
            raise
        return call_id

    async def customer_of(self, text: str) -> str:
        """Whom an id or an identity means. Raises JourneyError for nobody."""
        return await customer_of(self.journey, text, self.settings.journey.region)

    @property
    def centre(self) -> ContactCentre:
        """The queues and the agents."""
        return self.handing.centre

    def drain(self) -> None:
        """Take no new calls."""
        self.desk.draining = True


async def control(configuration: Configuration, access: AriAccess, *, starts: bool = False) -> None:
    """Run until told to stop: the first SIGTERM or SIGINT drains, the second gives the calls to the dialplan at once.

    `starts`: Asterisk is not up yet; something on our standard input, or its end, will tell.
    """
    began = time.monotonic()
    asterisk = asyncio.Event()
    if starts:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _told, asterisk)
    else:
        asterisk.set()
    controller = Controller(configuration, access, asterisk)
    async with controller.open() as supervisor:
        stop, at_once = asyncio.Event(), asyncio.Event()

        def told() -> None:
            (at_once if stop.is_set() else stop).set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told)
        running = asyncio.create_task(supervisor.run(), name="supervisor")
        _log.info(READY, seconds=round(time.monotonic() - began, 2))
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            await _drain(controller, supervisor, at_once)
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error


def _told(asterisk: asyncio.Event) -> None:
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    asterisk.set()


async def _drain(controller: Controller, supervisor: Supervisor, at_once: asyncio.Event) -> None:
    controller.drain()
    limit = controller.settings.limits.drain_s
    if supervisor.calls:
        _log.info("draining", calls=len(supervisor.calls), limit_s=limit)
    waits = {asyncio.create_task(supervisor.idle()), asyncio.create_task(at_once.wait())}
    await asyncio.wait(waits, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await supervisor.release()


async def _start(chosen: Pick[Any], part: Part, document: Document) -> tuple[Tool, ...]:
    """It offers no tools."""
    with chosen.placed(document):
        await part.start()
    return ()


def phrase_rates(asterisk: AsteriskSettings) -> tuple[int, ...]:
    """Sample rates (Hz) at which fixed phrases are made at boot: of the codecs that callers may come with."""
    codecs = {codec for phone in asterisk.phones for codec in phone.codecs}
    codecs |= {codec for trunk in asterisk.trunks for codec in trunk.codecs}
    wide = asterisk.mode == "external" or asterisk.sip.anonymous or any(phone.webrtc for phone in asterisk.phones)
    return (8_000, 16_000) if wide or codecs & {"g722", "opus"} else (8_000,)


def _give_back() -> None:
    """Off the event loop: a call may come meanwhile."""
    asyncio.get_running_loop().run_in_executor(None, _trim)


def _trim() -> None:
    """Give back what the start or calls have left over in the C library's heap (100 MB); nothing where it is not glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _repair_recordings(folder: Path) -> None:
    """Recordings that a killed controller left behind get a header that says how long they are."""
    for path in folder.glob("*.wav") if folder.is_dir() else ():
        try:
            if repair(path):
                _log.info("recording mended", path=str(path))
        except OSError as error:
            _log.warning("recording could not be mended", path=str(path), error=str(error))


def main(file: str, *options: str) -> int:
    """The process: 0 after a stop that was asked for, 2 for what an admin must mend, 1 for anything else."""
    try:
        configuration = load(Path(file))
        configure_logs(configuration.settings.log, configuration.site.state_dir / "log")
        uvloop.run(control(configuration, access_of(configuration), starts=AWAITS in options))
    except CcaasError as error:
        _log.error(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
