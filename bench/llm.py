"""`make bench-llm [OUT=file.json] [ARGS=…]`: what the reasoner "llm" adds to its server, and how well passages are found.

- Overhead: a scripted server in a process of its own answers at once. Time from the caller's words to the draft with the
  first clause, and the controller's CPU for the whole turn; beside them a bare HTTP client that reads the same stream up to
  the same clause. The difference is ours. `read`: a turn in which the model asks for a tool first, so two requests.
- Retrieval: the questions of bench/llm_sets/policy.yaml to examples/airline/policies. hit@1 and hit@3 over all of them; the
  threshold is where the shares of refused answers and, doubly, of wrong ones are least. What such a choice does is told for
  questions that had no part in it: chosen on one half, measured on the other, and the other way round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import uvloop
import yaml
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_knowledge.index import Cache
from ccaas_knowledge.library import Library
from ccaas_knowledge.settings import THRESHOLD
from ccaas_llm.reasoner import LlmReasoner
from ccaas_llm.settings import LlmSettings
from rich.console import Console
from rich.table import Table

from bench.system import ROOT, environment
from ccaas.ports.reasoning import CallerTurn, DialogueContext
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import FakeBank, FakeToolbox

POLICIES = ROOT / "examples/airline/policies"
QUESTIONS = ROOT / "bench/llm_sets/policy.yaml"
SERVER = ROOT / "tests/peers/openai_server.py"
WARM = 20
Scores = np.ndarray[Any, Any]
_WORSE = 2.0
"""A wrong answer is as bad as so many honest refusals."""
_STEPS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
"""Thresholds that somebody might set."""
PLAIN, READ = "Hello", "What is my balance?"


@contextmanager
def scripted_server() -> Iterator[str]:
    """The URL of one in a process of its own."""
    with subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


async def turns(url: str, text: str, count: int) -> dict[str, Any]:
    """`count` turns, each of a conversation of its own: milliseconds to the draft, and CPU of the turn."""
    nowhere = Path(tempfile.gettempdir())
    reasoner = LlmReasoner(LlmSettings(url=url, model="scripted"), Site(nowhere, nowhere, nowhere, nowhere))
    await reasoner.start()
    tools = FakeToolbox({"get_balance": {"balance": 100}}, tools=FakeBank({}).tools())
    context = DialogueContext("bench", "voice", "", "100", None, tools, datetime.now(UTC))
    took, cpu = [], []
    try:
        for number in range(WARM + count):
            dialogue = reasoner.open(context)
            await dialogue.open()
            spent, began = time.process_time(), time.perf_counter()
            draft = await dialogue.draft(CallerTurn(f"t{number}", text))
            took.append((time.perf_counter() - began) * 1000)
            assert draft.reply is not None
            assert draft.reply.text.endswith("in it.")
            async for reply in dialogue.commit(draft):
                dialogue.heard(reply.text, True)
            cpu.append((time.process_time() - spent) * 1000)
    finally:
        await reasoner.close()
    return {"first_clause_ms": _spread(took[WARM:]), "cpu_ms": round(float(np.mean(cpu[WARM:])), 2)}


async def bare(url: str, text: str, count: int) -> dict[str, Any]:
    """The same by a plain HTTP client that looks for the end of the clause in the stream."""
    body = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": text}]}
    took = []
    async with aiohttp.ClientSession() as session:
        for _ in range(WARM + count):
            began, said = time.perf_counter(), ""
            async with session.post(f"{url}/chat/completions", json=body) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: {"):
                        choices = json.loads(line[6:])["choices"]
                        said += (choices[0]["delta"].get("content") or "") if choices else ""
                    if "in it. " in said:
                        took.append((time.perf_counter() - began) * 1000)
                        break
    return {"first_clause_ms": _spread(took[WARM:])}


def retrieval(folder: Path, rounds: int) -> dict[str, Any]:
    """Hits, the threshold's choice and effect, and how long a question takes."""
    model = MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache")
    cache = Cache(folder, "minilm", model)
    library = Library(POLICIES, cache, model)
    began = time.perf_counter()
    passages = library.refresh()
    indexed_s = time.perf_counter() - began
    told = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    took: list[float] = []
    for _ in range(rounds):
        first, third, good, bad = list[bool](), list[bool](), list[float](), list[float]()
        for question in [*told["answered"], *told["unanswered"]]:
            answered = isinstance(question, dict)
            began = time.perf_counter()
            hits = library.ask(question["q"] if answered else question, 3)
            took.append((time.perf_counter() - began) * 1000)
            (good if answered else bad).append(hits[0].score)
            if answered:
                right = [hit.passage.source in question["in"] for hit in hits]
                first.append(right[0])
                third.append(any(right))
    return {
        "passages": passages,
        "index_s": round(indexed_s, 2),
        "ask_ms": _spread(took),
        "questions": {"answered": len(good), "unanswered": len(bad)},
        "hit_at_1": round(float(np.mean(first)), 3),
        "hit_at_3": round(float(np.mean(third)), 3),
        **parting(np.array(good), np.array(bad), np.array(third)),
        "fresh": _fresh(library, told["fresh"]),
    }


