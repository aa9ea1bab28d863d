"""The one clock of the controller, so that tests can own time."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
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
    """The machine's clocks; with `rehearsal` the business's clock started at that moment when this was made."""

    def __init__(self, zone: ZoneInfo, rehearsal: datetime | None = None) -> None:
        self._zone = zone
        self._ahead = timedelta()
        if rehearsal is not None:
            self._ahead = rehearsal.replace(tzinfo=zone) - datetime.now(zone)

    def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, when: float) -> None:
        await asyncio.sleep(max(0.0, when - time.monotonic()))

    def wall(self) -> datetime:
        return datetime.now(self._zone) + self._ahead
