"""The controller is killed with -9 at every step of a write, of an undo and of an approval: after the restart each is
made exactly once."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from airline_world import site
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from dying_controller import (
    ANN,
    CHANGE,
    SETTINGS,
    approvals_of,
    book_and_change,
    book_and_take_back,
    call_tools,
)

from ccaas.actions import Books, Outcome, Tools
from ccaas.actions.requests import Standing
from ccaas.chronicle import Chronicle
from ccaas.conversation.settings import OutcomeWords
from ccaas.journal import CallEnded, Journal, Snapshot
from ccaas.orphans import Orphans
from ccaas.ports.journey import Profile
from ccaas.settling import Settling
from ccaas.telephony.events import EndReason
from ccaas.testing.fakes.journey import FakeJourney

CHILD = Path(__file__).with_name("dying_controller.py")
POINTS = (
    "before intended",
    "after intended",
    "inside the transaction",
    "after the commit",
    "before done",
    "after done",
)


class Next:
    """The controller that comes after the killed one, over the same files."""

    def __init__(self, journal: Journal, books: Books, desk: Desk) -> None:
        self.journal, self.books, self.desk = journal, books, desk
        self.tools = Tools(tools_of(desk))

    @classmethod
    async def after(cls, folder: Path, doing: str, point: str) -> Next:
        """Let a controller die there; then begin."""
        here = site(folder)
        child = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), str(folder), doing, point)
        assert await child.wait() == -signal.SIGKILL
        books = await Books.open(folder / "actions.sqlite")
        return cls(await Journal.open(folder / "journal.db"), books, await open_desk(SETTINGS, here))

    async def state(self) -> dict[str, Any]:
        return await self.desk.store.read(dump)

    async def close(self) -> None:
        await self.desk.store.close()
        await self.books.close()
        await self.journal.close()


@pytest.fixture
async def open_ones() -> AsyncIterator[list[Next]]:
    found: list[Next] = []
    yield found
    for one in found:
        await one.close()


@pytest.mark.parametrize("point", POINTS)
async def test_a_write_is_made_once_over_a_kill(tmp_path: Path, open_ones: list[Next], point: str) -> None:
    one = await Next.after(tmp_path, "a change", point)
    open_ones.append(one)
    (call,) = await one.journal.open_calls()
    assert (call.call_id, call.customer_id, call.snapshot) == ("call", ANN, {"turn": 1})
    found = {"before intended": [], "after done": [Outcome.DONE]}.get(point, [Outcome.INTENDED])
    assert [run.outcome for run in call.writes] == found
    booking = (await one.state())["reservations"]["AAAAA1"]
    assert (booking["flights"][0]["date"] == "2024-05-16") == (POINTS.index(point) > 2)

    box = call_tools(one.tools, one.journal, call.writes)
    answer = await box.write("change_flight", CHANGE, "turn-3", "turn-3")
    assert (answer["date"], answer["refunded"]) == ("2024-05-16", 50)

    state = await one.state()
    assert state["reservations"]["AAAAA1"]["payment_history"] == [
        {"payment_id": "credit_card_1", "amount": 200},
        {"payment_id": "credit_card_1", "amount": -50},
    ]
    seats = state["flights"]["AIR101"]["dates"]
    assert seats["2024-05-16"]["available_seats"]["economy"] == 4
    assert seats["2024-05-19"]["available_seats"]["economy"] == 6
    runs = await one.journal.tool_runs("call")
    assert [(run.tool, run.outcome) for run in runs] == [("change_flight", Outcome.DONE)]
    assert runs[0].before["flights"][0]["date"] == "2024-05-19"
    assert runs[0].after["flights"][0]["date"] == "2024-05-16"


@pytest.mark.parametrize("point", POINTS)
async def test_a_write_is_taken_back_once_over_a_kill(tmp_path: Path, open_ones: list[Next], point: str) -> None:
    one = await Next.after(tmp_path, "an undo", point)
    open_ones.append(one)
    (call,) = await one.journal.open_calls()
    (made,) = await _booked(one)
    assert (made["status"] == "cancelled") == (POINTS.index(point) > 2)

    await book_and_take_back(call_tools(one.tools, one.journal, call.writes), "turn-3")

    # Where the undo had begun, the same wish is a new booking, which is taken back too: whatever was charged was refunded once.
    booked = await _booked(one)
    assert len(booked) == (1 if point == "before intended" else 2)
    for made in booked:
        assert made["status"] == "cancelled"
        assert [paid["amount"] for paid in made["payment_history"]] == [150, -150]
    runs = await one.journal.tool_runs("call")
    assert Outcome.INTENDED not in {run.outcome for run in runs}
    assert len([run for run in runs if run.tool == "cancel_reservation"]) == len(booked)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("back", [True, False], ids=["they go on", "they are gone"])
async def test_of_two_writes_each_is_made_once_over_a_kill_between_them(
    tmp_path: Path, open_ones: list[Next], point: str, back: bool
) -> None:
    """Whoever goes on in the call has both; who is gone has what was begun, and is told at their next contact what was made."""
    one = await Next.after(tmp_path, "two writes", point)
    open_ones.append(one)
    (call,) = await one.journal.open_calls()
    assert len(await _booked(one)) == 1
    journey = FakeJourney()
    await journey.register(Profile(ANN))
    approvals = approvals_of(one.tools, one.books, one.journal)
    approvals.orphans = Orphans(one.journal, time.time).requests
    told = Chronicle(one.journal, journey)
    approvals.outcomes = Settling(one.journal, journey, told, lambda *_: None, OutcomeWords(), time.time).tell

    await approvals.resume()
    assert await approvals.of(conversation_id="call") == ()  # the call may go on: it is the caller's to say
    if back:
        await book_and_change(call_tools(one.tools, one.journal, call.writes), "turn-3")
        await one.journal.append(Snapshot("call", {"turn": 3}))
    await one.journal.append(CallEnded("call", EndReason.HUNG_UP, 16))
    for _ in range(2):
        await approvals.resume()

    begun = back or point != "before intended"
    state = await one.state()
    (booked,) = await _booked(one)
    assert [paid["amount"] for paid in booked["payment_history"]] == [150]
    assert [paid["amount"] for paid in state["reservations"]["AAAAA1"]["payment_history"]] == [200, -50][: 1 + begun]
    made = ["book_reservation", *(["change_flight"] if begun else [])]
    runs = [run for run in await one.journal.tool_runs("call") if run.key]
    assert [(run.tool, run.outcome) for run in runs] == [(tool, Outcome.DONE) for tool in made]
    assert await told.tell()
    context = await journey.context(ANN)
    assert context is not None
    news = sorted(fact.text for fact in context.promises)
    words = OutcomeWords().done
    assert news == ([] if back else [words.replace("{what}", tool.replace("_", " ")) for tool in made])


@pytest.mark.parametrize(
    "point", ["before the decision", "after the decision", *POINTS, "before the outcome", "after the outcome"]
)
async def test_what_a_person_approved_is_done_once_over_a_kill(
    tmp_path: Path, open_ones: list[Next], point: str
) -> None:
    one = await Next.after(tmp_path, "an approval", point)
    open_ones.append(one)
    approvals = approvals_of(one.tools, one.books, one.journal)
    (request,) = await approvals.of(conversation_id="call")
    undecided = point == "before the decision"
    decided = Standing.DONE if point == "after the outcome" else Standing.APPROVED
    assert request.standing is (Standing.WAITING if undecided else decided)

    await approvals.resume()
    if undecided:
        assert await _certificates(one) == [150]
        await approvals.approve(request.id, "kim")
    await approvals.resume()

    assert (await approvals.find(request.id)).standing is Standing.DONE
    assert await _certificates(one) == [100, 150]
    runs = [run for run in await one.journal.tool_runs("call") if run.outcome is not Outcome.PREPARED]
    assert [(run.tool, run.outcome, run.actor) for run in runs] == [("send_certificate", Outcome.DONE, "human:kim")]


async def _booked(one: Next) -> list[dict[str, Any]]:
    """The reservations that were not there before."""
    return [made for name, made in (await one.state())["reservations"].items() if name[:4] not in ("AAAA", "BBBB")]


async def _certificates(one: Next) -> list[float]:
    """What Ann's certificates are worth."""
    ways = (await one.state())["users"][ANN]["payment_methods"].values()
    return sorted(way["amount"] for way in ways if way["source"] == "certificate")
