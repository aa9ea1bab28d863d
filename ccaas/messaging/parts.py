"""What all conversations by text share; handed to them by the composition root."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ccaas.acquaintance import Known
from ccaas.actions.audit import Audit, ToolRun
from ccaas.brain import Brain
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.events import TurnRecord
from ccaas.hooks import PluginHost
from ccaas.media.clock import Clock
from ccaas.messaging.settings import MessagingSettings
from ccaas.ports.contact import Line as Words
from ccaas.ports.journey import Assurance
from ccaas.ports.messaging import TextChannel
from ccaas.ports.queueing import Stands, TextSide
from ccaas.ports.reasoning import Reasoner, Topic
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


class Handing(Protocol):
    """One conversation's way to a person. Nothing of it waits or raises."""

    topic: Topic | None
    """What it is about."""

    def audited(self, audit: Audit) -> Audit:
        """The same audit; what is stored there is known to who takes the conversation."""
        ...

    def remember(self, turns: Iterable[TurnRecord]) -> None:
        """Turns of an earlier controller."""
        ...

    def why(self, why: str) -> None:
        """Why a person is wanted ("upset", "wish", "message")."""
        ...

    def enter(self, queue: str, why: str) -> bool:
        """Wait for a person of a queue, or go on waiting; False: there is no such queue. `follow` comes after."""
        ...

    def follow(self, side: TextSide) -> None:
        """It can be offered from now on."""
        ...

    def kept(self) -> bool:
        """Whether an earlier controller left it with a person, or waiting for one."""
        ...

    @property
    def stands(self) -> Stands:
        """Who has it."""
        ...

    def recall(self, lines: Iterable[Words], times: Mapping[str, float]) -> None:
        """What was written with a person before, in an earlier controller, and when each turn with the AI was."""
        ...

    def wrote(self, line: Words) -> None:
        """The customer, or the person who has it, wrote."""
        ...

    def sent(self, message_id: str, state: str, detail: str) -> None:
        """What became of a person's message."""
        ...

    def customer_types(self, on: bool) -> None:
        """They are writing, or have stopped."""
        ...

    def closed(self, why: str) -> None:
        """Nothing can be written to them any more; empty: it can."""
        ...

    def left(self) -> None:
        """The conversation is over."""
        ...


class People(Protocol):
    """The queues, as far as written conversations need them."""

    def queue(self, name: str) -> str:
        """The queue of that name, or who takes what names none; empty where there is none at all."""
        ...

    def has(self, conversation_id: str) -> bool:
        """Whether it waits for a person, or was with one when the last controller ended."""
        ...

    def drop(self, conversation_id: str) -> None:
        """Nobody need have it any more."""
        ...

    def handing(self, conversation_id: str, kind: str, address: str, known: Known, entry: str) -> Handing:
        """One conversation's way to a person."""
        ...

    def escalation(self, conversation_id: str, kind: str, known: Known) -> Escalation:
        """What judges how its customer feels, and whether a person is to be brought in."""
        ...


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
    people: People | None = None
    """None where there are no queues."""

    def at(self) -> float:
        """Now, on the timeline: the business's clock, as Unix seconds."""
        return self.clock.wall().timestamp()

    def then(self, unix: float) -> float:
        """When something was written that says it was at `unix`, on the timeline; a clock ahead of ours is not believed."""
        return self.at() - max(time.time() - unix, 0.0)
