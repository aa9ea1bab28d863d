"""The toolbox of one call: `ccaas.ports.tools.Toolbox` with the gate, the audit and the time limits built in.

A write runs in a task of its own that neither a barge-in, nor a hang-up, nor its own time limit cancels: half a write
is worse than a late one. What it did is known under its key, so asking again never does it twice.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from ccaas.actions.audit import Audit, Outcome, ToolRun, canonical, write_key
from ccaas.actions.confirm import Confirmations
from ccaas.actions.phase import Limits, check
from ccaas.actions.tool import Tools, tells_change
from ccaas.errors import CcaasError, ToolError
from ccaas.ports.tools import Effect, Tool, ToolContext

_log = structlog.get_logger(__name__)

WRITE_LASTS_S = 60.0
"""A write that outlives its time limit is left alone for this long before it is given up."""


@dataclass(frozen=True, slots=True)
class _Request:
    tool: Tool
    input: BaseModel
    context: ToolContext
    run: ToolRun
    began: float


class CallTools:
    """The tools that one call may use.

    `now` is the business's clock (aware). `earlier` is for a call that is picked up after a crash: its writes since
    the dialogue's last snapshot. The dialogue comes to them again in a new turn; the first write with the same tool
    and arguments is then the same write, under its old key.
    """

    def __init__(
        self,
        tools: Tools,
        limits: Limits,
        audit: Audit,
        *,
        call_id: str,
        customer_id: str,
        now: Callable[[], datetime],
        earlier: Iterable[ToolRun] = (),
    ) -> None:
        self._tools = tools
        self._limits = limits
        self._audit = audit
        self._call_id = call_id
        self._customer_id = customer_id
        self._now = now
        self._confirmations = Confirmations()
        self._earlier = {
            (run.tool, canonical(run.arguments)): run
            for run in earlier
            if run.key and run.outcome is not Outcome.REFUSED
        }
        self._renamed: dict[str, str] = {}
        self._writes: dict[str, asyncio.Task[ToolRun]] = {}
        self._done: dict[str, ToolRun] = {}

    def identify(self, customer_id: str) -> None:
        """From now on the tools run for this customer."""
        self._customer_id = customer_id

    async def read(self, name: str, arguments: Mapping[str, object], turn_id: str) -> dict[str, Any]:
        """Run a tool that only reads; see the port."""
        request = self._admit(Effect.READ, name, arguments, turn_id, "")
        run = _finished(request, await _attempt(request, request.tool.timeout_s))
        self._audit.note(run)
        return _answer(run)

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str
    ) -> dict[str, Any]:
        """Run a tool that writes, once; see the port."""
        request = self._admit(Effect.WRITE, name, arguments, turn_id, confirmed_by)
        key = request.run.key
        if (done := self._done.get(key)) is not None:
            return _answer(done)
        task = self._writes.get(key)
        if task is None:
            task = asyncio.create_task(self._write(request), name=f"{self._call_id} {name}")
            self._writes[key] = task
            task.add_done_callback(lambda _: self._writes.pop(key, None))
        await asyncio.wait({task}, timeout=request.tool.timeout_s)
        if not task.done():
            raise ToolError("timeout", "That is taking longer than it should.")
        return _answer(task.result())

    async def settle(self) -> None:
        """Wait for the writes that still run, before the call's task ends."""
        while self._writes:
            await asyncio.wait(self._writes.values())

    def _admit(
        self, wanted: Effect, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str
    ) -> _Request:
        """Everything that can be refused before anything runs."""
        began = time.perf_counter()
        run = ToolRun(
            key="",
            call_id=self._call_id,
            turn_id=turn_id,
            customer_id=self._customer_id,
            tool=name,
            effect=wanted,
            arguments=arguments,
            confirmed_by=confirmed_by,
            outcome=Outcome.REFUSED,
            at=time.time(),
        )
        try:
            tool = self._tools.find(name)
            check(tool, wanted, self._limits)
            values = _validated(tool, arguments)
            run = replace(run, arguments=values.model_dump(mode="json"))
            spelling = canonical(run.arguments)
            self._confirmations.check(tool, spelling, confirmed_by)
        except ToolError as refusal:
            self._audit.note(replace(run, error=f"{refusal.code}: {refusal}"))
            raise
        if wanted is Effect.WRITE:
            run = replace(run, key=self._key(name, spelling, turn_id))
        context = ToolContext(self._call_id, turn_id, self._customer_id, run.key, self._now())
        return _Request(tool, values, context, run, began)

    def _key(self, name: str, spelling: str, turn_id: str) -> str:
        key = write_key(self._call_id, turn_id, name, spelling)
        earlier = self._earlier.pop((name, spelling), None)
        if earlier is not None:
            # One repetition per earlier write: the caller may want the same thing a second time after that.
            self._renamed[key] = earlier.key
            if earlier.outcome is Outcome.DONE:
                self._done[earlier.key] = earlier
        return self._renamed.get(key, key)

    async def _write(self, request: _Request) -> ToolRun:
        try:
            await self._audit.store(replace(request.run, outcome=Outcome.INTENDED))
        except CcaasError as error:
            _log.error("write not made: its audit row could not be stored", tool=request.tool.name, error=str(error))
            return replace(request.run, error="unavailable: I cannot make changes at the moment.")
        run = _finished(request, await _attempt(request, WRITE_LASTS_S))
        if run.outcome is Outcome.DONE:
            self._done[run.key] = run
        try:
            await self._audit.store(run)
        except CcaasError as error:
            _log.error("audit row of a write is left as intended", tool=run.tool, key=run.key, error=str(error))
        return run


