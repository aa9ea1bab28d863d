"""Figures from measured utterances: shares and percentiles, by kind and in all, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from bench.ruler import FALSE_ALARMS, Measured
from bench.scoring import STAGES, Understood


@dataclass(frozen=True, slots=True)
class Judged:
    """One utterance: what the recording says, and what the controller's turns say."""

    measured: Measured
    understood: Understood


def percentiles(values: Iterable[float | None], *wanted: int) -> dict[str, Any] | None:
    """{"p50": …, "n": …}, linearly interpolated; None when there is no value."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    return {f"p{p}": round(float(np.percentile(there, p)), 1) for p in wanted} | {"n": len(there)}


def share(values: Iterable[bool | None]) -> float | None:
    """How many are true, of those that are not None; None when there is none."""
    there = [value for value in values if value is not None]
    return round(sum(there) / len(there), 4) if there else None


def _count(values: Iterable[bool | None]) -> int | None:
    """How many are true; None when none applies."""
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """All figures of one kind, or of all kinds together. Shares are 0…1; what does not apply is None."""
    measured = [one.measured for one in judged]
    understood = [one.understood for one in judged]
    turns = [m for m in measured if m.kind not in FALSE_ALARMS]
    alarms = [m for m in measured if m.kind in FALSE_ALARMS and m.over_agent]
    barge_ins = [m for m in turns if m.kind == "bargein" and m.over_agent]
    said = sum(u.words for u in understood if u.word_errors is not None)
    slots = sum(u.slots for u in understood)
    return {
        "utterances": len(judged),
        "voice_to_voice_ms": percentiles((m.voice_to_voice_ms for m in turns), 50, 95, 99),
        "cutoff_rate": share(m.cut_off for m in turns),
        "unanswered": sum(not m.answered for m in turns),
        "bargein_stop_ms": percentiles((m.stop_ms for m in barge_ins), 50, 95),
        "bargein_missed": sum(m.stop_ms is None for m in barge_ins) if barge_ins else None,
        "backchannel_survival": share(m.survived for m in alarms if m.kind == "backchannel"),
        "false_alarm_resume_rate": share(m.went_on for m in alarms),
        "wer": round(sum(u.word_errors or 0 for u in understood) / said, 4) if said else None,
        "code_exact": share(u.code_exact for u in understood),
        "code_after_correction": share(u.code_after_correction for u in understood),
        "code_corrections": _count(u.code_corrected for u in understood),
        "intent_accuracy": share(u.intent_right for u in understood),
        "slot_accuracy": round(sum(u.slots_right for u in understood) / slots, 4) if slots else None,
        "stages_ms": {stage: percentiles((u.stages_ms.get(stage) for u in understood), 50, 95) for stage in STAGES},
    }


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """`all`, and every kind by its name."""
    kinds = list(dict.fromkeys(one.measured.kind for one in judged))
    return {"all": figures(judged)} | {k: figures([one for one in judged if one.measured.kind == k]) for k in kinds}


def table(figures_by_kind: dict[str, Any]) -> Table:
    """The report for people; milliseconds, and shares in per cent."""
    shown = Table(title="latency (ms) and shares (%), by kind")
    for name in ("kind", "n", "p50", "p95", "p99", "cut off", "stop p50", "stop p95", "survive", "go on", "WER", "code", "corrected", "then", "intent", "slots"):  # fmt: skip
        shown.add_column(name, justify="left" if name == "kind" else "right")
    for kind, row in figures_by_kind.items():
        voice, stop = row["voice_to_voice_ms"] or {}, row["bargein_stop_ms"] or {}
        shown.add_row(
            kind,
            str(row["utterances"]),
            *(_whole(voice.get(p)) for p in ("p50", "p95", "p99")),
            _per_cent(row["cutoff_rate"]),
            *(_whole(stop.get(p)) for p in ("p50", "p95")),
            *(_per_cent(row[key]) for key in _SHARES[:4]),
            "" if row["code_corrections"] is None else str(row["code_corrections"]),
            *(_per_cent(row[key]) for key in _SHARES[4:]),
        )
    return shown


def stage_table(row: dict[str, Any]) -> Table:
    """Where the time goes: from the planted end of speech to each stage."""
    shown = Table(title="end of speech to … (ms)")
    for name in ("stage", "p50", "p95"):
        shown.add_column(name, justify="left" if name == "stage" else "right")
    stages = row["stages_ms"] | {"heard by the caller": row["voice_to_voice_ms"]}
    for stage, found in stages.items():
        shown.add_row(stage, *(_whole((found or {}).get(p)) for p in ("p50", "p95")))
    return shown


_SHARES = (
    "backchannel_survival",
    "false_alarm_resume_rate",
    "wer",
    "code_exact",
    "code_after_correction",
    "intent_accuracy",
    "slot_accuracy",
)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _per_cent(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.1f}"
