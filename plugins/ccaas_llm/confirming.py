"""The core's own confirmation: how a write is put to the caller, and what counts as a yes. The model has no part in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ccaas_flows.typed import typed
from ccaas_flows.understanding.acts import act

from ccaas.ports.reasoning import CallerTurn, Expectation, ExpectationKind
from ccaas.ports.tools import Tool
from ccaas_llm.settings import LlmSettings

YES_NO = Expectation(ExpectationKind.YES_NO, keys="12")
_BRACES = re.compile(r"\{(\w+)\}")
_ASKS_YES_NO = re.compile(
    r"(?:^|[.!?,]\s+)(?:so |and |then )?(?:do|does|did|would|shall|should|is|are|was|can|could|may|will|have|has)\b[^.!?]*\?\s*$",
    re.IGNORECASE,
)
_HALF = 0.5


def question(settings: LlmSettings, tool: Tool, arguments: Mapping[str, Any]) -> str:
    """How the write is read back, from the very values that it will be made with."""
    values = tool.input.model_validate(dict(arguments)).model_dump(mode="json")
    template = settings.readback.get(tool.name)
    if template is None:
        told = ", ".join(
            f"{name.replace('_', ' ')} {_told(value)}" for name, value in values.items() if value is not None
        )
        what = f"{tool.description.strip().rstrip('.').lower()}" + (f", with {told}" if told else "")
    else:
        what = _BRACES.sub(lambda match: _told(values.get(match[1], "")), template)
    return settings.words.confirm.replace("{what}", what)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " and ".join(_told(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{str(key).replace('_', ' ')} {_told(item)}" for key, item in value.items() if item is not None
        )
    return f"{value:g}" if isinstance(value, float) else str(value)


def answer(turn: CallerTurn, written: bool) -> str:
    """ "yes", "no", or empty when the words say anything else."""
    taken = typed(turn, YES_NO) if written else turn
    if taken.keys and not taken.text.strip():
        return {"1": "yes", "2": "no"}.get(taken.keys.rstrip("#"), "")
    return {"affirm": "yes", "deny": "no"}.get(act(taken.text, asked_yes_no=True), "")


def cut_short(asked: str, heard: str) -> bool:
    """Whether less than half of the question was heard."""
    return len(heard.strip()) < _HALF * len(asked)


def expected(text: str) -> Expectation:
    """What the model's words ask for."""
    return Expectation(ExpectationKind.YES_NO) if _ASKS_YES_NO.search(text) else Expectation()


def title(settings: LlmSettings, tool: str) -> str:
    """What a conversation with this tool is about, as it is spoken of."""
    return settings.titles.get(tool) or f"your request to {tool.replace('_', ' ')}"
