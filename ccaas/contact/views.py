"""The board: agents, queues and calls at one moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ccaas.contact.choice import serves
from ccaas.contact.handoff import Handoff, Stage
from ccaas.contact.hours import is_open
from ccaas.contact.people import Person
from ccaas.contact.waiting import priority
from ccaas.ports.contact import AgentState, AgentView, Board, CallView, QueueView, WaitingView

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
            tuple(self._call(view) for view in centre.outside.calls()),
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
        )

    def _queue(self, name: str, now: float) -> QueueView:
        centre = self._centre
        queue = centre.rules.queues[name]
        figures = centre.figures(name)
        free = [
            person
            for person in centre.people
            if person.state is AgentState.AVAILABLE and person.reachable and serves(person.settings.skills, queue)
        ]
        return QueueView(
            name,
            is_open(queue.hours, centre.outside.clock(), centre.rules.timezone),
            tuple(self._waiting(one, place, now) for place, one in enumerate(centre.line(name, now), 1)),
            len(free),
            centre.expected(name),
            figures.answered,
            figures.abandoned,
            figures.within,
            figures.service_level,
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
        )

    def _call(self, view: CallView) -> CallView:
        one = self._centre.of_call(view.conversation_id)
        if one is None or one.stage is Stage.CALLBACK:
            return view
        return replace(view, who=one.agent or view.who, queue=one.queue)
