"""Braces in what is sent, and paths into what is received."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BRACES = re.compile(r"\{([a-z_]+)\}")


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its braces filled, through lists and objects; other braces stay as they are."""
    if isinstance(template, str):
        return _BRACES.sub(lambda found: values.get(found[1], found[0]), template)
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, Sequence):
        return [filled(value, values) for value in template]
    return template


def looked_up(path: str, within: Any) -> Any:
    """What stands at "messages.0.text"; None when there is nothing."""
    found = within
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def text_at(path: str, within: Any) -> str:
    """The same as text: numbers as they are written; empty when there is nothing, or no text."""
    found = looked_up(path, within)
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
