"""A reasoner that answers from a table, with the port's own split between draft and commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ccaas.ports.reasoning import (
    CallerTurn,
    DialogueContext,
    Draft,
    Ending,
    Expectation,
    Json,
    Reply,
)


@dataclass(frozen=True, slots=True)
class Line:
    """What the fake answers to one thing that a caller may say."""

    says: str
    """The first reply; empty: nothing is known before the write."""
    expect: Expectation = field(default_factory=Expectation)
    ending: Ending | None = None
    destination: str = ""
    reads: str = ""
    """A tool that the draft reads."""
    writes: str = ""
    """A tool that the commit writes, confirmed by this turn."""
    then: str = ""
    """The second reply, after the write."""


class FakeReasoner:
    """Answers by the caller's exact words (or keys), in any order; unknown words get `otherwise`.

    `delay_s` is how long every draft takes, on the loop's clock.
    """

    def __init__(
        self,
        lines: Mapping[str, Line],
        *,
        greeting: str = "Hello.",
        otherwise: Line | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self._lines = lines
        self._greeting = greeting
        self._otherwise = otherwise or Line("Sorry?")
        self._delay_s = delay_s
        self.dialogues: list[FakeDialogue] = []

    async def start(self) -> None:
        """Nothing to load."""

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> FakeDialogue:
        """See the port."""
        dialogue = FakeDialogue(self, context, snapshot)
        self.dialogues.append(dialogue)
        return dialogue

    def phrases(self) -> tuple[str, ...]:
        """All sentences of the table."""
        lines: Sequence[Line] = (*self._lines.values(), self._otherwise)
        found = (self._greeting, *(text for line in lines for text in (line.says, line.then)))
        return tuple(dict.fromkeys(text for text in found if text))

    async def close(self) -> None:
        """Nothing to let go."""

    def line(self, turn: CallerTurn) -> Line:
        """What the table says to this turn."""
        return self._lines.get(turn.text or turn.keys, self._otherwise)

    @property
    def greeting(self) -> str:
        """The first words."""
        return self._greeting

    @property
    def delay_s(self) -> float:
        """How long a draft takes (s)."""
        return self._delay_s


class FakeDialogue:
    """One conversation; what happened to it is there to be looked at."""

    def __init__(self, reasoner: FakeReasoner, context: DialogueContext, snapshot: Json | None) -> None:
        self._reasoner = reasoner
        self._context = context
        kept = dict(snapshot or {})
        said = kept.get("said", [])
        self.said: list[str] = [str(text) for text in said] if isinstance(said, list) else []
        """What the caller said, in committed turns."""
        self.last = str(kept.get("last", ""))
        """The last reply."""
        self.expects = Expectation()
        self.drafts = 0
        """How many drafts were begun."""
        self.heard_text: list[tuple[str, bool]] = []
        self.silences: list[int] = []

    @property
    def expectation(self) -> Expectation:
        """See the port."""
        return self.expects

    async def open(self) -> Reply:
        """The greeting; in a dialogue that goes on, the last reply."""
        self.last = self.last or self._reasoner.greeting
        return Reply(self.last)

    async def draft(self, turn: CallerTurn) -> Draft:
        """See the port."""
        self.drafts += 1
        await asyncio.sleep(self._reasoner.delay_s)
        line = self._reasoner.line(turn)
        if line.reads:
            await self._context.tools.read(line.reads, {}, turn.id)
        reply = Reply(line.says, line.expect, line.ending, line.destination)
        return Draft(turn, reply if line.says or line.ending else None, intent=turn.text, plan=line)

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """See the port."""
        line = self._reasoner.line(draft.turn)
        self.said.append(draft.turn.text or draft.turn.keys)
        self.expects = line.expect
        if draft.reply is not None:
            self.last = draft.reply.text
            yield draft.reply
        if not line.writes:
            return
        write = asyncio.ensure_future(self._context.tools.write(line.writes, {}, draft.turn.id, draft.turn.id))
        await asyncio.shield(write)
        self.last = line.then
        if line.then:
            yield Reply(line.then, line.expect)

    async def silence(self, times: int) -> Reply:
        """Two prompts, then goodbye."""
        self.silences.append(times)
        still = Reply("Are you still there?", self.expects)
        return still if times < 3 else replace(still, text="Goodbye.", ending=Ending.HANG_UP)

    def heard(self, text: str, whole: bool) -> None:
        """Kept in `heard_text`."""
        self.heard_text.append((text, whole))

    def snapshot(self) -> Json:
        """See the port."""
        return {"said": list(self.said), "last": self.last}
