"""The journal as the event loop sees it: nothing here blocks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

from ccaas.actions.audit import ToolRun
from ccaas.errors import CcaasError
from ccaas.journal.entries import Entry, durable, run_from_row, statement
from ccaas.journal.recovery import OpenCall, open_calls
from ccaas.journal.writer import JournalError, asking, storing, writer
from ccaas.sqlite import Worker

__all__ = ["Journal", "JournalError"]

_log = structlog.get_logger(__name__)

T = TypeVar("T")

NOTES = 2_000
"""Most fire-and-forget rows that may wait for the disk; further ones are dropped and counted."""


class Journal:
    """Open with `await Journal.open(path)`; close with `await close()`.

    It is also the `Audit` of the tools.
    """

    def __init__(self, writer: Worker, loop: asyncio.AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self._closed = False
        self._noted = 0
        self.dropped = 0
        """Fire-and-forget rows that were not stored: too many at once, or the disk failed."""
        self._complaint = ""

    @classmethod
    async def open(cls, path: Path) -> Journal:
        """Open or make the file.

        Raises:
            JournalError: one sentence on what is wrong with the file, and the mend.
        """
        thread = writer(path)
        await asyncio.to_thread(thread.open)
        thread.start()
        return cls(thread, asyncio.get_running_loop())

    async def append(self, *entries: Entry) -> None:
        """Store the entries in one transaction; returns when they survive the death of this process (a tool run: of
        the machine).

        Raises:
            JournalError: they are not stored.
        """
        await self._submit(tuple(statement(entry) for entry in entries), _durable(entries), None)

    def post(self, *entries: Entry) -> bool:
        """Store the entries when there is time. False: dropped, since `NOTES` others are waiting. Never raises."""
        if self._closed or self._noted >= NOTES:
            self.dropped += len(entries)
            return False
        self._noted += 1
        rows = tuple(statement(entry) for entry in entries)
        self._writer.put(storing(rows, _durable(entries), self._teller(self._posted)))
        return True

    async def store(self, run: ToolRun) -> None:
        """`Audit.store`."""
        await self.append(run)

    def note(self, run: ToolRun) -> None:
        """`Audit.note`."""
        self.post(run)

    async def open_calls(self) -> tuple[OpenCall, ...]:
        """The calls that have not ended, with what is needed to go on with them, oldest first."""
        calls: tuple[OpenCall, ...] = await self._submit((), False, open_calls)
        return calls

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """What a function that only reads finds in the database, after all that was posted before.

        Raises:
            JournalError: the file cannot be read.
        """
        answer: T = await self._submit((), False, question)
        return answer

    async def tool_runs(self, call_id: str) -> tuple[ToolRun, ...]:
        """The audit of one call, in order."""

        def ask(db: sqlite3.Connection) -> tuple[ToolRun, ...]:
            rows = db.execute("SELECT * FROM tool_runs WHERE call_id = ? ORDER BY id", (call_id,)).fetchall()
            return tuple(run_from_row(dict(row)) for row in rows)

        runs: tuple[ToolRun, ...] = await self._submit((), False, ask)
        return runs

    async def close(self) -> None:
        """Store what is queued and close the file. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._writer.stop()
            await asyncio.to_thread(self._writer.join)

    async def _submit(
        self, statements: tuple[Any, ...], durable: bool, ask: Callable[[sqlite3.Connection], Any] | None
    ) -> Any:
        if self._closed:
            raise JournalError("the journal is closed; nothing more can be stored in it")
        future: asyncio.Future[Any] = self._loop.create_future()

        def tell(answer: Any, error: CcaasError | None) -> None:
            # The waiter may have been cancelled; the rows are stored all the same.
            if not future.done():
                future.set_result(answer) if error is None else future.set_exception(error)

        teller = self._teller(tell)
        self._writer.put(asking(ask, teller) if ask is not None else storing(statements, durable, teller))
        return await future

    def _teller(self, tell: Callable[[Any, CcaasError | None], None]) -> Callable[[Any, CcaasError | None], None]:
        def in_loop(answer: Any, error: CcaasError | None) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(tell, answer, error)

        return in_loop

    def _posted(self, _: Any, error: CcaasError | None) -> None:
        self._noted -= 1
        if error is None:
            self._complaint = ""
            return
        self.dropped += 1
        if str(error) != self._complaint:
            self._complaint = str(error)
            _log.error("journal rows are being lost", error=self._complaint)


def _durable(entries: tuple[Entry, ...]) -> bool:
    return any(durable(entry) for entry in entries)
