"""What an event sets off: who is affected, what is held for them, how it is offered, and what becomes of their answer.

Every step can be done again: tools know their writes by key, cases move by compare-and-set, messages have one id. So a step
that a crash has cut off is simply done again (`ccaas.outreach.durable` sees to that), and nothing happens twice.

This module is long because the steps share the one case that they move.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from prometheus_client import Counter, Gauge

from ccaas.errors import CcaasError, JourneyError, MessageFailed, ToolError
from ccaas.journal.messages import MessageQueued
from ccaas.messaging.outbox import NOT_AFTER
from ccaas.messaging.parts import Line
from ccaas.outreach import cases
from ccaas.outreach.cases import NEXT, OPEN, Case, CaseState
from ccaas.outreach.events import StoredEvent
from ccaas.outreach.listing import PluginStep, Whose, filled, listed, said
from ccaas.outreach.play_settings import HoldStep, Play, ProactiveSettings
from ccaas.outreach.store import OutreachStore
from ccaas.ports.holds import Hold, HoldState
from ccaas.ports.journey import Identity, IdentityKind, Journey, Profile, Thread, ThreadState
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.tools import Toolbox
from ccaas.scorecard.incidents import Attempt, Incident, IncidentLedger, Resolution

_log = structlog.get_logger(__name__)

CASES = Counter("ccaas_play_cases_total", "Customers' parts of plays, by how they ended", ["play", "outcome"])
WAITING = Gauge("ccaas_play_cases_offered", "Offers that this controller has made and that wait for an answer")
LATE_S = 14 * 86_400.0
"""A yes that comes later than this after the end of its offer means something else."""
TOGETHER = 64
"""Cases that are begun at once."""


class Reach(Protocol):
    """How a play reaches people: the core's own ways, each behind the gate."""

    @property
    def lines(self) -> Mapping[str, Line]:
        """The text channels."""
        ...

    async def send(self, queued: MessageQueued, fact: str) -> None:
        """Store a message and its line of the timeline, and send it. The same id again changes nothing."""
        ...

    async def call(self, call_id: str, number: str, purpose: str, play: str) -> None:
        """Call a customer; the entry's reasoner speaks. Raises ContactRefused, or CcaasError when it cannot be."""
        ...

    async def hang_up(self, call_id: str) -> None:
        """End a call that has not been answered; others are left alone."""
        ...

    def begin_anew(self, customer_id: str) -> None:
        """What the customer writes next begins a new conversation, which knows the offer."""
        ...


MakeToolbox = Callable[[str, str], Toolbox]
"""Case and the system of record's key of the customer → the tools, gated and audited as any conversation's."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer."""

    state: CaseState
    words: str
    """What the customer is told."""
    again: bool = False
    """It was answered before."""


