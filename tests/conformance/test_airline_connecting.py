"""The airline's step of plays keeps to the port, and offers only flights that passengers can reach and leave in time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from airline_world import _reservation, published
from ccaas_airline.connecting import ConnectingSettings, connecting
from ccaas_airline.plugin import airline_tools
from ccaas_airline.settings import AirlineSettings

from ccaas.ports.plays import Situation
from ccaas.ports.site import Site
from ccaas.ports.tools import ToolContext
from ccaas.testing.conformance.plays import PlayStepConformance, StepUnderTest

ANN = "ann_lee_1"
DAY = "2024-05-16"
FIRST, SECOND = ("BOS", "DEN", "AIR102", DAY, 100), ("DEN", "SEA", "AIR104", DAY, 100)
"""07:00 to 09:30, and 10:00 to 11:30; the other one to Seattle leaves at 10:30 and lands at 12:00."""
HOME = ("SEA", "BOS", "AIR105", DAY, 100)
"""Leaves at 22:00."""


@asynccontextmanager
async def booked(folder: Path, *legs: tuple[str, str, str, str, int], **settings: Any) -> AsyncIterator[StepUnderTest]:
    """Ann has these flights, and AIR104 is cancelled."""
    world = published()
    people = [{"first_name": "Ann", "last_name": "Lee"}]
    trip = _reservation("AAAAA4", ANN, "economy", list(legs), people, "credit_card_1")
    world["reservations"]["AAAAA4"] = trip
    world["users"][ANN]["reservations"].append("AAAAA4")
    world["flights"]["AIR104"]["dates"][DAY] = {"status": "cancelled"}
    data = folder / "models" / "tau2-airline"
    data.mkdir(parents=True)
    (data / "db.json").write_text(json.dumps(world))
    site = Site(folder, folder / "state", folder / "models", folder / "cache")
    tools = {tool.name: tool for tool in await airline_tools(AirlineSettings(), site)}

    async def read(name: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        tool = tools[name]
        context = ToolContext("e-1:0", "choose", ANN, "key", datetime.now(UTC))
        answer = await tool.run(tool.input.model_validate(dict(arguments)), context)
        return answer.model_dump(mode="json")

    asked = {"reservation_id": "AAAAA4", "flight_number": "AIR104", "date": DAY}
    situation = Situation("e-1", "flight.cancelled", {}, {}, asked, ANN)
    yield StepUnderTest(connecting(ConnectingSettings(**settings), site), situation, read)
    close = tools["hold_seats"].close or tools["get_reservation_details"].close
    assert close is not None
    await close()


class TestConnecting(PlayStepConformance):
    @pytest_asyncio.fixture
    async def step(self, tmp_path: Path) -> AsyncIterator[StepUnderTest]:
        async with booked(tmp_path, FIRST, SECOND, HOME) as step:
            yield step

    @pytest.mark.parametrize(
        ("legs", "minutes", "offered"),
        [
            ((FIRST, SECOND), 60, ["AIR103"]),
            ((FIRST, SECOND), 61, []),
            ((SECOND, HOME), 600, ["AIR103"]),
            ((SECOND, HOME), 601, []),
            ((SECOND,), 601, ["AIR103"]),
        ],
    )
    async def test_passengers_have_time_to_change(
        self, tmp_path: Path, legs: Any, minutes: int, offered: list[str]
    ) -> None:
        async with booked(tmp_path, *legs, change_minutes=minutes) as step:
            found = await step.step.run(step.situation, step.read)
            assert [one["flight_number"] for one in found] == offered
