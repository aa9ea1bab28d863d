"""One run of one tool: its arguments validated, its time limited, whatever it comes to turned into a row of the audit."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.actions.tool import tells_change
from ccaas.errors import ToolError
from ccaas.ports.tools import Tool, ToolContext

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the gate let through."""

    tool: Tool
    input: BaseModel
    spelling: str
    """The arguments' canonical JSON."""
    context: ToolContext
    run: ToolRun
    began: float
    """`time.perf_counter`."""


def validated(tool: Tool, arguments: Mapping[str, object]) -> BaseModel:
    """The arguments as the tool's model. Raises ToolError "bad_arguments"."""
    try:
        return tool.input.model_validate(dict(arguments))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {fault['msg']}" for fault in error.errors()
        )
        raise ToolError("bad_arguments", f"{tool.name} cannot run with these arguments: {wrong}") from None


async def attempt(request: Attempt, limit_s: float) -> ToolRun:
    """Run the tool in a task, whose exception, whatever it is, stays inside it; what it came to."""
    task = asyncio.create_task(_run(request), name=f"{request.run.call_id} {request.tool.name}")
    try:
        await asyncio.wait({task}, timeout=limit_s)
    finally:
        task.cancel()
    return _finished(request, task)


async def _run(request: Attempt) -> BaseModel:
    return await request.tool.run(request.input, request.context)


def _finished(request: Attempt, task: asyncio.Task[BaseModel]) -> ToolRun:
    run = replace(request.run, took_ms=(time.perf_counter() - request.began) * 1000)
    tool = request.tool
    if not task.done():
        return replace(run, outcome=Outcome.TIMEOUT, error="timeout: That is taking longer than it should.")
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if isinstance(error, ToolError):
        return replace(run, outcome=Outcome.REFUSED, error=f"{error.code}: {error}", rule=error.rule)
    if error is None and isinstance(result := task.result(), tool.output):
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


def answer(run: ToolRun) -> dict[str, Any]:
    """The run's result. Raises its ToolError."""
    if run.result is not None:
        return dict(run.result)
    if run.outcome is Outcome.FAULT:
        raise ToolError("fault", "Something went wrong on our side.")
    code, _, sentence = run.error.partition(": ")
    raise ToolError(code, sentence, rule=run.rule)
