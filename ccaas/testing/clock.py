"""Time that tests own.

`LoopClock` reads the running event loop's time. Under `@pytest.mark.looptime` (package `looptime`, in the extra "dev")
that time is virtual: a wait of ten minutes takes none, in every asyncio timer alike, and the order of events is exact.

    @pytest.mark.looptime
    async def test_a_silent_caller_is_asked_again() -> None:
        clock = LoopClock()
        await clock.sleep_until(clock.now() + 600)
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

A_SUNDAY_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class LoopClock:
    """A `ccaas.media.clock.Clock` on the running loop's time; made inside the loop."""

    def __init__(self, wall: datetime = A_SUNDAY_NOON) -> None:
        """`wall`: the time of day at this moment (aware)."""
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._wall = wall

    def now(self) -> float:
        """Monotonic seconds: the loop's."""
        return self._loop.time()

    async def sleep_until(self, when: float) -> None:
        """Return at `when`, at once when that has passed."""
        await asyncio.sleep(max(0.0, when - self._loop.time()))

    def wall(self) -> datetime:
        """The time of day, which moves with the loop's time."""
        return self._wall + timedelta(seconds=self._loop.time() - self._begun)
