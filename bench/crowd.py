"""Many conversations at once: callers who speak for two fifths of the time, judged on their own recordings."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.calls import MeasuredCall, Recorded
from bench.lag import buckets, quantile_ms, refused
from bench.processes import Snapshot, cost, snapshot
from bench.report import percentiles, share
from bench.ruler import Measured, Ruler, planted
from bench.speechset import Utterance
from bench.system import System
from ccaas.testing.caller import CallFailed, SipCaller

KINDS = ("statement", "short", "hesitation")
SLOW_MS = 800.0
"""A caller notices an answer that takes longer."""

TALK_SHARE = 0.4
"""How much of a call its caller speaks; less when the agent's answers leave no room."""

PER_PROCESS = 4
"""Calls that one SipCaller holds."""

_STAGGER_S = 0.3
"""Between one caller's dialling and the next one's: people do not ring all at once."""

_GREETING_S = 6.0
"""From the last caller's dialling until all are in mid-conversation."""

_LONGEST_CALL_S = 180.0
"""Then a caller hangs up and rings again."""

_AGAIN_S = 2.0
_SAMPLES = 120
"""Of memory, over a level's time at most; no closer than a second."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One call that came about. Instants are monotonic seconds."""

    answered: float
    ended: float
    spoken_s: float
    """Seconds that the caller spoke."""
    turns: tuple[tuple[float, Measured], ...]
    """When each utterance began, and what the recording says about it."""
    sent_jitter_ms: float
    """The caller's own: how far a packet that it sent lay from its place, at most."""


@dataclass(slots=True)
class Crowd:
    """All callers of one level."""

    system: System
    utterances: Sequence[Utterance]
    calls: int
    """How many at once."""
    seconds: float
    """For how long they are watched."""
    first: int = 0
    """Number of the first call; decides its calling number and the order of its utterances."""
    samples: list[Snapshot] = field(default_factory=list)
    """The processes while they were watched."""
    _done: list[Conversation] = field(default_factory=list)
    _failed: int = 0

    async def talk(self, idle: Snapshot) -> dict[str, Any]:
        """Let them call, watch, and say what it was like. `idle`: the processes before any call."""
        numbers = itertools.count(self.first)
        refused_before = refused(await self.system.metrics())
        async with AsyncExitStack() as stack:
            lines = [
                await stack.enter_async_context(SipCaller(self.system.sip_host, self.system.sip_port))
                for _ in range(math.ceil(self.calls / PER_PROCESS))
            ]
            begin = time.monotonic() + self.calls * _STAGGER_S + _GREETING_S
            until = begin + self.seconds
            async with asyncio.TaskGroup() as group:
                for place in range(self.calls):
                    group.create_task(self._caller(lines[place // PER_PROCESS], place, numbers, until))
                await asyncio.sleep(begin - time.monotonic())
                metrics = await self.system.metrics()
                await self._watch(until)
                later = await self.system.metrics()
                up = int((await self.system.site.health()).get("calls", 0))
        before, after = self.samples[0], self.samples[-1]
        call_s = sum(max(0.0, min(c.ended, after.at) - max(c.answered, before.at)) for c in self._done)
        lag = quantile_ms(buckets(metrics), buckets(later), 0.99)
        return {
            "calls": self.calls,
            "up_at_the_end": up,
            "seconds": round(after.at - before.at, 1),
            "call_seconds": round(call_s, 1),
            **turn_figures([m for c in self._done for at, m in c.turns if at >= before.at]),
            "refused": refused(later) - refused_before,
            "failed": self._failed,
            "talk_share": round(
                sum(c.spoken_s for c in self._done) / max(1.0, sum(c.ended - c.answered for c in self._done)), 3
            ),
            "loop_lag_p99_ms": lag,
            "callers_sent_jitter_ms": max((c.sent_jitter_ms for c in self._done), default=None),
            **cost(idle, before, after, call_s, self.calls),
        }

    async def _watch(self, until: float) -> None:
        step = max(1.0, self.seconds / _SAMPLES)
        while True:
            self.samples.append(await asyncio.to_thread(snapshot, self.system.roots))
            left = until - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(step, left))

    async def _caller(self, line: SipCaller, place: int, numbers: Iterator[int], until: float) -> None:
        """One place in the crowd: call after call until the time is over."""
        await asyncio.sleep(place * _STAGGER_S)
        while time.monotonic() < until:
            number = next(numbers)
            call = MeasuredCall(line, number % 10_000, "PCMU")
            pace = Pace(min(until, time.monotonic() + _LONGEST_CALL_S))
            try:
                recorded = await call.run(endless(self.utterances, number), "open", pace)
            except (CallFailed, TimeoutError):
                self._failed += 1
                await asyncio.sleep(_AGAIN_S)
                continue
            self._done.append(await asyncio.to_thread(judged, recorded))


class Pace:
    """Keeps a caller's share of the time, and its end."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._began: float | None = None

    def __call__(self, spoken_s: float) -> float | None:
        """Seconds to wait after `spoken_s` seconds of speech in all; None when the time is over."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        wait = max(0.0, self._began + spoken_s / TALK_SHARE - now)
        return None if now + wait >= self._until else wait


def endless(utterances: Sequence[Utterance], seed: int) -> Iterator[Utterance]:
    """Statements and hesitations to the open question, then short answers to yes or no, in an order of the caller's."""
    order = random.Random(seed)
    by_question: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        by_question.setdefault(utterance.question, []).append(utterance)
    open_ones = by_question.get("open") or list(utterances)
    short_ones = by_question.get("yes_no") or list(utterances)
    while True:
        yield from order.sample(open_ones, min(5, len(open_ones)))
        yield from order.sample(short_ones, min(2, len(short_ones)))


def judged(recorded: Recorded) -> Conversation:
    """What the ruler says about a call."""
    stereo, side_car = recorded.stereo, recorded.side_car
    ruler = Ruler(stereo.audio[:, 1].astype(np.float64) / 32768, stereo.sample_rate)
    origin = stereo.origin
    return Conversation(
        answered=origin + side_car["answered_s"],
        ended=origin + side_car["ended_s"],
        spoken_s=sum(turn["speech_end_s"] - turn["speech_start_s"] for turn in side_car["turns"]),
        turns=tuple(
            (origin + turn["speech_start_s"], ruler.measure(planted(turn)))
            for turn in side_car["turns"]
            if turn["whole"]
        ),
        sent_jitter_ms=side_car["sent_jitter_ms"],
    )


def turn_figures(turns: Sequence[Measured]) -> dict[str, Any]:
    """What callers notice. Shares are 0…1, None when there was no turn."""
    return {
        "turns": len(turns),
        "voice_to_voice_ms": percentiles((turn.voice_to_voice_ms for turn in turns), 50, 95),
        "slow_rate": share(ms > SLOW_MS for turn in turns if (ms := turn.voice_to_voice_ms) is not None),
        "cutoff_rate": share(turn.cut_off for turn in turns),
        "unanswered": sum(not turn.answered and not turn.cut_off for turn in turns),
    }
