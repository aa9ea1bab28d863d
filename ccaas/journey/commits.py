"""Group commit: what is asked for while one transaction goes to the disk shares the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ccaas.errors import JourneyError
from ccaas.journey.database import Database, StoreDown
from ccaas.journey.statements import Steps, Work
from ccaas.journey.timeline import append
from ccaas.ports.journey import Fact

T = TypeVar("T")

MOST = 256
"""Most changes in one transaction."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    facts: tuple[Fact, ...]
    work: Work[Any] | None
    done: asyncio.Future[Any]


class Commits:
    """One transaction at a time, with everything that waits. `close` stores what is waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def append(self, facts: Sequence[Fact]) -> None:
        """Store facts; returns when they are on the disk. Cancelled, they are stored all the same."""
        await self._queue(tuple(facts), None)

    async def change(self, work: Work[T]) -> T:
        """Run a piece of work; returns when it is on the disk. Cancelled, it is done all the same."""
        answer: T = await self._queue((), work)
        return answer

    async def close(self) -> None:
        """Wait for what is under way; refuse more."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _queue(self, facts: tuple[Fact, ...], work: Work[Any] | None) -> Any:
        if self._closed:
            raise JourneyError("the journey is closed; nothing more can be stored in it")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(facts, work, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="journey commits")
        return await done

    async def _run(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._commit(batch)
        finally:
            self._task = None
            # Whatever ends this task, nobody waits for ever.
            for one in batch + self._waiting:
                one.done.cancel()

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = await self._database.write(lambda: _together(batch))
        except JourneyError as error:
            if len(batch) > 1 and not isinstance(error, StoreDown):
                # One bad change must not take its neighbours with it.
                for one in batch:
                    await self._commit([one])
                return
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
        else:
            for one, answer in zip(batch, answers, strict=True):
                if not one.done.done():
                    one.done.set_result(answer)


def _together(batch: Sequence[_Waiting]) -> Steps[list[Any]]:
    facts = [fact for one in batch for fact in one.facts]
    if facts:
        yield from append(facts)
    answers: list[Any] = []
    for one in batch:
        answers.append((yield from one.work()) if one.work is not None else None)  # noqa: PERF401  (a list of yields is none)
    return answers
