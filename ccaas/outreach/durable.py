"""Plays as durable workflows (`dbos`: SQLite, or PostgreSQL for several machines).

A workflow runs on a thread of its own and has each step done by the controller's loop; what is done is not done again after
a crash, and what was begun is gone on with. There are three kinds, none of which ever waits: a play begins (its id is the
event's), an answer or the end of the waiting settles a case, and a channel that failed is followed by the next. Between them
a case is a row, and costs nothing.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import sqlalchemy
import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID

from ccaas.errors import CcaasError, SetupError
from ccaas.outreach import cases
from ccaas.outreach.cases import CaseState
from ccaas.outreach.play_settings import ProactiveSettings
from ccaas.outreach.plays import TOGETHER, Answered, Plays
from ccaas.outreach.store import OutreachStore
from ccaas.outreach.workflow_store import machine_of, workflow_store
from ccaas.ports.site import Site

_log = structlog.get_logger(__name__)

T = TypeVar("T")

FIRST = 8
"""Cases of the first batch: small, so that the first customers hear of it at once."""
TICK_S = 1.0
"""How often it is looked for cases whose wait is over (s)."""
AGAIN_S = 60.0
"""What has failed in all its tries is begun again after this time."""
_LOOK_S = 0.25
"""How often a workflow's thread looks whether the controller goes away (s)."""
_EXPIRING = 200
"""Most cases that are ended in one look."""
_TRIES = 8
"""A step that fails is tried so often, at growing intervals."""


class _Current:
    """The plays that this process runs: workflows are functions of the module, and find them here."""

    plays: Plays
    loop: asyncio.AbstractEventLoop
    closing = threading.Event()


class _Stopping(BaseException):
    """The controller goes away. No Exception, so that the workflow is not taken to have failed: it is gone on with."""


def _done(work: Callable[[Plays], Coroutine[Any, Any, T]]) -> T:
    """Have the controller's loop do it; called on a workflow's thread."""
    if _Current.closing.is_set():
        raise _Stopping
    asked = asyncio.run_coroutine_threadsafe(work(_Current.plays), _Current.loop)
    while True:
        try:
            return asked.result(timeout=_LOOK_S)
        except concurrent.futures.TimeoutError:
            if _Current.closing.is_set():
                raise _Stopping from None
        except concurrent.futures.CancelledError:
            raise _Stopping from None


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _find(event_id: str) -> int:
    return _done(lambda plays: plays.find(event_id))


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _begin(event_id: str, first: int, count: int) -> None:
    status = DBOS.step_status
    last = status is not None and status.current_attempt == _TRIES - 1
    _done(lambda plays: plays.begin(event_id, first, count, last=last))


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _end(event_id: str) -> int:
    return _done(lambda plays: plays.end(event_id))


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _answer(case_id: str, word: str) -> dict[str, Any]:
    answered = _done(lambda plays: plays.answer(case_id, word))
    return {"state": answered.state.value, "words": answered.words, "again": answered.again}


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _expire(case_id: str) -> None:
    _done(lambda plays: plays.expire(case_id))


@DBOS.step(retries_allowed=True, max_attempts=_TRIES, interval_seconds=0.5)
def _failed(case_id: str, channel: str, why: str) -> None:
    _done(lambda plays: plays.failed(case_id, channel, why))


@DBOS.workflow()
def play_event(event_id: str) -> int:
    """A whole play until everybody was offered something; how many customers."""
    count = _find(event_id)
    first = 0
    while first < count:
        size = FIRST if first == 0 else TOGETHER
        _begin(event_id, first, size)
        first += size
    left = _end(event_id)
    if left:
        raise CcaasError(f"{left} of {count} customers could not be told yet")
    return count


@DBOS.workflow()
def take_answer(case_id: str, word: str) -> dict[str, Any]:
    """An answer to an offer."""
    return _answer(case_id, word)


@DBOS.workflow()
def end_waiting(case_id: str) -> None:
    """Nobody has answered."""
    _expire(case_id)


@DBOS.workflow()
def next_channel(case_id: str, channel: str, why: str) -> None:
    """A channel did not reach the customer."""
    _failed(case_id, channel, why)


