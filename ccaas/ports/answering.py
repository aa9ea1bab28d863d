"""Who or what has answered a call that we made: a person, a machine, a fax, the network's tones, or nobody.

A detector is fed from the answer on. It gives one `Verdict`, which it never takes back; after `MACHINE` it goes on
listening, and says once when the greeting is over, so that a message can be left.
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
    """Who has answered, said once a call."""

    by: AnsweredBy
    at_s: float
    """When it was known: seconds of audio since the answer."""
    why: str
    """What decided, in a few words, for logs and reports."""


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

    def hear(self, text: str) -> Verdict | None:
        """What was understood of the greeting so far: an interim transcript, the whole of it each time. Optional."""
        ...
