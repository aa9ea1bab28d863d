"""The airline's assistant understands what callers say, with the real language model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ccaas_flows.reasoner import understanding_of
from ccaas_flows.source import load
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_flows.understanding.reading import Understanding

from bench.understanding import endings, score

ROOT = Path(__file__).parents[2]
SETS = [ROOT / "bench/speech/set.jsonl", *sorted((ROOT / "bench/understanding_sets").glob("*.jsonl"))]


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    program = load(ROOT / "examples/airline/flows.yaml")
    return understanding_of(
        program, MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache"), ROOT / ".cache/test-intents"
    )


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_intents_and_slots(path: Path, understanding: Understanding) -> None:
    tally = score(understanding, [json.loads(line) for line in path.read_text("utf-8").splitlines()])["all"]
    assert tally.intents / tally.lines >= 0.92, tally.misses
    assert tally.right / tally.expected >= 0.92, tally.misses


def test_no_line_of_a_set_is_an_example() -> None:
    program = load(ROOT / "examples/airline/flows.yaml")

    def plain(text: str) -> str:
        return "".join(c for c in text.lower() if c.isalnum() or c == " ")

    known = {plain(text) for name, texts in program.examples.items() for text in texts if len(text.split()) > 4}
    for path in SETS:
        for line in path.read_text("utf-8").splitlines():
            assert plain(json.loads(line)["text"]) not in known


def test_planted_pauses_are_told_as_unfinished() -> None:
    told = endings([json.loads(line) for line in SETS[0].read_text("utf-8").splitlines()])
    assert told["pauses_told"] >= 0.95
    assert told["texts_called_unfinished"] <= 0.01
