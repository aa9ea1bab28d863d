"""A reasoner and a dialogue around others, which pass everything on: whoever changes one thing overrides that one."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ccaas.ports.journey import Assurance, Json
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Expectation, Reasoner, Reply, Topic


class ReasonerAround:
    """A `Reasoner`."""

    def __init__(self, reasoner: Reasoner) -> None:
        self._reasoner = reasoner

    async def start(self) -> None:
        """See the port."""
        await self._reasoner.start()

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        return self._reasoner.open(context, snapshot)

    def phrases(self) -> tuple[str, ...]:
        """See the port."""
        return self._reasoner.phrases()

    async def close(self) -> None:
        """See the port."""
        await self._reasoner.close()


class DialogueAround:
    """A `Dialogue`."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    @property
    def expectation(self) -> Expectation:
        return self._dialogue.expectation

    @property
    def assurance(self) -> Assurance:
        return self._dialogue.assurance

    async def open(self) -> Reply:
        return await self._dialogue.open()

    async def draft(self, turn: CallerTurn) -> Draft:
        return await self._dialogue.draft(turn)

    def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        return self._dialogue.commit(draft)

    async def silence(self, times: int) -> Reply:
        return await self._dialogue.silence(times)

    def heard(self, text: str, whole: bool) -> None:
        self._dialogue.heard(text, whole)

    def topic(self) -> Topic | None:
        return self._dialogue.topic()

    def snapshot(self) -> Json:
        return self._dialogue.snapshot()
