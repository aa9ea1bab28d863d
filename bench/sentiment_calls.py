"""Angry callers over SIP: when the agent is silent, and when the compassionate line is heard, on the caller's own recording."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report import percentiles
from bench.ruler import find, runs
from bench.speechset import LONG, Utterance
from bench.system import ROOT, System
from ccaas.config.configuration import load
from ccaas.conversation.clauses import clauses
from ccaas.testing.caller import Call, SipCaller

LINE = "I'm so sorry about this. I'm getting a senior colleague for you right away."
CHANGES: dict[str, Any] = {
    "plugins": ["moonshine", "turn", "piper", "flows", "sentiment"],
    "destinations": {"senior": {"endpoint": "Local/echo@ccaas-test"}, "agents": {"endpoint": "Local/echo@ccaas-test"}},
    "sentiment": {
        "use": "sentiment",
        "escalation": {"destination": "senior", "lines": {"en": {"upset": LINE, "wish": LINE}}},
    },
}
_INTO_S = 4.0
_QUIET_S = 0.8
_ALIKE = 0.5
"""Normalised correlation from which two pieces are the same recording."""
_CONNECTED_S = 4.0
"""The line and the connecting take so long (s)."""


async def calls(spoken: Sequence[Utterance], count: int) -> dict[str, Any]:
    """`count` angry callers who answer a question, as many who speak over the agent's long answer, and as many calm ones."""
    by_id = {utterance.id: utterance for utterance in spoken}
    emotions = [u for u in spoken if u.kind == "emotion" and int(u.id.split("-")[2]) > 8]
    angry = [u for u in emotions if u.id.endswith("angry")][:count]
    calm = [by_id[u.id.replace("angry", "calm")] for u in angry if u.intent != "human"]
    opening = next(u for u in spoken if u.kind == "statement" and u.intent == "flight_change")
    found: dict[str, Any] = {}
    async with (
        System(ROOT / "var/bench-sentiment", CHANGES) as system,
        SipCaller(system.sip_host, system.sip_port) as ua,
    ):
        for name, question, said in (("after a question", "open", angry), ("over the agent", LONG, angry)):
            found[f"calls {name}"] = _figures([await _call(ua, system, question, opening, one) for one in said])
        quiet = [await _call(ua, system, "open", opening, one) for one in calm]
        found["calls, calm"] = {"calls": len(quiet), "handed over": sum(one["handed_over"] for one in quiet)}
    return found


def _figures(measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "calls": len(measured),
        "handed over": sum(one["handed_over"] for one in measured),
        "agent silent after ms": percentiles((one["silent_ms"] for one in measured), 50, 95, 100),
        "line heard after ms": percentiles((one["line_ms"] for one in measured), 50, 95, 100),
        "something else was begun": sum(bool(one["else"]) for one in measured),
    }


async def _call(ua: SipCaller, system: System, question: str, opening: Utterance, said: Utterance) -> dict[str, Any]:
    ani = f"+1555019{int(time.monotonic() * 10) % 10000:04d}"
    call = await ua.dial(question, codec="PCMU", from_number=ani)
    answered = await call.answered()
    if question == LONG:
        await call.hear_start(answered)
        await asyncio.sleep(_INTO_S)
    else:
        await call.hear(answered, _QUIET_S)
        first = await call.say(opening.pcm, 8000)
        await call.hear(await first.finished, _QUIET_S)
        await asyncio.sleep(0.3)
    utterance = call.start_saying(said.pcm, 8000)
    ended = await utterance.started + said.speech_end_s
    await utterance.finished
    await asyncio.sleep(_CONNECTED_S)
    handed = _handed_over(system, ani)
    if call.is_up:
        await call.hang_up()
    return _measured(call, ended, system, ani) | {"handed_over": handed}


def _handed_over(system: System, ani: str) -> bool:
    rows = system.site.rows(
        "SELECT 1 FROM turns JOIN calls USING (call_id) WHERE ani = ? AND json_extract(record, '$.escalated') <> ''",
        ani,
    )
    return bool(rows)


def _measured(call: Call, ended: float, system: System, ani: str) -> dict[str, Any]:
    """Behind the planted end of speech. The line is found by its sound; what else is heard before it was an answer."""
    stereo = call.stereo()
    at = ended - stereo.origin
    audio = stereo.audio[:, 1].astype(np.float64) / 32768
    heard = runs(audio, stereo.sample_rate)
    since = max(at - 0.1, 0.0)
    place, likeness = find(_line(system), audio[round(since * stereo.sample_rate) :])
    if likeness < _ALIKE:
        return {"silent_ms": None, "line_ms": None, "else": None}
    line = since + place / stereo.sample_rate
    # An answer that was begun ends where the line begins, at the latest.
    others = [min(run.end, line) for run in heard if run.start < line - 0.03]
    silent = max(others, default=0.0)
    said = system.site.rows(
        "SELECT json_extract(record, '$.agent_text') AS text FROM turns JOIN calls USING (call_id) WHERE ani = ? "
        "AND json_extract(record, '$.escalated') <> '' ORDER BY turns.id DESC LIMIT 1",
        ani,
    )
    return {
        "silent_ms": max(0.0, (silent - at) * 1000),
        "line_ms": (line - at) * 1000,
        "else": bool(said) and str(said[0]["text"]).strip() != LINE,
    }


def _line(system: System) -> NDArray[np.float64]:
    """How the line begins, from its first audible sample on: as the system has made and kept it."""
    name = hashlib.sha256(clauses(LINE)[0].encode()).hexdigest()[:32]
    cache = load(system.site.file).site.cache_dir / "phrases"
    kept = max(cache.glob(f"*/{name}-8000.npy"), key=lambda file: file.stat().st_mtime)
    audio = np.load(kept).astype(np.float64) / 32768
    first = runs(audio, 8000)[0].start
    return np.asarray(audio[round(first * 8000) : round((first + 0.7) * 8000)])
