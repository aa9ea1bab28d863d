"""A lone yes or no by text that comes when the offer it means is over: answered by what became of that offer.

It stands in front of every reasoner: none of them can know what "YES" meant an hour after the play has ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Reasoner, Reply

INTENT = "late_answer"
_WORDS = {
    "yes": "yes",
    "y": "yes",
    "yeah": "yes",
    "yep": "yes",
    "yes please": "yes",
    "ok": "yes",
    "okay": "yes",
    "no": "no",
    "n": "no",
    "nope": "no",
    "no thanks": "no",
    "no thank you": "no",
}


class AskLate(Protocol):
    """What is said of the offer that was over last."""

    def __call__(self, customers: tuple[str, ...], word: str, after: float) -> Awaitable[str]:
        """`customers`: ids of theirs; `word`: "yes" or "no". Empty where none of theirs was over since `after` (Unix seconds), or
        where another still waits for an answer."""
        ...


def answer_in(text: str) -> str:
    """ "yes" or "no" where the whole message is nothing else; empty otherwise."""
    return _WORDS.get(
        " ".join("".join(letter if letter.isalnum() else " " for letter in text[:40].casefold()).split()), ""
    )


@dataclass(frozen=True, slots=True)
class _Late:
    """The plan of a draft that no reasoner has made."""

    reply: Reply


class Late(ReasonerAround):
    """A `Reasoner` in front of another, for conversations by text."""

    def __init__(self, reasoner: Reasoner, ask: AskLate, now: Callable[[], float]) -> None:
        """`now`: Unix seconds."""
        super().__init__(reasoner)
        self._ask = ask
        self._now = now

    @classmethod
    def each(cls, reasoners: Mapping[str, Reasoner], ask: AskLate, now: Callable[[], float]) -> dict[str, Reasoner]:
        """Before each of these."""
        return {name: cls(reasoner, ask, now) for name, reasoner in reasoners.items()}

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        # What was asked before a restart is not known here: only what ends from now on is meant then. Something else of
        # theirs that was spoken of later, and is open, may be what they mean.
        open_threads = context.journey.threads if context.journey is not None else ()
        since = max((thread.updated_at for thread in open_threads), default=0.0) if snapshot is None else self._now()
        return _LateDialogue(self._reasoner.open(context, snapshot), self._ask, self._now, context, since)


class _LateDialogue(DialogueAround):
    def __init__(
        self, dialogue: Dialogue, ask: AskLate, now: Callable[[], float], context: DialogueContext, since: float
    ) -> None:
        super().__init__(dialogue)
        self._ask = ask
        self._now = now
        self._since = since
        """When something else was last spoken of: an offer that was over before is not what a yes means."""
        known = context.journey.profile.id if context.journey is not None else ""
        record = context.customer.id if context.customer is not None else ""
        self._customers = tuple(dict.fromkeys(filter(None, (known, record))))

    async def draft(self, turn: CallerTurn) -> Draft:
        word = answer_in(turn.text)
        if word and self._customers:
            words = await self._ask(self._customers, word, self._since)
            if words:
                reply = Reply(words, self._dialogue.expectation)
                return Draft(turn, reply, intent=INTENT, plan=_Late(reply))
        return await self._dialogue.draft(turn)

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        if isinstance(draft.plan, _Late):
            yield draft.plan.reply
            return
        # Taken before: the turn that ends an offer leaves the next yes to it.
        self._since = self._now()
        async for reply in self._dialogue.commit(draft):
            yield reply
