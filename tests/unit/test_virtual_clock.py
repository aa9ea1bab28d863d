"""The clock that tests own."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from ccaas.media.clock import Clock
from ccaas.testing.clock import A_SUNDAY_NOON, LoopClock


@pytest.mark.looptime
async def test_hours_pass_in_order_and_at_once() -> None:
    clock: Clock = LoopClock()
    begun, really = clock.now(), time.monotonic()
    seen: list[str] = []

    async def later(hours: float, name: str) -> None:
        await clock.sleep_until(begun + hours * 3600)
        seen.append(name)

    await asyncio.gather(later(3, "third"), later(1, "first"), later(2, "second"))
    assert seen == ["first", "second", "third"]
    assert clock.now() - begun == pytest.approx(3 * 3600)
    assert clock.wall() - A_SUNDAY_NOON == timedelta(hours=3)
    assert time.monotonic() - really < 600


@pytest.mark.looptime
async def test_timeouts_are_of_the_same_time() -> None:
    clock = LoopClock()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await clock.sleep_until(clock.now() + 31)
    await clock.sleep_until(clock.now() - 5)
    assert clock.now() == pytest.approx(30)
