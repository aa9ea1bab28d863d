"""Pacing: how many calls a campaign begins now. The core says what stands; a `Pacer` answers with a number.

A pacer reaches nobody: whom, whether and through which gate is the core's, and what it wants too much the core takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign at one moment. An "agent" is a person of its queue, or one of its AI lines."""

    free: int
    """Agents who could take a call now, less the people who have answered and wait for one: below zero when they are more."""
    talking: Sequence[float]
    """Of each agent in a call, for how long (s)."""
    wrapping: Sequence[float]
    """Of each agent in wrap-up, for how long (s)."""
    ringing: Sequence[float]
    """Of each call that was begun and not answered yet, for how long (s)."""
    ahead: bool
    """Whether calls may be begun for which no agent is free yet; False while too many were abandoned."""
    target: float
    """The share of answered calls that may be abandoned (0…1)."""


class Pacer(Protocol):
    """One campaign's pace. Pure but for what it learns; called on the event loop, some microseconds each."""

    @property
    def previews(self) -> bool:
        """Whether an agent looks at each record first, and only those that they release are called."""
        ...

    def wanted(self, standing: Standing, at: float) -> int:
        """How many calls to begin now. `at`: seconds of any steady clock, here and below."""
        ...

    def rang(self, seconds: float, at: float, *, answered: bool) -> None:
        """A call of ours was answered, or came to nothing, after so long."""
        ...

    def handled(self, talk_s: float, wrap_s: float, at: float) -> None:
        """An agent has finished with a call."""
        ...

    def met(self, at: float, *, abandoned: bool) -> None:
        """An answered call found its agent, or did not."""
        ...
