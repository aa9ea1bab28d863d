"""The first sentence of a campaign's calls, with what the record says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import Dialogue, DialogueContext, Reasoner, Reply


def filled(text: str, columns: Mapping[str, str]) -> str:
    """`{first_name}` becomes what the record has there; a column that it lacks leaves nothing, and no double blank."""
    words = re.sub(r"\{(\w+)\}", lambda found: columns.get(found[1], ""), text)
    return re.sub(r"\s+(?=[,.!?])", "", " ".join(words.split()))


def message(text: str, columns: Mapping[str, str], first: str, last: str) -> str:
    """What is left on an answering machine: `text` filled, with the words that are demanded around it where it lacks them."""
    said = filled(text, columns)
    if first.casefold() not in said.casefold():
        said = f"{first} {said}"
    return said if last.casefold() in said.casefold() else f"{said} {last}"


class Opened(ReasonerAround):
    """A `Reasoner` whose dialogues open with `words` instead of their own first sentence."""

    def __init__(self, reasoner: Reasoner, words: str) -> None:
        super().__init__(reasoner)
        self._words = words

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        return _Opened(super().open(context, snapshot), self._words)


class _Opened(DialogueAround):
    def __init__(self, dialogue: Dialogue, words: str) -> None:
        super().__init__(dialogue)
        self._words = words

    async def open(self) -> Reply:
        return replace(await self._dialogue.open(), text=self._words)
