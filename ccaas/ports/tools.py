"""What an agent can do. Tools are offered by plug-ins; whether one may run is decided by the core (`ccaas.actions`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, Protocol

from pydantic import BaseModel

from ccaas.ports.journey import Assurance


class Effect(Enum):
    """What a tool does to the world."""

    READ = "read"
    WRITE = "write"


class Phase(IntEnum):
    """How far the AI may go; a tool runs when its phase is at most the one that the YAML allows."""

    INFORMATIONAL = 1
    TRANSACTIONAL = 2
    PROACTIVE = 3


class Party(Enum):
    """Who calls a tool."""

    BUTLER = "butler"
    """The AI, within the phase."""
    CONCIERGE = "concierge"
    """A person at the desktop."""


EVERYBODY = frozenset(Party)
CONCIERGE_ONLY = frozenset({Party.CONCIERGE})
"""For exceptions: the AI may prepare such a write, and a person approves it."""


class Confirmation(Enum):
    """What must come before a write of the AI's."""

    NONE = "none"
    SPOKEN = "spoken"
    """A yes to what was read back."""
    SECOND_FACTOR = "second_factor"
    """That, and two different proofs of who the customer is in this conversation."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a tool may do, whoever calls it; the YAML can only set less."""

    amount: float | None = None
    """Money in one run, in the business's currency; the tool then names its `amount`."""
    per_day: int | None = None
    """Runs for one customer in a day of the business's clock; for one conversation while nobody is known."""


@dataclass(frozen=True, slots=True)
class Undo:
    """How a write is taken back when a later step fails."""

    tool: str
    """The name of the tool that does it."""
    arguments: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, object]]
    """Its arguments, from those of the write and its result (JSON)."""


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
    actor: str = Party.BUTLER.value
    """ "butler", or "human:<login>"."""
    rehearsal: bool = False
    """Only validate, and answer what would be done: nothing may change. Set for tools that declare `rehearses` alone."""


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
    private: bool = False
    """Whether it tells or changes what only the customer may know or change: it runs for verified customers alone."""
    verifies: bool = False
    """Whether its success proves who the customer is. It only reads; its output has a `customer_id`, whom it proves.
    Each refusal but "unavailable" is a wrong answer; after some (`checks` in the YAML), counted for the customer over all
    conversations, checks are "locked" for a while."""
    money: bool = False
    """Whether it commits money: charges, refunds or gives."""
    amount: str = ""
    """The field of its input that says how much money; empty where that is decided inside."""
    callers: frozenset[Party] = EVERYBODY
    caps: Caps = field(default_factory=Caps)
    undo: Undo | None = None
    """None: it cannot be taken back."""
    rehearses: bool = False
    """Whether its `run` keeps to `ToolContext.rehearsal`."""
    close: Callable[[], Awaitable[None]] | None = None
    """Lets go of the system behind it, at the end; tools of one system share it, and it is called once."""


class Toolbox(Protocol):
    """The tools that one conversation may use, with the gate, the audit and the time limits built in.

    Arguments and results are plain JSON-like mappings; they are validated against the tool's models. `intent` is what
    the conversation is about, for the YAML's rules; a rule for certain intents holds too while it is not told.
    """

    @property
    def assurance(self) -> Assurance:
        """How sure it is that the person is the customer: rises when a tool that verifies succeeds."""
        ...

    def offered(self) -> tuple[Tool, ...]:
        """The tools that may be asked for here: those that the phase and the rules leave to the caller of the toolbox, and those
        that only a person may run and that can be prepared. Each run is decided anew."""
        ...

    def verifies(self, name: str) -> bool:
        """Whether this tool proves who the customer is. A draft must not run such a tool: its refusals are counted."""
        ...

    async def read(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Run a tool that only reads. Raises ToolError ("refused" when the tool writes, "unverified" when it is private and the
        customer is not verified, "locked" when it verifies and there were too many wrong answers, "timeout", "fault",
        or its own)."""
        ...

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Run a tool that writes, at most once for this turn and these arguments; not undone by cancellation.

        `confirmed_by` is the id of the turn in which the caller confirmed, empty where no confirmation is needed.
        Raises ToolError ("unconfirmed", "second_factor", "unverified", "refused", "needs_approval" when only a person may
        do it, "limit", "timeout", "fault", or its own).
        """
        ...

    async def rehearse(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """What a run would do; nothing changes, and no confirmation is needed. The tool's own result where it
        `rehearses`; `{"would": sentence, "arguments": {…}}` from the gate alone otherwise. Raises ToolError as the run."""
        ...

    async def prepare(
        self, name: str, arguments: Mapping[str, object], turn_id: str, reason: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Ask a person for a write that only they may make: `{"request_id": …, "state": "waiting"}`. The same turn and
        arguments again are the same request. Raises ToolError as `write`, or "unavailable"."""
        ...

    async def undo(self, name: str, turn_id: str, *, intent: str = "") -> dict[str, Any]:
        """Take back this conversation's newest write with that tool, at most once, without another confirmation.

        Raises ToolError "nothing_done", "no_undo", or what the undoing tool raises.
        """
        ...
