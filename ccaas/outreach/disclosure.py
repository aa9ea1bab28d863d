"""A call that we began says first that a machine is calling, whatever the reasoner says."""

from __future__ import annotations

from dataclasses import replace

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import Dialogue, DialogueContext, Reasoner, Reply


class Disclosing(ReasonerAround):
    """A `Reasoner` whose dialogues open with `words`."""

    def __init__(self, reasoner: Reasoner, words: str) -> None:
        super().__init__(reasoner)
        self._words = words

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        return _Disclosing(super().open(context, snapshot), self._words)


class _Disclosing(DialogueAround):
    def __init__(self, dialogue: Dialogue, words: str) -> None:
        super().__init__(dialogue)
        self._words = words

    async def open(self) -> Reply:
        reply = await self._dialogue.open()
        if self._words.casefold() in reply.text.casefold():
            return reply
        return replace(reply, text=f"{self._words} {reply.text}".strip())
