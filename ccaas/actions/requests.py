"""What a person is asked to approve: a write that only they may make, with its arguments and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from ccaas.errors import CcaasError


class ApprovalError(CcaasError):
    """There is no such request, or it was decided before; nothing was done."""


class Standing(Enum):
    """How far a request came."""

    WAITING = "waiting"
    APPROVED = "approved"
    """A person said yes; it runs, or its outcome is not known yet."""
    DONE = "done"
    FAILED = "failed"
    """Approved, and refused by the gate or the system of record: nothing was changed."""
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Request:
    """One row."""

    id: str
    """The beginning of its key: short enough to be read aloud."""
    key: str
    """Idempotency key of the write: the same conversation, turn, tool and arguments are the same request."""
    conversation_id: str
    turn_id: str
    customer_id: str
    entry: str
    channel: str
    tool: str
    arguments: Mapping[str, Any]
    """As validated."""
    reason: str
    """Why, in a sentence for the person who decides."""
    intent: str
    prepared_by: str
    """ "butler", or "human:<login>"."""
    at: float
    """Unix time (s) at which it was prepared."""
    standing: Standing = Standing.WAITING
    decided_by: str = ""
    """ "human:<login>"; empty while it waits."""
    decided_at: float = 0.0
    """Unix time (s)."""
    result: Mapping[str, Any] | None = None
    """The tool's, once it is done."""
    error: str = ""
    """`code: sentence` of a run that did not succeed, or why it was declined."""


class Preparing(Protocol):
    """Where requests are kept."""

    async def keep(self, request: Request) -> Request:
        """Keep it for a person to decide; the one that was there before under its key. Raises CcaasError."""
        ...
