"""The core's tools as a model is offered them, and its calls as the core takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import ValidationError
from pydantic_ai.tools import ToolDefinition

from ccaas.ports.tools import Confirmation, Effect, Party, Tool, Toolbox
from ccaas_llm.client import Asked
from ccaas_llm.settings import LlmSettings

END, HAND_OVER = "end_conversation", "hand_over"

_END = ToolDefinition(name=END, description="Ends the conversation, after you have said goodbye.", strict=False)
_HAND_OVER = ToolDefinition(name=HAND_OVER, description="Puts the customer through to a person.", strict=False)


class Handling(Enum):
    """What a call needs."""

    READ = "read"
    """Runs at once, in a draft too."""
    CONFIRM = "confirm"
    """Is put to the caller, and runs after their yes."""
    COMMIT = "commit"
    """Waits for the commit of the turn: a write without confirmation, or a check whose wrong answers count."""
    APPROVE = "approve"
    """Only a person may do it: it is put before one, at the commit."""
    END = "end"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that can be carried out."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    handling: Handling


@dataclass(frozen=True, slots=True)
class Mistake:
    """A call that cannot: the model may try once more."""

    id: str
    name: str
    problem: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Toolset:
    """What one conversation's model may ask for."""

    def __init__(self, settings: LlmSettings, toolbox: Toolbox) -> None:
        only = frozenset(settings.tools)
        self._tools = {tool.name: tool for tool in toolbox.offered() if not only or tool.name in only}
        self._hand_over = bool(settings.destination)
        self.definitions = [
            *(_definition(tool) for tool in self._tools.values()),
            *((_HAND_OVER,) if self._hand_over else ()),
            _END,
        ]

    def find(self, name: str) -> Tool | None:
        """The tool of that name, if it is offered."""
        return self._tools.get(name)

    def read(self, asked: Asked) -> Call | Mistake:
        """What the model asks for."""
        if asked.name == END:
            return Call(asked.id, END, {}, Handling.END)
        if asked.name == HAND_OVER and self._hand_over:
            return Call(asked.id, HAND_OVER, {}, Handling.HAND_OVER)
        tool = self._tools.get(asked.name)
        if tool is None:
            return Mistake(asked.id, asked.name, f"there is no tool {asked.name}")
        try:
            arguments = json.loads(asked.arguments)
        except ValueError:
            return Mistake(asked.id, asked.name, "the arguments are no JSON")
        if not isinstance(arguments, dict):
            return Mistake(asked.id, asked.name, "the arguments are no object")
        try:
            tool.input.model_validate(arguments)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            return Mistake(asked.id, asked.name, wrong, arguments)
        return Call(asked.id, asked.name, arguments, handling(tool))


def handling(tool: Tool) -> Handling:
    """What a call of this tool needs."""
    if tool.effect is Effect.READ:
        return Handling.COMMIT if tool.verifies else Handling.READ
    if Party.BUTLER not in tool.callers:
        return Handling.APPROVE
    return Handling.COMMIT if tool.confirmation is Confirmation.NONE else Handling.CONFIRM


def _definition(tool: Tool) -> ToolDefinition:
    schema = tool.input.model_json_schema()
    return ToolDefinition(name=tool.name, parameters_json_schema=schema, description=tool.description, strict=False)
