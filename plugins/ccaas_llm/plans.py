"""What a draft leads to when it is committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccaas.ports.journey import Thread
from ccaas.ports.reasoning import Draft
from ccaas_llm.faults import Why
from ccaas_llm.thinking import Event, Held, Looked, Thinking
from ccaas_llm.toolset import Handling


@dataclass(frozen=True, slots=True)
class Think:
    """The model's thinking, and what of it was taken already."""

    words: str
    """The caller's."""
    thinking: Thinking
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class CarryOut:
    """The caller said yes to the proposal."""

    words: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """One sentence of the core's own."""

    words: str
    fault: Why | None = None
    """Why the model has no part in it."""
    resumes: Thread | None = None
    """The thread whose proposal is put to the caller again."""


@dataclass(frozen=True, slots=True)
class ByFlows:
    """The flows answer."""

    words: str
    inner: Draft


Step = Think | CarryOut | Fixed | ByFlows


@dataclass(frozen=True, slots=True)
class Plan:
    """A step, from the state of which revision."""

    base: int
    step: Step


def intent(events: Sequence[Event]) -> str:
    """What was understood, in a word: the tool that is asked for."""
    for event in reversed(events):
        if isinstance(event, Held):
            named = {Handling.END: "goodbye", Handling.HAND_OVER: "human"}
            return named.get(event.call.handling, event.call.name)
        if isinstance(event, Looked):
            return event.entry["name"]
    return ""
