"""What a pacer is shown: of a queue's people, or of a number of AI lines. Pure but for what it remembers of people's states."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ccaas.dialler.live import Attempt
from ccaas.ports.contact import AgentState, Board
from ccaas.ports.dialling import Standing


def of_lines(lines: int, attempts: Sequence[Attempt], now: float, *, ahead: bool, target: float) -> Standing:
    """AI lines: free are those without a conversation."""
    talking = [now - one.met_at for one in attempts if one.talks]
    waiting = sum(one.waits or one.leaves for one in attempts)
    ringing = [now - one.began for one in attempts if one.rings]
    return Standing(lines - len(talking) - waiting, talking, (), ringing, ahead, target)


def of_queue(
    queue: str, board: Board, attempts: Sequence[Attempt], now: float, *, ahead: bool, target: float
) -> Standing:
    """The people of a queue. Customers who rang in wait before those whom we call."""
    ours = {one.call_id for one in attempts}
    free, talking, wrapping = 0, [], []
    for agent in board.agents:
        if queue not in agent.queues:
            continue
        if agent.state is AgentState.AVAILABLE:
            free += 1
        elif agent.state in (AgentState.ON_CALL, AgentState.RINGING):
            talking.append(now - agent.since if agent.state is AgentState.ON_CALL else 0.0)
        elif agent.state is AgentState.WRAP_UP:
            wrapping.append(now - agent.since)
    waiting = 0
    rung = set()
    for one in board.queues:
        if one.name == queue:
            waiting += sum(
                not who.ringing and not who.callback for who in one.waiting if who.conversation_id not in ours
            )
            rung = {who.conversation_id for who in one.waiting if who.ringing}
    # Somebody's phone rings for these: they take nobody who is free.
    waiting += sum(one.waits and one.call_id not in rung for one in attempts)
    ringing = [now - one.began for one in attempts if one.rings]
    return Standing(free - waiting, talking, wrapping, ringing, ahead, target)


class Handled:
    """Tells how long the people of a queue were with their calls and in wrap-up, from board to board."""

    def __init__(self, queue: str, tell: Callable[[float, float], None]) -> None:
        """`tell`: seconds of talk, seconds of wrap-up."""
        self._queue = queue
        self._tell = tell
        self._states: dict[str, tuple[AgentState, float]] = {}
        self._talked: dict[str, float] = {}

    def look(self, board: Board) -> None:
        """The next board."""
        for agent in board.agents:
            if self._queue in agent.queues:
                self._changed(agent.login, agent.state, agent.since)

    def _changed(self, login: str, state: AgentState, since: float) -> None:
        before, began = self._states.get(login, (state, since))
        self._states[login] = state, since
        if before is state:
            return
        if before is AgentState.ON_CALL:
            self._talked[login] = since - began
            if state is not AgentState.WRAP_UP:
                self._tell(self._talked.pop(login), 0.0)
        elif before is AgentState.WRAP_UP and login in self._talked:
            self._tell(self._talked.pop(login), since - began)
