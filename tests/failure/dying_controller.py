"""A controller that is killed at a chosen point of what it does. Run as a child: FOLDER DOING POINT.

DOING is "a change", "two writes" (it dies in the second), "an undo" (of the first of two writes, where the second is refused) or
"an approval".
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ccaas_airline import store
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from ccaas.actions import Audit, Books, CallTools, Limits, ToolRun, Tools
from ccaas.actions.approvals import Approvals
from ccaas.errors import ToolError
from ccaas.journal import CallBegan, Journal, Snapshot
from ccaas.ports.journey import Assurance
from ccaas.ports.site import Site
from ccaas.ports.tools import Phase

ANN = "ann_lee_1"
CHANGE = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101"}
NOWHERE = {**CHANGE, "reservation_id": "AAAAA9"}
BOOKING = {
    "user_id": ANN,
    "origin": "BOS",
    "destination": "SEA",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "AIR101", "date": "2024-05-16"}],
    "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1980-01-02"}],
    "payment_methods": [{"payment_id": "credit_card_1", "amount": 150}],
    "total_baggages": 0,
    "nonfree_baggages": 0,
    "insurance": "no",
}
CERTIFICATE = {"user_id": ANN, "amount": 100}
WRITES = {
    "a change": "change_flight",
    "two writes": "change_flight",
    "an undo": "cancel_reservation",
    "an approval": "send_certificate",
}
"""The write in which it dies."""
SETTINGS = AirlineSettings()


class DyingAudit:
    """The journal, until the point of that tool's write is reached."""

    def __init__(self, journal: Journal, point: str, tool: str) -> None:
        self._journal, self._point, self._tool = journal, point, tool

    async def store(self, run: ToolRun) -> None:
        self._reached("before", run)
        await self._journal.store(run)
        self._reached("after", run)

    def note(self, run: ToolRun) -> None:
        self._journal.note(run)

    def _reached(self, side: str, run: ToolRun) -> None:
        if run.tool == self._tool and self._point == f"{side} {run.outcome.value}":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_in(name: str, tool: str) -> None:
    """Die when the airline's `store` has done that step of the tool's write."""
    step = getattr(store, name)

    def step_and_die(db: object, running: str, *rest: Any) -> Any:
        result = step(db, running, *rest)
        if running == tool:
            die()
        return result

    patch.object(store, name, step_and_die).start()


def dies_around(name: str, side: str) -> None:
    """Die before or after the books of actions keep something."""
    step = getattr(Books, name)

    async def step_and_die(books: Books, *rest: Any) -> Any:
        if side == "before":
            die()
        await step(books, *rest)
        die()

    patch.object(Books, name, step_and_die).start()


def call_tools(tools: Tools, audit: Audit, earlier: Iterable[ToolRun] = ()) -> CallTools:
    """The toolbox of Ann's call, in this controller or the next."""
    return CallTools(
        tools,
        Limits(Phase.TRANSACTIONAL),
        audit,
        call_id="call",
        customer_id=ANN,
        now=lambda: datetime.now(UTC),
        assurance=Assurance.VERIFIED,
        earlier=earlier,
    )


def approvals_of(tools: Tools, books: Books, audit: Audit) -> Approvals:
    """What people approve, in this controller or the next."""
    return Approvals(tools, books, audit, lambda *_: Limits(Phase.TRANSACTIONAL), lambda: datetime.now(UTC))


async def book_and_take_back(box: CallTools, turn: str) -> None:
    """A journey of two writes: the second is refused, so the first is taken back."""
    await box.write("book_reservation", BOOKING, turn, turn)
    with suppress(ToolError):
        await box.write("change_flight", NOWHERE, turn, turn)
    await box.undo("book_reservation", turn)


async def book_and_change(box: CallTools, turn: str) -> None:
    """A journey of two writes, both of which the customer has agreed to."""
    await box.write("book_reservation", BOOKING, turn, turn)
    await box.write("change_flight", CHANGE, turn, turn)


async def approve(approvals: Approvals) -> None:
    """Kim asks for a certificate, and approves it."""
    request = await approvals.prepare(
        "send_certificate", CERTIFICATE, "Her bag came late.", "kim", conversation_id="call", customer_id=ANN
    )
    await approvals.approve(request.id, "kim")


async def main(folder: Path, doing: str, point: str) -> None:
    site = Site(folder, folder / "state", folder / "models", folder / "cache")
    journal = await Journal.open(folder / "journal.db")
    tools = Tools(tools_of(await open_desk(SETTINGS, site)))
    audit = DyingAudit(journal, point, WRITES[doing])
    if point == "inside the transaction":
        dies_in("_keep", WRITES[doing])
    elif point == "after the commit":
        dies_in("_write", WRITES[doing])
    elif point.endswith("the decision"):
        dies_around("decide", point.split(maxsplit=1)[0])
    elif point.endswith("the outcome"):
        dies_around("finish", point.split(maxsplit=1)[0])
    await journal.append(CallBegan("call", "+13035550100", "100", "airline", ANN), Snapshot("call", {"turn": 1}))
    if doing == "a change":
        await call_tools(tools, audit).write("change_flight", CHANGE, "turn-2", "turn-2")
    elif doing == "two writes":
        await book_and_change(call_tools(tools, audit), "turn-2")
    elif doing == "an undo":
        await book_and_take_back(call_tools(tools, audit), "turn-2")
    else:
        await approve(approvals_of(tools, await Books.open(folder / "actions.sqlite"), audit))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
