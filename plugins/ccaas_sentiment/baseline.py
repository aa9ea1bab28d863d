"""How a caller speaks when they are calm, from their own first turns, and how far a turn is from it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ccaas_sentiment.prosody import Manner

_LEAST_SPREAD = np.array([1.0, 1.5, 2.0, 0.6])
"""What any voice varies by from turn to turn: pitch and range (semitones), level (dB), rate (syllables a second)."""
_WEIGHTS = np.array([0.35, 0.1, 0.35, 0.2])
_MOST = 4.0
"""A feature further away than this counts no more: it may be a slip of the analysis."""
_AGITATED = 2.0
"""As many spreads, weighed, are half way to certain."""
_NOT_CALM = 0.5
"""A turn that sounds so agitated says nothing of how the caller speaks when calm."""


class Baseline:
    """One caller's."""

    def __init__(self, turns: int) -> None:
        """`turns`: how many of the first ones count."""
        self._turns = turns
        self._known: list[NDArray[np.float64]] = []

    def agitation(self, manner: Manner) -> float | None:
        """−1 (much calmer than at first) … +1 (much more agitated); None before there is anything to compare with."""
        if not self._known:
            return None
        known = np.stack(self._known)
        usual = np.median(known, axis=0)
        spread = np.maximum(1.4826 * np.median(np.abs(known - usual), axis=0), _LEAST_SPREAD)
        away = np.clip((manner.vector - usual) / spread, -_MOST, _MOST)
        return math.tanh(float(away @ _WEIGHTS) / _AGITATED)

    def learn(self, manner: Manner, agitation: float | None) -> None:
        """A turn whose words were calm."""
        if len(self._known) < self._turns and (agitation is None or agitation < _NOT_CALM):
            self._known.append(manner.vector)
