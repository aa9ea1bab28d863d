"""All tools of this installation, checked once at boot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import PydanticSchemaGenerationError, PydanticUserError

from ccaas.errors import PluginError, ToolError
from ccaas.ports.tools import Caps, Confirmation, Effect, Phase, Tool

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
        for tool in self._tools.values():
            self._check_undo(tool)

    def _check_undo(self, tool: Tool) -> None:
        if tool.undo is None:
            return
        other = self._tools.get(tool.undo.tool)
        if other is None or other.effect is not Effect.WRITE:
            raise PluginError(
                f"tool {tool.name!r}: it is undone by {tool.undo.tool!r}, which is no writing tool; name one that is"
            )

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
    if tool.verifies and (tool.effect is Effect.WRITE or tool.private):
        return "it verifies, so it only reads, and runs for people who are not verified yet"
    if tool.verifies and "customer_id" not in tool.output.model_fields:
        return "it verifies, so its output has a field customer_id: whom it proves"
    if tool.effect is Effect.READ and tool.confirmation is not Confirmation.NONE:
        return "it only reads, so it needs no confirmation"
    if tool.effect is Effect.READ and (tool.money or tool.undo or tool.caps != Caps()):
        return "it only reads, so it commits no money, has no caps and nothing to undo"
    if not tool.callers:
        return "nobody may call it; name the parties in `callers`"
    if tool.amount and tool.amount not in tool.input.model_fields:
        return f"its amount {tool.amount!r} is no field of its input"
    if tool.amount and not tool.money:
        return "it names an amount of money, so it commits money"
    if tool.caps.amount is not None and not tool.amount:
        return "its amount is capped, so it says which field of its input is the amount"
    for side, model in (("input", tool.input), ("output", tool.output)):
        try:
            model.model_json_schema()
        except (PydanticUserError, PydanticSchemaGenerationError) as error:
            return f"its {side} model has no JSON schema ({str(error).splitlines()[0]})"
    return ""
