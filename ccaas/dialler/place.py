"""A campaign's place in a queue: who answered is with a person in time, or is let go; a machine is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ccaas.dialler.live import Attempt
from ccaas.ports.queueing import Dismiss, Leave, Order, Place, StopRinging


class CampaignPlace:
    """Implements `ports.queueing.Place` around another: who is not with a person in time hears why, and is let go.

    One who turns out to be no person is taken back.
    """

    def __init__(self, inner: Place, attempt: Attempt, grace_s: float, words: str) -> None:
        self._inner = inner
        self._attempt = attempt
        self._words = words
        self._last: Order | None = None
        """What the call was told for good; the queue is heard no longer."""
        self._over = False
        self._tell: Callable[[Order], None] = lambda _: None
        self._timer = asyncio.get_running_loop().call_later(max(grace_s, 0.0), self._give_up)

    def leave(self) -> None:
        """Who answered waits elsewhere now."""
        self._timer.cancel()

    def _give_up(self) -> None:
        self._last = Dismiss(self._words)
        self._attempt.has_met(abandoned=True)
        self._inner.over(hung_up=False)
        self._tell(StopRinging())
        self._tell(self._last)

    def take_back(self, why: str) -> bool:
        """Who answered is no person: whoever is rung, or has them, is told `why` and is free, and they are back with the
        attendant. False: they are not here any more."""
        if self._last is not None or self._over:
            return False
        self._timer.cancel()
        self._last = Leave("")
        self._inner.no_person(why)
        self._tell(self._last)
        return True

    def follow(self, tell: Callable[[Order], None]) -> None:
        """See the protocol."""
        self._tell = tell
        if self._last is not None:
            tell(self._last)
            return
        self._inner.follow(lambda order: None if self._last is not None else tell(order))

    def announced(self, *, wanted: bool) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.announced(wanted=wanted)

    def key(self, digit: str) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.key(digit)

    def rings(self) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.rings()

    def answered(self) -> None:
        """See the protocol."""
        if self._last is None:
            self._timer.cancel()
            self._attempt.has_met(abandoned=False)
            self._inner.answered()

    def missed(self, why: str) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.missed(why)

    def consulting(self, state: str) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.consulting(state)

    def let_go(self) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.let_go()

    def no_person(self, why: str) -> None:
        """See the protocol."""
        if self._last is None:
            self._inner.no_person(why)

    def over(self, *, hung_up: bool) -> None:
        """See the protocol."""
        self._timer.cancel()
        self._over = True
        if self._last is None:
            self._inner.over(hung_up=hung_up)
