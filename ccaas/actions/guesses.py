"""Wrong answers to checks of who a customer is: counted for each customer, over conversations, channels and restarts.

A guess is counted before it is looked at, and taken off again when it was right or when nobody could tell: so that neither
two conversations at once nor a crash gives anybody one more.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.actions.books import Books
from ccaas.actions.identity import locked, wrong
from ccaas.actions.settings import CheckSettings
from ccaas.errors import CcaasError

_log = structlog.get_logger(__name__)


class Guesses:
    """Of one installation. A customer whom no system of record names ("") has none: those are counted by conversation."""

    def __init__(self, books: Books, settings: CheckSettings, now: Callable[[], float] = time.time) -> None:
        """`now`: Unix seconds."""
        self._books = books
        self._settings = settings
        self._now = now

    @property
    def most(self) -> int:
        """Wrong answers after which there is no further guess."""
        return self._settings.wrong_answers

    async def spent(self, customer_id: str) -> bool:
        """Whether checks of this customer are refused now. Raises BooksError."""
        if not customer_id:
            return False
        return await self._books.run(lambda db: self._spent(db, customer_id), writes=False)

    async def begin(self, customer_id: str) -> str | None:
        """Count a guess; what `end` takes, None when checks are refused. Raises BooksError."""
        if not customer_id:
            return ""
        guess = secrets.token_hex(8)

        def work(db: sqlite3.Connection) -> str | None:
            if self._spent(db, customer_id):
                return None
            db.execute("INSERT INTO guesses VALUES (?, ?, ?)", (customer_id, guess, self._now()))
            old = self._now() - 60 * (self._settings.within_minutes + self._settings.refused_minutes)
            db.execute("DELETE FROM guesses WHERE at < ?", (old,))
            return guess

        return await self._books.run(work, writes=True)

    async def end(self, customer_id: str, guess: str, run: ToolRun) -> ToolRun:
        """What the check came to; the run as it is to be kept: the wrong answer that was the last says so."""
        if not guess:
            return run

        def work(db: sqlite3.Connection) -> bool:
            if run.outcome is Outcome.DONE:
                db.execute("DELETE FROM guesses WHERE whose = ?", (customer_id,))
            elif not wrong(run):
                db.execute("DELETE FROM guesses WHERE whose = ? AND guess = ?", (customer_id, guess))
            return self._spent(db, customer_id)

        try:
            spent = await self._books.run(work, writes=True)
        except CcaasError as error:
            _log.error("a guess stays counted", tool=run.tool, error=str(error))
            return run
        if spent and wrong(run):
            _log.warning("checks of a customer are refused for a while: too many wrong answers", tool=run.tool)
            return replace(run, error=f"{locked().code}: {locked()}")
        return run

    def _spent(self, db: sqlite3.Connection, customer_id: str) -> bool:
        newest = [
            float(row[0])
            for row in db.execute(
                "SELECT at FROM guesses WHERE whose = ? ORDER BY at DESC LIMIT ?", (customer_id, self.most)
            )
        ]
        if len(newest) < self.most or newest[0] - newest[-1] > 60 * self._settings.within_minutes:
            return False
        return self._now() < newest[0] + 60 * self._settings.refused_minutes
