"""Campaigns while they run: how many calls a pacer wants is asked each second; each attempt is a task of its own.

An attempt is claimed on the disk before the gate is asked, and the gate before a phone rings. A claim is given only while the
campaign runs, in the same transaction: after a pause no further phone rings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from prometheus_client import Counter, Gauge

from ccaas.dialler import attempts as kept
from ccaas.dialler import records
from ccaas.dialler.attempts import Claim, Open
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.floor import Handled, of_lines, of_queue
from ccaas.dialler.live import Attempt
from ccaas.dialler.retries import REFUSED_FOR_NOW, caller_id_for
from ccaas.dialler.settings import CampaignSettings
from ccaas.dialler.state import CampaignState
from ccaas.dialler.store import CampaignStore
from ccaas.errors import CcaasError
from ccaas.outreach.abandonment import Met, may_go_ahead
from ccaas.outreach.settings import Abandonment
from ccaas.ports.contact import Board
from ccaas.ports.dialling import Pacer, Standing
from ccaas.ports.outreach import Allowed, Decision, Later, Permit, Purpose, Refused
from ccaas.telephony.events import EndReason

_log = structlog.get_logger(__name__)

ATTEMPTS = Counter(
    "ccaas_campaign_attempts_total", "Attempts that ended, by what came of them", ["campaign", "disposition"]
)
UP = Gauge("ccaas_campaign_calls", "Calls of campaigns that are up", ["campaign", "state"])
ABANDONED = Gauge("ccaas_campaign_abandoned_ratio", "Of the people who answered, those who found nobody", ["campaign"])

EVERY_S = 1.0
"""So often a pacer is asked, at least."""
RECOUNT_S = 60.0
NO_ROOM_S = 30.0
"""A call that this machine could not begin is tried again after this."""


@dataclass(frozen=True, slots=True)
class CampaignCall:
    """A call to be made."""

    attempt: Attempt
    claim: Claim
    endpoint: str
    caller_id: str
    permit: Permit


class Calls(Protocol):
    """What a controller lends."""

    def refusal(self) -> str:
        """Why no call can be begun now, in a word; empty when one can."""
        ...

    async def begin(self, call: CampaignCall) -> None:
        """Ring. The attempt is told what becomes of it. Raises CcaasError."""
        ...

    async def take_back(self, call_id: str) -> None:
        """Let it ring no longer. Raises CcaasError."""
        ...

    def board(self) -> Board:
        """The queues and the agents."""
        ...


class Gate(Protocol):
    """The compliance gate, as campaigns ask it."""

    async def decide_call(
        self, call_id: str, endpoint: str, purpose: Purpose, play: str = "", *, ahead: bool = False
    ) -> Decision: ...

    def seconds_until(self, moment: float) -> float: ...


@dataclass(slots=True)
class Running:
    """One campaign."""

    name: str
    settings: CampaignSettings
    endpoint: str
    """Asterisk's name of a customer's phone, with `{number}`."""
    pacer: Pacer
    attempts: dict[str, Attempt] = field(default_factory=dict)
    met: Met = field(default_factory=lambda: Met(0, 0))
    counted_at: float = -RECOUNT_S
    note: str = ""
    handled: Handled | None = None

    @property
    def play(self) -> str:
        """As the gate keeps it."""
        return f"campaign:{self.name}"


class Dialler:
    """All campaigns of one controller."""

    def __init__(
        self,
        campaigns: Sequence[Running],
        abandonment: Abandonment,
        store: CampaignStore,
        gate: Gate,
        calls: Calls,
        new_call_id: Callable[[], str],
    ) -> None:
        self._campaigns = {one.name: one for one in campaigns}
        self._abandonment = abandonment
        self._store = store
        self._gate = gate
        self._calls = calls
        self._new_call_id = new_call_id
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        for one in campaigns:
            one.handled = Handled(one.settings.queue, self._handled(one)) if one.settings.queue else None

    async def run(self) -> None:
        """Until cancelled; calls that are up go on."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._look()
                except CcaasError as error:
                    _log.error("campaigns rest while their store cannot be used", error=str(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._wake.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def met(self, play: str) -> Met:
        """See `ComplianceGate.met`."""
        campaign = self._campaigns.get(play.removeprefix("campaign:"))
        return campaign.met if campaign is not None else Met(0, 0)

    def resume(
        self, unended: Sequence[Open], ends: Mapping[str, tuple[EndReason, int]], alive: Mapping[str, Attempt]
    ) -> None:
        """Go on with what an earlier controller left. `ends`: of calls that are over; `alive`: of those that are up."""
        for one in unended:
            if one.call_id in alive:
                self._see_to(alive[one.call_id])
                continue
            attempt = self.attempt(one.call_id, one.campaign, one)
            reason = ends.get(one.call_id)
            if reason is None or (one.answered is None and reason[0] is EndReason.HUNG_UP):
                self._start(self._close(one.call_id, one.campaign, Disposition.UNKNOWN))
                continue
            attempt.ended, attempt.end = time.time(), reason
            self._start(self._close(one.call_id, one.campaign, attempt.disposition(0.0)))

    def attempt(self, call_id: str, campaign: str, before: Open | None = None) -> Attempt:
        """An attempt that tells this dialler what happens; as an earlier controller had kept it."""
        made = Attempt(call_id, campaign, before.at if before else time.time(), self._told)
        if before is not None:
            made.answered, made.met, made.met_at = before.answered, before.met, before.answered or 0.0
        return made

    # — what is begun —

    async def _look(self) -> None:
        states = await self._store.read(records.states)
        board = self._calls.board()
        for campaign in self._campaigns.values():
            state = states.get(campaign.name, CampaignState.PAUSED)
            if campaign.handled is not None:
                campaign.handled.look(board)
            if state is CampaignState.RUNNING:
                await self._pace(campaign, board)
            elif state is CampaignState.STOPPED:
                for attempt in [one for one in campaign.attempts.values() if one.rings]:
                    await self._take_back(attempt)
            for word in ("rings", "waits", "talks", "leaves"):
                UP.labels(campaign.name, word).set(sum(getattr(one, word) for one in campaign.attempts.values()))

    async def _pace(self, campaign: Running, board: Board) -> None:
        await self._count(campaign)
        if self._calls.refusal():
            return
        ahead = may_go_ahead(campaign.met, self._abandonment.limit)
        standing = self._standing(campaign, board, ahead=ahead)
        wanted = campaign.pacer.wanted(standing, time.monotonic())
        wanted = min(wanted, campaign.settings.most_ringing - len(standing.ringing))
        covered = max(standing.free - len(standing.ringing), 0)
        for number in range(wanted):
            call_id = self._new_call_id()
            claim = await self._store.write(
                kept.claiming(campaign.name, call_id, campaign.settings, time.time(), released=campaign.pacer.previews)
            )
            if claim is None:
                return
            attempt = self.attempt(call_id, campaign.name)
            campaign.attempts[call_id] = attempt
            self._start(self._make(campaign, claim, attempt, ahead=number >= covered))

    def _standing(self, campaign: Running, board: Board, *, ahead: bool) -> Standing:
        attempts, settings, target = tuple(campaign.attempts.values()), campaign.settings, self._abandonment.limit
        if settings.queue:
            return of_queue(settings.queue, board, attempts, time.time(), ahead=ahead, target=target)
        return of_lines(settings.lines, attempts, time.time(), ahead=ahead, target=target)

    async def _count(self, campaign: Running) -> None:
        """What the brake goes by; and say when it holds."""
        if time.monotonic() - campaign.counted_at >= RECOUNT_S:
            campaign.counted_at = time.monotonic()
            since = time.time() - self._abandonment.days * 86_400
            campaign.met = Met(*await self._store.read(records.met(campaign.name, since)))
        ABANDONED.labels(campaign.name).set(campaign.met.share)
        over = campaign.met.answered > 0 and campaign.met.share > self._abandonment.limit
        note = f"one call per free agent: {campaign.met.share:.1%} were abandoned" if over else ""
        if note != campaign.note:
            if bool(note) != bool(campaign.note):
                words = (
                    "too many were abandoned; calls wait for free agents" if note else "calls go ahead of agents again"
                )
                _log.warning(
                    words, campaign=campaign.name, answered=campaign.met.answered, abandoned=campaign.met.abandoned
                )
            campaign.note = note
            await self._store.write(records.noting(campaign.name, note))

    async def _take_back(self, attempt: Attempt) -> None:
        try:
            await self._calls.take_back(attempt.call_id)
        except CcaasError as error:
            _log.warning("a call could not be taken back", call=attempt.call_id, error=str(error))

    # — one attempt —

    async def _make(self, campaign: Running, claim: Claim, attempt: Attempt, *, ahead: bool) -> None:
        endpoint = campaign.endpoint.replace("{number}", claim.number)
        caller_id = caller_id_for(claim.number, campaign.settings.caller_ids, campaign.settings.caller_id)
        purpose = Purpose(campaign.settings.purpose)
        try:
            decision = await self._gate.decide_call(claim.call_id, endpoint, purpose, campaign.play, ahead=ahead)
            if not isinstance(decision, Allowed):
                await self._not_made(campaign, claim, decision)
                return
            await self._calls.begin(CampaignCall(attempt, claim, endpoint, caller_id, decision.permit))
        except CcaasError as error:
            # What was begun and came to nothing has told the attempt so.
            if attempt.ended is None:
                _log.warning("a call could not be begun", campaign=campaign.name, call=claim.call_id, error=str(error))
                await self._later(campaign, claim, str(error), time.time() + NO_ROOM_S)
                return
        await attempt.over.wait()
        campaign.attempts.pop(claim.call_id, None)
        await self._close(claim.call_id, campaign.name, attempt.disposition(campaign.settings.short_s), attempt.words)
        self._wake.set()

    async def _not_made(self, campaign: Running, claim: Claim, decision: Refused | Later) -> None:
        words = f"{decision.rule}: {decision.words}"
        if isinstance(decision, Later):
            await self._later(campaign, claim, words, time.time() + max(self._gate.seconds_until(decision.until), 1.0))
        elif decision.rule in REFUSED_FOR_NOW:
            await self._later(campaign, claim, words, time.time() + REFUSED_FOR_NOW[decision.rule])
        else:
            campaign.attempts.pop(claim.call_id, None)
            ATTEMPTS.labels(campaign.name, Disposition.REFUSED.value).inc()
            outcome = f"{Disposition.REFUSED.value}:{decision.rule}"
            await self._store.write(
                kept.not_making(claim.call_id, Disposition.REFUSED, words, outcome, None, time.time())
            )
            self._wake.set()

    async def _later(self, campaign: Running, claim: Claim, words: str, until: float) -> None:
        campaign.attempts.pop(claim.call_id, None)
        ATTEMPTS.labels(campaign.name, Disposition.LATER.value).inc()
        await self._store.write(kept.not_making(claim.call_id, Disposition.LATER, words, "", until, time.time()))
        self._wake.set()

    def _see_to(self, attempt: Attempt) -> None:
        """A call that an earlier controller began goes on."""
        campaign = self._campaigns.get(attempt.campaign)
        if campaign is not None:
            campaign.attempts[attempt.call_id] = attempt
        short_s = campaign.settings.short_s if campaign is not None else 0.0

        async def until_over() -> None:
            await attempt.over.wait()
            if campaign is not None:
                campaign.attempts.pop(attempt.call_id, None)
            await self._close(attempt.call_id, attempt.campaign, attempt.disposition(short_s), attempt.words)

        self._start(until_over())

    async def _close(self, call_id: str, name: str, disposition: Disposition, words: str = "") -> None:
        campaign = self._campaigns.get(name)
        settings = campaign.settings if campaign is not None else CampaignSettings(entry="")
        following = await self._store.write(kept.ending(call_id, disposition, settings, time.time(), words))
        ATTEMPTS.labels(name, disposition.value).inc()
        again = following is not None and following.due is not None
        _log.info("attempt ended", campaign=name, call=call_id, disposition=disposition.value, again=again)

    def _told(self, attempt: Attempt, what: str) -> None:
        campaign = self._campaigns.get(attempt.campaign)
        at = time.monotonic()
        match what:
            case "answered":
                self._start(self._write(kept.answering(attempt.call_id, time.time())))
            case "agent" | "abandoned":
                abandoned = what == "abandoned"
                self._start(self._write(kept.meeting(attempt.call_id, abandoned=abandoned)))
                if campaign is not None:
                    campaign.met = Met(campaign.met.answered + 1, campaign.met.abandoned + abandoned)
                    campaign.pacer.rang((attempt.answered or attempt.began) - attempt.began, at, answered=True)
                    campaign.pacer.met(at, abandoned=abandoned)
            case "machine":
                self._start(self._write(kept.unmeeting(attempt.call_id)))
                if campaign is not None:
                    campaign.met = Met(max(campaign.met.answered - 1, 0), campaign.met.abandoned)
            case _ if campaign is not None and attempt.ended is not None:
                if not attempt.met:
                    campaign.pacer.rang(attempt.ended - attempt.began, at, answered=False)
                elif attempt.met == "agent" and not campaign.settings.queue:
                    campaign.pacer.handled(attempt.ended - attempt.met_at, 0.0, at)
        self._wake.set()

    @staticmethod
    def _handled(campaign: Running) -> Callable[[float, float], None]:
        return lambda talk_s, wrap_s: campaign.pacer.handled(talk_s, wrap_s, time.monotonic())

    async def _write(self, work: Callable[[Any], None]) -> None:
        await self._store.write(work)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except CcaasError as error:
                _log.error("what became of an attempt could not be kept", error=str(error))

        task = asyncio.create_task(guarded(), name="attempt")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
