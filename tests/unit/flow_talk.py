"""A conversation with a flows file under test: what is said to it, and what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings

from ccaas.ports.journey import Assurance, Customer, Fact, JourneyContext, Json, Profile, Thread, ThreadState
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Reply, Topic
from ccaas.ports.site import Site
from ccaas.ports.tools import Toolbox
from ccaas.testing.fakes.tools import FakeToolbox
from tests.flows_parts import HEAD, WordsOnly

NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
"""A Wednesday."""
ANN = Customer("ann", "Ann", "Lee")


class Talk:
    """One conversation."""

    def __init__(self, dialogue: Dialogue, opening: Reply) -> None:
        self.dialogue = dialogue
        self.opening = opening.text
        self.last = opening
        self._turns = 0

    async def say(self, text: str, keys: str = "") -> str:
        """One turn; all that the agent said."""
        self._turns += 1
        draft = await self.dialogue.draft(CallerTurn(f"t{self._turns}", text, keys))
        said = []
        async for reply in self.dialogue.commit(draft):
            said.append(reply.text)
            self.dialogue.heard(reply.text, True)
            self.last = reply
        return " ".join(said)

    @property
    def topic(self) -> Topic:
        """What it is about now; it must be about something."""
        topic = self.dialogue.topic()
        assert topic is not None
        return topic

    def snapshot(self) -> Json:
        """As the journal gives it back."""
        kept: Json = json.loads(json.dumps(self.dialogue.snapshot()))
        return kept


def reasoner(tmp_path: Path, flows: str, head: str = HEAD, thread_days: float = 14) -> FlowsReasoner:
    """A reasoner of `head` with more flows."""
    (tmp_path / "flows.yaml").write_text(f"{head}{flows}", "utf-8")
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path.parent / "intents")
    return FlowsReasoner(FlowsSettings(file="flows.yaml", thread_days=thread_days), site, WordsOnly())


async def talk(
    made: FlowsReasoner,
    tools: Toolbox | None = None,
    *,
    journey: JourneyContext | None = None,
    channel: str = "voice",
    customer: Customer | None = ANN,
    now: datetime = NOON,
    assurance: Assurance = Assurance.CLAIMED,
    snapshot: Json | None = None,
) -> Talk:
    """A conversation after its first words."""
    await made.start()
    context = DialogueContext(
        "call", channel, "+1", "100", customer, tools or FakeToolbox({}), now, journey=journey, assurance=assurance
    )
    dialogue = made.open(context, snapshot)
    return Talk(dialogue, await dialogue.open())


def thread_of(
    topic: Topic, snapshot: Json | None, *, updated: datetime = NOON, channel: str = "voice", **changes: Any
) -> Thread:
    """The thread that a journey keeps of a topic."""
    fields: dict[str, Any] = {
        "id": "th-1",
        "customer_id": "ann",
        "goal": topic.goal,
        "title": topic.title,
        "state": topic.state,
        "channel": channel,
        "opened_at": updated.timestamp(),
        "updated_at": updated.timestamp(),
        "missing": topic.missing,
        "slots": topic.slots,
        "outcome": topic.outcome,
        "snapshot": snapshot,
    }
    return Thread(**fields | changes)


def journey(*threads: Thread, promises: tuple[Fact, ...] = ()) -> JourneyContext:
    """A customer's journey with these threads, the newest first."""
    return JourneyContext(Profile("ann", "Ann", "Lee"), threads=threads, promises=promises)


OPEN, WAITING, CLOSED = ThreadState.OPEN, ThreadState.WAITING, ThreadState.CLOSED
