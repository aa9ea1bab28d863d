"""What desktops, boards and the command line ask of the queues: implements `ports.contact.ContactCentre`."""

from __future__ import annotations

from typing import Any

from ccaas.contact.bundle import bundle
from ccaas.contact.choice import chosen
from ccaas.contact.floor import candidate
from ccaas.contact.handoff import Handoff, Stage
from ccaas.contact.numbers import Telephone, telephone
from ccaas.contact.people import Person
from ccaas.contact.settings import BUTLER
from ccaas.contact.state import AgentStep
from ccaas.contact.written import WrittenFloor
from ccaas.errors import ContactError
from ccaas.ports.contact import (
    AgentState,
    Bundle,
    Desktop,
    Supervision,
)
from ccaas.ports.queueing import (
    Consult,
    DropConsulted,
    JoinConsulted,
    Leave,
    StopRinging,
)
from ccaas.spelling import nearest


class Centre(WrittenFloor):
    """The queues and agents of one controller."""

    async def sign_in(self, login: str, desktop: Desktop) -> None:
        """See the port. One whose desktop was lost with an earlier controller is what they were."""
        person = self._person(login)
        person.desktop, person.lost_at = desktop, None
        if person.then is not None and person.then[0] is AgentState.OFFLINE:
            person.then = None
        if person.state is AgentState.OFFLINE:
            self._step(person, AgentStep.SIGNED_IN, "signed in")
        for one in self.handoffs:
            if one.agent == login:
                self._show_again(one)
        self._changed()

    def no_person(self, one: Handoff, why: str) -> None:
        """Who was called is none: it was no talk, and whoever rings for it, or has it, is told `why` and is free."""
        if one.stage is Stage.TALKING:
            figures = self._figures_of(one.queue)
            in_time = one.answered_at - one.since <= self.rules.queues[one.queue].service_level.seconds
            figures.answered = max(figures.answered - 1, 0)
            figures.within = max(figures.within - in_time, 0)
        for person in filter(None, (self._people.get(login) for login in (one.agent, one.consulted))):
            if person.desktop is not None:
                person.desktop.withdraw(one.id, why)
            if person.state is AgentState.RINGING:
                self._step(person, AgentStep.WITHDRAWN)
            elif person.state is AgentState.ON_CALL:
                self._step(person, AgentStep.ENDED)
                self._free_at_once(person)
        one.agent = one.consulted = ""
        self._call_changed(one, "ended")
        self._forget(one)

    def _free_at_once(self, person: Person) -> None:
        """Without a wrap-up, and not among what was handled."""
        person.finish(self._now())
        self._outside.agent(person.login, person.state, person.reason, person.since)

    async def sign_out(self, login: str, desktop: Desktop) -> None:
        """See the port."""
        person = self._person(login)
        if person.desktop is not desktop:
            return
        self._give_back(person, "your desk was not reached", offered_only=False)
        person.desktop = None
        for one in self.handoffs:
            if one.agent == login and one.stage is Stage.TALKING:
                one.acknowledged = False
        self._go_offline(person, "the desktop is gone")

    async def set_state(self, login: str, state: AgentState, reason: str = "", *, by: str) -> None:
        """See the port. Who is on a call is it after the call."""
        person = self._person(login)
        if state not in (AgentState.AVAILABLE, AgentState.AWAY, AgentState.OFFLINE):
            raise ContactError(f"nobody can be set {state.value}; choose available, away or offline")
        if state is not AgentState.OFFLINE and not person.reachable:
            raise ContactError(f"{login}'s desktop is not there: they sign in with it first")
        self._outside.audit(by, "set state", login, f"{state.value} {reason}".strip())
        if person.state is AgentState.RINGING and state is not AgentState.AVAILABLE:
            self._go_offline(person, reason)
            if state is AgentState.OFFLINE:
                return
        if person.state is AgentState.ON_CALL:
            person.then = None if state is AgentState.AVAILABLE else (state, reason)
            self._changed()
            return
        if person.state is AgentState.OFFLINE:
            if state is AgentState.OFFLINE:
                return
            self._step(person, AgentStep.SIGNED_IN, reason)
        if person.state is AgentState.RINGING:
            return
        if person.state is AgentState.WRAP_UP and state is not AgentState.OFFLINE:
            person.then = (state, reason) if state is AgentState.AWAY else None
            self._wrapped(person)
            return
        steps = {AgentState.AVAILABLE: AgentStep.READY, AgentState.AWAY: AgentStep.AWAY}
        self._step(person, steps.get(state, AgentStep.SIGNED_OUT), reason)

    async def wrap_up(self, login: str, conversation_id: str, disposition: str, note: str) -> None:
        """See the port."""
        person = self._person(login)
        if conversation_id in person.texts.values():
            one, side = self._theirs(conversation_id, login)
            self._outside.audit(
                login, "disposition", conversation_id, f"{disposition}: {note}" if note else disposition
            )
            self._finish_text(one, side, login, disposition, note)
            return
        if person.conversation_id != conversation_id:
            raise ContactError(f"{login} is not wrapping up {conversation_id}; it is finished already")
        self._outside.audit(login, "disposition", conversation_id, f"{disposition}: {note}" if note else disposition)
        if person.state is AgentState.WRAP_UP:
            self._wrapped(person)

    async def transfer(self, conversation_id: str, to: str, *, by: str) -> None:
        """See the port."""
        written = self.of_call(conversation_id)
        if written is not None and written.text is not None and written.stage is Stage.TALKING:
            before = written.agent
            self._transfer_text(written, written.text, to)
            self._outside.audit(by, "transfer", conversation_id, f"{to} (from {before})")
            return
        one, tell = self._talking(conversation_id)
        name = "" if to == BUTLER else to
        outside = self._telephone(to)
        if outside is not None:
            name = outside.number
        elif name and name not in self.rules.queues and name not in self.rules.destinations:
            self._available(name)
        self._outside.audit(by, "transfer", conversation_id, name or to)
        self._sent(one, name)
        tell(Leave(name))

    async def consult(self, conversation_id: str, to: str, *, by: str) -> None:
        """See the port."""
        one, tell = self._talking(conversation_id)
        if one.consulted:
            raise ContactError("somebody is being consulted already; finish with them first")
        login = to
        if to in self.rules.queues:
            found = chosen((candidate(person) for person in self._people.values()), self.rules.queues[to])
            if found is None:
                raise ContactError(f"nobody of {to} is free now")
            login = found.login
        caller_id = one.address
        if (outside := self._telephone(to)) is not None:
            endpoint, seconds, caller_id = outside.endpoint, outside.ring_s, outside.caller_id or one.address
            one.consulted = "?"
        elif login in self.rules.destinations:
            endpoint, seconds = self.rules.destinations[login]
            one.consulted = "?"
        else:
            person = self._available(login)
            endpoint, seconds = person.settings.dial(login), float(self.rules.queues[one.queue].ring_s)
            self._step(person, AgentStep.OFFERED)
            person.conversation_id = conversation_id
            one.consulted = login
            await self._shown_to(one, person)
        self._outside.audit(by, "consult", conversation_id, to)
        tell(Consult(endpoint, seconds, caller_id))

    def _telephone(self, to: str) -> Telephone | None:
        return telephone(to, self.rules.handoff.numbers, self.rules.own_numbers)

    async def _shown_to(self, one: Handoff, person: Person) -> None:
        """The bundle is on the desktop of who is to be consulted, or a ContactError says why not."""
        if person.desktop is None:
            return
        shown = await self._acknowledged(one, person, await self._facts(one))
        if one.consulted != person.login or one.stage is not Stage.TALKING:
            raise ContactError("that call is over, or nobody has it")
        if not shown:
            one.consulted = ""
            self._miss(one, person, "the desktop did not answer")
            raise ContactError(f"the desktop of {person.settings.name} does not answer; ask somebody else")

    async def join_consulted(self, conversation_id: str, *, leave: bool, by: str) -> None:
        """See the port."""
        one, tell = self._talking(conversation_id)
        if not one.consulted:
            raise ContactError("nobody is being consulted")
        self._outside.audit(by, "attended transfer" if leave else "conference", conversation_id, one.consulted)
        tell(JoinConsulted(leave))

    async def drop_consulted(self, conversation_id: str, *, by: str) -> None:
        """See the port."""
        one, tell = self._talking(conversation_id)
        self._outside.audit(by, "drop consulted", conversation_id, one.consulted)
        tell(DropConsulted())

    async def supervise(self, conversation_id: str, mode: Supervision | None, *, by: str) -> None:
        """See the port."""
        person = self._people.get(by)
        endpoint = person.settings.dial(by) if person is not None else f"PJSIP/{by}"  # the desktop's own telephone
        self._outside.audit(by, "supervise", conversation_id, mode.value if mode is not None else "end")
        await self._outside.supervise(conversation_id, endpoint, mode)

    async def look(self, conversation_id: str, *, by: str) -> Bundle:
        """See the port."""
        facts = await self._outside.facts(conversation_id)
        if facts is None:
            raise ContactError("that conversation is over")
        self._outside.audit(by, "look", conversation_id, "")
        one = self.of_call(conversation_id)
        queue, why = (one.queue, one.why) if one is not None else ("", "")
        return bundle(
            facts, self.rules.handoff, handoff_id=one.id if one is not None else "", queue=queue, why=why, waited_s=0.0
        )

    async def reroute(self, handoff_id: str, queue: str, *, by: str) -> None:
        """See the port."""
        one = self._handoffs.get(handoff_id)
        if one is None or one.stage is Stage.TALKING:
            raise ContactError("they do not wait any more")
        outside = self._telephone(queue)
        if outside is not None and (one.written or one.tell is None):
            raise ContactError("only a caller on the line can be sent to a telephone")
        if outside is None and queue not in self.rules.queues:
            raise ContactError(f"there is no queue {queue}; {nearest(queue, self.rules.queues)}")
        self._outside.audit(by, "reroute", handoff_id, outside.number if outside is not None else queue)
        if one.written:
            self._reroute_text(one, queue)
            return
        if one.stage is Stage.OFFERED:
            if one.tell is not None and one.acknowledged:
                one.tell(StopRinging())
            self._free(one, "it waits elsewhere now")
            one.stage = Stage.WAITING if one.tell is not None else Stage.CALLBACK
        if outside is not None and one.tell is not None:
            self._sent(one, outside.number)
            one.tell(Leave(outside.number))
            self._changed()
            return
        one.queue, one.only = queue, ""
        self._keep(one)

    async def reload(self) -> tuple[str, ...]:
        """See the port. Raises ConfigError, and changes nothing then."""
        new = self._outside.load()
        old = self.rules
        busy = {one.queue for one in self._handoffs.values()}
        if gone := busy - set(new.queues):
            raise ContactError(f"somebody waits in {min(gone)}; keep that queue until nobody does")
        lines = [*_differences("agent", old.agents, new.agents), *_differences("queue", old.queues, new.queues)]
        lines += ["handoff changed"] if new.handoff != old.handoff else []
        self.rules = new
        for login, settings in new.agents.items():
            person = self._people.setdefault(login, Person(login, settings, since=self._now()))
            person.settings = settings
        for login in set(self._people) - set(new.agents):
            person = self._people[login]
            if person.state in (AgentState.ON_CALL, AgentState.RINGING, AgentState.WRAP_UP):
                person.then = (AgentState.OFFLINE, "no agent any more")
                continue
            self._give_back(person, "no agent any more", offered_only=False)
            del self._people[login]
        self._changed()
        return tuple(lines)


def _differences(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    lines = [f"{kind} {name} added" for name in new if name not in old]
    lines += [f"{kind} {name} removed" for name in old if name not in new]
    return lines + [f"{kind} {name} changed" for name in new if name in old and new[name] != old[name]]
