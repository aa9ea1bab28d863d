"""A reasoner that answers from a table, with the port's own split between draft and commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ccaas.ports.journey import Assurance, Json, Thread, ThreadState
from ccaas.ports.reasoning import (
    CallerTurn,
    DialogueContext,
    Draft,
    Ending,
    Expectation,
    Reply,
    Topic,
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
    topic: Topic | None = None
    """What the conversation is about after this line."""
    private: bool = False
    """What the caller said is an answer to a check."""
    kept: str = ""
    """What of `says` may be kept; empty: all."""


class FakeReasoner:
    """Answers by the caller's exact words (or keys), in any order; unknown words get `otherwise`.

    `delay_s` is how long every draft takes, on the loop's clock. A customer with an open thread is asked whether it is
    about that; a "yes" says again what was said last in it, anything else is looked up in the table.
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
        self.delay_s = delay_s
        """How long a draft takes (s)."""
        self.fails: Exception | None = None
        """Raised by every draft."""
        self.understands: Callable[[str], bool] = lambda _: True
        """Of which words a draft has an intent."""
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


class FakeDialogue:
    """One conversation; what happened to it is there to be looked at."""

    def __init__(self, reasoner: FakeReasoner, context: DialogueContext, snapshot: Json | None) -> None:
        self._reasoner = reasoner
        self.context = context
        kept = dict(snapshot or {})
        said = kept.get("said", [])
        self.said: list[str] = [str(text) for text in said] if isinstance(said, list) else []
        """What the caller said, in committed turns."""
        self.last = str(kept.get("last", ""))
        """The last reply."""
        self.expects = Expectation()
        self.asked = _open_thread(context) if snapshot is None else None
        """The thread that the greeting asked about, until the first answer."""
        self._topic: Topic | None = None
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
        if self.asked is not None:
            self.last = f"Is it about {self.asked.title}?"
        self.last = self.last or self._reasoner.greeting
        return Reply(self.last)

    async def draft(self, turn: CallerTurn) -> Draft:
        """See the port."""
        self.drafts += 1
        await asyncio.sleep(self._reasoner.delay_s)
        if self._reasoner.fails is not None:
            raise self._reasoner.fails
        line = self._line(turn)
        if line.reads:
            await self.context.tools.read(line.reads, {}, turn.id)
        reply = Reply(line.says, line.expect, line.ending, line.destination, kept=line.kept)
        return Draft(
            turn,
            reply if line.says or line.ending else None,
            intent=("check" if line.private else turn.text) if self._reasoner.understands(turn.text) else "",
            plan=line,
            private=line.private,
        )

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """See the port."""
        line = self._line(draft.turn)
        self._topic, self.asked = line.topic, None
        self.said.append(draft.turn.text or draft.turn.keys)
        self.expects = line.expect
        if draft.reply is not None:
            self.last = draft.reply.text
            yield draft.reply
        if not line.writes:
            return
        write = asyncio.ensure_future(self.context.tools.write(line.writes, {}, draft.turn.id, draft.turn.id))
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

    def topic(self) -> Topic | None:
        """The line's."""
        return self._topic

    @property
    def assurance(self) -> Assurance:
        """The context's, or the toolbox's when it is more."""
        order = list(Assurance)
        return max(self.context.assurance, self.context.tools.assurance, key=order.index)

    def _line(self, turn: CallerTurn) -> Line:
        if self.asked is None or turn.text.strip(".!").lower() != "yes":
            return self._reasoner.line(turn)
        thread = self.asked
        topic = Topic(thread.goal, thread.title, ThreadState.OPEN, slots=thread.slots, thread_id=thread.id)
        return Line(str((thread.snapshot or {}).get("last", "Go on.")), topic=topic)

    def snapshot(self) -> Json:
        """See the port."""
        return {"said": list(self.said), "last": self.last}


def _open_thread(context: DialogueContext) -> Thread | None:
    threads = context.journey.threads if context.journey else ()
    return next((thread for thread in threads if thread.state is ThreadState.OPEN), None)
