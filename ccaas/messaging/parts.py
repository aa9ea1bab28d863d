"""What all conversations by text share; handed to them by the composition root."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ccaas.actions.audit import Audit, ToolRun
from ccaas.brain import Brain
from ccaas.hooks import PluginHost
from ccaas.media.clock import Clock
from ccaas.messaging.settings import MessagingSettings
from ccaas.ports.journey import Assurance
from ccaas.ports.messaging import TextChannel
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.sentiment import Sentiment
from ccaas.ports.tools import Toolbox


class SettlingToolbox(Toolbox, Protocol):
    """One conversation's tools."""

    async def settle(self) -> None:
        """Wait for the writes that still run."""
        ...


class MakeTools(Protocol):
    """Makes them: for which conversation and customer (a system of record's key, or empty), how sure it is, where the
    runs are kept, what the journal has of earlier ones, and on which entry and channel."""

    def __call__(
        self,
        conversation_id: str,
        customer_id: str,
        assurance: Assurance,
        audit: Audit,
        earlier: Iterable[ToolRun],
        entry: str,
        channel: str,
    ) -> SettlingToolbox: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One channel of the YAML, and who answers on it."""

    name: str
    """In the YAML."""
    channel: TextChannel
    entry: str
    reasoner_name: str
    reasoner: Reasoner

    @property
    def kind(self) -> str:
        """ "chat", "sms" or "email"."""
        return self.channel.capabilities.channel


@dataclass(frozen=True, slots=True)
class TextParts:
    """See above."""

    settings: MessagingSettings
    clock: Clock
    brain: Brain
    host: PluginHost
    make_tools: MakeTools
    sentiment: Sentiment | None = None
    """What judges how customers feel, None when nothing does."""

    def at(self) -> float:
        """Now, on the timeline: the business's clock, as Unix seconds."""
        return self.clock.wall().timestamp()

    def then(self, unix: float) -> float:
        """When something was written that says it was at `unix`, on the timeline; a clock ahead of ours is not believed."""
        return self.at() - max(time.time() - unix, 0.0)
