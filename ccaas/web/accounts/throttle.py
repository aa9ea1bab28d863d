"""Guessing passwords is slow: after some failures a login, and an address, has to wait."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
"""Names that are remembered; the oldest are forgotten."""


class Throttle:
    """Counts failures of one kind of name within a sliding window. Kept in memory: a restart forgets them."""

    def __init__(self, limit: int, window_s: float, now: Callable[[], float]) -> None:
        """`limit`: failures that are free within `window_s`. `now`: monotonic seconds."""
        self._limit = limit
        self._window_s = window_s
        self._now = now
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """How long this name has to wait; 0 when it may try."""
        recent = self._recent(name)
        return recent[-self._limit] + self._window_s - self._now() if len(recent) >= self._limit else 0.0

    def failed(self, name: str) -> None:
        """A try was wrong."""
        self._failures[name] = [*self._recent(name), self._now()]
        self._failures.move_to_end(name)
        while len(self._failures) > _MOST:
            self._failures.popitem(last=False)

    def forgive(self, name: str) -> None:
        """A try was right."""
        self._failures.pop(name, None)

    def _recent(self, name: str) -> list[float]:
        since = self._now() - self._window_s
        return [at for at in self._failures.get(name, ()) if at > since]
