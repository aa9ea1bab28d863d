"""The life of one record of a campaign (a customer and their numbers), and of a campaign, as tables. Pure.

A step that the tables do not list raises TransitionError and changes nothing.
"""

from __future__ import annotations

from enum import Enum

from ccaas.errors import TransitionError


class RecordState(Enum):
    """Where a record stands."""

    WAITING = "waiting"
    """To be called once it is due."""
    SHOWN = "shown"
    """An agent looks at it and decides: preview."""
    RELEASED = "released"
    """They have decided to call."""
    DIALLING = "dialling"
    """There is an attempt: it rings, or they talk."""
    DONE = "done"
    """With an outcome."""


class RecordStep(Enum):
    """What moves a record on."""

    SHOW = "show"
    RELEASE = "release"
    PUT_BACK = "put back"
    SKIP = "skip"
    CLAIM = "claim"
    """An attempt is made."""
    AGAIN = "again"
    """Later, by the rules of retries, or because the gate says so."""
    FINISH = "finish"
    RECYCLE = "recycle"


RECORD: dict[tuple[RecordState, RecordStep], RecordState] = {
    (RecordState.WAITING, RecordStep.SHOW): RecordState.SHOWN,
    (RecordState.WAITING, RecordStep.CLAIM): RecordState.DIALLING,
    (RecordState.SHOWN, RecordStep.RELEASE): RecordState.RELEASED,
    (RecordState.SHOWN, RecordStep.PUT_BACK): RecordState.WAITING,
    (RecordState.SHOWN, RecordStep.SKIP): RecordState.DONE,
    (RecordState.RELEASED, RecordStep.CLAIM): RecordState.DIALLING,
    (RecordState.RELEASED, RecordStep.PUT_BACK): RecordState.WAITING,
    (RecordState.DIALLING, RecordStep.AGAIN): RecordState.WAITING,
    (RecordState.DIALLING, RecordStep.FINISH): RecordState.DONE,
    (RecordState.DONE, RecordStep.RECYCLE): RecordState.WAITING,
}


class CampaignState(Enum):
    """Whether a campaign calls."""

    PAUSED = "paused"
    RUNNING = "running"
    STOPPED = "stopped"


class CampaignStep(Enum):
    """What an admin asks of a campaign."""

    RESUME = "resume"
    PAUSE = "pause"
    STOP = "stop"
    """For good: what rings is taken back."""
    RECYCLE = "recycle"


CAMPAIGN: dict[tuple[CampaignState, CampaignStep], CampaignState] = {
    (CampaignState.PAUSED, CampaignStep.RESUME): CampaignState.RUNNING,
    (CampaignState.RUNNING, CampaignStep.RESUME): CampaignState.RUNNING,
    (CampaignState.PAUSED, CampaignStep.PAUSE): CampaignState.PAUSED,
    (CampaignState.RUNNING, CampaignStep.PAUSE): CampaignState.PAUSED,
    (CampaignState.PAUSED, CampaignStep.STOP): CampaignState.STOPPED,
    (CampaignState.RUNNING, CampaignStep.STOP): CampaignState.STOPPED,
    (CampaignState.STOPPED, CampaignStep.STOP): CampaignState.STOPPED,
    (CampaignState.PAUSED, CampaignStep.RECYCLE): CampaignState.PAUSED,
    (CampaignState.RUNNING, CampaignStep.RECYCLE): CampaignState.RUNNING,
    (CampaignState.STOPPED, CampaignStep.RECYCLE): CampaignState.PAUSED,
}


def record_after(state: RecordState, step: RecordStep) -> RecordState:
    """The state that follows. Raises TransitionError when `step` cannot happen in `state`."""
    try:
        return RECORD[state, step]
    except KeyError:
        raise TransitionError(f"a record that is {state.value} cannot take the step {step.value!r}") from None


def campaign_after(state: CampaignState, step: CampaignStep) -> CampaignState:
    """The state that follows. Raises TransitionError when `step` cannot happen in `state`."""
    try:
        return CAMPAIGN[state, step]
    except KeyError:
        mend = "; `ccaas campaign recycle` begins it again" if state is CampaignState.STOPPED else ""
        raise TransitionError(f"a campaign that is {state.value} cannot take the step {step.value!r}{mend}") from None
