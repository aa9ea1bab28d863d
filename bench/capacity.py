"""`make bench-capacity [OUT=file.json] [ARGS=…]`: how many conversations this machine holds, and what each costs.

Starts the system from examples/bench/ccaas.yaml on this machine and has more and more callers talk to it at once, until
they notice: p95 of voice-to-voice above 800 ms or more than 10 % of turns cut off, neither by chance (a level has few turns), more
than 5 % unanswered, or a call that was not taken. The last level before that is `calls_held`. The callers run on the same machine and take their share of
it; their cost stands in the table, so that it can be taken off. `--idle`, `--soak` and `--bridged` measure what a system
costs that does nothing (and how soon it is ready and greets), whether memory grows, and calls that are connected with a
person. At rest alone: `make bench-capacity ARGS="--most 0 --idle 30"`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.bridged import CHANGES, bridged
from bench.crowd import KINDS, SLOW_MS, TALK_SHARE, Crowd
from bench.processes import PARTS, Snapshot, snapshot
from bench.resting import greeting_figures, greetings, rest_table, watch
from bench.speechset import Utterance, read_set
from bench.system import ROOT, System, SystemFailed, environment
from ccaas.testing.caller import CallerError, CallFailed

SLOW = 0.05
CUT_OFF = 0.10
_CHANCE = 0.05
UNANSWERED = 0.05

_MOST = 240
_LONGEST_LEVEL_S = 600.0
_LONGEST_SOAK_MIN = 24 * 60.0
_FEW = 4
"""Levels with fewer calls last longer, so that there are as many turns to judge by."""

_BETWEEN_S = 3.0
_WARM_UP = 0.2
"""Share of a soak that growth is not read from."""


def levels(most: int, least: int = 1) -> list[int]:
    """1, 2, 4, 8, then every fourth number up to `most`; those from `least` on."""
    return [level for level in (1, 2, *range(4, most + 1, 4)) if least <= level <= most]


def level_seconds(calls: int, seconds: float) -> float:
    """How long a level lasts: `seconds`, and longer for few calls."""
    return seconds * max(1.0, _FEW / calls)


def noticed(level: Mapping[str, Any]) -> str:
    """What callers notice at this level; empty when all is well."""
    voice = level["voice_to_voice_ms"]
    if level["refused"] or level["failed"]:
        return f"{level['refused'] + level['failed']} calls were not taken"
    if voice is None:
        return "nothing was answered"
    if worse_than(SLOW, level["slow_rate"], voice["n"]):
        return f"p95 of voice-to-voice is {voice['p95']:.0f} ms"
    if worse_than(CUT_OFF, level["cutoff_rate"], level["turns"]):
        return f"{level['cutoff_rate']:.0%} of turns were cut off"
    if level["unanswered"] > UNANSWERED * level["turns"]:
        return f"{level['unanswered']} of {level['turns']} turns stayed unanswered"
    return ""


def worse_than(limit: float, rate: float, turns: int) -> bool:
    """Whether a share of few turns is above the limit by more than chance: so many or more would be seen in fewer than 5 %
    of such samples if it were just met."""
    seen = round(rate * turns)
    logs = (
        math.lgamma(turns + 1) - math.lgamma(n + 1) - math.lgamma(turns - n + 1)
        + n * math.log(limit) + (turns - n) * math.log1p(-limit)
        for n in range(seen)
    )  # fmt: skip
    below = sum(map(math.exp, logs))
    return rate > limit and 1 - below < _CHANCE


def held(found: Sequence[Mapping[str, Any]]) -> int:
    """Calls of the last level before the first at which callers noticed; 0 when that was the first."""
    last = 0
    for level in found:
        if level["noticed"]:
            break
        last = level["calls"]
    return last


def growth_mb_per_h(samples: Sequence[Snapshot]) -> dict[str, float]:
    """Resident memory's growth of each part by a straight line through the samples, without the first fifth."""
    steady = samples[int(len(samples) * _WARM_UP) :]
    if len(steady) < 3:
        return {}
    hours = np.array([sample.at for sample in steady]) / 3600
    parts = [part for part in PARTS if any(cost.part == part for cost in steady[-1].costs.values())]
    return {
        part: round(float(np.polyfit(hours - hours[0], [s.rss_mb(part) for s in steady], 1)[0]), 2) for part in parts
    }


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is run."""

    levels: Sequence[int]
    seconds: float
    """Of a level."""
    idle_s: float
    greetings: int
    """Calls, one after another, of which only the beginning is heard."""
    soak_min: float
    """0: no soak."""
    soak_calls: int
    """0: as many as the ramp has held."""
    bridged: int
    """Calls; 0: none."""
    utterances: Sequence[Utterance]
    work: Path
    """For the system's state; emptied."""
    console: Console

    @property
    def most(self) -> int:
        """Most calls at once."""
        return max(*self.levels, self.soak_calls, self.bridged, 4)


