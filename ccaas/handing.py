"""From calls to queues: what a call's agent knows, as the queues want it, and what outlives a controller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from ccaas.acquaintance import Known
from ccaas.actions.approvals import Approvals
from ccaas.actions.audit import Audit, Outcome, ToolRun
from ccaas.actions.requests import Standing
from ccaas.config.configuration import Configuration, load
from ccaas.config.settings import CcaasSettings
from ccaas.contact.bundle import Asked, Facts, Tried, said
from ccaas.contact.centre import Centre
from ccaas.contact.handoff import Handoff
from ccaas.contact.numbers import Telephone, telephone
from ccaas.contact.place import QueuePlace
from ccaas.contact.rules import Caller, Rules
from ccaas.conversation.events import TurnRecord
from ccaas.errors import CcaasError, ContactError
from ccaas.journal.humans import (
    AgentAct,
    AgentStateKept,
    HandoffKept,
    HandoffOver,
    HandoffPast,
    agent_states,
    kept_handoffs,
)
from ccaas.journal.journal import Journal
from ccaas.ports.contact import AgentState, CallView, Line, Supervision
from ccaas.ports.journey import Assurance, Customer, Profile
from ccaas.ports.reasoning import Topic
from ccaas.ports.tools import Effect
from ccaas.telephony.call import Call

_log = structlog.get_logger(__name__)

Supervise = Callable[[str, str, Supervision | None], Awaitable[None]]
"""Conversation, endpoint of who takes part, how."""


def rules_of(settings: CcaasSettings) -> Rules:
    """What the YAML says of queues and agents."""
    return Rules(
        dict(settings.agents),
        dict(settings.queues),
        settings.handoff,
        {name: (one.endpoint, float(one.timeout_s)) for name, one in settings.destinations.items()},
        settings.timezone,
        frozenset(number for entry in settings.entries.values() for number in entry.numbers),
    )


class Handing:
    """The queues of one controller, joined to its journal; implements `contact.rules.Outside`."""

    def __init__(
        self,
        configuration: Configuration,
        journal: Journal,
        clock: Callable[[], datetime],
        calls: Callable[[], Iterable[Call]],
        call_back: Callable[[Handoff], Awaitable[str]],
        approvals: Approvals,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`: Unix seconds, for who waits how long."""
        self._now = now
        self._configuration = configuration
        self._journal = journal
        self._clock = clock
        self._calls = calls
        self._call_back = call_back
        self._approvals = approvals
        self.supervises: Supervise | None = None
        """Who lets a supervisor take part; None: nobody can."""
        self.writing = asyncio.Lock()
        self.centre: Centre
        self._known: dict[str, CallHanding] = {}
        """By call."""
        self._texts: WeakValueDictionary[str, CallHanding] = WeakValueDictionary()
        """By written conversation, which keeps its own."""

    async def open(self) -> None:
        """Take up what an earlier controller left."""
        rules = rules_of(self._configuration.settings)
        handoffs = [Handoff.of(record) for record in await self._journal.ask(kept_handoffs)]
        states = [
            (one.login, AgentState(one.state), one.reason, one.since) for one in await self._journal.ask(agent_states)
        ]
        for one in handoffs:
            if one.queue not in rules.queues:
                self.drop(one.id)
        kept = [one for one in handoffs if one.queue in rules.queues]
        self.centre = Centre(rules, self, self._now, kept, states)

    def for_call(self, caller: Mapping[str, str], customer: Customer | None, entry: str) -> CallHanding:
        """One call's way to a person. `caller`: its `call_id` and `address`."""
        one = CallHanding(self, caller["call_id"], caller["address"], customer, entry)
        self._known[caller["call_id"]] = one
        return one

    def turn(self, conversation_id: str, turn: TurnRecord) -> None:
        """A turn of a call or of a conversation by text: its lines go to who watches."""
        known = self._known.get(conversation_id) or self._texts.get(conversation_id)
        if known is not None:
            known.said(turn)
            return
        for line in said(time.time(), turn):
            self.centre.said(conversation_id, line)

    def for_text(self, conversation_id: str, one: CallHanding) -> None:
        """One written conversation's way to a person, as long as the conversation keeps it."""
        self._texts[conversation_id] = one

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._known.pop(call_id, None)
        self._texts.pop(call_id, None)
        self.centre.left(call_id)

    # — Outside —

    def keep(self, handoff: Handoff) -> None:
        self._journal.post(HandoffKept(handoff.id, handoff.call_id, handoff.record()))

    def drop(self, handoff_id: str) -> None:
        self._journal.post(HandoffPast(handoff_id), HandoffOver(handoff_id))

    def agent(self, login: str, state: AgentState, reason: str, since: float) -> None:
        self._journal.post(AgentStateKept(login, state.value, reason, since))

    def audit(self, by: str, did: str, about: str, detail: str) -> None:
        self._journal.post(AgentAct(by, did, about, detail))

    def clock(self) -> datetime:
        return self._clock()

    def calls(self) -> Iterable[CallView]:
        """The calls that are up, with the AI as who has them."""
        for call in self._calls():
            known = self._known.get(call.id)
            who = known.customer_name if known is not None else ""
            score = known.score if known is not None else None
            yield CallView(
                call.id, "voice", call.state.value, call.since, who or call.ani or "withheld", "butler", score=score
            )

    async def facts(self, conversation_id: str) -> Facts | None:
        known = self._known.get(conversation_id) or self._texts.get(conversation_id)
        return await known.facts() if known is not None else None

    async def call_back(self, handoff: Handoff) -> str:
        return await self._call_back(handoff)

    async def supervise(self, conversation_id: str, endpoint: str, mode: Supervision | None) -> None:
        if self.supervises is None:
            raise ContactError("nobody can listen to calls in this installation")
        await self.supervises(conversation_id, endpoint, mode)

    def load(self) -> Rules:
        return rules_of(load(self._configuration.file).settings)

    async def asked(self, conversation_id: str) -> tuple[Asked, ...]:
        """Requests of the conversation that wait for a person."""
        try:
            requests = await self._approvals.of(conversation_id=conversation_id)
        except CcaasError as error:
            _log.error("what waits for approval is not known", call=conversation_id, error=str(error))
            return ()
        return tuple(
            Asked(one.id, one.tool, one.arguments, one.reason) for one in requests if one.standing is Standing.WAITING
        )


