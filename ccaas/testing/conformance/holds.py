"""What every system of record that holds things must do. Subclass `HoldsConformance` and give it the three tools.

class TestSeats(HoldsConformance):
@pytest_asyncio.fixture
async def holds(self) -> AsyncIterator[HoldsUnderTest]: ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ccaas.ports.holds import Hold, HoldState
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext


@dataclass
class HoldsUnderTest:
    """Three tools, and what to hold."""

    hold: Tool
    confirm: Tool
    release: Tool
    wanted: Mapping[str, Any]
    """Arguments of `hold`, without the time."""
    minutes: str
    """The argument that says for how many minutes."""
    customer_id: str
    left: Any
    """Coroutine function: how many of what is held are still to be had."""
    booked: Any
    """Coroutine function: how often the customer has what was held."""
    keys: list[str] = field(default_factory=list)

    async def run(self, tool: Tool, key: str, **arguments: Any) -> Hold:
        """Run a tool as the core does."""
        context = ToolContext("case", "step", self.customer_id, key, datetime.now(UTC))
        answer = await tool.run(tool.input.model_validate(arguments), context)
        return Hold.model_validate(answer.model_dump(mode="json"))

    async def held(self, key: str = "hold-1", minutes: float = 10.0) -> Hold:
        """Hold it."""
        return await self.run(self.hold, key, **self.wanted, **{self.minutes: minutes})


class HoldsConformance:
    """The suite."""

    def test_they_are_writes_of_the_proactive_phase(self, holds: HoldsUnderTest) -> None:
        for tool in (holds.hold, holds.confirm, holds.release):
            assert (tool.effect, tool.phase) == (Effect.WRITE, Phase.PROACTIVE)

    async def test_what_is_held_is_not_to_be_had_until_it_is_released(self, holds: HoldsUnderTest) -> None:
        before = await holds.left()
        hold = await holds.held()
        assert hold.state is HoldState.HELD
        assert hold.until > time.time()
        assert await holds.left() < before
        released = await holds.run(holds.release, "r-1", hold_id=hold.hold_id)
        assert (released.state, await holds.left(), await holds.booked()) == (HoldState.RELEASED, before, 0)

    async def test_the_same_key_holds_once(self, holds: HoldsUnderTest) -> None:
        first = await holds.held()
        left = await holds.left()
        again = await holds.held()
        assert (again.hold_id, await holds.left()) == (first.hold_id, left)

    async def test_it_is_confirmed_once_and_never_released_then(self, holds: HoldsUnderTest) -> None:
        hold = await holds.held()
        left = await holds.left()
        for key in ("c-1", "c-1", "c-2"):
            assert (await holds.run(holds.confirm, key, hold_id=hold.hold_id)).state is HoldState.CONFIRMED
        assert (await holds.run(holds.release, "r-1", hold_id=hold.hold_id)).state is HoldState.CONFIRMED
        assert (await holds.left(), await holds.booked()) == (left, 1)

    async def test_what_was_released_is_never_confirmed(self, holds: HoldsUnderTest) -> None:
        hold = await holds.held()
        await holds.run(holds.release, "r-1", hold_id=hold.hold_id)
        assert (await holds.run(holds.confirm, "c-1", hold_id=hold.hold_id)).state is HoldState.RELEASED
        assert await holds.booked() == 0

    async def test_past_its_time_it_is_expired_and_to_be_had_again(self, holds: HoldsUnderTest) -> None:
        before = await holds.left()
        hold = await holds.held(minutes=0.0005)
        await asyncio.sleep(max(0.0, hold.until - time.time()))
        assert (await holds.run(holds.confirm, "c-1", hold_id=hold.hold_id)).state is HoldState.EXPIRED
        assert (await holds.left(), await holds.booked()) == (before, 0)

    async def test_of_a_confirmation_and_a_release_at_once_one_wins(self, holds: HoldsUnderTest) -> None:
        before = await holds.left()
        hold = await holds.held()
        confirmed, released = await asyncio.gather(
            holds.run(holds.confirm, "c-1", hold_id=hold.hold_id),
            holds.run(holds.release, "r-1", hold_id=hold.hold_id),
        )
        assert confirmed.state is released.state
        won = confirmed.state is HoldState.CONFIRMED
        assert (await holds.left() < before, await holds.booked()) == (won, int(won))
