"""Who or what has answered a call that we made: a person, a machine, a fax, the network's tones, or nobody.

A detector is fed from the answer on. It gives one `Verdict`. After `HUMAN` it goes on listening for a while, and may take
that back once: a second verdict, `MACHINE`. After `MACHINE` it says once when the greeting is over, so that a message can be
left. After any other verdict it says nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ccaas.ports.media import Pcm


class AnsweredBy(StrEnum):
    """Who has answered."""

    HUMAN = "human"
    MACHINE = "machine"
    """Voicemail, or an answering machine."""
    SILENCE = "silence"
    """No voice and no tone within the time that was set."""
    FAX = "fax"
    TONES = "tones"
    """The network's special information tones: the number is out of service, or the call cannot be completed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who has answered: once a call, or twice, where a machine was taken for a person at first."""

    by: AnsweredBy
    at_s: float
    """When it was known: seconds of audio since the answer."""
    why: str
    """What decided, in a few words, for logs and reports."""
    keeps: bool = True
    """Whether a machine takes a message: False where it says that it does not."""


@dataclass(frozen=True, slots=True)
class GreetingOver:
    """A machine's greeting has ended: a message may begin now."""

    at_s: float
    """When it was known: seconds of audio since the answer."""
    beep: bool
    """Whether a beep was heard; False: only that it has been silent for long."""


class AnsweringDetector(Protocol):
    """One answered call. Cheap enough for the event loop: under 0.5 ms a frame on average."""

    def push(self, pcm: Pcm) -> Verdict | GreetingOver | None:
        """The next 20 ms of what the answering side says, at the rate that the detector was made for."""
        ...

    @property
    def over(self) -> bool:
        """Nothing more will be said."""
        ...

    @property
    def voice(self) -> bool:
        """Whether somebody speaks now."""
        ...

    def hear(self, text: str) -> Verdict | None:
        """What was understood of the far end so far: an interim transcript, the whole of it each time. Optional."""
        ...
