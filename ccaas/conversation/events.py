"""What happened in a conversation, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ccaas.ports.sentiment import Mood


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """Stages of one turn: seconds of the controller's monotonic clock, None where the stage was not reached."""

    speech_start: float | None = None
    """First voiced frame of the caller's turn."""
    speech_end: float | None = None
    """End of the last voiced frame: when the caller stopped, as seen on the media stream."""
    speculated: float | None = None
    """The pause was long enough to begin preparing."""
    recognized: float | None = None
    """The final text was there."""
    drafted: float | None = None
    """The reasoner's draft was there."""
    committed: float | None = None
    """The turn was taken as finished."""
    first_audio: float | None = None
    """First byte of the reply was sent towards the caller."""
    interrupted: float | None = None
    """The caller's speech stopped the reply."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One committed turn and what came of it."""

    turn_id: str
    caller_text: str
    keys: str
    intent: str
    slots: Mapping[str, str] = field(default_factory=dict)
    agent_text: str = ""
    """What the agent meant to say."""
    heard_text: str = ""
    """What of it was played to the caller."""
    times: TurnTimes = field(default_factory=TurnTimes)
    speculations: int = 0
    """How many drafts were begun for it."""
    confidence: float | None = None
    """The recogniser's, 0…1."""
    retaken: bool = False
    """The caller went on after this turn was taken too early; the next record holds the whole of it."""
    channel: str = ""
    """"sms" or "chat", when the words were sent as a text; empty when they were said."""
    sentiment: float | None = None
    """How upset the caller seemed, −1 (pleased) … +1 (furious); None where nothing judges it, or not yet."""
    mood: Mood | None = None
    """Its parts."""
    escalated: str = ""
    """Where the caller was handed to because of this turn: a name under `destinations`."""
    private: bool = False
    """The caller answered a check of who they are: the words are not kept."""
    over: bool = False
    """The reply has ended: nothing of this record will change."""
