"""Questions about the airline's rules, by the flows and the real pages: told in their words, or left to a colleague."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_knowledge.settings import KnowledgeSettings
from ccaas_knowledge.tool import knowledge_tools

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Ending
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[2]


class Rows:
    async def store(self, run: ToolRun) -> None: ...

    def note(self, run: ToolRun) -> None: ...


@pytest.mark.parametrize(
    ("question", "said", "ending"),
    [
        ("What does an extra bag cost?", "Every checked bag beyond the free ones costs 50 dollars.", None),
        ("How many gift cards do you accept?", "three gift cards", None),
        ("What are your rules for dogs and cats?", "I'm afraid I don't know that", Ending.TRANSFER),
    ],
)
async def test_a_rule_is_told_or_a_colleague_asked(
    tmp_path: Path, question: str, said: str, ending: Ending | None
) -> None:
    embedding = MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache")
    site = Site(ROOT / "examples/airline", tmp_path, ROOT / ".cache/models", ROOT / ".cache/test-intents")
    tools = Tools(await knowledge_tools(KnowledgeSettings(folder="policies"), site, embedding))
    now = datetime(2024, 5, 15, 15, tzinfo=UTC)
    box = CallTools(tools, Limits(), Rows(), call_id="c", customer_id="", now=lambda: now)
    reasoner = FlowsReasoner(FlowsSettings(file="flows.yaml"), site, embedding)
    await reasoner.start()
    dialogue = reasoner.open(DialogueContext("c", "voice", "+16175550123", "100", None, box, now))
    await dialogue.open()
    draft = await dialogue.draft(CallerTurn("t1", question))
    assert draft.reply is not None
    assert said in draft.reply.text
    assert draft.reply.ending is ending
