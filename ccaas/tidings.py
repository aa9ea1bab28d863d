"""News that we owe a customer is the first thing that they hear or read, whoever the reasoner is: what became of what they
asked for, once that was known.

It is kept as owed until they have heard it to its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.chapter import Page, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.ports.journey import Fact, FactKind, Json
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Reasoner, Reply
from ccaas.settling import NEWS

MOST = 3
"""Pieces of news that are told together; the others wait for the next contact."""


class Tidings(ReasonerAround):
    """A `Reasoner` in front of another."""

    def __init__(self, reasoner: Reasoner, chronicle: Chronicle, wall: Callable[[], float]) -> None:
        """`wall`: Unix seconds on the timeline."""
        super().__init__(reasoner)
        self._chronicle = chronicle
        self._wall = wall

    @classmethod
    def each(
        cls, reasoners: Mapping[str, Reasoner], chronicle: Chronicle, wall: Callable[[], float]
    ) -> dict[str, Reasoner]:
        """In front of each of these."""
        return {name: cls(reasoner, chronicle, wall) for name, reasoner in reasoners.items()}

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        dialogue = self._reasoner.open(context, snapshot)
        promises = context.journey.promises if context.journey is not None else ()
        news = tuple(fact for fact in promises if fact.data.get(NEWS))[:MOST]
        if not news or snapshot is not None:
            return dialogue
        return _Telling(dialogue, news, context, self._told)

    def _told(self, fact: Fact, context: DialogueContext) -> None:
        told = Fact(
            id=f"{fact.id}:told",
            customer_id=fact.customer_id,
            at=self._wall(),
            kind=FactKind.DONE,
            channel=context.channel,
            text=fact.text,
            source="agent",
            conversation_id=context.call_id,
            thread_id=fact.thread_id,
            data={"promise": fact.id},
        )
        self._chronicle.post(*rows(Page(Whose(fact.customer_id), fact=told)))


class _Telling(DialogueAround):
    """By voice the news stands before the greeting, by text before the first answer."""

    def __init__(
        self,
        dialogue: Dialogue,
        news: tuple[Fact, ...],
        context: DialogueContext,
        told: Callable[[Fact, DialogueContext], None],
    ) -> None:
        super().__init__(dialogue)
        self._context = context
        self._news = news
        self._tell = told
        self._words = " ".join(fact.text for fact in news)
        self._spoken = context.channel == "voice"
        self._said = False
        """The reply that is heard next begins with the news."""

    async def open(self) -> Reply:
        reply = await self._dialogue.open()
        if not self._spoken:
            return reply
        self._said = True
        return self._with(reply)

    async def draft(self, turn: CallerTurn) -> Draft:
        draft = await self._dialogue.draft(turn)
        if self._spoken or not self._words or draft.reply is None:
            return draft
        return replace(draft, reply=self._with(draft.reply))

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        first = not self._spoken and bool(self._words)
        if first and draft.reply is not None:
            draft = replace(draft, reply=replace(draft.reply, text=self._without(draft.reply.text)))
        async for reply in self._dialogue.commit(draft):
            if first:
                self._said = True
            yield self._with(reply) if first else reply
            first = False

    def heard(self, text: str, whole: bool) -> None:
        if self._said:
            self._said = False
            if whole or text.strip().startswith(self._words):
                for fact in self._news:
                    self._tell(fact, self._context)
            text = self._without(text)
            self._words = ""
        self._dialogue.heard(text, whole)

    def _with(self, reply: Reply) -> Reply:
        return replace(reply, text=f"{self._words} {reply.text}".strip())

    def _without(self, text: str) -> str:
        """What of it is the reasoner's own; nothing, when the news was cut short."""
        text = text.strip()
        return text.removeprefix(self._words).strip() if not self._words.startswith(text) else ""
