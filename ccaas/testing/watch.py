"""Wait for what a `Switch` tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from ccaas.ports.telephony import Connected, Disconnected, Switch
from ccaas.telephony.events import Ended, Left, LegEvent, TelephonyEvent

E = TypeVar("E", bound=TelephonyEvent | Connected | Disconnected)


class Watch:
    """Collects a switch's events while it is entered.

    async with Watch(switch) as watch:
        offered = await watch.next(Offered)
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.seen: list[TelephonyEvent | Connected | Disconnected] = []
        self._changed = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def of(self, kind: type[E], leg_id: str = "") -> list[E]:
        """Events of a kind seen so far, of one leg or of all."""
        return [
            event
            for event in self.seen
            if isinstance(event, kind) and (not leg_id or (isinstance(event, LegEvent) and event.leg_id == leg_id))
        ]

    def ends(self, leg_id: str) -> list[TelephonyEvent]:
        """Every `Ended` and `Left` of a leg: one at most, or the switch is wrong."""
        return [*self.of(Ended, leg_id), *self.of(Left, leg_id)]

    async def next(self, kind: type[E], leg_id: str = "", count: int = 1, timeout: float = 10.0) -> E:
        """The `count`-th event of a kind, now or when it comes. Raises AssertionError with what was seen instead."""
        await self.until(lambda: len(self.of(kind, leg_id)) >= count, f"{kind.__name__} {leg_id}".strip(), timeout)
        return self.of(kind, leg_id)[count - 1]

    async def until(self, true: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
        """Wait until a condition on what was seen holds."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            raise AssertionError(f"no {what} within {timeout:g} s; seen: {self.seen}") from None

    async def _read(self) -> None:
        async for event in self._switch.events():
            async with self._changed:
                self.seen.append(event)
                self._changed.notify_all()


async def until(true: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
    """Wait for a condition that nobody announces. Raises AssertionError."""
    try:
        async with asyncio.timeout(timeout):
            while not true():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {timeout:g} s: {what}") from None