def _validated(tool: Tool, arguments: Mapping[str, object]) -> BaseModel:
    try:
        return tool.input.model_validate(dict(arguments))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {fault['msg']}" for fault in error.errors()
        )
        raise ToolError("bad_arguments", f"{tool.name} cannot run with these arguments: {wrong}") from None


async def _attempt(request: _Request, limit_s: float) -> asyncio.Task[BaseModel]:
    """Run the tool in a task, whose exception, whatever it is, stays inside it. A task still pending ran out of time."""
    task = asyncio.create_task(_run(request), name=f"{request.run.call_id} {request.tool.name}")
    try:
        await asyncio.wait({task}, timeout=limit_s)
    finally:
        task.cancel()
    return task


async def _run(request: _Request) -> BaseModel:
    return await request.tool.run(request.input, request.context)


def _finished(request: _Request, attempt: asyncio.Task[BaseModel]) -> ToolRun:
    run = replace(request.run, took_ms=(time.perf_counter() - request.began) * 1000)
    tool = request.tool
    if not attempt.done():
        return replace(run, outcome=Outcome.TIMEOUT, error="timeout: That is taking longer than it should.")
    error = asyncio.CancelledError() if attempt.cancelled() else attempt.exception()
    if isinstance(error, ToolError):
        return replace(run, outcome=Outcome.REFUSED, error=f"{error.code}: {error}")
    if error is None and isinstance(result := attempt.result(), tool.output):
        fields = dict(result) if tells_change(tool) else {}
        return replace(
            run,
            outcome=Outcome.DONE,
            result=result.model_dump(mode="json"),
            before=_plain(fields.get("before")),
            after=_plain(fields.get("after")),
        )
    fault = error or TypeError(f"{tool.name} answered with something else than {tool.output.__name__}")
    # Without the message and without local variables: they may hold what no log may. The message is in the audit, masked.
    stack = "".join(traceback.format_tb(fault.__traceback__))
    _log.error(
        "a tool broke", tool=tool.name, call=run.call_id, turn=run.turn_id, why=type(fault).__name__, stack=stack
    )
    return replace(run, outcome=Outcome.FAULT, error=f"fault: {type(fault).__name__}: {fault}")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _answer(run: ToolRun) -> dict[str, Any]:
    if run.result is not None:
        return dict(run.result)
    if run.outcome is Outcome.FAULT:
        raise ToolError("fault", "Something went wrong on our side.")
    code, _, sentence = run.error.partition(": ")
    raise ToolError(code, sentence)
