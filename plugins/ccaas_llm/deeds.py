"""Carrying out what waited for a commit: through the gate, shielded, and written into the state whatever happens to the
call meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ccaas.errors import ToolError
from ccaas.ports.journey import ThreadState
from ccaas.ports.tools import Toolbox
from ccaas_llm.confirming import question, title
from ccaas_llm.history import tool_entry
from ccaas_llm.settings import LlmSettings
from ccaas_llm.state import Proposal, State, Subject
from ccaas_llm.toolset import Call, Handling, Toolset

_UNKNOWN = frozenset({"timeout", "fault"})
"""Errors of a write that may have been made all the same."""
_NOT_KNOWN = "Nobody knows yet whether it was done. It is found out, and the customer is told; do not ask for it again."


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done."""

    name: str
    arguments: Mapping[str, Any]
    handling: Handling
    turn_id: str
    confirmed_by: str = ""
    """The turn of the caller's yes."""


class Deeds:
    """Of one conversation; one at a time."""

    def __init__(self, settings: LlmSettings, toolbox: Toolbox, tools: Toolset, state: State) -> None:
        self._settings = settings
        self._toolbox = toolbox
        self._tools = tools
        self._state = state
        self._task: asyncio.Task[str] | None = None
        self._number = state.revision

    def begin(self, deed: Deed) -> asyncio.Task[str]:
        """Start it; the task's result is what can be said of it when the model has no words. Shield what awaits it."""
        self._task = asyncio.create_task(self._do(deed), name=f"deed {deed.name}")
        return self._task

    async def settled(self) -> None:
        """Wait for the one that runs."""
        if self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    def propose(self, call: Call) -> str:
        """Keep the write until the caller's yes; the question to ask them."""
        tool = self._tools.find(call.name)
        assert tool is not None  # only tools that are offered become calls
        asked = question(self._settings, tool, call.arguments)
        self._state.proposal = Proposal(call.name, dict(call.arguments), asked)
        self._concerns(call.name, call.arguments)
        waiting = {"state": "The customer was asked for their yes; nothing is done yet."}
        self._state.history.tool(tool_entry(call.id, call.name, call.arguments, waiting))
        self._state.history.agent(asked)
        return asked

    async def _do(self, deed: Deed) -> str:
        words = self._settings.words
        try:
            result, sentence = await self._run(deed)
        except ToolError as error:
            result, sentence = {"error": error.code, "message": str(error)}, str(error)
            if error.code in _UNKNOWN and deed.handling in {Handling.CONFIRM, Handling.COMMIT}:
                result, sentence = {**result, "state": _NOT_KNOWN}, words.not_known
                self._close(deed, words.not_known, ThreadState.WAITING)
            else:
                self._close(deed, f"It was not done: {error}")
        else:
            if deed.handling is Handling.APPROVE:
                self._close(deed, words.asked_colleague, ThreadState.WAITING)
            else:
                self._close(deed, words.done)
        self._number += 1
        arguments = deed.arguments
        if self._toolbox.verifies(deed.name):
            arguments = dict.fromkeys(arguments, "[secret]")
            self._state.history.hide_answer()
        self._state.history.tool(tool_entry(f"core-{self._number}", deed.name, arguments, result))
        return sentence

    async def _run(self, deed: Deed) -> tuple[dict[str, Any], str]:
        words, box = self._settings.words, self._toolbox
        if box.verifies(deed.name):
            return await box.read(deed.name, deed.arguments, deed.turn_id), words.done
        if deed.handling is Handling.APPROVE:
            self._concerns(deed.name, deed.arguments)
            reason = next(iter(reversed(self._state.history.said())), "")
            return await box.prepare(deed.name, deed.arguments, deed.turn_id, reason), words.asked_colleague
        self._concerns(deed.name, deed.arguments)
        return await box.write(deed.name, deed.arguments, deed.turn_id, deed.confirmed_by), words.done

    def _concerns(self, name: str, arguments: Mapping[str, Any]) -> None:
        """The conversation is about this now; a thread that was taken up stays that thread."""
        before = self._state.subject
        thread = before.thread if before is not None and before.goal == name and not before.outcome else ""
        told = {key: str(value) for key, value in arguments.items() if isinstance(value, str | int | float)}
        self._state.subject = Subject(name, title(self._settings, name), slots=told, thread=thread)

    def _close(self, deed: Deed, outcome: str, stands: ThreadState = ThreadState.CLOSED) -> None:
        subject = self._state.subject
        if subject is not None and subject.goal == deed.name:
            subject.outcome, subject.state = outcome, stands.value
            subject.promise = outcome if stands is ThreadState.WAITING else ""
