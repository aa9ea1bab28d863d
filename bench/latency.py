"""`make bench-latency [SET=folder] [OUT=file.json] [CALLS=n]`: recorded callers, real SIP, the caller's own recording.

Starts the system from examples/bench/ccaas.yaml, dials it, says every utterance of the set when the agent has asked for
its sort, answers when a code is read back, and lets the ruler judge the stereo recordings, which are kept beside the report with their side-cars. What was
understood comes from the controller's own turn records.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from bench.calls import MeasuredCall, Recorded, save
from bench.checking import CodeCheck
from bench.journal import Record, turns_of
from bench.report import Judged, percentiles, report, stage_table, table
from bench.ruler import measure_call
from bench.scoring import belonging, checked, score
from bench.speechset import LONG, QUESTIONS, Utterance, noises, read_set
from bench.system import ROOT, System, SystemFailed, environment
from bench.voices import Voices
from ccaas.conversation.settings import ConversationSettings
from ccaas.errors import SetupError, SpeechError
from ccaas.ports.site import Site
from ccaas.testing.caller import CallerError, CallFailed, SipCaller

SITE = Site(ROOT, ROOT / "var", ROOT / ".cache/models", ROOT / ".cache")
"""Where the callers' voices lie."""

_PER_CALL = 16
"""Utterances in a call, when the number of calls is not given."""
_ENDED_BY = (signal.SIGTERM, signal.SIGINT)


def spread(utterances: Sequence[Utterance], calls: int | None) -> list[list[Utterance]]:
    """The utterances of each call: one sort of question after the other, so that few calls change theirs."""
    ordered = sorted(utterances, key=lambda u: (QUESTIONS.index(u.question), u.kind == "bargein"))
    if calls is not None:
        shares = np.array_split(np.arange(len(ordered)), min(calls, len(ordered)))
        return [[ordered[i] for i in part] for part in shares if len(part)]
    cut: list[list[Utterance]] = []
    for utterance in ordered:
        same_sort = cut and (cut[-1][0].question == LONG) == (utterance.question == LONG)
        if same_sort and len(cut[-1]) < _PER_CALL:
            cut[-1].append(utterance)
        else:
            cut.append([utterance])
    return cut


def agreeing(folder: Path) -> list[Utterance]:
    """Recordings of the set that say yes, for callers whose code was read back right."""
    return [said for said in read_set(folder) if said.kind == "short" and said.intent == "affirm"]


def judge(recorded: Recorded, records: Sequence[Record], folder: Path) -> list[Judged]:
    """Write the side-car's last part, what the controller did, and judge each utterance of a call."""
    origin = recorded.side_car["origin_monotonic_s"]
    understood = []
    for turn, (utterance, _) in zip(recorded.side_car["turns"], recorded.said, strict=True):
        own = belonging(records, origin + turn["speech_start_s"], origin + turn["until_s"])
        turn["committed_s"] = [round(record["times"]["committed"] - origin, 4) for record in own]
        understood.append(checked(score(utterance, own, origin + turn["speech_end_s"]), turn.get("checked")))
        turn["understood"] = understood[-1].text
    measured = measure_call(recorded.side_car, folder)
    return [Judged(m, u) for m, u in zip(measured, understood, strict=True)]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is run, and where to."""

    set: Path
    plan: Sequence[Sequence[Utterance]]
    """The utterances of each call."""
    work: Path
    """For the system's state; emptied."""
    keep: Path
    """For recordings and side-cars; old ones are removed."""
    console: Console


