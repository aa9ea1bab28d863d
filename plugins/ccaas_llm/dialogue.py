"""The reasoning port over a model: a draft thinks up to the first clause, the commit says it and what follows.

What a write needs (the caller's yes, the gate, once and only once) is decided here and in the core; the model only asks.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import structlog

from ccaas.ports.journey import Assurance, Json, ThreadState
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Draft, Ending, Expectation, Reply, Topic
from ccaas_llm import prompt
from ccaas_llm.confirming import YES_NO, answer, cut_short, expected
from ccaas_llm.deeds import Deed, Deeds
from ccaas_llm.faults import ModelFault, Why
from ccaas_llm.history import CHECKED, Entry, words_of
from ccaas_llm.meter import FALLBACKS, FIRST_CLAUSE, Health, TurnMeter
from ccaas_llm.plans import ByFlows, CarryOut, Fixed, Plan, Step, Think, intent
from ccaas_llm.speaker import Speaker
from ccaas_llm.standby import Standby
from ccaas_llm.state import State, Subject
from ccaas_llm.thinking import Clause, Event, Held, Looked, Mind, Over, Thinking, first_of
from ccaas_llm.threads import Threads
from ccaas_llm.toolset import Handling

_log = structlog.get_logger(__name__)


class LlmDialogue:
    """One conversation."""

    def __init__(
        self, mind: Mind, context: DialogueContext, state: State | None, health: Health, standby: Standby | None
    ) -> None:
        """`state`: of the snapshot that it goes on from; None for a new conversation."""
        self._mind = mind
        self._settings = mind.settings
        self._words = mind.settings.words
        self._context = context
        self._resumed = state is not None
        self._state = state or State()
        self._health = health
        self._bill = replace(self._state.bill)
        """With drafts that were thrown away."""
        self._standby = standby
        self._deeds = Deeds(mind.settings, mind.toolbox, mind.tools, self._state)
        self._threads = Threads(mind.settings, mind.tools, context)
        self._speaker = Speaker(mind.settings, mind.tools)
        self._system = prompt.system(mind.settings, context)
        self._last: tuple[int, str, str, str, Draft] | None = None
        self._drafting: Thinking | None = None
        self._speaking: Thinking | None = None
        self._gone: weakref.finalize[..., LlmDialogue] | None = None
        self._told_by_flows = False

    @property
    def expectation(self) -> Expectation:
        """What the caller is expected to say now."""
        if self._state.leads and self._standby is not None:
            return self._standby.flows.expectation
        if self._state.proposal is not None or self._state.asked_thread:
            return YES_NO
        return expected(self._state.history.last_said())

    @property
    def assurance(self) -> Assurance:
        """See the port."""
        order = list(Assurance)
        return max(self._context.assurance, self._context.tools.assurance, key=order.index)

    def topic(self) -> Topic | None:
        """See the port."""
        if self._told_by_flows and self._standby is not None:
            return self._standby.flows.topic()
        return self._state.subject.topic() if self._state.subject is not None else None

    def snapshot(self) -> Json:
        """Both states."""
        kept: dict[str, Any] = {"llm": self._state.to_json()}
        if self._standby is not None:
            kept["flows"] = self._standby.flows.snapshot()
        return kept

    # — the first words, and those into a silence —

    async def open(self) -> Reply:
        """The greeting; an open thread is asked about; after a crash, what was not heard yet."""
        state, history = self._state, self._state.history
        opening = await self._standby.flows.open() if self._standby is not None else None
        if self._resumed:
            if state.leads and opening is not None:
                return opening
            asked = state.proposal.question if state.proposal is not None else ""
            text = asked or " ".join(history.unheard()) or history.last_said() or self._words.greeting
            history.strike_unheard()
            if text != history.last_said():
                history.agent(text)
            return Reply(text, self.expectation)
        state.revision = 1
        thread = self._threads.newest()
        text = self._words.greeting
        if thread is not None:
            state.asked_thread = thread.id
            text = self._words.thread.replace("{title}", thread.title)
        elif opening is not None and self._standby is not None and self._standby.flows.asks_about_thread:
            state.leads = True
            history.agent(opening.text)
            return opening
        history.agent(text)
        return Reply(text, self.expectation)

    async def silence(self, times: int) -> Reply:
        """Prompts in order, then goodbye."""
        if self._state.leads and self._standby is not None:
            return await self._standby.flows.silence(times)
        prompts = self._words.silence
        if times <= len(prompts):
            return Reply(prompts[times - 1], self.expectation)
        return Reply(self._words.silence_goodbye, ending=Ending.HANG_UP)

    # — drafts —

    async def draft(self, turn: CallerTurn) -> Draft:
        """See the port. The same words again give the same draft; others stop what was thought about the former."""
        await self._deeds.settled()
        key = (self._state.revision, turn.id, turn.text, turn.keys)
        if self._last is not None and self._last[:4] == key:
            return replace(self._last[4], turn=turn)
        if self._drafting is not None:
            self._drafting.cancel()
        draft = await self._draft(turn)
        self._last = (*key, draft)
        return draft

    async def _draft(self, turn: CallerTurn) -> Draft:
        state, words = self._state, words_of(turn.text, turn.keys)
        if state.leads and self._standby is not None:
            return self._by_flows(turn, await self._standby.flows.draft(turn), words)
        said = answer(turn, self._mind.written)
        if said == "yes" and state.proposal is not None:
            tool, asked = state.proposal.tool, state.proposal.question
            if state.proposal.cut:
                return self._planned(turn, Reply(f"{self._words.again} {asked}", YES_NO), Fixed(words), tool)
            return self._planned(turn, Reply(self._words.working), CarryOut(words), tool)
        if said == "yes" and state.asked_thread:
            thread = self._threads.find(state.asked_thread)
            proposal = self._threads.proposal(thread, self.assurance)
            if proposal is not None:
                step = Fixed(words, resumes=thread)
                return self._planned(turn, Reply(proposal.question, YES_NO), step, proposal.tool)
        if not words:
            return self._planned(turn, Reply(self._words.sorry, self.expectation), Fixed(words))
        return await self._think(turn, words)

    async def _think(self, turn: CallerTurn, words: str) -> Draft:
        began = time.monotonic()
        try:
            self._health.check()
            thinking = self._begin(turn.id, words)
        except ModelFault as fault:
            return await self._without_model(turn, words, fault)
        try:
            events = await first_of(thinking, self._budget_s)
        except asyncio.CancelledError:
            thinking.cancel()
            raise
        last = events[-1]
        if isinstance(last, Over):
            why = last.fault or ModelFault(Why.WRONG, "the model was stopped")
            return await self._without_model(turn, words, why)
        FIRST_CLAUSE.observe(time.monotonic() - began)
        self._health.worked()
        self._drafting = thinking
        draft = self._planned(turn, self._speaker.reply(last), Think(words, thinking, tuple(events)), intent(events))
        checks = isinstance(last, Held) and self._mind.toolbox.verifies(last.call.name)
        return replace(draft, private=checks)

    def _begin(self, turn_id: str, words: str = "") -> Thinking:
        """Let the model think about what was said, or go on after a deed. Raises ModelFault LIMIT."""
        meter = TurnMeter(self._settings, self._bill)
        meter.check()
        entries = list(self._state.history.entries)
        if words:
            entries.append(Entry(by="caller", text=words))
        facts = prompt.facts(self._context, self.assurance)
        thinking = Thinking(self._mind, self._system, facts, entries, turn_id, meter)
        # A call that is over, or goes on in another dialogue, lets its request go.
        if self._gone is not None:
            self._gone.detach()
        self._gone = weakref.finalize(self, thinking.cancel)
        self._gone.atexit = False
        return thinking

    @property
    def _budget_s(self) -> float:
        limits = self._settings.limits
        return (limits.text_reply_ms if self._mind.written else limits.first_clause_ms) / 1000

    def _missed(self, fault: ModelFault) -> None:
        self._health.failed(fault.why)
        FALLBACKS.labels(fault.why.value).inc()
        _log.warning("the model does not answer", call=self._context.call_id, why=fault.why.value, error=str(fault))

    async def _without_model(self, turn: CallerTurn, words: str, fault: ModelFault) -> Draft:
        """The flows' draft, or the core's own words."""
        self._missed(fault)
        if self._standby is not None:
            return self._by_flows(turn, await self._standby.take_over(turn, self._state.history.said()), words)
        if fault.why is Why.POLICY:
            return self._planned(turn, Reply(str(fault)), Fixed(words))
        reply = Reply(self._words.trouble)
        if self._settings.destination and self._state.failed + 1 >= self._settings.patience:
            reply = self._speaker.put_through()
        return self._planned(turn, reply, Fixed(words, fault.why))

    def _by_flows(self, turn: CallerTurn, inner: Draft, words: str) -> Draft:
        plan = Plan(self._state.revision, ByFlows(CHECKED if inner.private else words, inner))
        return Draft(turn, inner.reply, inner.intent, inner.slots, plan, private=inner.private)

    def _planned(self, turn: CallerTurn, reply: Reply | None, step: Step, understood: str = "") -> Draft:
        return Draft(turn, reply, understood, {}, Plan(self._state.revision, step))

    # — commits —

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """See the port. A draft that another commit has overtaken is made again."""
        await self._deeds.settled()
        plan = draft.plan
        if not isinstance(plan, Plan) or plan.base != self._state.revision:
            self._last = None
            draft = await self.draft(draft.turn)
            plan = draft.plan
            assert isinstance(plan, Plan)
        state, step = self._state, plan.step
        self._last, self._drafting = None, None
        state.revision += 1
        state.bill = replace(self._bill)
        if state.subject is not None and state.subject.outcome:
            state.subject = None  # It was told after the commit that closed it.
        if not self._mind.written:
            state.history.strike_unheard()
        state.history.caller(step.words)
        said = answer(draft.turn, self._mind.written)
        self._answer_thread(said)
        if said == "no" and state.proposal is not None and state.subject is not None and isinstance(step, Think):
            state.subject.outcome, state.subject.state = "The customer said no.", ThreadState.CLOSED.value
        self._told_by_flows = isinstance(step, ByFlows)
        async for reply in self._replies(draft, step):
            yield reply

    async def _replies(self, draft: Draft, step: Step) -> AsyncIterator[Reply]:
        state = self._state
        match step:
            case ByFlows(inner=inner):
                async for reply in self._from_flows(inner):
                    yield reply
            case Think(thinking=thinking, events=events):
                state.failed, state.proposal = 0, None
                async for reply in self._speak(draft.turn, thinking, events):
                    yield reply
            case CarryOut():
                proposal, state.proposal = state.proposal, None
                assert proposal is not None
                deed = Deed(proposal.tool, proposal.arguments, Handling.CONFIRM, draft.turn.id, draft.turn.id)
                doing = self._deeds.begin(deed)
                state.history.agent(self._words.working)
                yield Reply(self._words.working)
                sentence = await asyncio.shield(doing)
                async for reply in self._go_on(draft.turn, sentence, 0):
                    yield reply
            case Fixed(fault=fault, resumes=thread):
                state.failed = state.failed + 1 if fault is not None else state.failed
                if thread is not None:
                    state.proposal = self._threads.proposal(thread, self.assurance)
                elif state.proposal is not None:
                    state.proposal.cut = False
                if draft.reply is not None:
                    state.history.agent(draft.reply.text)
                    yield draft.reply

    def _answer_thread(self, said: str) -> None:
        """The first answer says whether it is about the thread that the greeting named."""
        thread = self._threads.find(self._state.asked_thread) if self._state.asked_thread else None
        self._state.asked_thread = ""
        if thread is not None and said == "yes":
            self._state.subject = Subject(thread.goal, thread.title, slots=dict(thread.slots), thread=thread.id)

    async def _from_flows(self, inner: Draft) -> AsyncIterator[Reply]:
        assert self._standby is not None
        state = self._state
        state.leads, state.proposal, state.subject = True, None, None
        self._told_by_flows = True
        async for reply in self._standby.flows.commit(inner):
            state.history.agent(reply.text)
            yield reply
        state.leads = self._standby.busy

    async def _speak(
        self, turn: CallerTurn, thinking: Thinking, events: tuple[Event, ...], after: str = "", depth: int = 0
    ) -> AsyncIterator[Reply]:
        """Say what the model comes to. `after`: what is said of a deed that it has no words for."""
        waiting, said = list(events), False
        self._speaking = thinking
        try:
            while True:
                event = waiting.pop(0) if waiting else await thinking.next()
                if isinstance(event, Looked):
                    self._state.history.tool(event.entry)
                elif isinstance(event, Clause):
                    said = True
                    self._state.history.agent(event.text)
                    yield Reply(event.text, expected(event.text))
                else:
                    break
        finally:
            self._speaking = None
            thinking.cancel()
            self._state.bill = replace(self._bill)
            spent = thinking.meter.turn
            _log.info(
                "the model's turn", call=self._context.call_id, turn=turn.id, tokens=spent.tokens, cost=spent.cost
            )
        if isinstance(event, Held):
            async for reply in self._hold(turn, event, said, depth):
                yield reply
        elif event.fault is not None:
            async for reply in self._broken_off(turn, event.fault, said, after):
                yield reply

    async def _hold(self, turn: CallerTurn, held: Held, said: bool, depth: int) -> AsyncIterator[Reply]:
        """Ask the caller, end, or do it now and let the model go on."""
        call = held.call
        reply = self._speaker.reply(held, said=said)
        if call.handling is Handling.CONFIRM:
            self._deeds.propose(call)
        elif reply is not None:
            self._state.history.agent(reply.text)
        if reply is not None:
            yield reply
            return
        doing = self._deeds.begin(Deed(call.name, call.arguments, call.handling, turn.id))
        sentence = await asyncio.shield(doing)
        async for following in self._go_on(turn, sentence, depth + 1):
            yield following

    async def _go_on(self, turn: CallerTurn, sentence: str, depth: int) -> AsyncIterator[Reply]:
        """Let the model speak of what was done; `sentence` when it does not."""
        fault = ModelFault(Why.LOOP, "the model does one thing after the other")
        try:
            if depth > self._settings.limits.tool_rounds:
                raise fault
            self._health.check()
            thinking = self._begin(turn.id)
            self._speaking = thinking
            events = await first_of(thinking, self._budget_s)
        except ModelFault as other:
            events = [Over(other)]
        last = events[-1]
        if isinstance(last, Over):
            self._missed(last.fault or fault)
            self._state.history.agent(sentence)
            yield Reply(sentence)
            return
        async for reply in self._speak(turn, thinking, tuple(events), sentence, depth):
            yield reply

    async def _broken_off(self, turn: CallerTurn, fault: ModelFault, said: bool, after: str) -> AsyncIterator[Reply]:
        """The model fails in the middle of its answer."""
        self._missed(fault)
        if after:
            return  # What was done was spoken of.
        if said and fault.why is not Why.LOOP:
            self._state.history.agent(self._words.lost)
            yield Reply(self._words.lost)
        if self._standby is not None:
            inner = await self._standby.take_over(turn, self._state.history.said()[:-1])
            async for reply in self._from_flows(inner):
                yield reply

    def heard(self, text: str, whole: bool) -> None:
        """What of the last reply was really played. When it was broken off, the model stops too."""
        state = self._state
        if self._standby is not None and self._told_by_flows:
            self._standby.flows.heard(text, whole)
        if not whole:
            unheard, proposal = state.history.unheard(), state.proposal
            if proposal is not None and proposal.question in unheard:
                proposal.cut = unheard[0] != proposal.question or cut_short(proposal.question, text)
            if self._speaking is not None:
                self._speaking.cancel()
        state.history.heard(text, whole)