def _fresh(library: Library, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the threshold that is shipped does to questions that were never looked at when it was chosen."""
    asked = [library.ask(one["q"], 3) for one in told["answered"]]
    good = np.array([hits[0].score for hits in asked])
    right = np.array(
        [
            any(hit.passage.source in one["in"] for hit in hits)
            for one, hits in zip(told["answered"], asked, strict=True)
        ]
    )
    bad = np.array([library.ask(question, 1)[0].score for question in told["unanswered"]])
    counts = {"answered": len(good), "unanswered": len(bad)}
    return {
        "questions": counts,
        "hit_at_3": round(float(np.mean(right)), 3),
        **_effect(THRESHOLD, good, bad, right),
        "trade_off": {f"{step:.2f}": _effect(step, good, bad, right) for step in _STEPS},
    }


def parting(good: Scores, bad: Scores, right: Scores) -> dict[str, Any]:
    """How well scores part questions that are answered (`good`) from those that are not (`bad`).

    `right`: whether the answer is among the passages.
    """
    held_out = [
        _effect(_chosen(good[n::2], bad[n::2]), good[1 - n :: 2], bad[1 - n :: 2], right[1 - n :: 2]) for n in (0, 1)
    ]
    return {
        "auroc": round(float(np.mean(good[:, None] > bad[None, :])), 3),
        "threshold": {"chosen": round(_chosen(good, bad), 2), "default": THRESHOLD},
        "with_the_default": _effect(THRESHOLD, good, bad, right),
        "trade_off": {f"{step:.2f}": _effect(step, good, bad, right) for step in _STEPS},
        "held_out": {name: round(float(np.mean([half[name] for half in held_out])), 3) for name in held_out[0]},
    }


def _chosen(good: Scores, bad: Scores) -> float:
    steps = np.arange(0.1, 0.9, 0.01)
    wrong = [np.mean(good < step) + _WORSE * np.mean(bad >= step) for step in steps]
    return float(np.mean([step for step, share in zip(steps, wrong, strict=True) if share <= min(wrong) + 1e-9]))


def _effect(threshold: float, good: Scores, bad: Scores, right: Scores) -> dict[str, float]:
    return {
        "answered_refused": round(float(np.mean(good < threshold)), 3),
        "answered_with_the_right_passage": round(float(np.mean((good >= threshold) & right)), 3),
        "unanswered_answered": round(float(np.mean(bad >= threshold)), 3),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 2) for p in (50, 99)}


async def measure(count: int) -> dict[str, Any]:
    """Everything."""
    with scripted_server() as url:
        found: dict[str, Any] = {
            "bare_client": await bare(url, PLAIN, count),
            "plain": await turns(url, PLAIN, count),
            "read": await turns(url, READ, count),
        }
    plain, client = found["plain"]["first_clause_ms"], found["bare_client"]["first_clause_ms"]
    found["ours_ms"] = {name: round(plain[name] - client[name], 2) for name in plain}
    with tempfile.TemporaryDirectory() as folder:
        found["retrieval"] = await asyncio.to_thread(retrieval, Path(folder), 5)
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def table(found: dict[str, Any]) -> Table:
    """For people."""
    shown = Table(title="the reasoner llm and the tool knowledge")
    shown.add_column("what")
    shown.add_column("p50", justify="right")
    shown.add_column("p99", justify="right")
    shown.add_column("CPU", justify="right")
    rows = (
        ("bare client", found["bare_client"]),
        ("one request", found["plain"]),
        ("with a reading tool", found["read"]),
    )
    for name, figures in rows:
        spread = figures["first_clause_ms"]
        shown.add_row(
            f"first clause, {name} (ms)", str(spread["p50"]), str(spread["p99"]), str(figures.get("cpu_ms", ""))
        )
    asked = found["retrieval"]
    shown.add_row("a question to the pages (ms)", str(asked["ask_ms"]["p50"]), str(asked["ask_ms"]["p99"]), "")
    for name in ("hit_at_1", "hit_at_3", "auroc"):
        shown.add_row(name.replace("_at_", "@"), str(asked[name]), "", "")
    for name, value in {**asked["threshold"], **asked["with_the_default"]}.items():
        shown.add_row(name.replace("_", " "), str(value), "", "")
    for name in ("hit_at_3", "answered_refused", "unanswered_answered"):
        shown.add_row(f"fresh questions: {name.replace('_', ' ')}", str(asked["fresh"][name]), "", "")
    return shown


def main() -> int:
    """Run, print, and keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.llm", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="keep the figures there (JSON)")
    parser.add_argument("--turns", type=int, default=300, help="turns of each kind (default: 300)")
    options = parser.parse_args()
    found = uvloop.run(measure(options.turns))
    Console().print(table(found))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"environment": environment(), **found}, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
