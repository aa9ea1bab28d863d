"""A value in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """A value and where it stands."""

    value: str
    """Normalised."""
    start: int
    """Offset of its first character in the text."""
    end: int
    """Offset behind its last character."""
