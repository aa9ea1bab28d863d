"""What processes cost, from /proc: CPU seconds and resident memory, by the part that each process plays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

PARTS = ("asterisk", "controller", "voice worker", "guard", "other", "callers")
"""In the order in which they are shown. The callers are the bench itself: no part of the system."""

EVENT_LOOP = "event loop"
"""The controller's main thread, on which asyncio runs; known by its id, which is the process's."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One process at one instant."""

    part: str
    """One of PARTS."""
    cpu_s: float
    """CPU seconds since its start, user and system."""
    rss_mb: float
    """Resident memory."""
    pss_mb: float = 0.0
    """Its share of the memory: what it shares with others is divided among them; 0 when it was not asked for."""
    threads: Mapping[str, float] = field(default_factory=dict)
    """CPU seconds of its threads so far, by name; the controller's alone."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All processes at one instant."""

    at: float
    """Monotonic second."""
    costs: Mapping[int, Cost]
    """By process id."""

    def rss_mb(self, part: str) -> float:
        """Resident memory of all processes that play a part."""
        return sum(cost.rss_mb for cost in self.costs.values() if cost.part == part)

    def pss_mb(self, part: str) -> float:
        """Proportional memory of all processes that play a part."""
        return sum(cost.pss_mb for cost in self.costs.values() if cost.part == part)


def part_of(command: str) -> str:
    """Which part a process of the system plays, from its command line."""
    if "ccaas.controller" in command:
        return "controller"
    if ".worker" in command:
        return "voice worker"
    if "ccaas.cli up" in command:
        return "guard"
    if "/asterisk" in command:
        return "asterisk"
    return "other"


def snapshot(roots: Iterable[int], *, pss: bool = False) -> Snapshot:
    """The processes under `roots` (process ids of the system), and the bench with its callers.

    `pss`: also how much memory is whose share; reading that holds each process up for milliseconds.
    """
    parents = _parents()
    tree = set().union(*(_under(root, parents) for root in roots))
    own = _under(os.getpid(), parents) - tree
    costs: dict[int, Cost] = {}
    for pid in tree | own:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            part = "callers" if pid in own else part_of(command)
            cpu_s, rss = _stat(Path(f"/proc/{pid}"))
            threads = _threads(pid) if part == "controller" else {}
            share = _pss(pid) if pss else 0.0
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended since we listed it
        costs[pid] = Cost(part, cpu_s, rss, share, threads)
    return Snapshot(time.monotonic(), costs)


def spent(before: Snapshot, after: Snapshot) -> dict[str, float]:
    """CPU seconds of each part between two snapshots; a process that began in between counts from its start."""
    total: dict[str, float] = {}
    for pid, cost in after.costs.items():
        was = before.costs.get(pid)
        total[cost.part] = total.get(cost.part, 0.0) + cost.cpu_s - (was.cpu_s if was else 0.0)
    return total


def spent_by_threads(before: Snapshot, after: Snapshot) -> dict[str, float]:
    """CPU seconds of the controller's threads between two snapshots, by name."""
    total: dict[str, float] = {}
    for pid, cost in after.costs.items():
        was = before.costs[pid].threads if pid in before.costs else {}
        for name, cpu_s in cost.threads.items():
            total[name] = total.get(name, 0.0) + cpu_s - was.get(name, 0.0)
    return total


def cost(idle: Snapshot, before: Snapshot, after: Snapshot, call_s: float, calls: int) -> dict[str, Any]:
    """What `calls` calls cost between two snapshots, in which they were up for `call_s` seconds together.

    `idle`: the same processes before any call; what they have grown by since is the calls'.
    """
    cores = spent(before, after)
    length = after.at - before.at
    parts = {
        part: {
            "cpu_s_per_call_s": round(cores[part] / call_s, 5) if call_s else None,
            "cores": round(cores[part] / length, 4) if length else None,
            "rss_mb": round(after.rss_mb(part), 1),
            "rss_growth_mb_per_call": round((after.rss_mb(part) - idle.rss_mb(part)) / calls, 2) if calls else None,
        }
        for part in PARTS
        if part in cores
    }
    threads = spent_by_threads(before, after)
    return {
        "parts": parts,
        "controller_threads_cores": {name: round(cpu / length, 4) for name, cpu in sorted(threads.items())},
        "controller_threads_note": "the event loop is the main thread; Python gives the kernel no name for the others "
        "(recognition, end of turn, files), so they stand together unless they have one",
    }


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = int(_fields(folder)[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _under(root: int, parents: Mapping[int, int]) -> set[int]:
    """A process and all that descend from it."""
    found = {root} & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _fields(folder: Path) -> list[str]:
    """The fields of `stat` behind the name, which may itself hold blanks: state, parent …"""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _stat(folder: Path) -> tuple[float, float]:
    """CPU seconds and resident megabytes."""
    fields = _fields(folder)
    return (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE / 1e6


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _threads(pid: int) -> dict[str, float]:
    """CPU seconds by thread name; "other threads" for those that are called like the process."""
    process = Path(f"/proc/{pid}/comm").read_text().strip()
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            own = (task / "comm").read_text().strip()
            name = EVENT_LOOP if task.name == str(pid) else "other threads" if own == process else own
            found[name] = found.get(name, 0.0) + _stat(task)[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
