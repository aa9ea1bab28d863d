"""All tools of this installation, checked once at boot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import PydanticSchemaGenerationError, PydanticUserError

from ccaas.errors import PluginError, ToolError
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class Tools(Mapping[str, Tool]):
    """Tools by name.

    Raises:
        PluginError: two tools share a name, or a tool contradicts itself (a write in the informational phase, …).
    """

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            _check(tool)
            if tool.name in self._tools:
                raise PluginError(f"two plug-ins offer a tool named {tool.name!r}; rename one of them")
            self._tools[tool.name] = tool

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def find(self, name: str) -> Tool:
        """The tool of that name. Raises ToolError "unknown_tool"."""
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError("unknown_tool", f"there is no tool named {name!r}")
        return tool


def tells_change(tool: Tool) -> bool:
    """Whether the tool's result declares `before` and `after`, which the audit then keeps.

    The fields may be excluded from serialisation: they are for the audit, not for the conversation.
    """
    return {"before", "after"} <= tool.output.model_fields.keys()


def _check(tool: Tool) -> None:
    problem = _problem(tool)
    if problem:
        raise PluginError(f"tool {tool.name!r}: {problem}")


def _problem(tool: Tool) -> str:
    if not _NAME.match(tool.name):
        return "a name is lower-case letters, digits and underscores, for example change_flight"
    if not tool.description.strip():
        return "it has no description; say in one sentence what it does"
    if tool.timeout_s <= 0:
        return f"its time limit is {tool.timeout_s} s; give it more than zero"
    if tool.effect is Effect.WRITE and tool.phase < Phase.TRANSACTIONAL:
        return "it writes, so its phase is at least 2 (transactional)"
    if tool.effect is Effect.READ and tool.confirmation is not Confirmation.NONE:
        return "it only reads, so it needs no confirmation"
    for side, model in (("input", tool.input), ("output", tool.output)):
        try:
            model.model_json_schema()
        except (PydanticUserError, PydanticSchemaGenerationError) as error:
            return f"its {side} model has no JSON schema ({str(error).splitlines()[0]})"
    return ""
