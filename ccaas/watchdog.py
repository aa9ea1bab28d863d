"""Measures how late the event loop is: what admission looks at, and what a plug-in that blocks it shows up in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

import prometheus_client

TICK_S = 0.02
"""How often the loop is asked to wake us while there are calls."""
RESTING_TICK_S = 0.1
"""The same without calls: nobody hears a hold-up, and the machine may sleep."""
REST_S = 2.0
"""So long without calls is rest."""
WINDOW_S = 2.0
"""How far back `lag_s` looks: one hold-up of half as long is no overload."""
BLOCKED_S = 0.005
"""The design's limit for one step on the event loop."""

LAG = prometheus_client.Histogram(
    "ccaas_loop_lag_seconds",
    "How late the event loop woke its watchdog.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
BLOCKED = prometheus_client.Counter("ccaas_loop_blocked", "Times the event loop was late by more than 5 ms.")


class Watchdog:
    """Wakes every 20 ms and notes how late it was; less often while nobody is `at_work`.

    `start` and `stop` on the event loop. `on_rest` is called there when work, or the start, is over for `REST_S`.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        at_work: Callable[[], bool] = lambda: True,
        on_rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._at_work = at_work
        self._on_rest = on_rest
        self._rest_at: float | None = None
        self._seen: deque[tuple[float, float]] = deque()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def lag_s(self) -> float:
        """How late the loop was for half of the last two seconds, or later (s). Overload lasts; a single hold-up, after
        which all is well again, is none."""
        self._forget(self._clock())
        half = WINDOW_S / 2
        for lag in sorted((lag for _, lag in self._seen), reverse=True):
            half -= lag + TICK_S
            if half <= 0:
                return lag
        return 0.0

    def start(self) -> None:
        """Begin to measure."""
        self._rest_at = self._clock() + REST_S
        self._wait()

    def _wait(self) -> None:
        tick = TICK_S if self._at_work() else RESTING_TICK_S
        self._due = self._clock() + tick
        self._timer = asyncio.get_running_loop().call_later(tick, self._tick)

    def stop(self) -> None:
        """End measuring. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._clock()
        self.note(now, max(0.0, now - self._due))
        if self._at_work():
            self._rest_at = now + REST_S
        elif self._rest_at is not None and now >= self._rest_at:
            self._rest_at = None
            self._on_rest()
        self._wait()

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
