"""The controller is killed with -9 in the middle of a write: after the restart the write is made exactly once."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airline_world import site
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings
from dying_controller import CHANGE

from ccaas.actions import CallTools, Limits, Outcome, Tools
from ccaas.journal import Journal
from ccaas.ports.tools import Phase

CHILD = Path(__file__).with_name("dying_controller.py")


@pytest.mark.parametrize(
    ("point", "found", "already_made"),
    [
        ("after intended", Outcome.INTENDED, False),
        ("inside the transaction", Outcome.INTENDED, False),
        ("before done", Outcome.INTENDED, True),
        ("after done", Outcome.DONE, True),
    ],
)
async def test_a_write_is_made_once_over_a_kill(tmp_path: Path, point: str, found: Outcome, already_made: bool) -> None:
    here = site(tmp_path)
    child = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), str(tmp_path), point)
    assert await child.wait() == -signal.SIGKILL

    journal = await Journal.open(tmp_path / "journal.db")
    desk = await open_desk(AirlineSettings(), here)
    (call,) = await journal.open_calls()
    assert (call.call_id, call.customer_id, call.snapshot) == ("call", "ann_lee_1", {"turn": 1})
    assert [run.outcome for run in call.writes] == [found]
    booking = (await desk.store.read(dump))["reservations"]["AAAAA1"]
    assert (booking["flights"][0]["date"] == "2024-05-16") == already_made

    tools = CallTools(
        Tools(tools_of(desk)),
        Limits(Phase.TRANSACTIONAL),
        journal,
        call_id="call",
        customer_id=call.customer_id,
        now=lambda: datetime.now(UTC),
        earlier=call.writes,
    )
    answer = await tools.write("change_flight", CHANGE, "turn-3", "turn-3")
    assert (answer["date"], answer["refunded"]) == ("2024-05-16", 50)

    state = await desk.store.read(dump)
    assert state["reservations"]["AAAAA1"]["payment_history"] == [
        {"payment_id": "credit_card_1", "amount": 200},
        {"payment_id": "credit_card_1", "amount": -50},
    ]
    seats = state["flights"]["AIR101"]["dates"]
    assert seats["2024-05-16"]["available_seats"]["economy"] == 4
    assert seats["2024-05-19"]["available_seats"]["economy"] == 6
    runs = await journal.tool_runs("call")
    assert [(run.tool, run.outcome) for run in runs] == [("change_flight", Outcome.DONE)]
    assert runs[0].before["flights"][0]["date"] == "2024-05-19"
    assert runs[0].after["flights"][0]["date"] == "2024-05-16"
    await desk.store.close()
    await journal.close()
