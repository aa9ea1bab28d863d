"""The reasoning port over a program: draft on a copy of the state, commit by taking the copy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from ccaas.ports.journey import Assurance, Json
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Draft, Ending, Expectation, Reply, Topic
from ccaas_flows.machine import TEXT_CHANNELS, Machine, Spoken, Stopped
from ccaas_flows.program import VERIFY, Ask, Program
from ccaas_flows.state import State, Subject, Waiting
from ccaas_flows.threads import Threads
from ccaas_flows.turns import Turns
from ccaas_flows.typed import typed
from ccaas_flows.understanding.acts import beyond_answer
from ccaas_flows.understanding.reading import Reading, Understanding
from ccaas_flows.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Plan:
    """A draft's consequence: the state after it, and what is left to do."""

    base: int
    """Revision of the state that it was made from."""
    state: State
    spoken: Spoken
    stopped: Stopped


class FlowDialogue:
    """One conversation."""

    def __init__(
        self,
        program: Program,
        understanding: Understanding,
        context: DialogueContext,
        state: State,
        thread_days: float = 14,
    ) -> None:
        """`thread_days`: threads that were last spoken of before that are not brought up."""
        self._program = program
        self._understanding = understanding
        self._machine = Machine(program, context)
        self._threads = Threads(program, self._machine, context, thread_days)
        self._wishes = Wishes(program, self._machine, self._threads)
        self._turns = Turns(program, self._machine, self._wishes)
        self._context = context
        self._state = state
        self._last: tuple[int, str, str, str, Draft] | None = None
        self._writing: asyncio.Task[None] | None = None

    @property
    def expectation(self) -> Expectation:
        """What the caller is expected to say now."""
        return self._turns.expectation(self._state)

    async def open(self) -> Reply:
        """The greeting; or, after a crash, the question that was open."""
        state, out = self._state, Spoken()
        if state.revision:
            out.say(
                self._machine.text(" ".join(state.unsaid) or state.question or self._program.words.what_then, state)
            )
            state.unsaid = []
            return self._reply(state, out)
        state.revision = 1
        if not self._program.start and self._threads.greet(state, out):
            return self._reply(state, out)
        known = self._context.customer is not None
        out.say(self._machine.text(self._program.greeting_known if known else self._program.greeting, state))
        state.question, state.waiting = out.text, Waiting.OPEN
        if self._program.start:
            self._machine.enter(state, self._program.start)
            if await self._machine.run(state, out, "open", may_write=False) is Stopped.WRITE:
                self._machine.idle(state, out)
        return self._reply(state, out)

    async def draft(self, turn: CallerTurn) -> Draft:
        """See the port. The same words again give the same draft, without work."""
        await self._written()
        key = (self._state.revision, turn.id, turn.text, turn.keys)
        if self._last is not None and self._last[:4] == key:
            return self._last[4]
        taken = typed(turn, self.expectation) if self._context.channel in TEXT_CHANNELS else turn
        reading = Reading("", 0.0)
        if taken.text.strip():
            wanted = self._turns.wanted(self._state)
            text = beyond_answer(taken.text) if self.asks_about_thread else taken.text
            reading = await asyncio.to_thread(self._understanding.read, text, self.expectation, wanted)
        draft = replace(await self._prepare(taken, reading), turn=turn)
        self._last = (*key, draft)
        return draft

    async def draft_intent(self, turn: CallerTurn, intent: str, slots: Mapping[str, str]) -> Draft:
        """As `draft`, for a caller who has chosen an intent by other means than words (a key of a menu)."""
        await self._written()
        return await self._prepare(turn, Reading(intent, 1.0, slots), chosen=True)

    async def _prepare(self, turn: CallerTurn, reading: Reading, chosen: bool = False) -> Draft:
        state, out = self._state.copy(), Spoken()
        for sentence in state.unsaid:
            out.say(sentence)
        state.unsaid, state.told = [], {}
        if state.returned and state.aside is not None:
            state.returned, state.subject = False, state.aside
            self._machine.put_aside(state)
        keyed_card = self.expectation.card
        checking = bool(state.back) or keyed_card
        state.said = "" if checking else turn.text
        if chosen:
            self._wishes.choose(state, out, reading)
        else:
            self._turns.take(state, out, turn, reading)
        stopped = await self._machine.run(state, out, turn.id, may_write=False)
        if stopped is Stopped.WRITE:
            op = self._program.flows[state.flow][state.index]
            out.say(self._machine.text(getattr(op, "meanwhile", ""), state))
        reply = self._reply(state, out, self._state) if out.text or out.ending else None
        plan = Plan(self._state.revision, state, out, stopped)
        # What proves who the customer is is nobody's to read.
        told = {k: v for k, v in reading.slots.items() if not (checking and k in self._program.secrets)}
        told = {} if keyed_card else told
        return Draft(turn, reply, reading.intent, told, plan, private=checking)

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """See the port. A draft that another commit has overtaken is made again."""
        await self._written()
        plan = draft.plan
        if not isinstance(plan, Plan) or plan.base != self._state.revision:
            self._last = None
            draft = await self.draft(draft.turn)
            plan = draft.plan
            assert isinstance(plan, Plan)
        self._state = plan.state.copy()
        self._state.revision += 1
        self._last = None
        if draft.reply is not None:
            yield draft.reply
        if plan.stopped is not Stopped.WRITE:
            return
        replies: list[Reply] = []
        self._writing = asyncio.create_task(self._write(draft.turn.id, replies))
        await asyncio.shield(self._writing)
        self._state.unsaid = []
        for reply in replies:
            yield reply

    async def _write(self, turn_id: str, replies: list[Reply]) -> None:
        """Run on with writes allowed. What it says is kept in the state until it has been handed over."""
        state, out = self._state.copy(), Spoken()
        await self._machine.run(state, out, turn_id, may_write=True)
        state.revision += 1
        replies.append(self._reply(state, out, self._state))
        state.unsaid = list(out.sentences) if out.ending is None else []
        self._state = state

    async def _written(self) -> None:
        """Wait for a write whose commit was cancelled."""
        if self._writing is not None and not self._writing.done():
            await asyncio.shield(self._writing)

    async def silence(self, times: int) -> Reply:
        """Prompts in order, then goodbye."""
        prompts = self._program.silence
        if times <= len(prompts):
            text = prompts[times - 1]
            asked = self._machine.op(self._state) is not None or self._state.waiting is Waiting.THREAD
            repeat = times > 1 and self._state.question and asked
            said = f"{text} {self._state.question}" if repeat else text
            return Reply(said, self.expectation, kept=self._machine.secrecy.kept(said, self._state))
        return Reply(self._program.silence_goodbye, ending=Ending.HANG_UP)

    def heard(self, text: str, whole: bool) -> None:
        """Keep what was heard of the last reply."""
        self._state.heard = self._state.reply if whole else text or " "

    def topic(self) -> Topic | None:
        """See the port."""
        return self._machine.topics.now(self._state)

    @property
    def asks_about_thread(self) -> bool:
        """Whether the greeting named a thread, and that is not answered yet."""
        return self._state.waiting is Waiting.THREAD

    @property
    def assurance(self) -> Assurance:
        """See the port."""
        order = list(Assurance)
        return max(self._context.assurance, self._context.tools.assurance, key=order.index)

    def snapshot(self) -> Json:
        """The state, and which flows it belongs to."""
        return {"program": self._program.fingerprint, "state": self._state.to_json(self._program.secrets)}

    def _reply(self, state: State, out: Spoken, before: State | None = None) -> Reply:
        """What is said; `before` are the state's own answers of a check that is over now."""
        state.ended = out.ending is not None
        if out.text and not out.aside:
            state.reply, state.heard = out.text, ""
        expect = Expectation() if out.ending else self._turns.expectation(state)
        kept = self._machine.secrecy.kept(out.text, before or state, state)
        return Reply(out.text, expect, out.ending, out.destination, out.interruptible, kept)


