"""Campaigns of one controller, joined to its calls, its gate and its queues."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog

from ccaas.agent import Agent
from ccaas.config.configuration import Configuration
from ccaas.config.picks import Pick
from ccaas.contact.choice import serves
from ccaas.conversation.parts import Parts
from ccaas.dialler.answering import Hearing, limits_for, phrases_for
from ccaas.dialler.attempts import Open, unended
from ccaas.dialler.attendant import CampaignAttendant
from ccaas.dialler.live import Attempt
from ccaas.dialler.opening import filled, message
from ccaas.dialler.pages import CampaignRoutes
from ccaas.dialler.previewing import PreviewPages
from ccaas.dialler.running import CampaignCall, Dialler, Running
from ccaas.dialler.settings import CampaignSettings
from ccaas.dialler.store import FILE, CampaignStore
from ccaas.frontdesk import FrontDesk
from ccaas.handing import Handing
from ccaas.journal.journal import Journal
from ccaas.media.answering.detector import AnswerListener
from ccaas.outreach.gate import ComplianceGate
from ccaas.ports.contact import Board
from ccaas.ports.dialling import Pacer
from ccaas.ports.media import MediaStream
from ccaas.telephony.desk import Attendant
from ccaas.telephony.events import EndReason
from ccaas.telephony.supervisor import Remembered, Supervisor, new_call_id

_log = structlog.get_logger(__name__)


class Around(Protocol):
    """What a controller lends."""

    @property
    def journal(self) -> Journal: ...

    @property
    def parts(self) -> Parts: ...

    @property
    def gate(self) -> ComplianceGate: ...

    @property
    def desk(self) -> FrontDesk: ...

    @property
    def handing(self) -> Handing: ...

    @property
    def supervisor(self) -> Supervisor: ...


class Campaigns:
    """Opened before the calls of an earlier controller are picked up; they are met by `wrapped`. `start` begins to dial."""

    def __init__(self, configuration: Configuration, around: Around) -> None:
        self._configuration = configuration
        self._settings = configuration.settings.dialler.campaigns
        self._around = around
        self._store: CampaignStore
        self._dialler: Dialler
        self._unended: list[Open] = []
        self._previewing: tuple[str, ...] = ()
        self._alive: dict[str, Attempt] = {}
        self._openings: dict[str, str] = {}
        """First sentences of calls whose agent is being made."""

    async def open(self, pacers: Mapping[str, Pick[Pacer]], stack: AsyncExitStack) -> None:
        """Open the store and make the pacers. Raises CampaignError or PluginError."""
        site = self._configuration.site
        self._store = await CampaignStore.open(site.state_dir / FILE)
        stack.push_async_callback(self._store.close)
        self._unended = await self._store.read(unended)
        voice = self._configuration.settings.outreach.voice
        running = [
            Running(
                name,
                one if one.caller_id or voice is None else one.model_copy(update={"caller_id": voice.caller_id}),
                one.endpoint or (voice.endpoint if voice is not None else ""),
                await pacers[name].make(site),
            )
            for name, one in self._settings.items()
        ]
        self._previewing = tuple(one.name for one in running if one.pacer.previews)
        abandonment = self._configuration.settings.outreach.abandonment
        self._dialler = Dialler(running, abandonment, self._store, self._around.gate, self, new_call_id)
        self._around.gate.met = self._dialler.met

    def wrapped(self, remembered: Mapping[str, Remembered]) -> dict[str, Remembered]:
        """The calls of an earlier controller; those of campaigns tell what becomes of them."""
        open_ones = {one.call_id: one for one in self._unended}
        found: dict[str, Remembered] = {}
        for leg, one in remembered.items():
            before = open_ones.get(one.call_id)
            campaign = self._settings.get(before.campaign) if before is not None else None
            if before is None or campaign is None:
                found[leg] = one
                continue
            attempt = self._dialler.attempt(one.call_id, before.campaign, before)
            self._alive[one.call_id] = attempt
            found[leg] = replace(one, attendant=self._attendant(one.attendant, attempt, campaign, ""))
        return found

    async def start(self, stack: AsyncExitStack) -> None:
        """Dial, wherever a campaign runs. Raises CampaignError or JournalError."""
        left = [one.call_id for one in self._unended if one.call_id not in self._alive]
        ends = await self._around.journal.ask(_ends(left))
        self._dialler.resume(self._unended, ends, self._alive)
        if not self._settings:
            return
        dialling = asyncio.create_task(self._dialler.run(), name="campaigns")
        stack.push_async_callback(_ended, dialling)
        _log.info("campaigns ready", campaigns=list(self._settings))

    @property
    def routes(self) -> CampaignRoutes:
        """What the control server answers."""
        settings = self._configuration.settings
        phones = [phone.name for phone in settings.asterisk.phones]
        return CampaignRoutes(
            self._store, self._settings, settings.journey.region, phones, settings.outreach.abandonment.days
        )

    @property
    def preview(self) -> PreviewPages:
        """What agents' desks ask of campaigns whose records they see first."""
        return PreviewPages(self._store, {name: self._people_of(name) for name in self._previewing})

    def _people_of(self, name: str) -> tuple[str, ...]:
        settings = self._configuration.settings
        queue = settings.queues.get(self._settings[name].queue)
        return tuple(login for login, one in settings.agents.items() if queue is None or serves(one.skills, queue))

    def opening(self, call_id: str) -> str:
        """The first sentence of a call that is just being begun; empty: the reasoner's own."""
        return self._openings.pop(call_id, "")

    # — Calls —

    def refusal(self) -> str:
        if not self._around.supervisor.connected:
            return "asterisk"
        return self._around.desk.refusal()

    async def begin(self, call: CampaignCall) -> None:
        campaign = self._settings[call.attempt.campaign]
        call_id = call.attempt.call_id
        if campaign.opening and not campaign.queue:
            self._openings[call_id] = filled(campaign.opening, call.claim.data)
        try:
            agent: Agent = await self._around.desk.admit(call_id, call.endpoint, call.caller_id, campaign.entry)
        finally:
            self._openings.pop(call_id, None)
        said = ""
        if campaign.message:
            words = self._configuration.settings.outreach.must_leave(campaign.purpose)
            said = message(campaign.message, call.claim.data, *words)
        attendant = self._attendant(agent, call.attempt, campaign, call.claim.agent, said)
        await self._around.supervisor.originate(
            call.endpoint, campaign.entry, attendant, call_id, call.caller_id, call.permit, campaign.ring_s
        )

    async def take_back(self, call_id: str) -> None:
        await self._around.supervisor.take_back(call_id)

    def board(self) -> Board:
        return self._around.handing.centre.board()

    def _attendant(
        self, inner: Attendant, attempt: Attempt, campaign: CampaignSettings, agent: str, said: str = ""
    ) -> CampaignAttendant:
        """`said`: what a machine is told; of a call that an earlier controller has begun, nothing."""
        return CampaignAttendant(
            inner,
            attempt,
            campaign.queue,
            agent,
            campaign.grace_s,
            campaign.abandoned,
            partial(self._hearing, campaign) if campaign.listens else None,
            said,
            self._configuration.settings.dialler.answering.limits.greeting_s,
        )

    def _hearing(self, campaign: CampaignSettings, stream: MediaStream) -> Hearing:
        parts, answering = self._around.parts, self._configuration.settings.dialler.answering
        limits = limits_for(answering.limits, eager=not campaign.queue)
        phrases = phrases_for(answering.languages.get(campaign.language), campaign.language)

        def detector(rate: int) -> AnswerListener:
            return AnswerListener(rate, parts.voice.open(), parts.voice.sample_rate, limits, phrases)

        return Hearing(stream, detector, parts.recognizer)


def _ends(call_ids: Iterable[str]) -> Callable[[sqlite3.Connection], dict[str, tuple[EndReason, int]]]:
    """How these calls ended, as far as the journal knows."""

    def ask(db: sqlite3.Connection) -> dict[str, tuple[EndReason, int]]:
        found = {}
        for call_id in call_ids:
            row = db.execute(
                "SELECT end_reason, cause FROM calls WHERE call_id = ? AND ended IS NOT NULL", (call_id,)
            ).fetchone()
            if row is not None:
                found[call_id] = EndReason(row["end_reason"]), int(row["cause"] or 0)
        return found

    return ask


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