async def measure(run: Capacity) -> dict[str, Any]:
    """Run everything; the report."""
    task = asyncio.current_task()
    assert task is not None  # we are in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # So that the system is stopped too
    changes = {**CHANGES, "limits": {"calls": run.most + 10}}
    async with System(run.work, changes) as first:
        starts = [first.ready_s]  # what can be made again may have been made in it
    async with System(run.work, changes) as system:
        starts.append(system.ready_s)
        run.console.print(f"ccaas up takes calls after {system.ready_s:.1f} s", highlight=False)
        resting = await watch(system, run.idle_s)
        greeted = await greetings(system, run.greetings)
        afterwards = await watch(system, run.idle_s)
        idle = snapshot(system.roots)
        found: dict[str, Any] = {
            "environment": environment(),
            "conditions": {
                "talk_share": TALK_SHARE,
                "kinds": KINDS,
                "codec": "PCMU",
                "recording": True,
                "limits": {"p95_ms": SLOW_MS, "cutoff_rate": CUT_OFF, "unanswered": UNANSWERED},
                "callers": "on the same machine",
            },
            "up_to_ready_s": [round(seconds, 2) for seconds in starts],
            "idle": resting,
            "greeting_ms": greeting_figures(greeted),
            "idle_after_greetings": afterwards,
            "levels": await _ramp(run, system, idle),
        }
        found["calls_held"] = held(found["levels"])
        if run.soak_min:
            found["soak"] = await _soak(run, system, idle, run.soak_calls or found["calls_held"] or 1)
        if run.bridged:
            found["bridged"] = await bridged(system, run.bridged, run.seconds, idle, run.utterances)
    return found


async def _ramp(run: Capacity, system: System, idle: Snapshot) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, calls in enumerate(run.levels):
        crowd = Crowd(system, run.utterances, calls, level_seconds(calls, run.seconds), first=number * 1000)
        level = await crowd.talk(idle)
        level["noticed"] = noticed(level)
        found.append(level)
        voice = level["voice_to_voice_ms"] or {"p50": 0, "p95": 0}
        run.console.print(
            f"{calls} calls: {level['turns']} turns, p50 {voice['p50']:.0f} ms, p95 {voice['p95']:.0f} ms"
            + (f"; stopped: {level['noticed']}" if level["noticed"] else ""),
            highlight=False,
        )
        if level["noticed"]:
            break
        await asyncio.sleep(_BETWEEN_S)
    return found


async def _soak(run: Capacity, system: System, idle: Snapshot, calls: int) -> dict[str, Any]:
    crowd = Crowd(system, run.utterances, calls, run.soak_min * 60, first=9000)
    found = await crowd.talk(idle)
    return found | {"noticed": noticed(found), "growth_mb_per_h": growth_mb_per_h(crowd.samples)}


def level_table(found: Sequence[Mapping[str, Any]]) -> Table:
    """What callers noticed, and what it cost."""
    shown = Table(title="calls at once (ms; CPU seconds a call and second; MB)")
    names = ("calls", "turns", "p50", "p95", "cut off", "unansw.", "refused", "talk", "lag p99", *PARTS, "contr. MB")
    for name in names:
        shown.add_column(name, justify="right")
    for level in found:
        voice, parts = level["voice_to_voice_ms"] or {}, level["parts"]
        shown.add_row(
            *(str(level[key]) for key in ("calls", "turns")),
            *(f"{voice[p]:.0f}" if voice else "" for p in ("p50", "p95")),
            "" if level["cutoff_rate"] is None else f"{level['cutoff_rate']:.1%}",
            str(level["unanswered"]),
            str(level["refused"] + level["failed"]),
            f"{level['talk_share']:.0%}",
            "" if level["loop_lag_p99_ms"] is None else f"{level['loop_lag_p99_ms']:.1f}",
            *(f"{parts[part]['cpu_s_per_call_s']:.4f}" if part in parts else "" for part in PARTS),
            f"{parts['controller']['rss_mb']:.0f}",
        )
    return shown


