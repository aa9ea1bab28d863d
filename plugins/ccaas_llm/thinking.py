"""One turn's thinking: requests to the model and reading tools, in a task whose results can be taken as they come."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from pydantic_ai.messages import ModelMessage

from ccaas.errors import ToolError
from ccaas.ports.tools import Toolbox
from ccaas_llm.clauses import Clauses
from ccaas_llm.client import Asked, Client, Piece, Spent
from ccaas_llm.faults import ModelFault, Why
from ccaas_llm.history import Entry, messages, tool_entry
from ccaas_llm.meter import NEVER, REQUESTS, TurnMeter
from ccaas_llm.rules import Never, sayable
from ccaas_llm.settings import LlmSettings, Task
from ccaas_llm.toolset import Call, Handling, Mistake, Toolset
from ccaas_llm.veil import RULE, Unknown, Veil


@dataclass(frozen=True, slots=True)
class Clause:
    """Something to say."""

    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A tool ran, or a call could not be taken."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Held:
    """A call that waits for the commit, or for the caller. Nothing comes after it."""

    call: Call


@dataclass(frozen=True, slots=True)
class Over:
    """The end."""

    fault: ModelFault | None = None


Event = Clause | Looked | Held | Over

_MISTAKES = 1
"""Calls that cannot be taken, before the model is given up."""
_SAME_CALL = 2
_SAME_SENTENCE = 3
_TOOL_CALL_AS_TEXT = ("{", "[{", "<tool_call", "<|", "<function", "```")


@dataclass(frozen=True, slots=True)
class Mind:
    """What all turns of a conversation think with."""

    client: Client
    settings: LlmSettings
    never: Never
    tools: Toolset
    toolbox: Toolbox
    written: bool
    """Whether it is read rather than heard."""
    veil: Veil | None = None
    """What private data goes behind; None where nothing is hidden."""


class Thinking:
    """Begins at once. Cancelling it closes the request that is under way."""

    def __init__(
        self, mind: Mind, system: str, facts: str, entries: Sequence[Entry], turn_id: str, meter: TurnMeter
    ) -> None:
        self._mind = mind
        self._system = system
        self._facts = facts
        self._entries = list(entries)
        self._turn_id = turn_id
        self.meter = meter
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._said: list[str] = []
        self._unsent: list[str] = []
        """Sentences of a text, which goes out as a whole."""
        self._given = False
        self._asked: Counter[str] = Counter()
        self._mistakes = 0
        self._task = asyncio.create_task(self._think(), name=f"thinking {turn_id}")

    async def next(self) -> Event:
        """The next event; the last one is `Held` or `Over`."""
        return await self._events.get()

    def cancel(self) -> None:
        """Stop. An `Over` is the next event."""
        self._task.cancel()

    async def _think(self) -> None:
        last: Held | Over = Over(ModelFault(Why.WRONG, "the turn broke"))
        try:
            async with asyncio.timeout(self._mind.settings.limits.turn_ms / 1000):
                last = await self._rounds() or Over()
        except ModelFault as fault:
            last = Over(fault)
        except TimeoutError:
            last = Over(ModelFault(Why.STALLED, "the turn took too long"))
        except asyncio.CancelledError:
            last = Over()
            raise
        finally:
            # Whoever waits is woken, whatever happened.
            self._events.put_nowait(last)

    async def _rounds(self) -> Held | None:
        task: Task = "text" if self._mind.written else "voice"
        for number in range(self._mind.settings.limits.tool_rounds + 1):
            asked = await self._request(task)
            if asked is None:
                return None
            if not asked:
                if not self._said:
                    raise ModelFault(Why.WRONG, "the model said nothing")
                return None
            if number == self._mind.settings.limits.tool_rounds:
                break
            held = await self._use(asked)
            if held is not None:
                return held
            task = "after_tools"
        raise ModelFault(Why.LOOP, "the model asks for tools without end")

    async def _request(self, task: Task) -> list[Asked] | None:
        """One request: say its text, and give the calls. None: what it says was stopped."""
        mind, asked = self._mind, list[Asked]()
        self.meter.check()
        clauses = Clauses()
        name = mind.client.model_for(task)
        prompt = self._prompt()
        before = len(self._said)
        try:
            async with aclosing(mind.client.ask(prompt, mind.tools.definitions, task)) as pieces:
                while (piece := await self._piece(pieces)) is not None:
                    if isinstance(piece, Asked):
                        asked.append(piece)
                    elif isinstance(piece, Spent):
                        self.meter.add(piece)
                    elif not all(self._say(clause) for clause in clauses.add(piece.text)):
                        return None
            if not all(self._say(clause) for clause in clauses.end()):
                return None
            self._send()
        except ModelFault as fault:
            REQUESTS.labels(name, fault.why.value).inc()
            raise
        except asyncio.CancelledError:
            REQUESTS.labels(name, "cancelled").inc()
            raise
        REQUESTS.labels(name, "answered").inc()
        self._entries += [Entry(by="agent", text=text) for text in self._said[before:]]
        return asked

    def _prompt(self) -> list[ModelMessage]:
        veil = self._mind.veil
        if veil is None:
            return messages(self._system, self._facts, self._entries)
        # The facts come first: the names that stand in them are hidden in all that follows.
        facts = veil.hide_facts(self._facts)
        return messages(f"{self._system}\n{RULE}", facts, [veil.hide_entry(entry) for entry in self._entries])

    async def _piece(self, pieces: AsyncGenerator[Piece]) -> Piece | None:
        """The next one. While nothing was said, whoever waits for it knows how long to wait."""
        limit = self._mind.settings.limits.stall_ms / 1000 if self._said else None
        try:
            async with asyncio.timeout(limit):
                return await anext(pieces, None)
        except TimeoutError:
            raise ModelFault(Why.STALLED, "the model stopped in the middle of its answer") from None

    def _say(self, clause: str) -> bool:
        """Give a clause on. False: it breaks a rule, and what is said instead ends the turn."""
        text = sayable(self._unveiled(clause))
        if not text:
            return True
        if text.startswith(_TOOL_CALL_AS_TEXT):
            raise ModelFault(Why.WRONG, "the model wrote a tool call as text")
        rule = self._mind.never.broken(" ".join(self._said), text)
        if rule is not None:
            NEVER.labels(rule.name).inc()
            instead = rule.say or self._mind.settings.words.refused
            if not self._given:
                raise ModelFault(Why.POLICY, instead)
            self._events.put_nowait(Clause(instead))
            return False
        self._said.append(text)
        if self._said.count(text) >= _SAME_SENTENCE:
            raise ModelFault(Why.LOOP, "the model says the same over and over")
        self._unsent.append(text)
        if not self._mind.written:
            self._send()
        return True

    def _unveiled(self, clause: str) -> str:
        try:
            return clause if self._mind.veil is None else self._mind.veil.show(clause)
        except Unknown as word:
            raise ModelFault(Why.WRONG, f"the model has made up {word}") from None

    def _call(self, asked: Asked) -> Call | Mistake:
        try:
            return self._mind.tools.read(asked if self._mind.veil is None else self._mind.veil.show_asked(asked))
        except Unknown as word:
            return Mistake(asked.id, asked.name, f"nothing is called {word}; use only what you were told")

    def _send(self) -> None:
        """Give on what is ready."""
        if self._unsent:
            self._events.put_nowait(Clause(" ".join(self._unsent)))
            self._unsent, self._given = [], True

    async def _use(self, asked: Sequence[Asked]) -> Held | None:
        """Run the reads together, and give the first call that must wait."""
        calls = [self._call(one) for one in asked]
        for call in calls:
            if isinstance(call, Mistake):
                self._mistakes += 1
                if self._mistakes > _MISTAKES:
                    raise ModelFault(Why.WRONG, f"the model asks for what cannot be: {call.problem}")
                self._look(call, {"error": "bad_call", "message": call.problem})
        good = [call for call in calls if isinstance(call, Call)]
        reads = [call for call in good if call.handling is Handling.READ and self._fresh(call)]
        for call, result in zip(reads, await asyncio.gather(*(self._read(call) for call in reads)), strict=True):
            self._look(call, result)
        held = [call for call in good if call.handling is not Handling.READ]
        for call in held[1:]:
            self._look(call, {"error": "one_at_a_time", "message": "One change at a time; ask again after this one."})
        if not held or not self._fresh(held[0]):
            return None
        refused = await self._refused(held[0])
        if refused is None:
            return Held(held[0])
        self._look(held[0], refused)
        return None

    def _fresh(self, call: Call) -> bool:
        """Whether this was not asked before in this turn; that it was is told once."""
        key = f"{call.name} {json.dumps(call.arguments, sort_keys=True, default=str)}"
        self._asked[key] += 1
        if self._asked[key] > _SAME_CALL:
            raise ModelFault(Why.LOOP, f"the model asks for {call.name} over and over")
        if self._asked[key] == _SAME_CALL:
            self._look(call, {"error": "asked_already", "message": "You have the answer to this already; use it."})
            return False
        return True

    async def _read(self, call: Call) -> object:
        try:
            return await self._mind.toolbox.read(call.name, call.arguments, self._turn_id)
        except ToolError as error:
            return {"error": error.code, "message": str(error)}

    async def _refused(self, call: Call) -> object:
        """Why a write need not even be put to the caller; None when it may."""
        if call.handling in {Handling.END, Handling.HAND_OVER} or self._mind.toolbox.verifies(call.name):
            return None
        try:
            await self._mind.toolbox.rehearse(call.name, call.arguments, self._turn_id)
        except ToolError as error:
            return {"error": error.code, "message": str(error)}
        return None

    def _look(self, call: Call | Mistake, result: object) -> None:
        entry = tool_entry(call.id, call.name, call.arguments, result)
        self._entries.append(entry)
        self._events.put_nowait(Looked(entry))


async def first_of(thinking: Thinking, limit_s: float) -> list[Event]:
    """Events up to the first that can be spoken of, or to the end.

    After `limit_s` the thinking is cancelled, and the end is a fault.
    """
    found: list[Event] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not found or isinstance(found[-1], Looked):
                found.append(await thinking.next())
            return found
    thinking.cancel()
    return [*found, Over(ModelFault(Why.SLOW, "no word of the model's within the budget"))]
