"""The airline's held seats keep to the port, and belong to whom they were held for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from airline_world import site
from ccaas_airline.holding import holding_tools
from ccaas_airline.plugin import open_desk
from ccaas_airline.settings import AirlineSettings

from ccaas.errors import ToolError
from ccaas.ports.tools import ToolContext
from ccaas.testing.conformance.holds import HoldsConformance, HoldsUnderTest

ANN, BOB = "ann_lee_1", "bob_roe_2"
WANTED = {
    "reservation_id": "AAAAA1",
    "flight_number": "AIR101",
    "date": "2024-05-19",
    "new_flight_number": "AIR106",
    "new_date": "2024-05-16",
}


class TestSeats(HoldsConformance):
    @pytest_asyncio.fixture
    async def holds(self, tmp_path: Path) -> AsyncIterator[HoldsUnderTest]:
        desk = await open_desk(AirlineSettings(), site(tmp_path))
        tools = {tool.name: tool for tool in holding_tools(desk)}

        async def count(sql: str) -> int:
            return await desk.store.read(lambda db: int(db.execute(sql).fetchone()[0]))

        async def left() -> int:
            where = "flight_number = 'AIR106' AND date = '2024-05-16' AND cabin = 'economy'"
            return await count(f"SELECT seats FROM fares WHERE {where}")

        async def booked() -> int:
            return await count("SELECT count(*) FROM booked_flights WHERE flight_number = 'AIR106'")

        three = (tools["hold_seats"], tools["confirm_hold"], tools["release_hold"])
        yield HoldsUnderTest(*three, WANTED, "minutes", ANN, left, booked)
        await desk.store.close()

    async def test_who_is_affected_and_what_else_flies(self, tmp_path: Path) -> None:
        desk = await open_desk(AirlineSettings(), site(tmp_path))
        tools = {tool.name: tool for tool in holding_tools(desk)}
        nobody = ToolContext("case", "step", "", "", datetime.now(UTC))
        cancelled = {"flight_number": "AIR101", "date": "2024-05-19"}
        query = tools["affected_bookings"]
        found = await query.run(query.input.model_validate(cancelled), nobody)
        affected = {(one["reservation_id"], one["tier"]) for one in found.model_dump()["bookings"]}
        assert ("AAAAA1", "regular") in affected
        ask = tools["rebooking_options"]
        wanted = ask.input.model_validate({**cancelled, "reservation_id": "AAAAA1"})
        with pytest.raises(ToolError):
            await ask.run(wanted, ToolContext("case", "step", BOB, "", datetime.now(UTC)))
        options = await ask.run(wanted, ToolContext("case", "step", ANN, "", datetime.now(UTC)))
        assert options.model_dump() == {"options": []}, "none leaves later, and the cancelled one is none"
        await desk.store.close()

    async def test_a_hold_is_its_customers_alone(self, holds: HoldsUnderTest) -> None:
        hold = await holds.held()
        holds.customer_id = BOB
        for tool in (holds.confirm, holds.release):
            with pytest.raises(ToolError) as refused:
                await holds.run(tool, f"{tool.name}-x", hold_id=hold.hold_id)
            assert refused.value.code == "not_allowed"
        assert await holds.booked() == 0