def part_table(title: str, found: Mapping[str, Any]) -> Table:
    """Cores and memory of each part."""
    shown = Table(title=title)
    for name in ("part", "% of a core", "MB"):
        shown.add_column(name, justify="left" if name == "part" else "right")
    for part, row in found["parts"].items():
        shown.add_row(part, f"{row['cores'] * 100:.1f}", f"{row['rss_mb']:.0f}")
    return shown


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.capacity", description="Measure how many calls this machine holds.")
    parser.add_argument("--set", type=Path, default=ROOT / "bench/speech", help="folder with set.jsonl and WAVs")
    parser.add_argument("--out", type=Path, default=ROOT / "var/bench/capacity.json", help="where the report goes")
    parser.add_argument("--most", type=int, default=40, help="where the ramp ends at the latest; 0: no ramp")
    parser.add_argument("--least", type=int, default=1, help="where it begins at the earliest")
    parser.add_argument("--seconds", type=float, default=45.0, help="of a level, from 4 calls on")
    parser.add_argument("--idle", type=float, default=10.0, help="seconds that the system is watched without calls")
    parser.add_argument("--greetings", type=int, default=10, help="calls that only hear how they are greeted")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="one level for so long")
    parser.add_argument("--soak-calls", type=int, default=0, help="calls of the soak; 0: what the ramp has held")
    parser.add_argument("--bridged", type=int, default=0, metavar="N", help="also N calls connected with a person")
    return parser.parse_args(arguments)


def plan(options: argparse.Namespace, console: Console) -> Capacity:
    """What the options ask for. Raises ValueError, and OSError when the set cannot be read."""
    for name, low, high in (
        ("most", 0, _MOST),
        ("least", 1, _MOST),
        ("seconds", 5, _LONGEST_LEVEL_S),
        ("idle", 1, _LONGEST_LEVEL_S),
        ("greetings", 0, _MOST),
        ("soak", 0, _LONGEST_SOAK_MIN),
        ("soak_calls", 0, _MOST),
        ("bridged", 0, _MOST),
    ):
        if not low <= getattr(options, name) <= high:
            raise ValueError(f"--{name.replace('_', '-')} is from {low} to {high:g}")
    utterances = [utterance for utterance in read_set(options.set) if utterance.kind in KINDS]
    if not utterances:
        raise ValueError(f"{options.set} has no utterance of the kinds {', '.join(KINDS)}")
    return Capacity(
        levels(options.most, options.least),
        options.seconds,
        options.idle,
        options.greetings,
        options.soak,
        options.soak_calls,
        options.bridged,
        utterances,
        ROOT / "var/bench/capacity",
        console,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when there is a report, 2 when the set or the system is not usable."""
    options = _options(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=170)
    try:
        found = asyncio.run(measure(plan(options, console)))
    except (OSError, ValueError, SystemFailed, CallerError, CallFailed) as error:
        console.print(str(error), style="red", highlight=False)
        return 2
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    console.print(rest_table(found["idle"]))
    console.print(f"ready after {' and then '.join(map(str, found['up_to_ready_s']))} s", highlight=False)
    if greeting := found["greeting_ms"]:
        console.print(
            f"greeted {greeting['p50']:.0f} ms (p95 {greeting['p95']:.0f}) after it was answered", highlight=False
        )
        left = found["idle_after_greetings"]["sum"]
        console.print(
            f"at rest after these calls: RSS {left['rss_mb']:.0f} MB, PSS {left['pss_mb']:.0f} MB", highlight=False
        )
    if found["levels"]:
        console.print(level_table(found["levels"]), f"calls held: {found['calls_held']}")
    if soak := found.get("soak"):
        console.print(level_table([soak]), f"growth, MB an hour: {soak['growth_mb_per_h']}")
    if connected := found.get("bridged"):
        console.print(part_table(f"{connected['connected']} calls connected inside Asterisk", connected))
        console.print(
            f"{connected['heard_themselves']} heard the other end; "
            f"{connected['media_channels_to_the_controller']} channels with audio to the controller",
            highlight=False,
        )
    console.print(f"report: {options.out}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
