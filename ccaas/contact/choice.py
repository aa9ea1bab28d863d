"""Which agent rings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ccaas.contact.settings import QueueSettings
from ccaas.ports.contact import AgentState


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent, as the choice sees them."""

    login: str
    state: AgentState
    skills: Mapping[str, int]
    idle_since: float
    """When their last call was over for them, or they signed in (Unix s)."""
    reachable: bool = True
    """False: their desktop must be there and is not."""


def serves(skills: Mapping[str, int], queue: QueueSettings) -> bool:
    """Whether somebody with these skills belongs to the queue."""
    return all(skills.get(name, 0) >= level for name, level in queue.skills.items())


def chosen(agents: Iterable[Candidate], queue: QueueSettings) -> Candidate | None:
    """Who rings now; None: nobody can."""
    able = [one for one in agents if one.state is AgentState.AVAILABLE and one.reachable and serves(one.skills, queue)]

    def rank(one: Candidate) -> tuple[int, float, str]:
        known = sum(one.skills.get(name, 0) for name in queue.skills)
        return (-known if queue.strategy == "skills-first" else 0, one.idle_since, one.login)

    return min(able, key=rank, default=None)
