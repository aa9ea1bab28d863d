"""The bench of the gate measures what it says it does."""

from __future__ import annotations

from bench.actions import dispatch


async def test_each_kind_of_dispatch_is_measured() -> None:
    figures = await dispatch(5)
    found = figures["dispatch_ms"]
    assert set(found) == {
        "read, gate alone",
        "write, gate alone",
        "read, with the audit",
        "write, with the audit",
        "write, with the audit and a count per day",
        "refusal",
    }
    assert all(0 < one["p50"] <= one["p99"] for one in found.values())
