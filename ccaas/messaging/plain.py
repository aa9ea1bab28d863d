"""What arrives is plain text and nothing else; what goes out fits into messages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_KEPT = "\n\t"
# Characters that turn the direction of what stands around them: a text could look as if it said something else.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ENDS = re.compile(r"\r\n?|\u2028|\u2029|\x0b|\x0c|\x85")
_MARKS_IN_A_ROW = 8
"""More combining marks on one character are a way to paint over other people's screens."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A text as it may be used."""

    text: str
    cut_from: int = 0
    """Characters that it had before it was cut; 0: it was not."""


def plain(text: str, longest: int) -> Plain:
    """The text without control characters, broken characters and what turns its direction, cut at `longest` characters.

    Markup is left as it is: it is data, and nobody reads it as anything else.
    """
    bounded = _ENDS.sub("\n", text[: longest * 4])
    kept: list[str] = []
    marks = 0
    for character in bounded:
        category = unicodedata.category(character)
        marks = marks + 1 if category == "Mn" else 0
        if (category[0] == "C" and category != "Cf" and character not in _KEPT) or character in _TURNING:
            continue
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    clean = "".join(kept).strip()
    if len(clean) > longest or len(text) > longest * 4:
        return Plain(clean[:longest].rstrip(), len(text))
    return Plain(clean)


def split(text: str, longest: int | None) -> tuple[str, ...]:
    """The text as messages of at most `longest` characters, parted between words; a longer word is parted itself."""
    if longest is None or len(text) <= longest:
        return (text,) if text else ()
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > longest:
        end = next((place for place in range(longest, 0, -1) if rest[place].isspace()), longest)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*parts, rest) if rest else tuple(parts)
