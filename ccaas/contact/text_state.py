"""What may become of a written conversation that wants a person, as one table. Pure; a step that the table does not list
raises and changes nothing."""

from __future__ import annotations

from enum import Enum

from ccaas.contact.handoff import Stage
from ccaas.errors import TransitionError


class TextStep(Enum):
    """What moves it on."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    MISSED = "missed"
    """Not shown, not accepted in time, refused, or taken from them: it waits again."""
    RETURNED = "returned"
    """Who had it is gone, or has passed it on: it waits again."""
    REROUTED = "rerouted"
    """It waits elsewhere."""


TRANSITIONS: dict[tuple[Stage, TextStep], Stage] = {
    (Stage.WAITING, TextStep.OFFERED): Stage.OFFERED,
    (Stage.WAITING, TextStep.REROUTED): Stage.WAITING,
    (Stage.OFFERED, TextStep.ACCEPTED): Stage.TALKING,
    (Stage.OFFERED, TextStep.MISSED): Stage.WAITING,
    (Stage.OFFERED, TextStep.REROUTED): Stage.WAITING,
    (Stage.TALKING, TextStep.RETURNED): Stage.WAITING,
}
"""Handed back to the AI, finished, or ended by the customer, it is no handoff any more: from every stage."""


def after(stage: Stage, step: TextStep) -> Stage:
    """The stage that follows. Raises TransitionError when `step` cannot happen in `stage`."""
    try:
        return TRANSITIONS[stage, step]
    except KeyError:
        raise TransitionError(f"a text that is {stage.value} cannot take the step {step.value!r}") from None
