"""Which agent rings, or is offered what somebody wrote. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    texts: int = 0
    """Written conversations that they have or are offered."""
    texts_most: int = 0
    """How many they may have: none without a desktop."""


def serves(skills: Mapping[str, int], queue: QueueSettings) -> bool:
    """Whether somebody with these skills belongs to the queue."""
    return all(skills.get(name, 0) >= level for name, level in queue.skills.items())


def chosen(agents: Iterable[Candidate], queue: QueueSettings) -> Candidate | None:
    """Who rings now; None: nobody can. A call takes somebody wholly: who has texts is not rung."""
    able = [one for one in agents if _free(one, queue) and not one.texts]

    def rank(one: Candidate) -> tuple[int, float, str]:
        known = sum(one.skills.get(name, 0) for name in queue.skills)
        return (-known if queue.strategy == "skills-first" else 0, one.idle_since, one.login)

    return min(able, key=rank, default=None)


def chosen_for_text(agents: Iterable[Candidate], queue: QueueSettings, reserved: Collection[str]) -> Candidate | None:
    """Who is offered a written conversation now; None: nobody can take one more. `reserved`: logins of those for whom a
    call waits."""
    able = [one for one in agents if _free(one, queue) and one.texts < one.texts_most and one.login not in reserved]

    def rank(one: Candidate) -> tuple[int, int, float, str]:
        known = sum(one.skills.get(name, 0) for name in queue.skills)
        return (-known if queue.strategy == "skills-first" else 0, one.texts, one.idle_since, one.login)

    return min(able, key=rank, default=None)


def next_to_be_free(agents: Iterable[Candidate], queue: QueueSettings, reserved: Collection[str]) -> str:
    """Of those whom texts keep from a call the one with the fewest: they get no more until they have had it. Empty: none."""
    busy = [one for one in agents if _free(one, queue) and one.texts and one.login not in reserved]
    return min(busy, key=lambda one: (one.texts, one.idle_since, one.login)).login if busy else ""


def _free(one: Candidate, queue: QueueSettings) -> bool:
    return one.state is AgentState.AVAILABLE and one.reachable and serves(one.skills, queue)