class CallHanding:
    """What one call's agent tells the queues."""

    channel = "voice"

    def __init__(self, handing: Handing, call_id: str, address: str, customer: Customer | None, entry: str) -> None:
        self._handing = handing
        self._call_id = call_id
        self._address = address
        self._customer = customer
        self._entry = entry
        self._why = ""
        self._turns: dict[str, tuple[float, TurnRecord]] = {}
        self._told: set[tuple[str, str]] = set()
        self._runs: dict[str, ToolRun] = {}
        self._place: QueuePlace | None = None
        self._lines: list[Line] = []
        self.known: Known | None = None
        self.topic: Topic | None = None

    def audited(self, audit: Audit) -> Audit:
        """The same audit; what is stored there is known here too."""
        return _Watched(audit, self._run)

    def remember(self, turns: Iterable[TurnRecord]) -> None:
        """Turns of an earlier controller; when they were is not known any more."""
        self._turns |= {turn.turn_id: (time.time(), turn) for turn in turns}

    def said(self, turn: TurnRecord) -> None:
        """A turn has begun or is over: what is new of it goes to who watches the call."""
        at = self._turns[turn.turn_id][0] if turn.turn_id in self._turns else time.time()
        self._turns[turn.turn_id] = (at, turn)
        for line in said(at, turn):
            # The agent's words are not all heard before the turn is over; the caller's score may come later.
            key = (line.who + str(line.score), line.turn_id)
            if key not in self._told and (line.who == "customer" or turn.over):
                self._told.add(key)
                self._handing.centre.said(self._call_id, line)

    @property
    def overhears(self) -> bool:
        """Whether talks with people are written down."""
        return self._handing.centre.rules.handoff.overhear

    @property
    def writing(self) -> asyncio.Lock:
        """Held by whoever writes down what people say: callers who talk with the AI must not wait for it."""
        return self._handing.writing

    def drafted(self, text: str, *, customer: bool) -> None:
        """What is being said to a person, or by them, so far."""
        self._handing.centre.drafted(self._call_id, "customer" if customer else self._person, text)

    def overheard(self, text: str, *, customer: bool) -> tuple[str, str]:
        """Something was said to a person, or by them; a name for it, and the login."""
        login = self._person
        line = Line(time.time(), "customer" if customer else login, text)
        self._lines.append(line)
        self._handing.centre.said(self._call_id, line)
        return f"overheard:{round(line.at * 1000)}:{line.who}", login

    @property
    def _person(self) -> str:
        """The login of whoever talks with the customer."""
        one = self._handing.centre.of_call(self._call_id)
        return (one.agent if one is not None else "") or "person"

    def why(self, why: str) -> None:
        """Why the next place is wanted."""
        self._why = why

    def place(self, name: str) -> QueuePlace | None:
        """See `Attendant`."""
        one = self._handing.centre.enqueue(self._caller(), name, self._why or "transfer", self.score)
        if one is not None:
            self._place = QueuePlace(self._handing.centre, one)
        return self._place if one is not None else None

    def telephone(self, number: str) -> Telephone | None:
        """The outside telephone that somebody has sent the caller to; None when it is a name, or not allowed (any more)."""
        rules = self._handing.centre.rules
        try:
            return telephone(number, rules.handoff.numbers, rules.own_numbers)
        except ContactError as error:
            _log.error("the caller is not sent there", call=self._call_id, error=str(error))
            return None

    def kept_place(self) -> QueuePlace | None:
        """See `Attendant`."""
        one = self._handing.centre.kept(self._caller())
        self._place = QueuePlace(self._handing.centre, one) if one is not None else self._place
        return self._place if one is not None else None

    def words(self) -> str:
        """What the AI says first when the caller is back."""
        words = self._place.handoff.words if self._place is not None else ""
        handoff = self._handing.centre.rules.handoff
        return words or handoff.sentence("returned", "en-US")

    def left(self) -> None:
        """The call is over."""
        self._handing.forget(self._call_id)

    def _run(self, run: ToolRun) -> None:
        self._runs[run.key or f"{run.tool} {run.at}"] = run

    @property
    def score(self) -> float | None:
        """The newest."""
        scores = [turn.sentiment for _, turn in self._turns.values() if turn.sentiment is not None]
        return scores[-1] if scores else None

    @property
    def customer_name(self) -> str:
        """Empty while nobody knows it."""
        people = (self._customer, self._profile)
        return next((f"{one.first_name} {one.last_name}".strip() for one in people if one is not None), "")

    @property
    def _unnamed(self) -> str:
        """What who is not known by name is called."""
        return self._address

    @property
    def _profile(self) -> Profile | None:
        return self.known.context.profile if self.known is not None and self.known.context is not None else None

    def _caller(self) -> Caller:
        tiers = (one.tier for one in (self._customer, self._profile) if one is not None)
        tier = next(filter(None, tiers), "")
        name = self.customer_name or self._unnamed
        return Caller(self._call_id, name, tier, self._address, self._entry, "en-US", self.facts, self.channel)

    async def facts(self) -> Facts:
        """What a person needs to know of it."""
        known = self.known
        return Facts(
            conversation_id=self._call_id,
            channel=self.channel,
            customer=self._customer,
            assurance=known.assurance if known is not None else Assurance.NONE,
            context=known.context if known is not None else None,
            topic=self.topic,
            turns=tuple(self._turns.values()),
            tried=tuple(_tried(run) for run in self._runs.values()),
            asked=await self._handing.asked(self._call_id),
            overheard=tuple(self._lines),
        )


def _tried(run: ToolRun) -> Tried:
    code, _, sentence = run.error.partition(": ")
    return Tried(
        run.tool,
        done=run.outcome is Outcome.DONE,
        writes=run.effect is Effect.WRITE,
        arguments=dict(run.arguments),
        said=sentence or code,
        only_human=code == "needs_approval" or run.rule == "callers",
    )


class _Watched:
    """An audit that tells what is stored in it."""

    def __init__(self, audit: Audit, tell: Callable[[ToolRun], None]) -> None:
        self._audit = audit
        self._tell = tell

    async def store(self, run: ToolRun) -> None:
        await self._audit.store(run)
        self._tell(run)

    def note(self, run: ToolRun) -> None:
        self._audit.note(run)
        self._tell(run)