class DurablePlays:
    """Starts workflows. One in a process."""

    def __init__(self, plays: Plays, store: OutreachStore, settings: ProactiveSettings, site: Site) -> None:
        """`settings.store`: a file in the state folder, or a PostgreSQL URL."""
        self._plays = plays
        self._store = store
        self._settings = settings
        self._site = site
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on with what an earlier controller left. Raises SetupError."""
        _Current.plays, _Current.loop = self._plays, asyncio.get_running_loop()
        _Current.closing.clear()
        config = workflow_store(self._settings, self._site, await self._store.read(machine_of))
        try:
            await asyncio.to_thread(self._launch, config)
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise SetupError(f"proactive.store: {self._settings.store} cannot be opened ({reason}); mend it") from error
        for event_id in await self._store.read(_unended):
            self.begin(event_id)
        self._ticking = asyncio.create_task(self._tick(), name="plays")

    def _launch(self, config: DBOSConfig) -> None:
        DBOS(config=config)
        try:
            DBOS.launch()
        except BaseException:
            DBOS.destroy()  # the library counts as launched, and a later start would go on with this one's settings
            raise

    def begin(self, event_id: str) -> None:
        """Start the play of a stored event. Again, it is the same play."""
        self._spawn(lambda: self._run(event_id, play_event, event_id))

    async def answer(self, case_id: str, word: str) -> Answered:
        """Take an answer; what came of it. A first answer is settled once, whoever is killed when. Raises CcaasError."""
        case = await self._store.read(cases.one(case_id))
        if case is None:
            raise CcaasError(f"there is no offer {case_id}")
        if not case.answerable:
            return await self._plays.answer(case_id, word)
        found = await self._run(f"{case_id}:{word}", take_answer, case_id, word)
        if CaseState(found["state"]) is CaseState.CONFIRMED and word != "yes":
            return await self._plays.answer(case_id, word)
        return Answered(CaseState(found["state"]), found["words"], found["again"])

    def failed(self, case_id: str, channel: str, why: str) -> None:
        """A channel did not reach the customer."""
        self._spawn(lambda: self._run(f"{case_id}:after-{channel}", next_channel, case_id, channel, why))

    async def close(self) -> None:
        """What runs is gone on with by the next controller."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        _Current.closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(DBOS.destroy)

    async def idle(self) -> None:
        """Return when no workflow runs that was started here."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, workflow_id: str, workflow: Callable[..., T], *arguments: Any) -> T:
        """Start a workflow, or join the one of that id; its result. Where that has failed, the next one is begun: each step
        can be done again. Raises CcaasError."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def tell(answer: T | None, error: BaseException | None) -> None:
            if not result.done():
                result.set_result(cast("T", answer)) if error is None else result.set_exception(error)

        def work() -> None:
            try:
                with SetWorkflowID(_next(workflow_id)):
                    answer, error = DBOS.start_workflow(workflow, *arguments).get_result(), None
            except (Exception, _Stopping) as raised:  # noqa: BLE001  (it is raised where it was asked for)
                answer, error = None, raised
            if not loop.is_closed() and not isinstance(error, _Stopping):
                loop.call_soon_threadsafe(tell, answer, error)

        # A thread that ends with the process: what it waits for is gone on with by the next controller.
        threading.Thread(target=work, name=f"play {workflow_id}", daemon=True).start()
        await asyncio.wait({result})
        error = result.exception()
        if error is None:
            return result.result()
        if isinstance(error, CcaasError):
            raise error
        _log.error("a play's workflow failed", workflow=workflow_id, exc_info=error)
        raise CcaasError(f"the workflow {workflow_id} failed: {error}") from error

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick(self) -> None:
        while True:
            try:
                for case_id in await self._store.read(cases.due(time.time(), _EXPIRING)):
                    await self._run(f"{case_id}:over", end_waiting, case_id)
            except CcaasError as error:
                _log.error("the end of a wait could not be told", error=str(error))
            await asyncio.sleep(TICK_S)


async def _quietly(work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Do it, and again after a while when it fails: a system of record that was away is back some day."""
    while True:
        try:
            await work()
        except CcaasError as error:
            _log.error("a play stands still; it is gone on with later", error=str(error), again_s=AGAIN_S)
        else:
            return
        await asyncio.sleep(AGAIN_S)


def _next(workflow_id: str) -> str:
    """The id of the first try that has not failed: the given one, or it with the try's number. Called on a thread."""
    for number in itertools.count(1):
        name = workflow_id if number == 1 else f"{workflow_id}~{number}"
        status = DBOS.get_workflow_status(name)
        if status is None or status.status != "ERROR":
            return name
    raise AssertionError  # counting does not end


def _unended(db: Any) -> tuple[str, ...]:
    return tuple(row["event_id"] for row in db.execute("SELECT event_id FROM events WHERE ended IS NULL ORDER BY at"))
