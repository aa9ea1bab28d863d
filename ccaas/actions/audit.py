"""What is kept of every tool run: who, what, why, on which turn, with which outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from ccaas.ports.tools import Effect


class Outcome(Enum):
    """How far a run came."""

    INTENDED = "intended"
    """A write is about to run, or ran when the controller was killed."""
    DONE = "done"
    REFUSED = "refused"
    """The gate or the tool said no: nothing was changed."""
    TIMEOUT = "timeout"
    """No answer in time: what it did is unknown until the same key is asked again."""
    FAULT = "fault"
    """The tool broke: what it did is unknown until the same key is asked again."""
    PREPARED = "prepared"
    """A person is asked to approve it."""
    DECLINED = "declined"
    """The person said no: nothing was changed."""
    REHEARSED = "rehearsed"
    """It was only asked what would be done."""


MADE = frozenset({Outcome.INTENDED, Outcome.DONE, Outcome.TIMEOUT, Outcome.FAULT})
"""What a write that may have been made comes to."""
UNSURE = frozenset({Outcome.TIMEOUT, Outcome.FAULT})
"""What a write comes to of which nobody knows whether it was made."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One row of the audit. A write's row is stored before it runs and again, under the same key, after it."""

    key: str
    """Idempotency key of a write, and what marks the run of a tool that verifies; empty for any other read."""
    call_id: str
    turn_id: str
    customer_id: str
    """Empty while nobody was identified."""
    tool: str
    effect: Effect
    arguments: Mapping[str, Any]
    """As validated; as given when they could not be."""
    confirmed_by: str
    """The turn in which the caller said yes; empty where none was needed."""
    outcome: Outcome
    at: float
    """Unix time (s) at which the run began."""
    took_ms: float = 0.0
    """Time from the request to the outcome (ms)."""
    result: Mapping[str, Any] | None = None
    error: str = ""
    """`code: sentence` of a run that did not succeed."""
    before: Any = None
    """State before the write, where the tool tells it (JSON)."""
    after: Any = None
    """State after the write, where the tool tells it (JSON)."""
    actor: str = "butler"
    """Who ran it: "butler", or "human:<login>"."""
    intent: str = ""
    """What the conversation was about, or the reason that was given; empty when nobody said."""
    rule: str = ""
    """The rule that it was refused by; empty when it was none of the gate's."""


class Audit(Protocol):
    """Where tool runs are kept."""

    async def store(self, run: ToolRun) -> None:
        """Keep the row; returns when it is durable. Raises CcaasError when it could not be kept."""
        ...

    def note(self, run: ToolRun) -> None:
        """Keep the row when there is time for it; never waits, never raises."""
        ...


def canonical(arguments: Mapping[str, Any]) -> str:
    """The one spelling of these arguments (JSON with sorted keys)."""
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_key(call_id: str, turn_id: str, tool: str, arguments: str) -> str:
    """Idempotency key of a write: the same call, turn, tool and canonical arguments give the same key."""
    return hashlib.sha256(f"{call_id}\x1f{turn_id}\x1f{tool}\x1f{arguments}".encode()).hexdigest()[:32]
