"""How long work waits before a thread begins it: the measure of a machine that is too small for its calls."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 2.0
"""How far back is looked."""


class Waits:
    """What waits for a thread, from whichever thread it is told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[object, float] = {}
        self._begun: deque[tuple[float, float]] = deque()

    def ask(self, work: object) -> None:
        """`work` (hashable, unique) waits from now on."""
        with self._lock:
            self._waiting[work] = self._clock()

    def begin(self, work: object) -> None:
        """It waits no longer; nothing where it was dropped."""
        now = self._clock()
        with self._lock:
            asked = self._waiting.pop(work, None)
            if asked is not None:
                self._begun.append((now, now - asked))
                self._forget(now)

    def drop(self, work: object) -> None:
        """Nobody wants it any more."""
        with self._lock:
            self._waiting.pop(work, None)

    @property
    def lag_s(self) -> float:
        """What has waited longest and still waits, or half of what was begun within two seconds: the longer one (s)."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            oldest = now - min(self._waiting.values(), default=now)
            return max(oldest, statistics.median(wait for _, wait in self._begun) if self._begun else 0.0)

    def _forget(self, now: float) -> None:
        while self._begun and self._begun[0][0] < now - WINDOW_S:
            self._begun.popleft()
