"""The board: agents, queues and calls at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ccaas.contact.choice import serves
from ccaas.contact.handoff import Handoff, Stage
from ccaas.contact.hours import is_open
from ccaas.contact.people import Person
from ccaas.contact.waiting import priority
from ccaas.ports.contact import WRITTEN, AgentState, AgentView, Board, CallView, QueueView, WaitingView

if TYPE_CHECKING:
    from ccaas.contact.floor import Floor


class Views:
    """Reads the centre; changes nothing."""

    def __init__(self, centre: Floor) -> None:
        self._centre = centre

    def board(self, now: float) -> Board:
        """Everything at Unix second `now`."""
        centre = self._centre
        return Board(
            now,
            tuple(self._agent(person) for person in centre.people),
            tuple(self._queue(name, now) for name in centre.rules.queues),
            (*(self._call(view) for view in centre.outside.calls()), *self._texts()),
        )

    def _agent(self, person: Person) -> AgentView:
        queues = tuple(
            name for name, queue in self._centre.rules.queues.items() if serves(person.settings.skills, queue)
        )
        return AgentView(
            person.login,
            person.settings.name,
            person.state,
            person.since,
            person.reason,
            person.conversation_id,
            queues,
            person.settings.skills,
            person.until,
            tuple(one.call_id for one in self._centre.handoffs if self._has(person, one)),
            person.settings.texts if person.settings.needs_desktop or person.desktop is not None else 0,
        )

    @staticmethod
    def _has(person: Person, one: Handoff) -> bool:
        return one.written and one.stage is Stage.TALKING and one.agent == person.login

    def _queue(self, name: str, now: float) -> QueueView:
        centre = self._centre
        queue = centre.rules.queues[name]
        figures = centre.figures(name)
        free = [
            person
            for person in centre.people
            if person.state is AgentState.AVAILABLE
            and person.reachable
            and not person.texts
            and serves(person.settings.skills, queue)
        ]
        waiting = tuple(self._waiting(one, place, now) for place, one in enumerate(centre.line(name, now), 1))
        return QueueView(
            name,
            is_open(queue.hours, centre.outside.clock(), centre.rules.timezone),
            waiting,
            len(free),
            centre.expected(name),
            figures.answered,
            figures.abandoned,
            figures.within,
            figures.service_level,
            sum(one.channel in WRITTEN for one in waiting),
            sum(one.written and one.stage is Stage.TALKING and one.queue == name for one in centre.handoffs),
        )

    def _waiting(self, one: Handoff, position: int, now: float) -> WaitingView:
        weights = self._centre.rules.queues[one.queue].priority
        return WaitingView(
            one.id,
            one.call_id,
            one.queue,
            position,
            one.since,
            round(priority(one.standing, weights, now), 2),
            one.customer,
            one.agent,
            one.stage in (Stage.CALLBACK, Stage.CALLING),
            one.channel,
        )

    def _call(self, view: CallView) -> CallView:
        one = self._centre.of_call(view.conversation_id)
        if one is None or one.stage is Stage.CALLBACK:
            return view
        return replace(view, who=one.agent or view.who, queue=one.queue)

    def _texts(self) -> Iterable[CallView]:
        """The written conversations that want a person, or have one."""
        for one in self._centre.handoffs:
            if one.written:
                held = one.stage is Stage.TALKING
                state, since = ("talking", one.answered_at) if held else (one.stage.value, one.since)
                who = one.agent if held else "butler"
                yield CallView(one.call_id, one.channel, state, since, one.customer, who, one.queue, one.score)
