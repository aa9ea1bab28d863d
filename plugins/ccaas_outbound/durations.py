"""What was seen of how long things take, forgotten with a half-life, as probabilities of what comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STALE_S = 5.0
"""For so long a table is used."""


class Fading:
    """Counts that lose half their weight with each half-life."""

    def __init__(self, half_life_s: float, *shape: int) -> None:
        self._half_life_s = half_life_s
        self._at: float | None = None
        self._unit = 1.0
        """What one new observation weighs; it grows, instead of all old ones shrinking."""
        self._counts = np.zeros(shape)

    def add(self, at: float, *index: int) -> None:
        """One observation."""
        if self._at is None:
            self._at = at
        self._unit = 2.0 ** ((at - self._at) / self._half_life_s)
        if self._unit > 1e6:
            self._counts /= self._unit
            self._unit, self._at = 1.0, at
        self._counts[index] += self._unit

    @property
    def counts(self) -> Array:
        """The weights, one new observation being 1."""
        return self._counts / self._unit


class Ringing:
    """When calls are answered, and when they come to nothing: two ways out of ringing (competing risks)."""

    LONGEST_S = 90

    def __init__(self, half_life_s: float, rate: float) -> None:
        """`rate`: of answers, until there is something to go by."""
        self._seen = Fading(half_life_s, 2, self.LONGEST_S)
        # A prior worth ten calls: answers within twenty seconds, the others ring out.
        self._prior = np.zeros((2, self.LONGEST_S))
        self._prior[0, 2:20] = 10 * rate / 18
        self._prior[1, 2:45] = 10 * (1 - rate) / 43
        self._made_at = -1.0
        self._answered = self._left = np.zeros(0)
        self.weight = 10.0
        """How many calls the estimate rests on."""

    def add(self, seconds: float, at: float, *, answered: bool) -> None:
        """See `Pacer.rang`."""
        self._seen.add(at, 0 if answered else 1, min(int(max(seconds, 0.0)), self.LONGEST_S - 1))

    def make(self, at: float) -> None:
        """The tables anew, where they are stale."""
        if at - self._made_at < STALE_S and self._made_at >= 0:
            return
        self._made_at = at
        counts = self._seen.counts + self._prior
        self.weight = float(counts.sum())
        shares = counts / self.weight
        self._answered = np.concatenate([[0.0], np.cumsum(shares[0])])
        self._left = np.maximum(1.0 - np.concatenate([[0.0], np.cumsum(shares.sum(axis=0))]), 1e-9)

    def chance(self, elapsed: Sequence[float] | Array, within: Array) -> Array:
        """The chances that calls which ring for so long are answered within each of these times; calls × times."""
        since = np.minimum(np.asarray(elapsed, dtype=float), self.LONGEST_S - 1).astype(int)
        until = np.minimum(since[:, None] + within[None, :].astype(int), self.LONGEST_S)
        chances = (self._answered[until] - self._answered[since][:, None]) / self._left[since][:, None]
        return np.asarray(np.clip(chances, 0.0, 1.0))


class Handling:
    """How long agents are with a call, or in wrap-up, by the second."""

    LONGEST_S = 1800

    def __init__(self, half_life_s: float, mean_s: float) -> None:
        self._seen = Fading(half_life_s, self.LONGEST_S)
        # A prior worth five calls, exponential.
        self._prior = 5 * -np.diff(np.exp(-np.arange(self.LONGEST_S + 1.0) / mean_s))
        self._made_at = -1.0
        self._gone = self._left = np.zeros(0)

    def add(self, seconds: float, at: float) -> None:
        """One has ended."""
        self._seen.add(at, min(int(max(seconds, 0.0)), self.LONGEST_S - 1))

    def make(self, at: float) -> None:
        """The table anew, where it is stale."""
        if at - self._made_at < STALE_S and self._made_at >= 0:
            return
        self._made_at = at
        counts = self._seen.counts + self._prior
        self._gone = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
        self._left = np.maximum(1.0 - self._gone, 1e-6)

    def chance(self, elapsed: Sequence[float] | Array, within: Array) -> Array:
        """The chances that what lasts for so long ends within each of these times; agents × times."""
        since = np.minimum(np.asarray(elapsed, dtype=float), self.LONGEST_S - 1).astype(int)
        until = np.minimum(since[:, None] + within[None, :].astype(int), self.LONGEST_S)
        chances = (self._gone[until] - self._gone[since][:, None]) / self._left[since][:, None]
        return np.asarray(np.clip(chances, 0.0, 1.0))
