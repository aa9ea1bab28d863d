"""What the gate, the validation and the audit cost at each tool: `python -m bench.actions [--runs N] [--out FILE]`.

Tools that do nothing run through the gate on this machine's disk: with the phase, three rules of the YAML, identity,
validation, confirmation, caps and the audit as on a live call. A read's row is noted; a write's is on the disk before it runs and
after it. Prints p50 and p99 (ms) of the time from the request to the answer (the tools themselves take none), beside it the CPU time
of the whole process, which a busy machine does not change; and the 50 published tasks of the airline replayed, beside the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import gold
from ccaas.actions import Audit, Books, CallTools, Limits, Tools
from ccaas.actions.settings import RuleSettings
from ccaas.journal import Journal
from ccaas.ports.tools import Caps, Phase, Tool
from ccaas.testing.fakes.tools import FakeBank

GOAL_MS = 2.0
"""For p99 of a dispatch."""
_TICK_S = 0.001
_RULES = (
    RuleSettings(name="sms", channels=("sms",), phase="informational"),
    RuleSettings(name="partners", entries=("partners",), allow=False),
    RuleSettings(name="refunds", intents=("refund",), per_day=1),
)


async def dispatch(runs: int) -> dict[str, Any]:
    """Percentiles (ms) by kind of dispatch."""
    with tempfile.TemporaryDirectory() as folder:
        journal = await Journal.open(Path(folder) / "journal.sqlite")
        books = await Books.open(Path(folder) / "actions.sqlite")
        bank = FakeBank({"a": 0})
        plain = list(bank.tools())
        capped = [replace(tool, caps=Caps(per_day=10**6)) if tool.name == "deposit" else tool for tool in plain]
        found: dict[str, Any] = {}
        for name, tools, audit in (
            ("gate alone", plain, gold.NoAudit()),
            ("with the audit", plain, journal),
            ("with the audit and a count per day", capped, journal),
        ):
            box = _box(name, tools, audit, books)
            if tools is plain:
                found[f"read, {name}"] = await _measure(runs, partial(_read, box))
            found[f"write, {name}"] = await _measure(runs, partial(_write, box))
        found["refusal"] = await _measure(runs, partial(_refused, _box("refused", plain, journal, books)))
        held = await _held(runs // 4, partial(_write, _box("held", capped, journal, books)))
        await books.close()
        await journal.close()
    return {
        "dispatch_ms": found,
        "event_loop_held_ms": held,
        "goal_p99_ms": GOAL_MS,
        "runs": runs,
    }


def _box(call_id: str, tools: list[Tool], audit: Audit, books: Books) -> CallTools:
    limits = Limits(Phase.TRANSACTIONAL, rules=_RULES, entry="main", channel="voice")
    return CallTools(
        Tools(tools), limits, audit, call_id=call_id, customer_id="ann", now=lambda: datetime.now(UTC), books=books
    )


async def _read(box: CallTools, number: int) -> None:
    await box.read("get_balance", {"account": "a"}, f"t{number}", intent="trip")


async def _write(box: CallTools, number: int) -> None:
    await box.write("deposit", {"account": "a", "amount": 1}, f"t{number}", f"t{number}", intent="trip")


async def _refused(box: CallTools, number: int) -> None:
    await asyncio.gather(
        box.write("deposit", {"account": "a", "amount": -1}, f"r{number}", "t"), return_exceptions=True
    )


async def _measure(runs: int, once: Callable[[int], Awaitable[object]]) -> dict[str, float]:
    took, cost = [], []
    for number in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        await once(number)
        took.append((time.perf_counter() - began) * 1000)
        cost.append((time.process_time() - cpu) * 1000)
    named = (("p50", took, 50), ("p99", took, 99), ("cpu_p50", cost, 50), ("cpu_p99", cost, 99))
    return {name: round(float(np.percentile(values, part)), 3) for name, values, part in named}


async def _held(runs: int, once: Callable[[int], Awaitable[object]]) -> float:
    """The longest time (ms) that nothing else came to its turn; apart from the rest, whose CPU time it would be in."""
    lags = [0.0]
    watch = asyncio.create_task(_watch(lags))
    await _measure(max(runs, 1), once)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    return round(1000 * max(lags), 2)


async def _watch(lags: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        lags.append(time.perf_counter() - began - _TICK_S)


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--out", type=Path, help="Where to keep the figures.")
    options = parser.parse_args()
    figures = asyncio.run(dispatch(options.runs))
    for name, found in figures["dispatch_ms"].items():
        print(f"{name:44} " + "  ".join(f"{key} {value:7.3f} ms" for key, value in found.items()))
    print(f"{'event loop held up, most':44} {figures['event_loop_held_ms']:11.3f} ms")
    replayed = gold.run()
    figures["gold"] = asdict(replayed)
    print(
        f"gold replay: {replayed.reached}/{replayed.tasks} ({replayed.actions} actions); doing nothing: {replayed.floor}"
    )
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
