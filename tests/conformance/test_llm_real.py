"""The reasoner "llm" with a real model behind a real server: what is sent is understood, and what comes back is read."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings
from prometheus_client import REGISTRY
from unit.llm_talk import box, context, site

from ccaas.ports.reasoning import CallerTurn, Dialogue
from ccaas.testing.llama import RunningLlama

PATIENT = {"first_clause_ms": 120_000, "stall_ms": 60_000, "turn_ms": 120_000}
"""The machine may be busy: how fast it is, is measured elsewhere."""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLlama]:
    with RunningLlama(tmp_path_factory.mktemp("llama")) as server:
        yield server


def busy(server: RunningLlama) -> bool:
    """Whether it generates for anybody."""
    with urllib.request.urlopen(f"{server.url.removesuffix('/v1')}/slots", timeout=60) as answer:
        return any(slot["is_processing"] for slot in json.load(answer))


def spent(kind: str) -> float:
    return REGISTRY.get_sample_value("ccaas_llm_tokens_total", {"model": "smollm2", "kind": kind}) or 0


@asynccontextmanager
async def talking(url: str, folder: Path, reply_tokens: int) -> AsyncIterator[Dialogue]:
    """A conversation past its greeting."""
    limits = {**PATIENT, "reply_tokens": reply_tokens}
    reasoner = LlmReasoner(LlmSettings(url=url, model="smollm2", limits=limits, temperature=0), site(folder))
    await reasoner.start()
    try:
        dialogue = reasoner.open(context(box()))
        await dialogue.open()
        yield dialogue
    finally:
        await reasoner.close()


async def test_an_answer_is_streamed_and_counted(llama: RunningLlama, tmp_path: Path) -> None:
    async with talking(llama.url, tmp_path, 60) as dialogue:
        for number, words in enumerate(("Please tell me a long story about a ship.", "And then?")):
            draft = await dialogue.draft(CallerTurn(f"t{number}", words))
            replies = [reply async for reply in dialogue.commit(draft)]
            assert replies[0] == draft.reply
            assert len(" ".join(reply.text for reply in replies).split()) > 3
            for reply in replies:
                dialogue.heard(reply.text, True)
        assert spent("input") > 300
        assert 10 < spent("output") <= 120


async def test_a_draft_that_is_thrown_away_is_not_written_to_its_end(llama: RunningLlama, tmp_path: Path) -> None:
    async with talking(llama.url, tmp_path, 2000) as dialogue:
        words = "Please tell me a very long story about a ship."
        drafting = asyncio.ensure_future(dialogue.draft(CallerTurn("t1", words, final=False)))
        while not await asyncio.to_thread(busy, llama):
            assert not drafting.done()
        drafting.cancel()
        await asyncio.gather(drafting, return_exceptions=True)
        while await asyncio.to_thread(busy, llama):
            await asyncio.sleep(0.02)
