"""What an agent can do. Tools are offered by plug-ins; whether one may run is decided by the core (`ccaas.actions`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, Protocol

from pydantic import BaseModel


class Effect(Enum):
    """What a tool does to the world."""

    READ = "read"
    WRITE = "write"


class Phase(IntEnum):
    """How far the AI may go; a tool runs when its phase is at most the one that the YAML allows."""

    INFORMATIONAL = 1
    TRANSACTIONAL = 2
    PROACTIVE = 3


class Confirmation(Enum):
    """What must come before a write."""

    NONE = "none"
    SPOKEN = "spoken"


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom and why a tool runs."""

    call_id: str
    turn_id: str
    customer_id: str
    """Empty while nobody was identified."""
    key: str
    """Idempotency key: the same key twice is one write. A tool that writes stores it with the write, in one
    transaction, and answers a repeated key with the first result."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing that an agent can do."""

    name: str
    """snake_case, unique over all plug-ins."""
    description: str
    """One sentence, for flows' authors and language models."""
    input: type[BaseModel]
    output: type[BaseModel]
    run: Callable[[Any, ToolContext], Awaitable[BaseModel]]
    """Raises ToolError when it refuses; anything else is a fault."""
    effect: Effect
    phase: Phase = Phase.INFORMATIONAL
    confirmation: Confirmation = Confirmation.NONE
    timeout_s: float = 5.0


class Toolbox(Protocol):
    """The tools that one conversation may use, with the gate, the audit and the time limits built in.

    Arguments and results are plain JSON-like mappings; they are validated against the tool's models.
    """

    async def read(self, name: str, arguments: Mapping[str, object], turn_id: str) -> dict[str, Any]:
        """Run a tool that only reads. Raises ToolError ("refused" when the tool writes, "timeout", "fault", or its own)."""
        ...

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str
    ) -> dict[str, Any]:
        """Run a tool that writes, at most once for this turn and these arguments; not undone by cancellation.

        `confirmed_by` is the id of the turn in which the caller confirmed, empty where no confirmation is needed.
        Raises ToolError ("unconfirmed", "refused", "timeout", "fault", or its own).
        """
        ...
