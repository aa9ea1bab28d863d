"""The event loop's lateness is measured, counted and forgotten after two seconds."""

from __future__ import annotations

import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from ccaas.watchdog import REST_S, RESTING_TICK_S, TICK_S, Watchdog


def lateness(*lags: float) -> Watchdog:
    """A watchdog that has just seen these, one tick after the other."""
    now = 10.0
    watchdog = Watchdog(lambda: now)
    for lag in lags:
        now += lag + TICK_S
        watchdog.note(now, lag)
    return watchdog


def test_lag_is_what_the_loop_has_for_half_of_the_time() -> None:
    assert lateness().lag_s == 0
    assert lateness(*[0.001] * 100).lag_s == 0.001
    assert lateness(*[0.001] * 50, *[0.3] * 4).lag_s == 0.3
    assert lateness(*[0.002, 0.4] * 5).lag_s == 0.4


def test_a_single_hold_up_is_no_overload() -> None:
    assert lateness(*[0.001] * 60, 0.6, *[0.001] * 10).lag_s == 0.001


def test_lag_is_forgotten_after_two_seconds() -> None:
    now = 10.0
    watchdog = Watchdog(lambda: now)
    watchdog.note(now, 1.5)
    assert watchdog.lag_s == 1.5
    now = 12.1
    assert watchdog.lag_s == 0


async def test_a_blocked_loop_is_seen() -> None:
    before = REGISTRY.get_sample_value("ccaas_loop_blocked_total") or 0.0
    watchdog = Watchdog()
    watchdog.start()
    await asyncio.sleep(0)
    time.sleep(0.05)
    while (REGISTRY.get_sample_value("ccaas_loop_blocked_total") or 0.0) == before:
        await asyncio.sleep(0.001)
    watchdog.stop()
    watchdog.stop()


async def test_it_wakes_less_often_without_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work = False
    asked: list[float] = []
    loop = asyncio.get_running_loop()
    later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda delay, call: asked.append(delay) or later(0, call))
    watchdog = Watchdog(at_work=lambda: at_work)
    watchdog.start()
    assert asked == [RESTING_TICK_S]
    at_work = True
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    watchdog.stop()
    assert asked[1] == TICK_S


async def test_rest_is_told_once_after_each_time_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now, at_work, rests = 100.0, False, 0

    def rest() -> None:
        nonlocal rests
        rests += 1

    async def ticks(seconds: float) -> int:
        nonlocal now
        for _ in range(round(seconds / 0.5)):
            now += 0.5
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return rests

    loop = asyncio.get_running_loop()
    later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda _, call: later(0, call))
    watchdog = Watchdog(lambda: now, at_work=lambda: at_work, on_rest=rest)
    watchdog.start()
    assert await ticks(REST_S - 0.5) == 0
    assert await ticks(10.0) == 1
    at_work = True
    assert await ticks(10.0) == 1
    at_work = False
    assert await ticks(REST_S - 1.0) == 1
    assert await ticks(10.0) == 2
    watchdog.stop()