def restored(kept: Json, program: Program) -> State:
    """The state of a snapshot; of other flows only what the caller said is kept."""
    inner = kept.get("state")
    state = State.from_json(inner) if isinstance(inner, dict) else State()
    ops = program.flows.get(state.flow, ())
    if state.flow and (kept.get("program") != program.fingerprint or state.index >= len(ops)):
        state.flow, state.index, state.waiting = "", 0, Waiting.OPEN
        state.question = program.words.what_then
        state.subject, state.back = Subject(), []
    if state.back and not state.question:
        _ask_anew(state, program)
    # A conversation that goes on after its end was handed to somebody who did not take it.
    state.returned, state.ended = state.ended, False
    if state.waiting is Waiting.NOTHING:
        state.waiting = Waiting.OPEN
        state.flow = ""
    return state


def _ask_anew(state: State, program: Program) -> None:
    """The answers of a check are in no file: after a crash, those that were given before the open question are asked for again."""
    ops = program.flows[VERIFY]
    asks = [n for n in range(min(state.index, len(ops) - 1) + 1) if isinstance(ops[n], Ask)]
    first = asks[-1] if asks else 0
    while first - 1 in asks:
        first -= 1
    op = ops[first]
    state.flow, state.index, state.tries = VERIFY, first, 0
    if isinstance(op, Ask):
        state.waiting, state.question = Waiting.STEP, op.question
