"""What the queues are made of, and what they need of the rest of the controller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ccaas.contact.bundle import Facts
from ccaas.contact.handoff import Handoff
from ccaas.contact.settings import AgentSettings, HandoffSettings, QueueSettings
from ccaas.ports.contact import AgentState, CallView, Supervision


@dataclass(frozen=True, slots=True)
class Rules:
    """What the YAML says."""

    agents: dict[str, AgentSettings]
    queues: dict[str, QueueSettings]
    handoff: HandoffSettings
    destinations: dict[str, tuple[str, float]]
    """Endpoint and ringing time (s) by name."""
    timezone: str
    own_numbers: frozenset[str] = frozenset()
    """Numbers that come in here."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is to be handed to a person."""

    call_id: str
    customer: str
    """Name, or the calling number."""
    tier: str
    address: str
    entry: str
    locale: str
    facts: Callable[[], Awaitable[Facts]]
    channel: str = "voice"


class Outside(Protocol):
    """What the queues need of the rest of the controller."""

    def keep(self, handoff: Handoff) -> None:
        """Journal it; never waits."""
        ...

    def drop(self, handoff_id: str) -> None: ...

    def agent(self, login: str, state: AgentState, reason: str, since: float) -> None:
        """Journal an agent's state; never waits."""
        ...

    def audit(self, by: str, did: str, about: str, detail: str) -> None:
        """Keep what a person did; never waits."""
        ...

    def clock(self) -> datetime:
        """The business's time (aware)."""
        ...

    def calls(self) -> Iterable[CallView]:
        """What is up, without who has it."""
        ...

    async def facts(self, conversation_id: str) -> Facts | None:
        """What is known of a conversation, whoever has it; None when it is over."""
        ...

    async def call_back(self, handoff: Handoff) -> str:
        """Call them; the new call's id. Its `kept_place` is this handoff. Raises CcaasError."""
        ...

    async def supervise(self, conversation_id: str, endpoint: str, mode: Supervision | None) -> None:
        """Let who is at `endpoint` take part. Raises CcaasError."""
        ...

    def load(self) -> Rules:
        """The YAML as it is now. Raises ConfigError."""
        ...