class Plays:
    """The steps. `ccaas.outreach.durable` runs them as workflows."""

    def __init__(
        self,
        settings: ProactiveSettings,
        store: OutreachStore,
        journey: Journey,
        reach: Reach,
        toolbox: MakeToolbox,
        incidents: IncidentLedger,
        wall: Callable[[], float],
        spell: Callable[[str, str], Identity | None],
        steps: Mapping[str, PluginStep] | None = None,
    ) -> None:
        """`wall`: the business's clock as Unix seconds; `spell`: channel and address → identity; `steps`: those of
        `proactive.steps`, by name."""
        self._steps = steps or {}
        self._incidents = incidents
        self._settings = settings
        self._store = store
        self._journey = journey
        self._reach = reach
        self._toolbox = toolbox
        self._wall = wall
        self._spell = spell
        self._calls: dict[str, str] = {}
        """Calls that are being made, by case."""

    async def event(self, event_id: str) -> StoredEvent:
        """A stored event. Raises CcaasError when it is not there."""
        row = await self._store.read(
            lambda db: db.execute("SELECT * FROM events WHERE event_id = ?", (event_id,)).fetchone()
        )
        if row is None:
            raise CcaasError(f"there is no event {event_id}")
        return StoredEvent(row["event_id"], row["type"], row["play"], json.loads(row["body"]), row["at"])

    async def find(self, event_id: str) -> int:
        """Find who is affected and keep a case for each, the highest tier first; how many there are."""
        event = await self.event(event_id)
        play = self._settings.plays[event.play]
        query = play.query
        known = {"event": dict(event.data)}
        found = await listed(query, self._steps, event, known, self._toolbox(event_id, ""), "query")
        customers: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
        for item in found:
            facts = {query.name: item}
            record, tier = said(query.customer, facts), said(query.tier, facts)
            # One customer is contacted once, however many of their things are affected.
            customers.setdefault(record, (record, tier, facts))
        rank = {tier: place for place, tier in enumerate(play.tiers)}
        ordered = sorted(customers.values(), key=lambda one: rank.get(one[1], len(rank)))
        now = time.time()

        def begin(db: Any) -> None:
            db.execute("UPDATE events SET begun = coalesce(begun, ?) WHERE event_id = ?", (now, event_id))

        await self._store.write(begin)
        return await self._store.write(cases.adding(event_id, ordered))

    async def begin(self, event_id: str, first: int, count: int, *, last: bool = False) -> None:
        """Hold and offer, for the cases with these numbers. `last`: it was tried often enough; who cannot be told now is left
        for later, and keeps nobody waiting. Raises what a case has failed by."""
        event = await self.event(event_id)
        found = await self._store.read(cases.batch(event_id, first, count))
        kind = event.type.replace(".", "_")
        for case in found:
            await self._ledger(self._incidents.open(Incident(case.case_id, kind, case.record_id, event.at)))
        results: list[BaseException | None] = []
        for _, tier in itertools.groupby(found, lambda case: case.tier):
            # Nobody of a lower tier overtakes the last ones of a higher one.
            results += await asyncio.gather(*(self._begin(event, case) for case in tier), return_exceptions=True)
        for case, result in zip(found, results, strict=True):
            if isinstance(result, BaseException):
                _log.error("a case could not be begun; it is tried again", case=case.case_id, error=str(result))
                if last:
                    await self._give_up(event, case, str(result))
        failed = next((result for result in results if isinstance(result, BaseException)), None)
        if failed is not None and (not last or not isinstance(failed, CcaasError)):
            raise failed

    async def _give_up(self, event: StoredEvent, case: Case, why: str) -> None:
        """Past the time that an answer would be waited for, an offer comes too late."""
        play = self._settings.plays[event.play]
        if case.state is CaseState.NEW and time.time() - event.at > play.wait.minutes * 60:
            await self._nothing(event, play, case, f"could not be begun in time: {why}")

    async def end(self, event_id: str) -> int:
        """The play has ended, unless there are customers who could not be told yet; how many."""
        now = time.time()

        def work(db: Any) -> int:
            left = cases.unbegun(event_id)(db)
            if not left:
                db.execute("UPDATE events SET ended = coalesce(ended, ?) WHERE event_id = ?", (now, event_id))
            return left

        return await self._store.write(work)

    async def answer(self, case_id: str, word: str) -> Answered:
        """Take an answer: "yes", "no" or "person". Whatever came first stays."""
        case = await self._case(case_id)
        event = await self.event(case.event_id)
        play = self._settings.plays[event.play]
        wanted = {"yes": CaseState.CONFIRMED, "no": CaseState.DECLINED, "person": CaseState.PERSON}[word]
        if not case.answerable or case.state is wanted:
            return self._told_again(play, case, word)
        state = await self._settle(event, play, case, wanted)
        await self._store.write(cases.noting(case_id, f"answer {word}", state.value))
        case = await self._case(case_id)
        if state is wanted:
            return Answered(state, self._words(play, case))
        return self._told_again(play, case, word)

    async def late(self, customers: tuple[str, ...], word: str, after: float) -> str:
        """What a lone "yes" or "no" is told when the offer that it means is over; see `late.AskLate`."""
        case = await self._store.read(cases.last_over(customers, max(after, time.time() - LATE_S)))
        play = None
        if case is not None:
            event = await self.event(case.event_id)
            play = self._settings.plays.get(event.play)
        if case is None or play is None or case.answerable:
            return ""
        title = said(play.offer.title, {"event": dict(event.data), **case.facts})
        return f"About {title}: {self._told_again(play, case, word).words}"

    async def expire(self, case_id: str) -> None:
        """The wait is over."""
        case = await self._case(case_id)
        if not case.answerable:
            return
        event = await self.event(case.event_id)
        play = self._settings.plays[event.play]
        if case.state is CaseState.PERSON:
            await self._let_go(event, play, case)
        else:
            await self._settle(event, play, case, CaseState.EXPIRED)

    async def failed(self, case_id: str, channel: str, why: str) -> None:
        """A channel did not reach the customer: take the next one, or let it go."""
        case = await self._case(case_id)
        if case.state not in (CaseState.HELD, CaseState.OFFERED) or channel != case.channel:
            return
        event = await self.event(case.event_id)
        await self._store.write(cases.trying(case_id, channel))
        case = await self._case(case_id)
        await self._store.write(cases.noting(case_id, f"not reached by {channel}", why))
        await self._attempt(case, channel, "not reached")
        await self._offer(event, self._settings.plays[event.play], case)

    async def still_wanted(self, case_id: str) -> bool:
        """Whether the offer still stands."""
        case = await self._store.read(cases.one(case_id))
        return case is not None and case.state in OPEN

    def case_of_call(self, call_id: str) -> str:
        """The case that a call of this controller's offers; empty when it is another call."""
        return next((case_id for case_id, one in self._calls.items() if one == call_id), "")

    def call_of(self, case: Case) -> str:
        """The id of the call by which a case is offered, whether or not it was made."""
        return call_id_of(case.case_id, case.at)

    def expect_call(self, case: Case) -> str:
        """The id of the call by which an earlier controller offered a case; from now on its end is told to the case."""
        call_id = call_id_of(case.case_id, case.at)
        self._calls[case.case_id] = call_id
        return call_id

    # — the steps of one case —

    async def _case(self, case_id: str) -> Case:
        case = await self._store.read(cases.one(case_id))
        if case is None:
            raise CcaasError(f"there is no case {case_id}")
        return case

    async def _begin(self, event: StoredEvent, case: Case) -> None:
        play = self._settings.plays[event.play]
        if case.state is CaseState.NEW:
            held = await self._hold(event, play, case)
            if held is None:
                return
            case = held
        if case.state is CaseState.HELD:
            await self._offer(event, play, case)

    async def _hold(self, event: StoredEvent, play: Play, case: Case) -> Case | None:
        """The case with what is held; None when there is nothing to offer."""
        tools = self._toolbox(case.case_id, case.record_id)
        facts: dict[str, Any] = {"event": dict(event.data), **case.facts}
        began = time.monotonic()
        try:
            for step in play.choose:
                whose = Whose(case.record_id, case.tier)
                items = await listed(step, self._steps, event, facts, tools, f"choose {step.name}", whose)
                if not items:
                    await self._nothing(event, play, case, f"{step.tool or step.step}: there is nothing to choose from")
                    return None
                facts[step.name] = items[0]
            hold_id, due = "", time.time() + play.wait.minutes * 60
            if play.hold is not None:
                answer = await tools.write(play.hold.tool, filled(play.hold.arguments, facts), "hold", "")
                hold = Hold.model_validate(answer)
                facts[play.hold.name] = hold.model_dump(mode="json", include={"hold_id", "until"})
                hold_id, due = hold.hold_id, min(hold.until, due)
        except ToolError as error:
            if error.code in _AGAIN:
                raise
            await self._nothing(event, play, case, f"{error.code}: {error}")
            return None
        customer = await self._known(play, case, facts)
        kept = json.dumps({name: value for name, value in facts.items() if name != "event"})
        more = {"hold_id": hold_id, "due": due, "customer_id": customer, "facts": kept}
        await self._store.write(cases.moving(case.case_id, [CaseState.NEW], CaseState.HELD, **more))
        took = (time.monotonic() - began) * 1000
        await self._store.write(cases.noting(case.case_id, "held", said(play.offer.title, facts), took))
        case = await self._case(case.case_id)
        # Who calls or writes from now on meets it first.
        await self._thread(event, play, case, ThreadState.OPEN, "")
        self._reach.begin_anew(case.customer_id)
        return case

    async def _nothing(self, event: StoredEvent, play: Play, case: Case, why: str) -> None:
        await self._store.write(cases.noting(case.case_id, "nothing to offer", why))
        await self._store.write(cases.moving(case.case_id, [CaseState.NEW], CaseState.NOTHING, outcome=why))
        await self._closed(event, play, case, CaseState.NOTHING)

    async def _known(self, play: Play, case: Case, facts: Mapping[str, Any]) -> str:
        """The journey's id of the customer, who is made known where it is the system of record alone that knows them."""
        number = said(play.query.phone, facts)
        identity = self._spell("voice", number) if number else None
        profile = Profile(case.record_id, said(play.query.first_name, facts), tier=case.tier)
        try:
            return await self._journey.register(profile, () if identity is None else (identity,))
        except JourneyError:
            found = await self._journey.context(case.record_id)
            if found is None:
                raise
            return found.profile.id

    async def _offer(self, event: StoredEvent, play: Play, case: Case) -> None:
        """Offer it on the next channel that leads to the customer."""
        context = await self._journey.context(case.customer_id)
        preferred = context.profile.preferences.get("channel", "") if context is not None else ""
        channels = sorted(play.offer.channels, key=lambda one: one != preferred)
        identities = context.identities if context is not None else ()
        for channel in channels:
            if channel in case.tried:
                continue
            # It has been tried when that has come to something: what is cut off in between is done again under its id.
            await self._store.write(cases.setting(case.case_id, channel=channel))
            case = await self._case(case.case_id)
            try:
                how = await self._by(channel, event, play, case, identities)
            except CcaasError as error:
                await self._store.write(cases.trying(case.case_id, channel))
                await self._store.write(cases.noting(case.case_id, f"not reached by {channel}", str(error)))
                continue
            await self._store.write(cases.offering(case.case_id, channel))
            await self._store.write(cases.noting(case.case_id, f"offered by {channel}", how))
            await self._attempt(case, channel, "offered")
            WAITING.inc()
            return
        await self._settle(event, play, case, CaseState.UNREACHED)

    async def _by(
        self, channel: str, event: StoredEvent, play: Play, case: Case, identities: tuple[Identity, ...]
    ) -> str:
        kind = {"email": IdentityKind.EMAIL, "chat": IdentityKind.CHAT}.get(channel, IdentityKind.PHONE)
        address = next((one.value for one in identities if one.kind is kind), "")
        if not address:
            raise MessageFailed(f"no address for {channel} is known", again=False)
        if channel == "voice":
            call_id = call_id_of(case.case_id, case.at)
            self._calls[case.case_id] = call_id
            await self._reach.call(call_id, address, play.purpose, event.id)
            return call_id
        line = next((one for one in self._reach.lines.values() if one.kind == channel and _begins(one)), None)
        if line is None:
            raise MessageFailed(f"there is no channel for {channel}", again=False)
        text = said(play.offer.text, {"event": dict(event.data), **case.facts})
        data = {"purpose": play.purpose, "play": event.id, "case": case.case_id, NOT_AFTER: f"{case.due or 0:.3f}"}
        message = OutboundMessage(f"offer-{case.case_id}-{channel}", address, "", text, data=data)
        await self._reach.send(MessageQueued(line.name, message, "", case.customer_id), channel)
        return message.id

    async def _settle(self, event: StoredEvent, play: Play, case: Case, wanted: CaseState) -> CaseState:
        """Settle a case: what the system of record says of the hold decides. Who wants a person keeps what is held while it lasts."""
        state, due = wanted, None
        if wanted is CaseState.PERSON and case.hold_id:
            due = case.due
        elif play.hold is not None and case.hold_id:
            confirms = wanted is CaseState.CONFIRMED
            hold = await self._held(play.hold, case, confirms=confirms)
            if hold is HoldState.CONFIRMED:
                state = CaseState.CONFIRMED
            elif confirms:
                state = CaseState.EXPIRED if hold is HoldState.EXPIRED else CaseState.DECLINED
        waited = case.state in OPEN
        more: dict[str, object] = {"outcome": state.value} | ({} if due is None else {"due": due})
        moved = await self._store.write(cases.moving(case.case_id, NEXT, state, **more))
        case = await self._case(case.case_id)
        if moved and waited:
            WAITING.dec()
        await self._closed(event, play, case, case.state)
        return case.state

    async def _held(self, step: HoldStep, case: Case, *, confirms: bool) -> HoldState:
        """Confirm what is held, or release it; what it is then."""
        tools = self._toolbox(case.case_id, case.record_id)
        tool = step.confirm if confirms else step.release
        answer = await tools.write(tool, {"hold_id": case.hold_id}, "confirm" if confirms else "release", "")
        return Hold.model_validate(answer).state

    async def _let_go(self, event: StoredEvent, play: Play, case: Case) -> None:
        """Who wanted a person has not taken what was held for them."""
        if play.hold is not None:
            await self._held(play.hold, case, confirms=False)
        await self._store.write(cases.setting(case.case_id, due=None))
        await self._store.write(cases.noting(case.case_id, "let go", "it was held until now"))
        await self._thread(event, play, await self._case(case.case_id), ThreadState.CLOSED, self._words(play, case))

    async def _closed(self, event: StoredEvent, play: Play, case: Case, state: CaseState) -> None:
        """What follows from an end, each part of it harmless when it is done again."""
        CASES.labels(event.play, state.value).inc()
        await self._store.write(cases.noting(case.case_id, "ended", state.value))
        resolution = _RESOLUTIONS[state]
        await self._ledger(self._incidents.close(case.case_id, resolution, "butler", time.time()))
        if case.customer_id:
            thread = ThreadState.OPEN if case.answerable else ThreadState.CLOSED
            await self._thread(event, play, case, thread, self._words(play, case))
        call_id = self._calls.pop(case.case_id, None)
        if call_id is not None:
            await self._reach.hang_up(call_id)

    async def _attempt(self, case: Case, channel: str, outcome: str) -> None:
        attempt = Attempt(f"{case.case_id}:{channel}", case.case_id, channel, time.time(), outcome)
        await self._ledger(self._incidents.attempted(attempt))

    @staticmethod
    async def _ledger(telling: Awaitable[None]) -> None:
        """The ledger counts; it stops nothing."""
        try:
            await telling
        except CcaasError as error:
            _log.error("the incident ledger was not told", error=str(error))

    async def _thread(self, event: StoredEvent, play: Play, case: Case, state: ThreadState, outcome: str) -> None:
        facts = {"event": dict(event.data), **case.facts}
        await self._journey.thread(
            Thread(
                id=f"play-{case.case_id}",
                customer_id=case.customer_id,
                goal=play.offer.goal,
                title=said(play.offer.title, facts),
                state=state,
                channel=case.channel,
                opened_at=case.at,
                updated_at=self._wall(),
                slots={"offer": case.case_id, "offer_said": said(play.offer.said, facts)},
                outcome=outcome,
            )
        )

    def _words(self, play: Play, case: Case) -> str:
        words = {
            CaseState.CONFIRMED: play.wait.confirmed,
            CaseState.DECLINED: play.wait.declined,
            CaseState.PERSON: play.wait.person,
        }.get(case.state, play.wait.too_late)
        return said(words, case.facts)

    def _told_again(self, play: Play, case: Case, word: str) -> Answered:
        """The honest answer to an answer that comes again, or too late."""
        if case.state is CaseState.CONFIRMED:
            return Answered(case.state, f"{play.wait.already} {self._words(play, case)}", again=True)
        words = play.wait.too_late if word == "yes" else self._words(play, case)
        return Answered(case.state, said(words, case.facts), again=True)


_RESOLUTIONS = {
    CaseState.CONFIRMED: Resolution.RESOLVED,
    CaseState.DECLINED: Resolution.DECLINED,
    CaseState.PERSON: Resolution.HANDED_OVER,
    CaseState.EXPIRED: Resolution.UNREACHED,
    CaseState.UNREACHED: Resolution.UNREACHED,
    CaseState.NOTHING: Resolution.FAILED,
}
_AGAIN = frozenset({"unavailable", "timeout", "fault"})
"""Codes of tools that may do it when they are asked again."""


def call_id_of(case_id: str, at: float) -> str:
    """The id of the call that offers a case: the same in every process, and spelled as every call's."""
    digest = hashlib.sha256(case_id.encode()).hexdigest()[:8]
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime(at))}{digest}"


def _begins(line: Line) -> bool:
    return line.channel.capabilities.can_begin
