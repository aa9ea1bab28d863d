"""The queues and the agents while calls are up: who waits, who rings, who talks.

Everything is changed on the event loop by plain methods; one owner task (`run`) looks at what is due and who can be offered
to whom, and each offer to an agent is a task of its own.

This module is long because every news of a call ends here, and each of them is a few lines.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from ccaas.contact.bundle import Facts, briefing, bundle
from ccaas.contact.choice import Candidate, chosen, serves
from ccaas.contact.handoff import Handoff, Stage
from ccaas.contact.hours import is_open
from ccaas.contact.people import Person
from ccaas.contact.rules import Caller, Outside, Rules
from ccaas.contact.settings import BUTLER, QueueSettings, Way
from ccaas.contact.state import AgentStep
from ccaas.contact.views import Views
from ccaas.contact.waiting import Figures, expected_wait, ordered, priority
from ccaas.errors import CcaasError, ContactError
from ccaas.ports.contact import (
    AgentState,
    Board,
    BoardChanged,
    CallChanged,
    Drafted,
    Line,
    News,
    Said,
)
from ccaas.ports.journey import Assurance
from ccaas.ports.queueing import (
    Announce,
    Dismiss,
    Leave,
    Order,
    Ring,
    StopRinging,
)
from ccaas.spelling import nearest

_log = structlog.get_logger(__name__)

_BOARD_S = 0.1
"""No two boards are told within this."""
_FIRST_ANNOUNCEMENT_S = 10.0
_LOST_S = 30.0
"""How long after a restart a desktop may take to come back."""
_AGAIN_S = 60.0
_CALLS_BACK = 2
"""How often somebody is called back, and after which time again."""


class Floor:
    """Made with what the journal kept; works while `run` is running."""

    def __init__(
        self,
        rules: Rules,
        outside: Outside,
        now: Callable[[], float],
        kept: Iterable[Handoff] = (),
        states: Iterable[tuple[str, AgentState, str, float]] = (),
    ) -> None:
        """`now`: Unix seconds. `states`: login, state, reason, since."""
        self.rules = rules
        self._outside = outside
        self._now = now
        self._people = {login: Person(login, one, since=now()) for login, one in rules.agents.items()}
        self._handoffs = {one.id: one for one in kept}
        self._figures: dict[str, Figures] = {}
        self._views = Views(self)
        self._listeners: list[Callable[[News], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._dirty = False
        self._told_at = -1.0
        for login, state, reason, since in states:
            self._restore(login, state, reason, since)

    def _restore(self, login: str, state: AgentState, reason: str, since: float) -> None:
        person = self._people.get(login)
        if person is None:
            return
        talking = next(
            (one for one in self._handoffs.values() if one.agent == login and one.stage is Stage.TALKING), None
        )
        if talking is not None:
            person.state, person.conversation_id = AgentState.ON_CALL, talking.call_id
            person.answered_at = talking.answered_at
        elif state in (AgentState.AVAILABLE, AgentState.AWAY):
            person.state, person.reason = state, reason
        elif state is not AgentState.OFFLINE:
            person.state = AgentState.AVAILABLE
        person.since = person.idle_since = since
        person.lost_at = self._now() if person.settings.needs_desktop else None

    # — the owner task —

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._wake.clear()
                due = self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(max(due - self._now(), 0.01), 5.0)):
                        await self._wake.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look(self) -> float:
        """Do what is due; when something is next."""
        now = self._now()
        due = [now + 5.0]
        due += [self._look_at(person, now) for person in self._people.values()]
        due += [
            self._look_after(one, one.tell, now)
            for one in tuple(self._handoffs.values())
            if one.stage is Stage.WAITING and one.tell is not None and one.going is None
        ]
        self._match(now)
        if self._dirty:
            wait = self._told_at + _BOARD_S - now
            if wait > 0:
                due.append(now + wait)
            else:
                self._dirty, self._told_at = False, now
                if self._listeners:
                    self._tell(BoardChanged(self.board()))
        return min(due)

    def _look_at(self, person: Person, now: float) -> float:
        if person.state is AgentState.WRAP_UP and person.until is not None:
            if now < person.until:
                return person.until
            self._wrapped(person)
        if person.lost_at is not None and person.desktop is None:
            if now < person.lost_at + _LOST_S:
                return person.lost_at + _LOST_S
            person.lost_at = None
            if person.state in (AgentState.AVAILABLE, AgentState.AWAY):
                self._step(person, AgentStep.SIGNED_OUT, "the desktop did not come back")
        return now + 5.0

    def _look_after(self, one: Handoff, tell: Callable[[Order], None], now: float) -> float:
        """Somebody waits and nothing rings: ways out, and what they hear."""
        queue = self.rules.queues[one.queue]
        way = self._way(one, queue, now)
        if way is not None:
            self._send(one, tell, *way)
            return now
        due = [now + 5.0]
        if queue.overflow is not None:
            due.append(one.since + queue.overflow.after_s)
        if one.speaking:
            return min(due)
        if queue.callback_s and not one.offered_callback and one.address and self.rules.handoff.call_back:
            due.append(one.since + queue.callback_s)
            if now >= one.since + queue.callback_s:
                one.offered_callback = one.speaking = True
                self._outside.keep(one)
                tell(Announce(self._sentence(one, "callback"), asks=True))
                return min(due)
        if queue.announce_s:
            next_at = one.announced_at + queue.announce_s
            if now >= next_at:
                one.announced_at, one.speaking = now, True
                tell(Announce(self._announcement(one, now)))
            due.append(max(next_at, now + 1.0))
        return min(due)

    def _way(self, one: Handoff, queue: QueueSettings, now: float) -> tuple[Way, str] | None:
        """Where the caller goes instead of waiting here, and the name of the sentence before it."""
        if one.only:
            person = self._people.get(one.only)
            return None if person and person.state is AgentState.AVAILABLE else (Way(), "nobody")
        if not is_open(queue.hours, self._outside.clock(), self.rules.timezone):
            return queue.closed, "closed"
        if queue.nobody is not None and not self._at_work(queue):
            return queue.nobody, "nobody"
        if queue.overflow is not None and now >= one.since + queue.overflow.after_s:
            return queue.overflow, "overflow"
        return None

    def _send(self, one: Handoff, tell: Callable[[Order], None], way: Way, sentence: str) -> None:
        to = "" if way.to == BUTLER else way.to
        words = way.say or ("" if to else self._sentence(one, sentence))
        self._sent(one, to, words)
        tell(Leave(to, words if to else ""))
        _log.info("waits no longer here", handoff=one.id, queue=one.queue, why=sentence, to=to or BUTLER)
        self._changed()

    def _sent(self, one: Handoff, to: str, words: str = "") -> None:
        """The caller goes elsewhere; whatever is not a queue or an agent needs no place any more."""
        one.going, one.words = to, words
        if to not in self.rules.queues and to not in self._people:
            self._forget(one)

    def _announcement(self, one: Handoff, now: float) -> str:
        position = self._position(one, now)
        words = [self._sentence(one, "first") if position == 1 else self._sentence(one, "position", position=position)]
        wait = self._expected(one.queue, position)
        if wait is not None:
            minutes = round(wait / 60)
            words.append(self._sentence(one, "minutes", minutes=minutes) if minutes else self._sentence(one, "soon"))
        return " ".join([*words, self._sentence(one, "thanks")])

    # — who rings —

    def _match(self, now: float) -> None:
        def rank(one: Handoff) -> tuple[float, float]:
            return -priority(one.standing, self.rules.queues[one.queue].priority, now), one.since

        for one in sorted((one for one in self._handoffs.values() if one.waits), key=rank):
            if one.not_before <= now:
                self._serve(one)

    def _serve(self, one: Handoff) -> bool:
        """Offer it to somebody; False: nobody can take it now."""
        person = self._choose(one)
        if person is None:
            return False
        one.stage, one.agent = Stage.OFFERED, person.login
        one.acknowledged = False
        self._step(person, AgentStep.OFFERED)
        person.conversation_id = one.call_id
        self._start(self._offer(one, person))
        return True

    def _choose(self, one: Handoff) -> Person | None:
        queue = self.rules.queues[one.queue]
        people = [person for person in self._people.values() if not one.only or person.login == one.only]
        if one.only:
            queue = queue.model_copy(update={"skills": {}})
        found = chosen((candidate(person) for person in people), queue)
        return self._people[found.login] if found is not None else None

    async def _offer(self, one: Handoff, person: Person) -> None:
        """Put it before the agent, and only then let the phone ring."""
        began = self._now()
        facts = await self._facts(one)
        if person.desktop is not None and not await self._acknowledged(one, person, facts):
            self._miss(one, person, "the desktop did not answer")
            return
        if one.stage is not Stage.OFFERED or one.agent != person.login:
            return
        one.acknowledged = True
        _log.info(
            "handed over",
            handoff=one.id,
            agent=person.login,
            queue=one.queue,
            desktop=person.desktop is not None,
            took_ms=round(1000 * (self._now() - began), 1),
        )
        if one.tell is None:
            await self._call_back(one)
            return
        queue = self.rules.queues[one.queue]
        words = briefing(facts, one.why) if queue.brief and facts is not None else ""
        one.tell(Ring(person.settings.dial(person.login), queue.ring_s, one.address, words))

    async def _facts(self, one: Handoff) -> Facts | None:
        try:
            return await one.facts() if one.facts is not None else None
        except CcaasError as error:
            _log.error("the bundle could not be made", handoff=one.id, error=str(error))
            return None

    async def _acknowledged(self, one: Handoff, person: Person, facts: Facts | None) -> bool:
        assert person.desktop is not None  # only asked with one
        if facts is None:
            facts = Facts(one.call_id, one.channel, None, Assurance.NONE, None)
        waited = (one.answered_at or self._now()) - one.since
        put = bundle(
            facts, self.rules.handoff, handoff_id=one.id, queue=one.queue, why=one.why, waited_s=round(waited, 1)
        )
        if one.text is not None and one.text.closed:
            put = replace(put, closed=one.text.closed)
        try:
            async with asyncio.timeout(self.rules.handoff.acknowledge_s):
                return await person.desktop.offer(put)
        except TimeoutError:
            return False

    async def _call_back(self, one: Handoff) -> None:
        one.stage = Stage.CALLING
        try:
            one.call_id = await self._outside.call_back(one)
        except CcaasError as error:
            _log.warning("not called back", handoff=one.id, error=str(error))
            self._not_reached(one)
        else:
            self._people[one.agent].conversation_id = one.call_id
            self._keep(one)

    def _not_reached(self, one: Handoff) -> None:
        """They did not answer the call back."""
        self._free(one, "the customer was not reached")
        one.attempts += 1
        if one.attempts >= _CALLS_BACK:
            self._forget(one)
            return
        one.stage, one.tell, one.not_before = Stage.CALLBACK, None, self._now() + _AGAIN_S
        self._keep(one)

    def _miss(self, one: Handoff, person: Person, why: str) -> None:
        """The agent did not take it: away with the reason, and the next one is tried."""
        if person.state is AgentState.RINGING:
            self._step(person, AgentStep.MISSED, why)
        if person.desktop is not None:
            person.desktop.withdraw(one.id, why)
        if one.agent == person.login and one.stage in (Stage.OFFERED, Stage.CALLING):
            one.stage, one.agent = (Stage.WAITING if one.tell is not None else Stage.CALLBACK), ""
            one.only = ""
        self._changed()

    def _free(self, one: Handoff, why: str) -> None:
        """Who rings for it, or was asked about it, is available again."""
        person = self._people.get(one.agent)
        if person is not None and person.state is AgentState.RINGING:
            if person.desktop is not None:
                person.desktop.withdraw(one.id, why)
            self._step(person, AgentStep.WITHDRAWN)
        one.agent = ""

    # — what calls tell (see `place.QueuePlace`) —

    def enqueue(self, caller: Caller, name: str, why: str, score: float | None) -> Handoff | None:
        """A place in a queue, or before one agent; None when nothing is called so. A call that has one keeps its waiting
        time."""
        old = self.of_call(caller.call_id)
        only = name if name in self._people and name not in self.rules.queues else ""
        queue = name if name in self.rules.queues else (old.queue if old is not None else "") if only else ""
        if queue not in self.rules.queues:
            return None
        now = self._now()
        one = old or Handoff(f"h-{secrets.token_hex(8)}", caller.call_id, queue, why, now)
        if old is not None and old.answered_at:  # they come from a person
            one.why, one.since, one.answered_at = "transfer", now, 0.0
        one.queue, one.only, one.stage, one.agent, one.going = queue, only, Stage.WAITING, "", None
        one.words = ""
        one.tier, one.customer, one.address = caller.tier, caller.customer, caller.address
        one.entry, one.locale, one.facts, one.channel = caller.entry, caller.locale, caller.facts, caller.channel
        one.score = score
        one.announced_at = now + _FIRST_ANNOUNCEMENT_S - self.rules.queues[queue].announce_s
        one.speaking, one.tell, one.consulted, one.conference = False, None, "", False
        self._handoffs[one.id] = one
        self._keep(one)
        return one

    def kept(self, caller: Caller) -> Handoff | None:
        """The place that an earlier controller had given this call, or for which it is made."""
        one = self.of_call(caller.call_id)
        if one is None or one.queue not in self.rules.queues:
            return None
        one.facts, one.locale = one.facts or caller.facts, caller.locale
        if one.stage is Stage.CALLBACK:  # an earlier controller was calling them
            one.stage = Stage.WAITING
        one.announced_at = self._now() + _FIRST_ANNOUNCEMENT_S - self.rules.queues[one.queue].announce_s
        return one

    def of_call(self, call_id: str) -> Handoff | None:
        """The handoff of a call."""
        return next((one for one in self._handoffs.values() if one.call_id == call_id), None)

    def follow(self, one: Handoff, tell: Callable[[Order], None]) -> None:
        """The call takes orders."""
        one.tell = tell
        if one.stage is Stage.CALLING:
            tell(Announce(self._sentence(one, "callback_here")))
        self._show_again(one)
        self._changed()

    def _show_again(self, one: Handoff) -> None:
        """The desktop of who talks with them does not have them: an earlier controller had put them there, or its page was
        gone meanwhile."""
        person = self._people.get(one.agent)
        waits = one.stage is Stage.TALKING and one.tell is not None and not one.written and not one.acknowledged
        if waits and person is not None and person.desktop is not None:
            one.acknowledged = True  # at once, so that it is begun once
            self._start(self._put_back(one, person))

    async def _put_back(self, one: Handoff, person: Person) -> None:
        one.acknowledged = await self._acknowledged(one, person, await self._facts(one))
        if one.acknowledged and one.stage is Stage.TALKING and one.agent == person.login:
            self._call_changed(one, "conference" if one.conference else "talking")

    def announced(self, one: Handoff, *, wanted: bool) -> None:
        """What was to be said has been said."""
        one.speaking = False
        if wanted:
            self._keep_place(one)
        if one.stage is Stage.CALLING and one.tell is not None:  # they know who calls: now the agent's phone
            one.stage = Stage.OFFERED
            person, queue = self._people[one.agent], self.rules.queues[one.queue]
            one.tell(Ring(person.settings.dial(person.login), queue.ring_s, one.address))
        self._wake.set()

    def key(self, one: Handoff, digit: str) -> None:
        """The caller pressed a key: 1 takes the call-back that was offered."""
        if digit == "1" and one.offered_callback:
            self._keep_place(one)

    def _keep_place(self, one: Handoff) -> None:
        if one.stage is not Stage.WAITING or one.tell is None or one.going is not None:
            return
        one.stage, one.why = Stage.CALLBACK, "callback"
        one.tell(Dismiss(self._sentence(one, "called_back")))
        one.tell = None
        one.not_before = self._now() + _FIRST_ANNOUNCEMENT_S  # until they have hung up
        self._keep(one)

    def rings(self, one: Handoff) -> None:
        """The agent's phone rings."""
        self._call_changed(one, "ringing")

    def answered(self, one: Handoff) -> None:
        """The agent has the caller."""
        now = self._now()
        person = self._people.get(one.agent)
        if person is not None and person.state is AgentState.RINGING:
            self._step(person, AgentStep.ANSWERED)
            person.answered_at, person.queue, person.conversation_id = now, one.queue, one.call_id
        one.stage, one.answered_at = Stage.TALKING, now
        figures = self._figures_of(one.queue)
        figures.answered += 1
        figures.within += now - one.since <= self.rules.queues[one.queue].service_level.seconds
        self._keep(one)
        self._call_changed(one, "talking")

    def missed(self, one: Handoff, why: str) -> None:
        """The agent's phone was not answered."""
        person = self._people.get(one.agent)
        if person is not None and one.stage is Stage.OFFERED:
            self._miss(one, person, why)

    def consulting(self, one: Handoff, state: str) -> None:
        """What came of a consultation."""
        other = self._people.get(one.consulted)
        if state == "consulting" and other is not None and other.state is AgentState.RINGING:
            self._step(other, AgentStep.ANSWERED)
            other.answered_at, other.queue, other.conversation_id = self._now(), one.queue, one.call_id
        elif state in ("failed", "talking"):
            if other is not None and other.state is AgentState.RINGING:
                self._miss(one, other, "did not answer")
            elif other is not None:
                self._ended(other, one)
                if other.desktop is not None:
                    other.desktop.withdraw(one.id, "you are consulted no longer")
            one.consulted, one.conference = "", False
        elif state == "conference":
            one.conference = True
        elif state == "transferred":
            first = self._people.get(one.agent)
            one.agent, one.consulted, one.conference = one.consulted if other is not None else "", "", False
            if first is not None:
                self._ended(first, one)
            self._keep(one)
        self._call_changed(one, "talking" if state in ("failed", "transferred") else state)

    def let_go(self, one: Handoff) -> None:
        """The people's part is over; the caller may go on elsewhere."""
        if one.agent or one.consulted:
            self._call_changed(one, "ended")
        for login in (one.agent, one.consulted):
            if (person := self._people.get(login)) is not None:
                self._ended(person, one)
        one.agent = one.consulted = ""

    def over(self, one: Handoff, *, hung_up: bool) -> None:
        """The caller's call has ended."""
        if one.stage is Stage.CALLBACK:  # they keep their place
            one.not_before = 0.0
            self._keep(one)
            return
        if one.stage is Stage.CALLING and one.tell is None:
            self._not_reached(one)
            return
        if one.stage in (Stage.WAITING, Stage.OFFERED, Stage.CALLING) and one.id in self._handoffs:
            if hung_up:
                self._figures_of(one.queue).abandoned += 1
            self._free(one, "the caller has hung up")
        self.let_go(one)
        self._forget(one)

    def left(self, call_id: str) -> None:
        """The call is over, or its caller is with the AI: whatever place it had is nobody's."""
        one = self.of_call(call_id)
        if one is not None and one.stage is not Stage.CALLBACK:
            self.over(one, hung_up=False)

    def said(self, conversation_id: str, line: Line) -> None:
        """A new line of a conversation."""
        self._tell(Said(conversation_id, line))
        self._dirty = True

    def drafted(self, conversation_id: str, who: str, text: str) -> None:
        """Words of a line that may go on."""
        self._tell(Drafted(conversation_id, who, text))

    def _ended(self, person: Person, one: Handoff) -> None:
        if person.state is AgentState.RINGING:
            self._step(person, AgentStep.WITHDRAWN)
            if person.desktop is not None:
                person.desktop.withdraw(one.id, "the call is over")
        if person.state is not AgentState.ON_CALL:
            return
        self._step(person, AgentStep.ENDED)
        queue = self.rules.queues.get(one.queue)
        person.conversation_id = one.call_id
        person.until = self._now() + (queue.wrap_up_s if queue is not None else 0)

    def _wrapped(self, person: Person) -> None:
        if person.queue in self.rules.queues:
            self._figures_of(person.queue).handled.append(self._now() - person.answered_at)
        person.finish(self._now())
        self._outside.agent(person.login, person.state, person.reason, person.since)
        self._changed()

    # — news —

    def board(self) -> Board:
        """See the port."""
        return self._views.board(self._now())

    def subscribe(self, tell: Callable[[News], None]) -> Callable[[], None]:
        """See the port."""
        self._listeners.append(tell)
        return lambda: self._listeners.remove(tell)

    @property
    def people(self) -> tuple[Person, ...]:
        """All agents."""
        return tuple(self._people.values())

    @property
    def handoffs(self) -> tuple[Handoff, ...]:
        """All that are under way."""
        return tuple(self._handoffs.values())

    @property
    def outside(self) -> Outside:
        """What it was made with."""
        return self._outside

    def figures(self, queue: str) -> Figures:
        """Today's."""
        return self._figures_of(queue)

    def line(self, queue: str, now: float) -> list[Handoff]:
        """Who waits in a queue, in order."""
        waiting = [one for one in self._handoffs.values() if one.queue == queue and one.stage is not Stage.TALKING]
        waiting = [one for one in waiting if one.going is None]
        order = ordered((one.standing for one in waiting), self.rules.queues[queue].priority, now)
        return [self._handoffs[standing.handoff_id] for standing in order]

    def expected(self, queue: str) -> float | None:
        """Seconds for who joins now."""
        return self._expected(queue, len(self.line(queue, self._now())) + 1)

    def _position(self, one: Handoff, now: float) -> int:
        return self.line(one.queue, now).index(one) + 1

    def _expected(self, name: str, position: int) -> float | None:
        queue = self.rules.queues[name]
        here = [person for person in self._people.values() if serves(person.settings.skills, queue)]
        working = [one for one in here if one.state not in (AgentState.OFFLINE, AgentState.AWAY) and one.reachable]
        free = sum(one.state is AgentState.AVAILABLE and not one.texts for one in working)
        handled: deque[float] = self._figures_of(name).handled
        return expected_wait(position, len(working), free, handled)

    def _at_work(self, queue: QueueSettings) -> bool:
        """Whether anybody of it is signed in; a desktop that may come back after a restart counts."""
        return any(
            person.state is not AgentState.OFFLINE and serves(person.settings.skills, queue)
            for person in self._people.values()
        )

    def _figures_of(self, queue: str) -> Figures:
        return self._figures.setdefault(queue, Figures()).on(self._outside.clock().date().isoformat())

    def _talking(self, conversation_id: str) -> tuple[Handoff, Callable[[Order], None]]:
        one = self.of_call(conversation_id)
        if one is None or one.stage is not Stage.TALKING or one.tell is None:
            raise ContactError("that call is over, or nobody has it")
        return one, one.tell

    def _person(self, login: str) -> Person:
        person = self._people.get(login)
        if person is None:
            raise ContactError(f"there is no agent {login}; {nearest(login, self._people)}")
        return person

    def _available(self, login: str) -> Person:
        person = self._people.get(login)
        if person is None:
            known = [*self.rules.queues, *self.rules.destinations, *self._people, BUTLER]
            raise ContactError(f"there is no queue, destination or agent {login}; {nearest(login, known)}")
        if person.state is not AgentState.AVAILABLE or not person.reachable:
            raise ContactError(f"{person.settings.name} is {person.state.value}")
        if person.texts:
            raise ContactError(f"{person.settings.name} is writing with somebody")
        return person

    def _sentence(self, one: Handoff, name: str, **values: object) -> str:
        return self.rules.handoff.sentence(name, one.locale, **values)

    def _step(self, person: Person, step: AgentStep, reason: str = "") -> None:
        person.take(step, self._now(), reason)
        self._outside.agent(person.login, person.state, person.reason, person.since)
        self._changed()

    def _keep(self, one: Handoff) -> None:
        self._outside.keep(one)
        self._changed()

    def _forget(self, one: Handoff) -> None:
        self._handoffs.pop(one.id, None)
        self._outside.drop(one.id)
        self._changed()

    def _call_changed(self, one: Handoff, state: str) -> None:
        self._tell(CallChanged(one.call_id, state))
        self._changed()

    def _changed(self) -> None:
        self._dirty = True
        self._wake.set()

    def _tell(self, news: News) -> None:
        for listener in tuple(self._listeners):
            listener(news)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _go_offline(self, person: Person, why: str) -> None:
        if person.state is AgentState.ON_CALL:
            person.then = (AgentState.OFFLINE, why)
        elif person.state is AgentState.RINGING:
            for one in self._handoffs.values():
                if one.agent == person.login and one.stage is Stage.OFFERED:
                    if one.tell is not None and one.acknowledged:
                        one.tell(StopRinging())
                    one.stage, one.agent = Stage.WAITING if one.tell is not None else Stage.CALLBACK, ""
            self._step(person, AgentStep.SIGNED_OUT, why)
        elif person.state is not AgentState.OFFLINE:
            self._step(person, AgentStep.SIGNED_OUT, why)


def candidate(person: Person) -> Candidate:
    """As the choice sees them."""
    return Candidate(
        person.login,
        person.state,
        person.settings.skills,
        person.idle_since,
        person.reachable,
        len(person.texts),
        person.settings.texts if person.desktop is not None else 0,
    )
