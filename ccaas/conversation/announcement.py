"""Something said to somebody who waits, and at most one question, answered with yes or the key 1.

A sentence alone is played from the voice's memory; a question is a small conversation of its own, so that it can be
spoken over, waited for and recognised as any other.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

from ccaas.conversation.mouth import Mouth
from ccaas.conversation.parts import Parts
from ccaas.media.playout import Playout
from ccaas.media.tracks import Tracks
from ccaas.ports.journey import Assurance, Json
from ccaas.ports.media import MediaStream
from ccaas.ports.reasoning import (
    CallerTurn,
    DialogueContext,
    Draft,
    Ending,
    Expectation,
    ExpectationKind,
    Reply,
    Topic,
)

YES = "yes"
"""The destination of a question that was answered so."""
_SAYS_YES = re.compile(r"^(well |um |uh |oh |okay |ok )*(yes|yeah|yep|yup|sure|please|of course|okay|ok|call me)\b")
_YES_NO = Expectation(ExpectationKind.YES_NO, keys="1")


async def speak(text: str, stream: MediaStream, parts: Parts, tracks: Tracks | None = None) -> None:
    """Say it over the stream to its end, or to the stream's."""
    playout = Playout(stream, parts.clock.now, tracks)
    mouth = Mouth(playout, parts.phrases, parts.clock.now)

    def lost() -> None:
        mouth.stop()

    stream.listen(lambda _: None, lost)
    try:
        await mouth.say(mouth.prepare(text), lambda: None)
    finally:
        await mouth.close()


def says_yes(turn: CallerTurn) -> bool:
    """Whether it is the answer that was hoped for."""
    return turn.keys[:1] == "1" or bool(_SAYS_YES.match(turn.text.lower().strip(" .,!")))


class Question:
    """A `Reasoner` for one question."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def start(self) -> None:
        pass

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> QuestionDialogue:
        """See the port; it has no state."""
        _ = snapshot
        return QuestionDialogue(self._text, context.assurance)

    def phrases(self) -> tuple[str, ...]:
        return (self._text,)

    async def close(self) -> None:
        pass


class QuestionDialogue:
    """A `Dialogue` that ends with the first answer, or with silence."""

    def __init__(self, text: str, assurance: Assurance) -> None:
        self._text = text
        self._assurance = assurance

    @property
    def expectation(self) -> Expectation:
        return _YES_NO

    @property
    def assurance(self) -> Assurance:
        return self._assurance

    async def open(self) -> Reply:
        return Reply(self._text, _YES_NO)

    async def draft(self, turn: CallerTurn) -> Draft:
        wanted = says_yes(turn)
        ending = Ending.TRANSFER if wanted else Ending.HANG_UP
        return Draft(turn, Reply("", ending=ending, destination=YES if wanted else ""), intent="callback")

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        reply = draft.reply or (await self.draft(replace(draft.turn))).reply
        assert reply is not None  # every draft of ours has one
        yield reply

    async def silence(self, times: int) -> Reply:
        _ = times
        return Reply("", ending=Ending.HANG_UP)

    def heard(self, text: str, whole: bool) -> None:
        pass

    def topic(self) -> Topic | None:
        return None

    def snapshot(self) -> Json:
        return {}
