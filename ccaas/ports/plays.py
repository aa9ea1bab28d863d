"""Steps of plays in Python: who is affected, and what is offered to whom, where a tool's list alone does not say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Situation:
    """What a step knows."""

    event_id: str
    event_type: str
    event: Mapping[str, Any]
    """The event's data."""
    facts: Mapping[str, Any]
    """What earlier steps gave, by their names; empty in `query`."""
    arguments: Mapping[str, Any]
    """What the YAML says in `with`, filled in."""
    record_id: str = ""
    """The system of record's key of the customer; empty in `query`."""
    tier: str = ""


class ReadTool(Protocol):
    """The tools that only read, gated and audited as in any conversation."""

    async def __call__(self, name: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """The tool's result. Raises ToolError."""
        ...


class PlayStep(Protocol):
    """One step. Made by a factory that `ccaas_register_plays` offers; kept for as long as the controller runs.

    It only looks and decides: it may be run again at any time, in another process, and what it gives the second time counts
    then. Writes are the play's own, after it.
    """

    async def run(self, situation: Situation, read: ReadTool) -> Sequence[Mapping[str, Any]]:
        """In `query`: who is affected, one item for each thing of theirs. In `choose`: what may be offered to this customer,
        the best first; none: nothing is offered. Each item is a JSON object. Event loop, 20 s.

        Raises:
            ToolError: "unavailable", "timeout" or "fault" is tried again; any other code ends the customer's part.
        """
        ...
