"""The reasoners' conformance suite on a scripted model; and on one whose server is gone, so that its flows answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings
from peers.openai_server import OpenAiServer
from test_reasoner import airline_scene, site
from unit.llm_talk import bank_script, box

from ccaas.testing.conformance.reasoning import ReasonerConformance, Scene

ROOT = Path(__file__).parents[2]
PATIENT = {"first_clause_ms": 60_000, "stall_ms": 60_000, "turn_ms": 60_000}


class TestLlm(ReasonerConformance):
    @pytest.fixture
    async def scene(self, tmp_path: Path) -> AsyncIterator[Scene]:
        async with OpenAiServer(bank_script).running() as server:
            reasoner = LlmReasoner(LlmSettings(url=server.url, model="scripted", limits=PATIENT), site(tmp_path))
            yield Scene(
                reasoner,
                box(),
                plain="What can you do?",
                reading="What is my balance?",
                confirming=("Pay in 50 dollars, please.", "Yes."),
                goodbye="Goodbye",
            )
            await reasoner.close()


@pytest.fixture(scope="module")
def embedding() -> MiniLm:
    return MiniLm(ROOT / ".cache" / "models" / "minilm", ROOT / ".cache")


class TestLlmWithoutItsServer(ReasonerConformance):
    @pytest.fixture
    async def scene(self, tmp_path: Path, embedding: MiniLm) -> AsyncIterator[Scene]:
        settings = LlmSettings(url="http://127.0.0.1:9/v1", model="gone", flows="flows.yaml")
        reasoner = LlmReasoner(settings, site(tmp_path), embedding)
        yield airline_scene(reasoner)
        await reasoner.close()
