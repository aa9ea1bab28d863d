"""What of the model's words may be said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ccaas.journal.masking import masked_text
from ccaas_llm.settings import NeverSettings

_MARKUP = re.compile(r"[*_`#]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|^\s*[-•]\s+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


class Never:
    """Topics and promises that are not allowed."""

    def __init__(self, rules: Sequence[NeverSettings]) -> None:
        self._rules = [(rule, [re.compile(pattern, re.IGNORECASE) for pattern in rule.patterns]) for rule in rules]

    def broken(self, said: str, clause: str) -> NeverSettings | None:
        """The rule that `clause` breaks after what was `said` before in the same reply; a promise may span both."""
        together = f"{said} {clause}".strip()
        start = len(together) - len(clause)
        for rule, patterns in self._rules:
            for pattern in patterns:
                if any(match.end() > start for match in pattern.finditer(together)):
                    return rule
        return None


def sayable(clause: str) -> str:
    """A clause without markup and card numbers."""
    return masked_text(" ".join(_MARKUP.sub("", _LINK.sub(r"\1", clause)).split()))
