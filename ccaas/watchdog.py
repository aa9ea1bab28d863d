"""Measures how late the event loop is: what admission looks at, and what a plug-in that blocks it shows up in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

import prometheus_client

TICK_S = 0.02
"""How often the loop is asked to wake us."""
WINDOW_S = 1.0
"""How far back `lag_s` looks."""
BLOCKED_S = 0.005
"""The design's limit for one step on the event loop."""

LAG = prometheus_client.Histogram(
    "ccaas_loop_lag_seconds",
    "How late the event loop woke its watchdog.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
BLOCKED = prometheus_client.Counter("ccaas_loop_blocked", "Times the event loop was late by more than 5 ms.")


class Watchdog:
    """Wakes every 20 ms and notes how late it was. `start` and `stop` on the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, float]] = deque()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def lag_s(self) -> float:
        """The worst lateness of the last second, in seconds."""
        self._forget(self._clock())
        return max((lag for _, lag in self._seen), default=0.0)

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._clock() + TICK_S
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def stop(self) -> None:
        """End measuring. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._clock()
        self.note(now, max(0.0, now - self._due))
        self.start()

    def note(self, now: float, lag: float) -> None:
        """Take one measurement: seconds of lateness at `now`."""
        LAG.observe(lag)
        if lag > BLOCKED_S:
            BLOCKED.inc()
        self._seen.append((now, lag))
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()
