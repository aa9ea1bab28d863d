"""When somebody who writes has stopped for long enough to be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ccaas.messaging.settings import MessagingSettings

_TYPING_LASTS_S = 6.0
"""Somebody who was seen writing and of whom nothing more is heard has stopped."""


class Pause:
    """What is known of a customer's writing. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float], settings: MessagingSettings) -> None:
        self._now = now
        self._settle_s = settings.settle_ms / 1000
        self._news = asyncio.Event()
        self._last: float | None = None
        self._burst = False
        self._typing_until = 0.0
        self._stopped_at: float | None = None

    @property
    def quiet_at(self) -> float:
        """When an answer may go out, if nothing more comes; at once for a message that came alone."""
        if self._now() < self._typing_until:
            return self._typing_until
        quiet = 0.0
        if self._burst and self._last is not None:
            quiet = self._last + self._settle_s
        if self._stopped_at is not None:
            quiet = max(quiet, self._stopped_at + self._settle_s)
        return quiet

    @property
    def since_last(self) -> float:
        """Seconds since the newest message."""
        return 0.0 if self._last is None else self._now() - self._last

    def came(self) -> None:
        """A message has come."""
        now = self._now()
        self._burst = self._last is not None and now - self._last <= self._settle_s
        self._last = now
        self._typing_until, self._stopped_at = 0.0, None
        self.stir()

    def typing(self, on: bool) -> None:
        """They are writing, or have stopped."""
        now = self._now()
        self._stopped_at = None if on else now if now < self._typing_until else self._stopped_at
        self._typing_until = now + _TYPING_LASTS_S if on else 0.0
        self.stir()

    def stir(self) -> None:
        """Wake who waits."""
        self._news.set()

    async def news(self, limit_s: float) -> None:
        """Return when something has come or changed, at the latest after `limit_s`."""
        self._news.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return
