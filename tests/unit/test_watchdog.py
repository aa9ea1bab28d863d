"""The event loop's lateness is measured, counted and forgotten after a second."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import REGISTRY

from ccaas.watchdog import Watchdog


def test_the_worst_lateness_of_the_last_second_counts() -> None:
    now = 10.0
    watchdog = Watchdog(lambda: now)
    for at, lag in ((10.0, 0.001), (10.3, 0.080), (10.6, 0.002)):
        now = at
        watchdog.note(at, lag)
    assert watchdog.lag_s == 0.080
    now = 11.4
    assert watchdog.lag_s == 0.002
    now = 13.0
    assert watchdog.lag_s == 0.0


async def test_a_blocked_loop_is_seen() -> None:
    before = REGISTRY.get_sample_value("ccaas_loop_blocked_total") or 0.0
    watchdog = Watchdog()
    watchdog.start()
    await asyncio.sleep(0)
    time.sleep(0.05)
    while watchdog.lag_s < 0.005:
        await asyncio.sleep(0.001)
    watchdog.stop()
    watchdog.stop()
    assert (REGISTRY.get_sample_value("ccaas_loop_blocked_total") or 0.0) > before
