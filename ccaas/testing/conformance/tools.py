"""What every plug-in's tools must do, whatever system of record stands behind them.

Subclass `ToolsConformance` and give it an asynchronous fixture `world` that builds a fresh `ToolWorld` for each test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel

from ccaas.actions.tool import Tools
from ccaas.errors import ToolError
from ccaas.ports.tools import Effect, Tool, ToolContext

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolWorld:
    """The tools under test and a system of record that is theirs alone."""

    tools: Sequence[Tool]
    state: Callable[[], Awaitable[object]]
    """Everything that a tool could change, as JSON; two equal states are the same state."""
    customer_id: str
    now: datetime
    """The business's clock (aware)."""
    reads: Sequence[tuple[str, Arguments]]
    """Each reading tool at least once, with arguments that succeed."""
    writes: Sequence[tuple[str, Arguments]]
    """Each writing tool at least once, with arguments that succeed and change something."""
    refused: Sequence[tuple[str, Arguments, str]]
    """Arguments that the tool itself refuses, and the code of the ToolError."""


class ToolsConformance:
    """The suite."""

    async def test_tools_are_sound(self, world: ToolWorld) -> None:
        tools = Tools(world.tools)
        for tool in tools.values():
            for model in (tool.input, tool.output):
                schema = model.model_json_schema()
                assert schema["type"] == "object", tool.name
                json.dumps(schema)

    async def test_each_tool_has_a_sample(self, world: ToolWorld) -> None:
        named = {effect: {tool.name for tool in world.tools if tool.effect is effect} for effect in Effect}
        assert {name for name, _ in world.reads} == named[Effect.READ]
        assert {name for name, _ in world.writes} == named[Effect.WRITE]

    async def test_reads_answer_and_change_nothing(self, world: ToolWorld) -> None:
        before = await world.state()
        for name, arguments in world.reads:
            result = await _run(world, name, arguments, key="")
            assert isinstance(result, _tool(world, name).output), name
            json.dumps(result.model_dump(mode="json"))
            assert await world.state() == before, name

    async def test_writes_change_something(self, world: ToolWorld) -> None:
        for place, (name, arguments) in enumerate(world.writes):
            before = await world.state()
            result = await _run(world, name, arguments, key=f"key-{place}")
            assert isinstance(result, _tool(world, name).output), name
            assert await world.state() != before, name

    async def test_a_rehearsal_changes_nothing_and_answers_as_the_write(self, world: ToolWorld) -> None:
        for place, (name, arguments) in enumerate(world.writes):
            if _tool(world, name).rehearses:
                before = await world.state()
                rehearsed = await _run(world, name, arguments, key="", rehearsal=True)
                assert await world.state() == before, name
                done = await _run(world, name, arguments, key=f"key-{place}")
                assert dict(rehearsed) == dict(done), name

    async def test_a_repeated_key_writes_once_and_answers_the_same(self, world: ToolWorld) -> None:
        for place, (name, arguments) in enumerate(world.writes):
            first = await _run(world, name, arguments, key=f"key-{place}")
            after = await world.state()
            again = await _run(world, name, arguments, key=f"key-{place}")
            assert dict(again) == dict(first), name
            assert await world.state() == after, name

    async def test_one_key_at_the_same_time_writes_once(self, world: ToolWorld) -> None:
        name, arguments = world.writes[0]
        results = await asyncio.gather(*(_run(world, name, arguments, key="key") for _ in range(5)))
        after = await world.state()
        assert all(dict(result) == dict(results[0]) for result in results)
        await _run(world, name, arguments, key="key")
        assert await world.state() == after

    async def test_a_cancelled_write_is_whole_or_absent(self, world: ToolWorld) -> None:
        """Cancelled at each of its first steps, and asked again under the same key, it was made exactly once."""
        name, arguments = world.writes[0]
        before = await world.state()
        for steps in range(4):
            write = asyncio.create_task(_run(world, name, arguments, key="key"))
            for _ in range(steps):
                await asyncio.sleep(0)
            write.cancel()
            await asyncio.wait({write})
        await _run(world, name, arguments, key="key")
        after = await world.state()
        assert after != before
        await _run(world, name, arguments, key="key")
        assert await world.state() == after

    async def test_a_refusal_is_a_tool_error_and_changes_nothing(self, world: ToolWorld) -> None:
        before = await world.state()
        for name, arguments, code in world.refused:
            with pytest.raises(ToolError) as refusal:
                await _run(world, name, arguments, key=f"refused-{name}")
            assert refusal.value.code == code, (name, str(refusal.value))
            assert str(refusal.value), name
            assert await world.state() == before, name

    async def test_a_refused_key_can_be_used_again(self, world: ToolWorld) -> None:
        writes = dict(world.writes)
        for name, arguments, _ in world.refused:
            if name in writes:
                before = await world.state()
                with pytest.raises(ToolError):
                    await _run(world, name, arguments, key=f"again-{name}")
                await _run(world, name, writes.pop(name), key=f"again-{name}")
                assert await world.state() != before, name


def _tool(world: ToolWorld, name: str) -> Tool:
    return next(tool for tool in world.tools if tool.name == name)


async def _run(world: ToolWorld, name: str, arguments: Arguments, key: str, rehearsal: bool = False) -> BaseModel:
    tool = _tool(world, name)
    context = ToolContext(
        call_id="conformance",
        turn_id="turn",
        customer_id=world.customer_id,
        key=key,
        now=world.now,
        rehearsal=rehearsal,
    )
    return await tool.run(tool.input.model_validate(arguments), context)
