"""How much one conversation and one address may ask of us."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST_REMEMBERED = 10_000
"""Addresses and conversations whose use is remembered; the longest unused are forgotten first."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rate:
    """So many a minute for each key, and a part of them at once: token buckets in bounded memory."""

    def __init__(self, per_minute: int, at_once: int, clock: Callable[[], float]) -> None:
        self._per_s = per_minute / 60
        self._most = float(max(1, at_once))
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Count one: 0 when it is allowed, else the seconds until one will be."""
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(self._most, now)
        self._buckets[key] = bucket
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._per_s)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) / self._per_s


class Places:
    """Connections at a time: all together, and from one address."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Connections that are open."""
        return self._of.total()

    def refuses(self, address: str) -> str:
        """Why another connection of an address is refused: "all" or "address"; empty when it is not."""
        if self.taken >= self._most:
            return "all"
        return "address" if self._of[address] >= self._most_of_one else ""

    @contextmanager
    def hold(self, address: str) -> Iterator[None]:
        """Have a place while the connection lasts."""
        self._of[address] += 1
        try:
            yield
        finally:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]
