"""A server with an OpenAI-compatible API that says what a script tells it to, and fails as real ones do.

A script is a function of the request's messages; its answer is what is streamed. Runs on the loop of the test, on a free
loopback port; every request that was made, and whether it was read to its end, is there to be looked at.

    python tests/peers/openai_server.py

serves `at_once` until its standard input ends; its first line of output is the URL.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the answer, in pieces of so many characters."""

    text: str
    piece: int = 6


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call, whose arguments come in pieces of so many characters."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    piece: int = 5


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing, until `gate` is set; for ever without one."""

    gate: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error instead of an answer; only as the first step."""

    status: int


@dataclass(frozen=True, slots=True)
class Raw:
    """A body of any kind; with `sse`, one event's data."""

    body: str
    sse: bool = True


class Disconnect:
    """The connection is cut."""


Step = Text | ToolCall | Wait | Status | Raw | Disconnect
Script = Callable[[Messages], Sequence[Step]]


@dataclass(slots=True)
class Seen:
    """One request."""

    body: dict[str, Any]
    key: str
    """The Authorization header."""
    finished: bool = False
    """The answer was read to its end."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """The client went away before."""

    @property
    def messages(self) -> Messages:
        found: Messages = self.body["messages"]
        return found

    @property
    def tools(self) -> list[str]:
        return [tool["function"]["name"] for tool in self.body.get("tools", [])]


class OpenAiServer:
    """See the module. `script` may be changed at any time."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.url = ""
        self._lost = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OpenAiServer]:
        """Serve until left."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(await request.json(), request.headers.get("Authorization", ""))
        self.seen.append(seen)
        steps = list(self.script(seen.messages))
        if steps and isinstance(steps[0], Status):
            return web.json_response({"error": {"message": "scripted"}}, status=steps[0].status)
        if steps and isinstance(steps[0], Raw) and not steps[0].sse:
            return web.Response(text=steps[0].body, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._stream(request, response, seen, steps)
        except ConnectionError:
            seen.cancelled.set()
        except asyncio.CancelledError:
            seen.cancelled.set()
            raise
        return response

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, seen: Seen, steps: Sequence[Step]
    ) -> None:
        calls = 0
        for step in steps:
            if isinstance(step, Text):
                for at in range(0, len(step.text), step.piece):
                    await self._delta(response, {"content": step.text[at : at + step.piece]})
            elif isinstance(step, ToolCall):
                await self._call(response, step, calls, len(self.seen))
                calls += 1
            elif isinstance(step, Wait):
                await (step.gate or self._lost).wait()
            elif isinstance(step, Raw):
                await response.write(f"data: {step.body}\n\n".encode())
            elif isinstance(step, Disconnect):
                assert request.transport is not None
                request.transport.abort()
                return
        await self._chunk(response, {}, "tool_calls" if calls else "stop")
        prompt = sum(len(str(message.get("content") or "")) for message in seen.messages) // 4
        usage = {"prompt_tokens": prompt, "completion_tokens": 7, "total_tokens": prompt + 7}
        await response.write(f"data: {json.dumps({**_HEAD, 'choices': [], 'usage': usage})}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        seen.finished = True

    async def _call(self, response: web.StreamResponse, call: ToolCall, index: int, number: int) -> None:
        text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
        head = {"id": f"call-{number}-{index}", "type": "function", "function": {"name": call.name, "arguments": ""}}
        await self._delta(response, {"tool_calls": [{"index": index, **head}]})
        for at in range(0, len(text), call.piece):
            piece = {"index": index, "function": {"arguments": text[at : at + call.piece]}}
            await self._delta(response, {"tool_calls": [piece]})

    async def _delta(self, response: web.StreamResponse, delta: dict[str, Any]) -> None:
        await self._chunk(response, delta, None)

    async def _chunk(self, response: web.StreamResponse, delta: dict[str, Any], finish: str | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        await response.write(f"data: {json.dumps({**_HEAD, 'choices': [choice]})}\n\n".encode())


_HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "scripted"}


def last_user(messages: Messages) -> str:
    """The newest words of the user's."""
    return next(str(message["content"]) for message in reversed(messages) if message["role"] == "user")


def results(messages: Messages) -> list[Any]:
    """Tools' answers since then."""
    found = []
    for message in reversed(messages):
        if message["role"] == "user":
            break
        if message["role"] == "tool":
            found.append(json.loads(message["content"]))
    return found[::-1]


def at_once(messages: Messages) -> Sequence[Step]:
    """Answers without thinking; asks get_balance for a balance."""
    if "balance" in last_user(messages) and not results(messages):
        return [ToolCall("get_balance", {"account": "a"})]
    return [Text("There are one hundred dollars in it. Is there anything else that I can do for you?")]


async def _serve() -> None:
    async with OpenAiServer(at_once).running() as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
