"""A few threads for decodings, the urgent ones first."""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from ccaas.errors import SpeechError
from ccaas.inference import RUNTIME_ERRORS
from ccaas.ports.waits import Waits

T = TypeVar("T")

_FAILURES: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, ValueError)


class Urgency(IntEnum):
    """What goes first."""

    FINAL = 0
    INTERIM = 1
    END = 2
    """Not work: tells a thread to end when all else is done."""


@dataclass(order=True, slots=True)
class _Job(Generic[T]):
    urgency: Urgency
    order: int
    work: Callable[[], T] = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)
    result: asyncio.Future[T] = field(compare=False)


class DecodingThreads:
    """Runs work off the event loop. `waits` is how long final results wait for a thread; interim ones may."""

    def __init__(self, count: int) -> None:
        self.waits = Waits()
        self._jobs: queue.PriorityQueue[_Job[object]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._threads = [threading.Thread(target=self._work, name=f"moonshine-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    async def run(self, urgency: Urgency, work: Callable[[], T]) -> T:
        """The result of `work`. A cancelled caller's work is skipped when it has not begun.

        Raises:
            SpeechError: the model runtime failed.
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._put(_Job(urgency, next(self._order), work, loop, result))
        return await result

    async def close(self) -> None:
        """Let what was begun end, and the threads with it."""
        loop = asyncio.get_running_loop()
        for _ in self._threads:
            self._put(_Job(Urgency.END, next(self._order), lambda: None, loop, loop.create_future()))
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _put(self, job: _Job[T]) -> None:
        if job.urgency is Urgency.FINAL:
            self.waits.ask(job.order)
        self._jobs.put(job)  # type: ignore[arg-type]  # a queue of any result

    def _work(self) -> None:
        while (job := self._jobs.get()).urgency is not Urgency.END:
            if job.result.cancelled():
                self.waits.drop(job.order)
                continue
            if job.urgency is Urgency.FINAL:
                self.waits.begin(job.order)
            answer: object = None
            failure: SpeechError | None = None
            try:
                answer = job.work()
            except _FAILURES as error:
                failure = SpeechError(f"Moonshine failed on this audio: {error}")
            try:
                job.loop.call_soon_threadsafe(_settle, job.result, answer, failure)
            except RuntimeError:
                # The event loop has ended meanwhile: nobody waits any more.
                continue


def _settle(result: asyncio.Future[object], answer: object, failure: SpeechError | None) -> None:
    if result.done():
        return
    if failure is not None:
        result.set_exception(failure)
    else:
        result.set_result(answer)
