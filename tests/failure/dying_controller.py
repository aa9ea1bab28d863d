"""A controller that is killed at a chosen point of a write. Run as a child: FOLDER POINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ccaas_airline import store
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from ccaas.actions import CallTools, Limits, Outcome, ToolRun, Tools
from ccaas.journal import CallBegan, Journal, Snapshot
from ccaas.ports.site import Site
from ccaas.ports.tools import Phase

CHANGE = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101"}


class DyingAudit:
    """The journal, until the point is reached."""

    def __init__(self, journal: Journal, point: str) -> None:
        self._journal, self._point = journal, point

    async def store(self, run: ToolRun) -> None:
        if run.outcome is Outcome.DONE and self._point == "before done":
            die()
        await self._journal.store(run)
        if run.outcome is Outcome.INTENDED and self._point == "after intended":
            die()
        if run.outcome is Outcome.DONE and self._point == "after done":
            die()

    def note(self, run: ToolRun) -> None:
        self._journal.note(run)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, point: str) -> None:
    site = Site(folder, folder / "state", folder / "models", folder / "cache")
    journal = await Journal.open(folder / "journal.db")
    desk = await open_desk(AirlineSettings(), site)
    if point == "inside the transaction":
        keep = store._keep

        def keep_and_die(db: sqlite3.Connection, *rest: Any) -> None:
            keep(db, *rest)
            die()

        patch.object(store, "_keep", keep_and_die).start()
    await journal.append(
        CallBegan("call", "+13035550100", "100", "airline", "ann_lee_1"), Snapshot("call", {"turn": 1})
    )
    tools = CallTools(
        Tools(tools_of(desk)),
        Limits(Phase.TRANSACTIONAL),
        DyingAudit(journal, point),
        call_id="call",
        customer_id="ann_lee_1",
        now=lambda: datetime.now(UTC),
    )
    await tools.write("change_flight", CHANGE, "turn-2", "turn-2")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
