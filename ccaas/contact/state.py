"""What an agent may do next, as one table. Pure; a step that the table does not list raises and changes nothing."""

from __future__ import annotations

from enum import Enum

from ccaas.errors import TransitionError
from ccaas.ports.contact import AgentState


class AgentStep(Enum):
    """What moves an agent on."""

    SIGNED_IN = "signed in"
    READY = "ready"
    AWAY = "away"
    OFFERED = "offered"
    """A handoff is put before them."""
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    """What rang there is no longer theirs: the caller has gone, or waits elsewhere."""
    MISSED = "missed"
    """Not acknowledged, not answered, refused."""
    ENDED = "ended"
    """The call is over for them."""
    WRAPPED_UP = "wrapped up"
    SIGNED_OUT = "signed out"


TRANSITIONS: dict[tuple[AgentState, AgentStep], AgentState] = {
    (AgentState.OFFLINE, AgentStep.SIGNED_IN): AgentState.AWAY,
    (AgentState.AWAY, AgentStep.READY): AgentState.AVAILABLE,
    (AgentState.AWAY, AgentStep.AWAY): AgentState.AWAY,
    (AgentState.AWAY, AgentStep.SIGNED_OUT): AgentState.OFFLINE,
    (AgentState.AVAILABLE, AgentStep.READY): AgentState.AVAILABLE,
    (AgentState.AVAILABLE, AgentStep.AWAY): AgentState.AWAY,
    (AgentState.AVAILABLE, AgentStep.OFFERED): AgentState.RINGING,
    (AgentState.AVAILABLE, AgentStep.SIGNED_OUT): AgentState.OFFLINE,
    (AgentState.RINGING, AgentStep.ANSWERED): AgentState.ON_CALL,
    (AgentState.RINGING, AgentStep.WITHDRAWN): AgentState.AVAILABLE,
    (AgentState.RINGING, AgentStep.MISSED): AgentState.AWAY,
    (AgentState.RINGING, AgentStep.SIGNED_OUT): AgentState.OFFLINE,
    (AgentState.ON_CALL, AgentStep.ENDED): AgentState.WRAP_UP,
    (AgentState.WRAP_UP, AgentStep.WRAPPED_UP): AgentState.AVAILABLE,
    (AgentState.WRAP_UP, AgentStep.READY): AgentState.AVAILABLE,
    (AgentState.WRAP_UP, AgentStep.AWAY): AgentState.AWAY,
    (AgentState.WRAP_UP, AgentStep.SIGNED_OUT): AgentState.OFFLINE,
}


def after(state: AgentState, step: AgentStep) -> AgentState:
    """The state that follows. Raises TransitionError when `step` cannot happen in `state`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise TransitionError(f"an agent who is {state.value} cannot take the step {step.value!r}") from None
