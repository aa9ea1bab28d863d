"""The life of one call, as one table. Pure; `Call` carries out what a state wants.

A step that the table does not list raises TransitionError and changes nothing.
"""

from __future__ import annotations

from enum import Enum

from ccaas.errors import TransitionError


class CallState(Enum):
    """Where a call stands."""

    OFFERED = "offered"
    """Inbound, not yet accepted."""
    DIALLING = "dialling"
    """Outbound, not yet answered."""
    TALKING = "talking"
    """With the agent."""
    TRANSFERRING = "transferring"
    """The caller waits while somebody else's phone rings."""
    WAITING = "waiting"
    """In a queue: music and announcements, until a person answers."""
    CONNECTED = "connected"
    """With that somebody; the audio stays inside the switch."""
    LEAVING = "leaving"
    """On its way out of our hands, to another endpoint or back to the dialplan."""
    ENDED = "ended"


class Step(Enum):
    """What moves a call on."""

    ACCEPTED = "accepted"
    ANSWERED = "answered"
    """The outbound party answered."""
    TRANSFER = "transfer"
    QUEUED = "queued"
    BACK = "back"
    """From a queue, or from a person, to the agent."""
    TARGET_ANSWERED = "target answered"
    TARGET_FAILED = "target failed"
    """Busy, refused, rang out: back to the agent."""
    SENT_AWAY = "sent away"
    """Redirected, or given back to the dialplan."""
    ENDED = "ended"


TRANSITIONS: dict[tuple[CallState, Step], CallState] = {
    (CallState.OFFERED, Step.ACCEPTED): CallState.TALKING,
    (CallState.OFFERED, Step.SENT_AWAY): CallState.LEAVING,
    (CallState.OFFERED, Step.ENDED): CallState.ENDED,
    (CallState.DIALLING, Step.ANSWERED): CallState.TALKING,
    (CallState.DIALLING, Step.ENDED): CallState.ENDED,
    (CallState.TALKING, Step.TRANSFER): CallState.TRANSFERRING,
    (CallState.TALKING, Step.SENT_AWAY): CallState.LEAVING,
    (CallState.TALKING, Step.ENDED): CallState.ENDED,
    (CallState.TRANSFERRING, Step.TARGET_ANSWERED): CallState.CONNECTED,
    (CallState.TRANSFERRING, Step.TARGET_FAILED): CallState.TALKING,
    (CallState.TRANSFERRING, Step.SENT_AWAY): CallState.LEAVING,
    (CallState.TRANSFERRING, Step.ENDED): CallState.ENDED,
    (CallState.DIALLING, Step.QUEUED): CallState.WAITING,
    (CallState.TALKING, Step.QUEUED): CallState.WAITING,
    (CallState.WAITING, Step.QUEUED): CallState.WAITING,
    (CallState.WAITING, Step.TARGET_ANSWERED): CallState.CONNECTED,
    (CallState.WAITING, Step.TRANSFER): CallState.TRANSFERRING,
    (CallState.WAITING, Step.BACK): CallState.TALKING,
    (CallState.WAITING, Step.SENT_AWAY): CallState.LEAVING,
    (CallState.WAITING, Step.ENDED): CallState.ENDED,
    (CallState.CONNECTED, Step.QUEUED): CallState.WAITING,
    (CallState.CONNECTED, Step.TRANSFER): CallState.TRANSFERRING,
    (CallState.CONNECTED, Step.BACK): CallState.TALKING,
    (CallState.CONNECTED, Step.SENT_AWAY): CallState.LEAVING,
    (CallState.CONNECTED, Step.ENDED): CallState.ENDED,
    (CallState.LEAVING, Step.ENDED): CallState.ENDED,
}


def after(state: CallState, step: Step) -> CallState:
    """The state that follows. Raises TransitionError when `step` cannot happen in `state`."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise TransitionError(f"a call that is {state.value} cannot take the step {step.value!r}") from None
