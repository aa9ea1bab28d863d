"""The steps of a play that give a list: by a tool, or by a step of a plug-in's. Neither changes anything."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ccaas.errors import ToolError
from ccaas.hooks import blaming
from ccaas.outreach.events import StoredEvent
from ccaas.outreach.play_settings import ListStep
from ccaas.ports.plays import PlayStep, Situation
from ccaas.ports.tools import Toolbox

LIMIT_S = 20.0
"""A plug-in's step may take so long."""
_NAME = re.compile(r"\{([\w.]+)\}")


@dataclass(frozen=True, slots=True)
class PluginStep:
    """A step of `proactive.steps`, made."""

    plugin: str
    step: PlayStep


@dataclass(frozen=True, slots=True)
class Whose:
    """For whom a list is wanted; nobody in `query`."""

    record_id: str = ""
    tier: str = ""


async def listed(
    wanted: ListStep,
    steps: Mapping[str, PluginStep],
    event: StoredEvent,
    facts: Mapping[str, Any],
    tools: Toolbox,
    turn: str,
    whose: Whose | None = None,
) -> Sequence[Mapping[str, Any]]:
    """The items that a step gives. `facts`: of earlier steps, by name, and the event's data as "event".

    Raises:
        ToolError: the tool's or the step's own.
        PluginError: the step failed; it names the plug-in.
    """
    arguments = filled(wanted.arguments, facts)
    if wanted.tool:
        found = await tools.read(wanted.tool, arguments, turn)
        return tuple(found.get(wanted.items) or ())
    whose = whose or Whose()
    earlier = {name: value for name, value in facts.items() if name != "event"}
    situation = Situation(event.id, event.type, event.data, earlier, arguments, whose.record_id, whose.tier)

    async def read(name: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        return await tools.read(name, arguments, turn)

    one = steps[wanted.step]
    with blaming(one.plugin, f"failed in the play step {wanted.step}"):
        try:
            async with asyncio.timeout(LIMIT_S):
                items = await one.step.run(situation, read)
        except TimeoutError:
            raise ToolError("timeout", f"the step {wanted.step} took longer than {LIMIT_S:g} s") from None
        # It is kept as JSON: what is none is the step's fault, and not found out later.
        given = json.loads(json.dumps(list(items)))
        if not all(isinstance(item, dict) for item in given):
            raise TypeError("each item must be a JSON object")
        return tuple(given)


def said(text: str, facts: Mapping[str, Any]) -> str:
    """The text with what `{name.field}` means; nothing where there is no such fact."""

    def value(match: re.Match[str]) -> str:
        found: Any = facts
        for part in match[1].split("."):
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        return str(found)

    return _NAME.sub(value, text)


def filled(arguments: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with what stands in braces filled in."""
    return {name: said(value, facts) if isinstance(value, str) else value for name, value in arguments.items()}
