"""`make bench-dialler ARGS="--real"`: a campaign on a real Asterisk for ten minutes (`--minutes`), against SIP callees.

The callees answer, hang up in the middle of the opening, refuse, are busy, ring out, are voicemails or do not exist
(`bench/callees.py`). They are the judges: every attempt that is kept must be one call that came to one of them, and its
disposition what they did. A person is spoken to by the AI with the real voice and the real recogniser, on `--lines` lines.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile
import soxr
from rich.console import Console
from rich.progress import Progress

from bench.callees import Callees, Rung, Sort
from bench.report import percentiles
from bench.system import ROOT, System, environment
from ccaas.ports.media import Pcm

SHARES: Mapping[Sort, float] = {
    Sort.ANSWERS: 0.30,
    Sort.LEAVES: 0.05,
    Sort.VOICEMAIL: 0.15,
    Sort.REFUSES: 0.07,
    Sort.BUSY: 0.13,
    Sort.RINGS: 0.25,
    Sort.NOBODY: 0.05,
}
MEANT: Mapping[Sort, tuple[str, ...]] = {
    Sort.ANSWERS: ("answered",),
    Sort.LEAVES: ("hung_up",),
    Sort.VOICEMAIL: ("message_left",),
    Sort.REFUSES: ("rejected",),
    Sort.BUSY: ("busy",),
    Sort.RINGS: ("no_answer",),
    Sort.NOBODY: ("invalid",),
}
"""What the dialler may say of each."""
OURS = ("failed", "abandoned")
"""A fault of ours, such as a machine that has too much to do; counted by itself, and the callee is no judge of it."""
CAMPAIGN = "bench"
SAID = ROOT / "bench/speech/dev-st-043.wav"
ROWS = 5_000


def sorts(seed: int) -> dict[str, Sort]:
    """Numbers, and what each is."""
    chance = random.Random(seed)
    kinds = list(SHARES)
    chosen = chance.choices(kinds, weights=[SHARES[kind] for kind in kinds], k=ROWS)
    return {f"+1212555{number:04d}": kind for number, kind in enumerate(chosen)}


def changes(port: int, lines: int, mode: str) -> dict[str, Any]:
    """The installation: a trunk to the callees, and the campaign."""
    return {
        "plugins": ["moonshine", "turn", "piper", "flows", "outbound"],
        "outreach": {
            "unknown": "allow",
            "hours": "00:00-24:00",
            "opt_out": {"voicemail": "To get no more calls, please tell us so."},
            "voice": {"endpoint": "PJSIP/{number}@carrier", "entry": "bench", "caller_id": "+18005550100"},
        },
        "dialler": {
            "campaigns": {
                CAMPAIGN: {
                    "entry": "bench",
                    "pacing": {"use": mode},
                    "lines": lines,
                    "purpose": "service",
                    "ring_s": 15,
                    "short_s": 4,
                    "listens": True,
                    "opening": "Hello {first_name}, there is news of your flight. How can I help you?",
                    "message": "Hello {first_name}, there is news of your flight. Please call us back.",
                    "retries": {"busy": {"after_min": 1, "most": 1}},
                }
            }
        },
    }


async def measured(folder: Path, minutes: float, lines: int, mode: str, seed: int, console: Console) -> dict[str, Any]:
    """The run. Raises SystemFailed or AssertionError when the system does not start or stop."""
    kinds = sorts(seed)
    async with Callees(lambda number: kinds.get(number, Sort.NOBODY), _said(), seed) as callees:
        system = System(folder, changes(callees.port, lines, mode))
        trunk = {"name": "carrier", "host": f"127.0.0.1:{callees.port}", "from_addresses": ["127.0.0.1/32"]}
        system.site._document["asterisk"]["trunks"] = [trunk]  # noqa: SLF001  (its port is known only now)
        async with system:
            records = [{"phone": number, "first_name": "Ann"} for number in kinds]
            await system.site.ask("POST", f"/campaigns/{CAMPAIGN}/records", {"records": records})
            began = time.monotonic()
            await system.site.ask("POST", f"/campaigns/{CAMPAIGN}/resume")
            await _watched(callees, minutes * 60, console)
            await system.site.ask("POST", f"/campaigns/{CAMPAIGN}/pause")
            paused, paused_at = time.monotonic(), time.time()
            while any(one.ended is None for one in callees.rung):
                await asyncio.sleep(0.1)
            await _until_kept(system, len(callees.rung))
            found = _judged(system, callees.rung, kinds)
            late = sum(one["at"] > paused_at for one in _attempts(system))
        return {
            "environment": environment(),
            "minutes": round((paused - began) / 60, 2),
            "lines": lines,
            "mode": mode,
            "begun_after_pause": late,
            "attempts_per_hour": round(len(callees.rung) / (paused - began) * 3600, 1),
            "occupancy": _occupancy(callees.rung, lines, began, paused),
            **found,
        }


async def _watched(callees: Callees, seconds: float, console: Console) -> None:
    with Progress(console=console) as progress:
        bar = progress.add_task("calling", total=seconds)
        began = time.monotonic()
        while (gone := time.monotonic() - began) < seconds:
            up = sum(one.answered is not None and one.ended is None for one in callees.rung)
            progress.update(bar, completed=gone, description=f"{len(callees.rung)} called, {up} up")
            await asyncio.sleep(0.5)


async def _until_kept(system: System, attempts: int) -> None:
    """Until the last attempt's end is on the disk."""
    async with asyncio.timeout(60):
        while len([one for one in _attempts(system) if one["disposition"] not in ("", "later", "refused")]) < attempts:
            await asyncio.sleep(0.1)


