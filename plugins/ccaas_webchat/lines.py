"""A line of a conversation, and what its text may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Side = Literal["customer", "agent"]


@dataclass(frozen=True, slots=True)
class Line:
    """One message, as it stands in the conversation."""

    seq: int
    """1, 2, 3 … within its session."""
    id: str
    """The page's own, or the core's."""
    side: Side
    text: str
    at: float
    """Unix seconds."""


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ufeff]")
_NEWLINES = re.compile(r"\r\n?|\u2028|\u2029")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_MANY = re.compile(r"\n{4,}")


def clean(text: str) -> str:
    """The text as it is kept: one kind of line break, no control characters, nothing around it. Markup stays: it is text."""
    text = _SURROGATES.sub("\ufffd", _NEWLINES.sub("\n", text))
    return _MANY.sub("\n\n\n", _CONTROLS.sub("", text)).strip()
