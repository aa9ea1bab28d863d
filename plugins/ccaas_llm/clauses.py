"""Text that comes in pieces, given on in clauses that can be spoken."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?…][\"')\]]*\s+|\n+")
_PAUSE = re.compile(r"[,;:–—]\s+")
_ABBREVIATION = re.compile(r"(?:^|\s)(?:Mr|Mrs|Ms|Dr|St|No|vs|e\.g|i\.e|a\.m|p\.m|\d+)\.$", re.IGNORECASE)
_FEWEST_WORDS = 3
"""A shorter first clause sounds clipped."""


class Clauses:
    """Collects pieces. The first clause may end at a comma, so that it is heard early; later ones are sentences."""

    def __init__(self) -> None:
        self._rest = ""
        self._first = True

    def add(self, text: str) -> list[str]:
        """The clauses that are complete now."""
        self._rest += text
        found = []
        while end := self._end():
            found.append(self._rest[:end].strip())
            self._rest = self._rest[end:].lstrip()
            self._first = False
        return [clause for clause in found if clause]

    def end(self) -> list[str]:
        """What is left, when no more comes."""
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []

    def _end(self) -> int:
        for match in _SENTENCE.finditer(self._rest):
            head = self._rest[: match.end()].rstrip()
            if not _ABBREVIATION.search(head):
                return match.end()
        if self._first:
            for match in _PAUSE.finditer(self._rest):
                if len(self._rest[: match.start()].split()) >= _FEWEST_WORDS and match.end() < len(self._rest):
                    return match.end()
        return 0
