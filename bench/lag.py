"""How late the controller's event loop was, from two readings of its metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BUCKET = re.compile(r'^ccaas_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
_REFUSED = re.compile(r"^ccaas_calls_refused_total\{[^}]*\} (\S+)$", re.MULTILINE)


def buckets(metrics: str) -> dict[float, float]:
    """Cumulative counts by upper bound (s), from the text of GET /metrics."""
    return {float(bound): float(count) for bound, count in _BUCKET.findall(metrics)}


def refused(metrics: str) -> int:
    """Offers that the controller has not taken, whatever the reason."""
    return round(sum(float(count) for count in _REFUSED.findall(metrics)))


def quantile_ms(before: Mapping[float, float], after: Mapping[float, float], share: float) -> float | None:
    """The quantile of what was observed in between, linear within a bucket; None when nothing was."""
    counts = [(bound, after[bound] - before.get(bound, 0.0)) for bound in sorted(after)]
    if not counts or not counts[-1][1]:
        return None
    wanted = share * counts[-1][1]
    lower, under = 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return lower * 1000
            return round((lower + (bound - lower) * (wanted - under) / (count - under)) * 1000, 2)
        lower, under = bound, count
    raise ValueError("the last bucket does not hold everything")
