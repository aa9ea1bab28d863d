"""The one clock of the controller, so that tests can own time."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Monotonic seconds for durations, and the wall for people."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return at `when` (monotonic seconds), at once when that has passed."""
        ...

    def wall(self) -> datetime:
        """The time of day in the business's zone (aware)."""
        ...


class SystemClock:
    """The machine's clocks."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, when: float) -> None:
        await asyncio.sleep(max(0.0, when - time.monotonic()))

    def wall(self) -> datetime:
        return datetime.now(self._zone)
