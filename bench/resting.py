"""What an installation costs that has nothing to do, how soon it is ready, and how soon it greets.

Memory is told twice: the resident set (RSS), in which a page that two processes share counts twice, and the proportional one
(PSS), in which each of them has its share; only the latter may be summed. Pages that are merely mapped from files and
could be dropped at any time are in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from bench.processes import PARTS, Snapshot, snapshot, spent
from bench.report import percentiles
from bench.ruler import runs
from bench.speechset import QUESTIONS
from bench.system import System
from ccaas.testing.caller import SipCaller

SYSTEM = tuple(part for part in PARTS if part != "callers")

_SETTLE_S = 3.0
"""After the start, until it is at rest."""
_GREETED_S = 0.5
"""How long the greeting is listened to, so that the ruler believes that it is speech."""


def rest(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """Cores and megabytes of each part between two snapshots that hold PSS, and of all parts together."""
    length = after.at - before.at
    cores = spent(before, after)
    parts = {
        part: {
            "cores": round(cores[part] / length, 4),
            "rss_mb": round(after.rss_mb(part), 1),
            "pss_mb": round(after.pss_mb(part), 1),
        }
        for part in SYSTEM
        if part in cores
    }
    return {
        "seconds": round(length, 1),
        "parts": parts,
        "sum": {
            name: round(sum(row[name] for row in parts.values()), digits)
            for name, digits in (("cores", 4), ("rss_mb", 1), ("pss_mb", 1))
        },
    }


async def watch(system: System, seconds: float) -> dict[str, Any]:
    """`rest` over so many seconds, from now on."""
    await asyncio.sleep(_SETTLE_S)
    before = snapshot(system.roots, pss=True)
    await asyncio.sleep(seconds)
    return rest(before, snapshot(system.roots, pss=True))


async def greetings(system: System, calls: int) -> list[float]:
    """For calls one after another, how long after the caller's phone learnt that it is answered it hears the agent (ms)."""
    found: list[float] = []
    async with SipCaller(system.sip_host, system.sip_port) as line:
        for number in range(calls):
            call = await line.dial(QUESTIONS[0], codec="PCMU", from_number=f"+1555012{number:04d}")
            answered = await call.answered()
            await call.hear_start(answered)
            await asyncio.sleep(_GREETED_S)
            await call.hang_up()
            stereo = call.stereo()
            heard = runs(stereo.audio[:, 1].astype(np.float64) / 32768, stereo.sample_rate)
            found.append(1000 * (heard[0].start + stereo.origin - answered))
    return found


def greeting_figures(milliseconds: Sequence[float]) -> dict[str, Any] | None:
    """p50 and p95; None without calls."""
    return percentiles(milliseconds, 50, 95)


def rest_table(found: Mapping[str, Any]) -> Table:
    """Cores and memory of each part, and of all together."""
    shown = Table(title=f"without calls, {found['seconds']:.0f} s")
    for name in ("part", "% of a core", "RSS MB", "PSS MB"):
        shown.add_column(name, justify="left" if name == "part" else "right")
    for part, row in (*found["parts"].items(), ("together", found["sum"])):
        shown.add_row(part, f"{row['cores'] * 100:.2f}", f"{row['rss_mb']:.0f}", f"{row['pss_mb']:.0f}")
    return shown
