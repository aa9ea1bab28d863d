"""Chats, SMS and e-mails in the same queues as calls: they do not ring, are accepted with a click, and one agent may have
several. Nobody there: they wait, and what the customer is told of it is `stands`."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from ccaas.contact.choice import Candidate, chosen_for_text, next_to_be_free
from ccaas.contact.floor import Floor, candidate
from ccaas.contact.handoff import Handoff, Stage
from ccaas.contact.hours import is_open, opens_at
from ccaas.contact.people import Person
from ccaas.contact.settings import BUTLER
from ccaas.contact.state import AgentStep
from ccaas.contact.text_state import TextStep, after
from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState, Closed, Sent, Typing
from ccaas.ports.queueing import Stands, TextSide, With

_log = structlog.get_logger(__name__)


class WrittenFloor(Floor):
    """The floor with its written conversations."""

    _reserved: frozenset[str] = frozenset()
    """Logins of those for whom a call waits: they get no more texts."""

    # — who is offered it —

    def _look(self) -> float:
        due = [self._look_at_offer(one) for one in tuple(self._handoffs.values()) if one.written]
        return min([*due, super()._look()])

    def _look_at_offer(self, one: Handoff) -> float:
        """Whether who is offered it has had long enough."""
        now = self._now()
        if one.stage is Stage.WAITING:
            self._go_on(one, now)
        if one.stage is not Stage.OFFERED or not one.offered_at:
            return now + 5.0
        ends = one.offered_at + self.rules.queues[one.queue].ring_s
        if now < ends:
            return ends
        self._missed_text(one, "did not take what somebody wrote")
        return now

    def _go_on(self, one: Handoff, now: float) -> None:
        """Closed, nobody there, or long waiting: to the queue that the YAML names for that, if somebody of it is at work.
        Where it names the AI it waits here, and the AI answers meanwhile."""
        if one.only:
            person = self._people.get(one.only)
            if person is None or person.state is not AgentState.AVAILABLE:
                one.only = ""
            return
        way = self._way(one, self.rules.queues[one.queue], now)
        if way is None or way[0].to not in self.rules.queues or way[0].to in one.passed:
            return
        to = self.rules.queues[way[0].to]
        if is_open(to.hours, self._outside.clock(), self.rules.timezone) and self._at_work(to):
            one.passed.add(one.queue)
            one.queue = way[0].to
            self._keep(one)

    def _match(self, now: float) -> None:
        self._reserved = frozenset()
        super()._match(now)

    def _serve(self, one: Handoff) -> bool:
        if one.text is not None:
            return self._offer_text(one)
        if super()._serve(one):
            return True
        waits_for = next_to_be_free(self._candidates(), self.rules.queues[one.queue], self._reserved)
        self._reserved |= {waits_for} - {""}
        return False

    def _candidates(self) -> Iterable[Candidate]:
        return (candidate(person) for person in self._people.values())

    def _offer_text(self, one: Handoff) -> bool:
        queue = self.rules.queues[one.queue]
        if not is_open(queue.hours, self._outside.clock(), self.rules.timezone):
            return False
        if one.only:
            queue = queue.model_copy(update={"skills": {}})
        people = (person for person in self._candidates() if not one.only or person.login == one.only)
        found = chosen_for_text(people, queue, self._reserved)
        if found is None:
            return False
        person = self._people[found.login]
        one.stage, one.agent, one.offered_at = after(one.stage, TextStep.OFFERED), person.login, 0.0
        person.texts[one.id] = one.call_id
        self._changed()
        self._start(self._put_before(one, person))
        return True

    async def _put_before(self, one: Handoff, person: Person) -> None:
        """The bundle is on the desktop, and the time to accept it runs; or the next one is tried."""
        shown = await self._acknowledged(one, person, await self._facts(one))
        if one.stage is not Stage.OFFERED or one.agent != person.login or one.id not in self._handoffs:
            return
        if not shown:
            self._missed_text(one, "the desktop did not answer")
            return
        one.offered_at = self._now()
        _log.info("offered", handoff=one.id, agent=person.login, queue=one.queue, channel=one.channel)
        self._wake.set()

    def _missed_text(self, one: Handoff, why: str) -> None:
        """Who was offered it has not taken it: away with the reason, as for a call, and the next one is tried."""
        person = self._people.get(one.agent)
        self._take_back(one, TextStep.MISSED, why)
        if person is not None and person.state is AgentState.AVAILABLE:
            self._step(person, AgentStep.AWAY, why)

    def _take_back(self, one: Handoff, step: TextStep, why: str) -> None:
        """It waits again, and is no longer theirs."""
        one.stage, held = after(one.stage, step), one.stage is Stage.TALKING
        self._release(one, why, withdraw=True)
        one.only = ""
        if held:
            self._keep(one)
        self._changed()

    def _release(self, one: Handoff, why: str, *, withdraw: bool) -> None:
        """Nobody has it any more."""
        person = self._people.get(one.agent)
        one.agent, one.offered_at = "", 0.0
        if person is None:
            return
        if person.texts.pop(one.id, None) is not None and withdraw and person.desktop is not None:
            person.desktop.withdraw(one.id, why)
        if person.state is AgentState.AVAILABLE and not person.texts:
            person.idle_since = self._now()

    def _step(self, person: Person, step: AgentStep, reason: str = "") -> None:
        super()._step(person, step, reason)
        if person.state is not AgentState.AVAILABLE:
            self._give_back(person, reason or person.state.value, offered_only=person.state is not AgentState.OFFLINE)

    def _go_offline(self, person: Person, why: str) -> None:
        super()._go_offline(person, why)
        self._give_back(person, why, offered_only=False)

    def _give_back(self, person: Person, why: str, *, offered_only: bool) -> None:
        """What they are offered waits for somebody else; and what they have, too, when they are gone."""
        for one in [self._handoffs[name] for name in person.texts if name in self._handoffs]:
            if one.stage is Stage.OFFERED:
                self._take_back(one, TextStep.MISSED, why)
            elif not offered_only:
                self._take_back(one, TextStep.RETURNED, why)

    # — what conversations tell —

    def follow_text(self, one: Handoff, side: TextSide) -> None:
        """It can be offered from now on."""
        one.text = side
        self._changed()

    def stands(self, one: Handoff) -> Stands:
        """What the customer can be told."""
        if one.id not in self._handoffs:
            return Stands(With.AI)
        if one.stage is Stage.TALKING:
            return Stands(With.PERSON)
        queue, now = self.rules.queues[one.queue], self._outside.clock()
        if not is_open(queue.hours, now, self.rules.timezone):
            return Stands(With.NOBODY, opens=opens_at(queue.hours, now, self.rules.timezone))
        if not one.only and not self._at_work(queue):
            return Stands(With.NOBODY)
        return Stands(With.LINE, self._position(one, self._now()))

    def sent(self, one: Handoff, message_id: str, state: str, detail: str) -> None:
        """What became of a message that a person wrote."""
        self._tell(Sent(one.call_id, message_id, state, detail))

    def customer_types(self, one: Handoff, on: bool) -> None:
        """The customer is writing, or has stopped."""
        if one.stage is Stage.TALKING:
            self._tell(Typing(one.call_id, on))

    def closed_for(self, one: Handoff, why: str) -> None:
        """Nothing can be written to the customer any more; empty: it can again."""
        self._tell(Closed(one.call_id, why))

    def over(self, one: Handoff, *, hung_up: bool) -> None:
        """The conversation has ended, or nobody need have it any more."""
        if not one.written:
            super().over(one, hung_up=hung_up)
            return
        if one.id in self._handoffs:
            self._end_text(one, "it is over")

    def _end_text(self, one: Handoff, why: str) -> None:
        if one.stage is Stage.TALKING:
            self._call_changed(one, "ended")
        self._release(one, why, withdraw=True)
        self._forget(one)

    # — what people ask —

    async def accept(self, conversation_id: str, *, by: str) -> None:
        """See the port."""
        one, _ = self._written(conversation_id)
        if one.stage is Stage.TALKING or one.agent != by:
            other = self._people.get(one.agent)
            raise ContactError(f"{other.settings.name if other is not None else 'somebody else'} has taken it already")
        now = self._now()
        if not one.answered_at:  # who comes back into the queue was answered before
            figures = self._figures_of(one.queue)
            figures.answered += 1
            figures.within += now - one.since <= self.rules.queues[one.queue].service_level.seconds
        one.stage, one.answered_at = after(one.stage, TextStep.ACCEPTED), now
        self._outside.audit(by, "accept", conversation_id, one.channel)
        self._keep(one)
        self._call_changed(one, "talking")

    async def refuse(self, conversation_id: str, *, by: str) -> None:
        """See the port."""
        one, _ = self._written(conversation_id)
        if one.stage is not Stage.OFFERED or one.agent != by:
            raise ContactError("it is not offered to you any more")
        self._outside.audit(by, "refuse", conversation_id, one.channel)
        self._missed_text(one, "did not want what somebody wrote")

    async def write(self, conversation_id: str, text: str, *, by: str) -> None:
        """See the port."""
        await self._theirs(conversation_id, by)[1].write(text, by)

    async def write_again(self, conversation_id: str, message_id: str, *, by: str) -> None:
        """See the port."""
        await self._theirs(conversation_id, by)[1].again(message_id, by)

    def typing(self, conversation_id: str, on: bool, *, by: str) -> None:
        """See the port."""
        one = self.of_call(conversation_id)
        if one is not None and one.text is not None and one.stage is Stage.TALKING and one.agent == by:
            one.text.typing(on)

    def _finish_text(self, one: Handoff, side: TextSide, by: str, disposition: str, note: str) -> None:
        self._end_text(one, "you have finished with it")
        side.finish(by, disposition, note)

    def _transfer_text(self, one: Handoff, side: TextSide, to: str) -> None:
        """To a queue, a colleague who can take one more, or back to the AI."""
        if to == BUTLER:
            by = one.agent
            self._end_text(one, "the AI has it again")
            side.back(by)
            return
        if to in self.rules.destinations and to not in self.rules.queues:
            raise ContactError(f"{to} is a telephone; what is written goes to a queue, a colleague or the AI")
        if to not in self.rules.queues:
            self._can_take_text(to)
        self._call_changed(one, "ended")
        self._take_back(one, TextStep.RETURNED, "you have passed it on")
        if to in self.rules.queues:
            one.queue = to
        else:
            one.only = to
        one.why, one.since, one.answered_at = "transfer", self._now(), 0.0
        self._keep(one)

    def _can_take_text(self, login: str) -> None:
        person = self._person(login)
        if person.state is not AgentState.AVAILABLE or person.desktop is None:
            raise ContactError(f"{person.settings.name} is {person.state.value}")
        if len(person.texts) >= person.settings.texts:
            raise ContactError(f"{person.settings.name} has {len(person.texts)} conversations, and takes no more")

    def _reroute_text(self, one: Handoff, queue: str) -> None:
        one.stage = after(one.stage, TextStep.REROUTED)
        self._release(one, "it waits elsewhere now", withdraw=True)
        one.queue, one.only = queue, ""
        self._keep(one)

    def _written(self, conversation_id: str) -> tuple[Handoff, TextSide]:
        one = self.of_call(conversation_id)
        if one is None or one.text is None:
            raise ContactError("that conversation is over, or is none that is written")
        return one, one.text

    def _theirs(self, conversation_id: str, by: str) -> tuple[Handoff, TextSide]:
        one, side = self._written(conversation_id)
        if one.stage is not Stage.TALKING or one.agent != by:
            raise ContactError("this conversation is not yours any more")
        return one, side