def _attempts(system: System) -> list[dict[str, Any]]:
    return system.site.rows(
        "SELECT number, at, answered, ended, disposition, met FROM attempts ORDER BY at", file="campaigns.sqlite"
    )


def _judged(system: System, rung: Sequence[Rung], kinds: Mapping[str, Sort]) -> dict[str, Any]:
    """What was kept, against what the callees saw."""
    attempts = [one for one in _attempts(system) if one["disposition"] not in ("later", "refused")]
    wrong = [
        {"number": one["number"], "was": kinds[one["number"]].value, "kept": one["disposition"]}
        for one in attempts
        if one["disposition"] not in (*MEANT[kinds[one["number"]]], *OURS)
    ]
    came, kept = Counter(one.number for one in rung), Counter(one["number"] for one in attempts)
    met = [one["met"] for one in attempts if one["met"]]
    return {
        "attempts": len(attempts),
        "calls_at_the_callees": len(rung),
        "calls_without_an_attempt": sum((came - kept).values()),
        "attempts_without_a_call": sum((kept - came).values()),
        "wrong_dispositions": wrong,
        "faults_of_ours": sum(one["disposition"] in OURS for one in attempts),
        "dispositions": dict(Counter(one["disposition"] for one in attempts)),
        "callees": dict(Counter(one.sort.value for one in rung)),
        "abandoned": round(met.count("abandoned") / len(met), 4) if met else 0.0,
        "answer_to_first_sound_ms": percentiles(
            (
                (one.heard - one.answered) * 1000
                for one in rung
                if one.heard is not None and one.answered is not None and one.sort is Sort.ANSWERS
            ),
            50,
            95,
        ),
        "answered_without_a_sound": sum(
            one.heard is None for one in rung if one.answered is not None and one.sort is Sort.ANSWERS
        ),
    }


def _occupancy(rung: Sequence[Rung], lines: int, began: float, ended: float) -> float:
    """Time in conversations, of the time of all lines."""
    up = sum(
        min(one.ended or ended, ended) - one.answered
        for one in rung
        if one.answered is not None and one.answered < ended
    )
    return round(up / (lines * (ended - began)), 4)


def _said() -> Pcm:
    audio, rate = soundfile.read(SAID, dtype="int16")
    found: Pcm = soxr.resample(audio, rate, 8_000)
    return found