async def measure(bench: Bench, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run all calls; the report. `changes`: see `System`."""
    plan, keep = bench.plan, bench.keep
    judged: list[Judged] = []
    answered: list[float | None] = []
    keep.mkdir(parents=True, exist_ok=True)
    for old in keep.glob("call-*"):
        old.unlink()
    coded = any(utterance.kind == "code" for utterances in plan for utterance in utterances)
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(System(bench.work, changes))
        check = None
        if coded:
            voices = await stack.enter_async_context(Voices(SITE))
            check = CodeCheck(system.state, agreeing(bench.set), voices.say)
        for number, utterances in enumerate(plan, 1):
            async with SipCaller(system.sip_host, system.sip_port) as ua:
                call = MeasuredCall(ua, number, "PCMU", check)
                recorded = await call.run(utterances, utterances[0].question)
            name = f"call-{number:02d}"
            save(recorded, keep, name)
            records = await turns_of(system.state, call.ani)
            new = judge(recorded, records, keep)
            (keep / f"{name}.json").write_text(json.dumps(recorded.side_car, indent=1))
            (keep / f"{name}.turns.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
            judged += new
            first = recorded.side_car["first_audio_s"]
            answered.append(None if first is None else (first - recorded.side_car["answered_s"]) * 1000)
            _progress(bench.console, number, len(plan), new, len(utterances))
    return report(judged) | {
        "calls": len(plan),
        "set": str(bench.set),
        "environment": environment(),
        "answer_to_audio_ms": percentiles(answered, 50, 95),
        "missed": sum(map(len, plan)) - len(judged),
        "recordings": str(keep),
    }


def _progress(console: Console, number: int, of: int, judged: Sequence[Judged], planned: int) -> None:
    voice = percentiles((one.measured.voice_to_voice_ms for one in judged), 50, 95)
    cut = sum(one.measured.cut_off for one in judged)
    said = f"p50 {voice['p50']:.0f} ms, p95 {voice['p95']:.0f} ms" if voice else "no turn answered"
    console.print(
        f"call {number} of {of}: {len(judged)} of {planned} utterances, {said}, {cut} cut off", highlight=False
    )


async def curve(bench: Bench, factors: Sequence[float]) -> list[dict[str, Any]]:
    """The same calls with every endpointing budget multiplied: what patience costs, and what it saves."""
    points = []
    for factor in factors:
        bench.console.print(f"budgets x {factor:g}", highlight=False)
        budgets = {
            kind.value: {name: round(limit * factor) for name, limit in budget.model_dump().items()}
            for kind, budget in ConversationSettings().budgets.items()
        }
        conversation = {"budgets": budgets}
        found = await measure(replace(bench, keep=bench.keep / f"x{factor:g}"), {"conversation": conversation})
        by_kind = {kind: row for kind, row in found.items() if isinstance(row, dict) and "cutoff_rate" in row}
        points.append(
            {"factor": factor}
            | {k: {name: row[name] for name in ("voice_to_voice_ms", "cutoff_rate")} for k, row in by_kind.items()}
        )
    return points


def _stopping() -> None:
    """The system is being stopped already."""


async def _bench(bench: Bench, factors: Sequence[float]) -> dict[str, Any]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # we are in one

    def stop() -> None:
        for number in _ENDED_BY:
            loop.add_signal_handler(number, _stopping)  # Once is enough: a second time would leave the system running
        task.cancel()

    for number in _ENDED_BY:
        loop.add_signal_handler(number, stop)
    found = await measure(bench)
    if factors:
        found["curve"] = await curve(bench, factors)
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.latency", description="Measure turns on the caller's own recording.")
    parser.add_argument("--set", type=Path, default=ROOT / "bench/speech", help="folder with set.jsonl and WAVs")
    parser.add_argument("--out", type=Path, default=ROOT / "var/bench/latency.json", help="where the report goes")
    parser.add_argument("--calls", type=int, default=None, help="over how many calls the utterances are spread")
    parser.add_argument("--kinds", default="", help="only these kinds, with commas between")
    parser.add_argument("--curve", nargs="?", const="0.5,0.75,1.5,2", default="", help="also with budgets times these")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace) -> list[list[Utterance]]:
    """Raises ValueError, and OSError when the set cannot be read."""
    if options.calls is not None and options.calls < 1:
        raise ValueError("CALLS must be at least 1")
    utterances = [*read_set(options.set), *noises()]
    kinds = {utterance.kind for utterance in utterances}
    wanted = set(options.kinds.split(",")) if options.kinds else kinds
    if unknown := wanted - kinds:
        raise ValueError(f"there is no kind {min(unknown)} in {options.set}; there are {', '.join(sorted(kinds))}")
    return spread([utterance for utterance in utterances if utterance.kind in wanted], options.calls)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when there is a report, 2 when the set or the system is not usable."""
    options = _options(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    keep = options.out.with_name(f"{options.out.stem}-calls")
    try:
        factors = [float(factor) for factor in options.curve.split(",") if factor]
        bench = Bench(options.set, _plan(options), ROOT / "var/bench/latency", keep, console)
        found = asyncio.run(_bench(bench, factors))
    except asyncio.CancelledError:
        console.print("stopped before the end: there is no report, and the system is stopped too", style="red")
        return 2
    except (OSError, ValueError, SystemFailed, CallerError, CallFailed, SetupError, SpeechError) as error:
        console.print(str(error), style="red", highlight=False)
        return 2
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    kinds = {kind: row for kind, row in found.items() if isinstance(row, dict) and "voice_to_voice_ms" in row}
    console.print(table(kinds), stage_table(found["all"]))
    first = found["answer_to_audio_ms"]
    if first:
        console.print(f"answer to first audio: p50 {first['p50']:.0f} ms, p95 {first['p95']:.0f} ms", highlight=False)
    for point in found.get("curve", ()):
        voice, cut = point["all"]["voice_to_voice_ms"] or {}, point["all"]["cutoff_rate"] or 0
        console.print(
            f"budgets x {point['factor']:g}: p50 {voice.get('p50')} ms, p95 {voice.get('p95')} ms, {cut:.1%} cut off",
            highlight=False,
        )
    console.print(f"report: {options.out}; recordings and side-cars: {keep}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
