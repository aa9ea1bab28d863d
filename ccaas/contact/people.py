"""One agent at run time: the state machine, the desktop, and what is to follow a call."""

from __future__ import annotations

from dataclasses import dataclass, field

from ccaas.contact.settings import AgentSettings
from ccaas.contact.state import AgentStep, after
from ccaas.ports.contact import AgentState, Desktop


@dataclass(slots=True)
class Person:
    """Mutable; owned by the centre."""

    login: str
    settings: AgentSettings
    state: AgentState = AgentState.OFFLINE
    since: float = 0.0
    reason: str = ""
    conversation_id: str = ""
    idle_since: float = 0.0
    desktop: Desktop | None = None
    until: float | None = None
    """When wrap-up ends by itself."""
    answered_at: float = 0.0
    queue: str = ""
    """Whose call that was."""
    then: tuple[AgentState, str] | None = None
    """What follows this call and its wrap-up, where they asked for it meanwhile, and why."""
    lost_at: float | None = None
    """Since when a desktop that must be there is not (after a restart)."""

    texts: dict[str, str] = field(default_factory=dict)
    """The conversations of written handoffs that they have or are offered, by handoff."""

    @property
    def reachable(self) -> bool:
        """Whether something can ring."""
        return self.desktop is not None or not self.settings.needs_desktop

    def take(self, step: AgentStep, now: float, reason: str = "") -> None:
        """Raises TransitionError, and changes nothing, where the step cannot be."""
        self.state = after(self.state, step)
        self.since, self.reason = now, reason
        if step in (AgentStep.SIGNED_IN, AgentStep.ENDED):
            self.idle_since = now
        if self.state is not AgentState.WRAP_UP:
            self.until = None
        if self.state in (AgentState.AVAILABLE, AgentState.AWAY, AgentState.OFFLINE):
            self.conversation_id = ""

    def finish(self, now: float) -> None:
        """Wrap-up is over."""
        then, self.then = self.then, None
        self.take(AgentStep.WRAPPED_UP, now)
        if then is not None and then[0] is AgentState.AWAY:
            self.take(AgentStep.AWAY, now, then[1])
        elif then is not None and then[0] is AgentState.OFFLINE:
            self.take(AgentStep.SIGNED_OUT, now, then[1])
