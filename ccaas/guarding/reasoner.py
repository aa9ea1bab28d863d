"""A reasoner behind the YAML's `guard`, and without card numbers in what it is told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Counter

from ccaas.around import DialogueAround, ReasonerAround
from ccaas.guarding.settings import GuardSettings
from ccaas.journal.masking import masked_text
from ccaas.ports.journey import Json
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Reasoner, Reply
from ccaas.ports.redaction import Redactor

_log = structlog.get_logger(__name__)

GUARDED = Counter("ccaas_guarded_total", "Turns and sentences that `guard` kept back, by its name", ["name", "side"])


@dataclass(frozen=True, slots=True)
class _Guard:
    name: str
    asked: re.Pattern[str] | None
    said: re.Pattern[str] | None
    instead: str


@dataclass(frozen=True, slots=True)
class _KeptBack:
    """The plan of a draft that no reasoner has made."""

    reply: Reply


class Guarded(ReasonerAround):
    """The dialogue's state is as if a turn that was kept back had not been said."""

    def __init__(self, reasoner: Reasoner, guards: Iterable[GuardSettings], redactor: Redactor | None = None) -> None:
        """`redactor`: what its dialogues find private data by, where they tell others of it."""
        super().__init__(reasoner)
        self._redactor = redactor
        self._guards = [_Guard(one.name, _pattern(one.asked), _pattern(one.said), one.instead) for one in guards]

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """See the port."""
        return _GuardedDialogue(self._reasoner.open(replace(context, redactor=self._redactor), snapshot), self._guards)

    def phrases(self) -> tuple[str, ...]:
        """See the port."""
        return (*self._reasoner.phrases(), *(guard.instead for guard in self._guards))


class _GuardedDialogue(DialogueAround):
    def __init__(self, dialogue: Dialogue, guards: Sequence[_Guard]) -> None:
        super().__init__(dialogue)
        self._guards = guards

    async def open(self) -> Reply:
        return self._said(await self._dialogue.open(), counted=True)

    async def draft(self, turn: CallerTurn) -> Draft:
        for guard in self._guards:
            if guard.asked is not None and guard.asked.search(turn.text):
                reply = Reply(guard.instead, self._dialogue.expectation)
                return Draft(turn, reply, intent=f"guard:{guard.name}", plan=_KeptBack(reply))
        draft = await self._dialogue.draft(replace(turn, text=masked_text(turn.text)))
        return draft if draft.reply is None else replace(draft, reply=self._said(draft.reply))

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        if isinstance(draft.plan, _KeptBack):
            _kept_back(draft.intent.removeprefix("guard:"), "asked")
            yield draft.plan.reply
            return
        async for reply in self._dialogue.commit(draft):
            yield self._said(reply, counted=True)

    async def silence(self, times: int) -> Reply:
        return self._said(await self._dialogue.silence(times))

    def _said(self, reply: Reply, *, counted: bool = False) -> Reply:
        """The reply, or the kind words in its place. What it expects and how it ends stays."""
        for guard in self._guards:
            if guard.said is not None and guard.said.search(reply.text):
                if counted:
                    _kept_back(guard.name, "said")
                return replace(reply, text=guard.instead)
        return reply


def _kept_back(name: str, side: str) -> None:
    GUARDED.labels(name, side).inc()
    _log.warning("kept back by guard", name=name, side=side)


def _pattern(phrases: Sequence[str]) -> re.Pattern[str] | None:
    if not phrases:
        return None
    spelled = (r"\s+".join(_word(part) for part in phrase.split()) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})(?!\w)", re.IGNORECASE)


def _word(part: str) -> str:
    return r"(?:\S+\s+){0,2}\S+" if part == "*" else re.escape(part)
