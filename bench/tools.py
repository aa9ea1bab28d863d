"""What the gate, the audit and the journal cost: `python -m bench.tools [RUNS]`.

Prints p50 and p99 (ms) of tools that do nothing, run through the gate into a real journal on this machine's disk, and
the longest that the event loop was held up meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from ccaas.actions import Audit, CallTools, Limits, ToolRun, Tools
from ccaas.journal import CallBegan, Journal
from ccaas.ports.tools import Phase
from ccaas.testing.fakes.tools import FakeBank

_TICK_S = 0.001


class NoAudit:
    """Keeps nothing: what is left is the gate alone."""

    async def store(self, run: ToolRun) -> None: ...

    def note(self, run: ToolRun) -> None: ...


async def main(runs: int) -> None:
    """Measure and print."""
    bank = FakeBank({"a": 0})
    with tempfile.TemporaryDirectory() as folder:
        journal = await Journal.open(Path(folder) / "journal.db")
        lags: list[float] = []
        watch = asyncio.create_task(_watch(lags))
        await _through_the_gate("gate alone", bank, NoAudit(), runs)
        await _through_the_gate("with the journal", bank, journal, runs)
        await _measure("one journal row", runs, lambda n: journal.append(CallBegan(f"c{n}", "", "1", "e")))
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await journal.close()
        print(f"{'event loop held up, most':32} {max(lags) * 1000:7.3f} ms")


async def _through_the_gate(name: str, bank: FakeBank, audit: Audit, runs: int) -> None:
    tools = CallTools(
        Tools(bank.tools()),
        Limits(Phase.TRANSACTIONAL),
        audit,
        call_id="call",
        customer_id="",
        now=lambda: datetime.now(UTC),
    )
    await _measure(f"read, {name}", runs, lambda n: tools.read("get_balance", {"account": "a"}, f"t{n}"))
    pay = {"account": "a", "amount": 1}
    await _measure(f"write, {name}", runs, lambda n: tools.write("deposit", pay, f"t{n}", f"t{n}"))


async def _measure(name: str, runs: int, once: Callable[[int], Awaitable[object]]) -> None:
    took = []
    for number in range(runs):
        began = time.perf_counter()
        await once(number)
        took.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=100)
    print(f"{name:32} {cuts[49]:7.3f} ms p50 {cuts[98]:7.3f} ms p99")


async def _watch(lags: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        lags.append(time.perf_counter() - began - _TICK_S)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
