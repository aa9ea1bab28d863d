"""One conversation: the state machine of `state.py` joined to ears, mouth and reasoning.

Frames and timers drive the machine synchronously on the event loop; what takes time (recognition, drafts, speech) runs
in tasks of the conversation's own group and reports back as events.

This module is long because every command of the machine ends here, and each of them is a few lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from ccaas.conversation.answer import Answer, Outcome, Taken
from ccaas.conversation.aside import known, overheard
from ccaas.conversation.backchannel import Impression
from ccaas.conversation.ear import Ear, Utterance
from ccaas.conversation.echo import EchoGuard
from ccaas.conversation.endpointing import keys_complete
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.events import TurnTimes
from ccaas.conversation.interruption import remainder, verdict
from ccaas.conversation.ledger import Ledger, Publish
from ccaas.conversation.mouth import Mouth, Speech
from ccaas.conversation.parts import Parts
from ccaas.conversation.sense import FirstWords, sense
from ccaas.conversation.speculation import Speculation
from ccaas.conversation.state import (
    Do,
    EchoHeard,
    Escalated,
    Event,
    Hangup,
    Keyed,
    ReplyEnded,
    ReplyStarted,
    Sense,
    Sensed,
    State,
    Tick,
    Told,
    Turns,
    Understood,
    Verdict,
    VoiceStarted,
    VoiceStopped,
)
from ccaas.conversation.texted import Texted
from ccaas.conversation.watched import WatchedToolbox
from ccaas.errors import SpeechError
from ccaas.media.playout import Playout
from ccaas.media.tracks import Tracks
from ccaas.ports.journey import Json
from ccaas.ports.media import MediaStream
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Reasoner, Reply, Topic

_log = structlog.get_logger(__name__)

_HEARTBEAT_S = 0.1

_STIR_S = 0.02
"""A turn that is due while the caller may be beginning to speak is looked at again after this (s)."""


class Conversation:
    """Runs from the first words to an outcome. One per call and media stream."""

    def __init__(
        self,
        call_id: str,
        stream: MediaStream,
        reasoner: Reasoner,
        context: DialogueContext,
        parts: Parts,
        tracks: Tracks,
        publish: Publish,
        save: Callable[[Json, Topic | None], None],
        turns_before: int = 0,
        escalation: Escalation | None = None,
    ) -> None:
        """`publish` gets turn records, `save` the dialogue's snapshot and topic after each commit; neither may block.
        `turns_before`: how many turns the call has had; their ids are not given again."""
        self._log = _log.bind(call=call_id)
        self._parts = parts
        self._settings = parts.settings
        self._now = parts.clock.now
        self._reasoner = reasoner
        self._tools = WatchedToolbox(context.tools)
        self._context = replace(context, tools=self._tools)
        self._stream = stream
        self._tracks = tracks
        self._echo = EchoGuard(stream.codec.sample_rate)
        tracks.add(self._echo)
        self._mouth = Mouth(Playout(stream, self._now, tracks), parts.phrases, self._now)
        self._ear = Ear(
            stream.codec,
            parts.recognizer,
            parts.voice,
            parts.turn,
            parts.settings,
            self._on_voice_started,
            self._on_voice_stopped,
            self._on_dip,
            parts.impressions,
        )
        self._escalation = escalation or Escalation()
        self._ear.on_voice = self._escalation.push
        self._turns = Turns(parts.settings)
        self._ledger = Ledger(publish, turns_before)
        self._save = save
        self._dialogue_lock = asyncio.Lock()
        self._mouth_lock = asyncio.Lock()
        self._dialogue: Dialogue
        self._outcome: asyncio.Future[Outcome]
        self._group: asyncio.TaskGroup
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._speculation: Speculation | None = None
        self._drafting: asyncio.Task[Draft | None] | None = None
        self._speculations = 0
        self._glancing: asyncio.Task[str] | None = None
        self._first_words = FirstWords(parts.settings.barge_in)
        self._answer: Answer | None = None
        self._answering: asyncio.Task[None] | None = None
        self._pending: str | None = None
        """The words of a turn that was committed and whose draft is not yet taken: nothing of it has become real."""
        self._drawing: asyncio.Task[None] | None = None
        self._commits: dict[asyncio.Task[None], int] = {}
        """The commits being drawn, and how many writes were begun before each."""
        self._saying: Answer | None = None
        self._kept = ""  # of what is being said, `Reply.kept`
        """Whose reply is being said; None for an acknowledgement, and while nothing is."""
        self._floor = asyncio.Event()
        """Set but while the agent has yielded to a caller who may turn out to have said nothing."""
        self._taken: Taken | None = None
        self._retaking = False
        self._rewound: Dialogue | None = None
        self._unsaid: list[Reply] = []
        self._keys = ""
        self._texted = Texted()
        self._aside: asyncio.Task[str] | None = None
        """What the caller said while an answer was on its way, until it is part of a turn."""
        self._on_hold = False
        self._yielded_at: float | None = None
        self._paused_at: float | None = None
        self._echoed = False
        """What was heard before the newest pause was our own voice, the end of which may outlast our reply."""
        self._do: dict[Do, Callable[[], None]] = {
            Do.SPECULATE: self._speculate,
            Do.DROP: self._drop_speculation,
            Do.COMMIT: self._commit,
            Do.COMMIT_KEYS: self._commit_keys,
            Do.SET_ASIDE: self._set_aside,
            Do.COMMIT_ASIDE: self._commit_aside,
            Do.COMMIT_TEXT: self._commit_text,
            Do.HAND_OVER: self._hand_over,
            Do.PROMPT: self._prompt,
            Do.ACKNOWLEDGE: self._acknowledge,
            Do.DUCK: lambda: self._mouth.playout.duck(self._settings.barge_in.duck_db),
            Do.UNDUCK: lambda: self._mouth.playout.duck(0.0),
            Do.YIELD: self._yield,
            Do.RESUME: self._resume,
            Do.ABANDON: self._abandon,
            Do.FORGET: self._forget,
            Do.RETRACT: self._retract,
        }

    async def run(self, snapshot: Json | None = None, first_words: str = "") -> Outcome:
        """Converse until an outcome. With a `snapshot` it goes on from there, saying `first_words` first.

        Whatever a plug-in raises is raised here, in an ExceptionGroup, after the audio was stopped.
        """
        self._outcome = asyncio.get_running_loop().create_future()
        self._floor.set()
        self._dialogue = self._reasoner.open(self._context, snapshot)
        try:
            async with self._parts.load.one_more(), asyncio.TaskGroup() as self._group:
                self._stream.listen(self._on_frame, self._on_lost)
                self._start_answer(Answer(self._opening(None if snapshot is None else first_words), None))
                self._spawn(self._beat(), "heartbeat")
                try:
                    return await self._outcome
                finally:
                    self._turns.handle(Hangup(self._now()))
                    self._arm()
                    self._drop_speculation()
                    for task in self._tasks:
                        # A commit that has written comes to its end, so that the snapshot holds what was done.
                        if self._commits.get(task) in (None, self._tools.writes):
                            task.cancel()
        finally:
            await self._mouth.close()
            self._ear.drop_utterance()
            self._texted.close()
            self._ledger.close()

    def key(self, digit: str) -> None:
        """The caller pressed a key."""
        self._keys += digit
        self._handle(Keyed(keys_complete(self._keys, self._dialogue.expectation), self._now()))

    def hold(self, held: bool) -> None:
        """The caller put us on hold, or came back: nobody is prompted who cannot hear it."""
        self._on_hold = held
        if not held and self._turns.state is State.LISTENING:
            self._turns.deadline = self._now() + self._settings.silence_s
        self._arm()
        self._take_what_waits()

    async def tell(self, text: str, channel: str) -> str | None:
        """The caller has sent a text: it is a turn as soon as nobody speaks. The turn's id, once it is committed; None when
        the conversation ends before."""
        taken = self._texted.put(text, channel)
        self._take_what_waits()
        return await taken

    # — the machine and its clock —

    def _handle(self, event: Event) -> None:
        if self._turns.state is State.ENDED:
            return
        for do in self._turns.handle(event):
            self._do[do]()
        self._arm()
        self._take_what_waits()

    def _take_what_waits(self) -> None:
        busy = self._pending is not None or self._tools.writing or self._on_hold
        if self._escalation.waits and self._turns.lets_go and not busy:
            self._handle(Escalated(self._now()))
        elif self._texted.waiting and self._turns.state is State.LISTENING and not self._on_hold:
            self._handle(Told(self._now()))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._turns.deadline is not None and not (self._on_hold and self._turns.state is State.LISTENING):
            delay = max(0.0, self._turns.deadline - self._now())
            # As a task, so that what a plug-in raises then ends the conversation instead of a timer.
            self._timer = asyncio.get_running_loop().call_later(delay, lambda: self._spawn(self._on_deadline(), "tick"))

    async def _on_deadline(self) -> None:
        now = self._now()
        if self._turns.deadline is None or now < self._turns.deadline - 0.001:
            self._arm()
            return
        if self._turns.state is State.PAUSING and self._ear.stirring(now):
            # Taken now, the turn might be cut in two; a moment later the ear knows whether it is a voice.
            self._timer = asyncio.get_running_loop().call_later(
                _STIR_S, lambda: self._spawn(self._on_deadline(), "tick")
            )
            return
        overlapping = self._turns.state is State.OVERLAPPING
        self._handle(EchoHeard(now) if overlapping and self._sounds_like_us(now) else Tick(now))

    def _sounds_like_us(self, now: float) -> bool:
        return self._echo.likeness(now) >= self._settings.barge_in.echo_correlation

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            self._ear.lapse(self._now())

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _finish(self, outcome: Outcome) -> None:
        if not self._outcome.done():
            self._escalation.ended(outcome)
            self._outcome.set_result(outcome)

    # — hearing —

    def _on_frame(self, coded: bytes) -> None:
        if self._turns.state is State.ENDED:
            return
        now = self._now()
        pcm = self._ear.decode(coded)
        self._tracks.caller(pcm, now, hushed=self._dialogue.expectation.card)
        self._echo.caller(pcm)
        self._ear.hear(pcm, now)
        self._listen_closely(now)

    def _on_lost(self) -> None:
        self._finish(Outcome(None))

    def _on_voice_started(self, at: float) -> None:
        now, state = self._now(), self._turns.state
        self._echoed = False
        if state not in (State.PAUSING, State.WEIGHING):
            self._retaking = state in (State.THINKING, State.SPEAKING) and self._can_retake(now)
            if not self._retaking and not (state is State.THINKING and self._turns.overheard):
                self._speculations = 0
                self._ear.begin_utterance()
        if state in (State.SPEAKING, State.WEIGHING) and not self._retaking:
            self._ear.listen_closely()
            self._first_words.begin(at)
        self._handle(VoiceStarted(at, now, retractable=state is State.THINKING and self._retaking))

    def _listen_closely(self, now: float) -> None:
        """What does the voice over the agent want?"""
        impression, turns, utterance = self._ear.impression, self._turns, self._ear.utterance
        if impression is None or not (
            turns.state is State.OVERLAPPING or (turns.state is State.HEARING and turns.holding)
        ):
            return
        if utterance is not None and self._first_words.wanted(now):
            self._spawn(self._read_first_words(utterance, impression), "first words")
        words, settings = self._first_words.text, self._settings.barge_in
        sensed = sense(impression.listening, words, turns.holding, self._ear.ebbing, settings)
        if sensed is Sense.TAKING and turns.state is State.OVERLAPPING and self._sounds_like_us(now):
            self._first_words.text = ""
            self._handle(EchoHeard(now))
        else:
            self._handle(Sensed(sensed, now))

    async def _read_first_words(self, utterance: Utterance, impression: Impression) -> None:
        text = await self._glance(utterance)
        if impression is self._ear.impression:
            self._first_words.text = text
            self._listen_closely(self._now())

    def _on_voice_stopped(self, at: float) -> None:
        self._paused_at = self._now()
        self._echoed = self._sounds_like_us(self._paused_at)
        self._handle(VoiceStopped(at, self._paused_at))

    def _on_dip(self) -> None:
        """A quick text now is a head start for the final one, should this dip become a pause."""
        utterance = self._ear.utterance
        if utterance and not self._parts.busy and (self._glancing is None or self._glancing.done()):
            self._glancing = self._spawn(self._glance(utterance), "interim")

    async def _glance(self, utterance: Utterance) -> str:
        try:
            text = (await utterance.stream.interim()).text
        except SpeechError as error:
            self._log.warning("no interim text", error=str(error))
            return ""
        await self._escalation.look(text, utterance.seconds)
        return text

    def _can_retake(self, now: float) -> bool:
        """A turn was taken that the caller may not have finished, and nothing has come of it that cannot be taken back."""
        if self._ear.utterance is None:
            return False
        taken = self._taken
        if taken is None or taken.over or taken.writes != self._tools.writes:
            return self._pending is not None
        return taken.answered_at is None or now - taken.answered_at <= self._settings.retake_ms / 1000

    # — speculating —

    def _speculate(self) -> None:
        utterance = self._ear.utterance
        if utterance is None:
            utterance = self._ear.begin_utterance()
        if self._aside is not None:
            utterance.before = self._aside
        dialogue = self._dialogue
        if self._retaking and self._taken is not None:
            if self._rewound is None:
                self._rewound = self._reasoner.open(self._context, self._taken.before)
            dialogue = self._rewound
        self._speculations += 1
        self._speculation = Speculation(
            self._turns.speculation,
            f"t{self._ledger.turns + 1}",
            utterance,
            dialogue,
            self._dialogue_lock,
            self._mouth,
            self._parts,
            self._verdict,
        )
        self._drafting = self._spawn(self._judge_and_draft(self._speculation), "speculation")
        self._spawn(self._escalation.ahead(), "mood")

    async def _judge_and_draft(self, speculation: Speculation) -> Draft | None:
        async with asyncio.timeout(self._settings.longest_draft_s):
            judged = await speculation.judge()
        if judged.verdict is Verdict.NOTHING or (judged.verdict is Verdict.BACKCHANNEL and self._turns.over_agent):
            self._handle(Understood(speculation.number, judged.verdict, 0.0, self._now()))
            return None
        if speculation.transcript is not None:
            self._spawn(self._escalation.foresee(speculation.transcript.text), "mood")
        drafting = self._spawn(speculation.draft(), "draft")
        self._handle(Understood(speculation.number, judged.verdict, self._patient(judged.wait_s), self._now()))
        try:
            async with asyncio.timeout(self._settings.longest_draft_s):
                draft: Draft = await drafting
        finally:
            drafting.cancel()
        return draft

    def _patient(self, wait_s: float) -> float:
        """The wait, a little longer when it is over already and the caller may just be going on."""
        now, end = self._now(), self._turns.speech_end
        return max(wait_s, now - end + _STIR_S) if end is not None and self._ear.stirring(now) else wait_s

    def _verdict(self, text: str) -> Verdict:
        if self._echoed:
            return Verdict.NOTHING
        if self._retaking:
            text = remainder(text, self._taken.text if self._taken is not None else self._pending or "")
        playout = self._mouth.playout
        return verdict(text, self._turns.over_agent, self._dialogue.expectation, playout.waiting_s)

    def _drop_speculation(self) -> None:
        if self._drafting is not None:
            self._drafting.cancel()
            self._drafting = None
        if self._speculation is not None:
            self._speculation.drop()
            self._speculation = None

    def _forget(self) -> None:
        self._drop_speculation()
        self._escalation.forget()
        if not self._retaking:
            self._ear.drop_utterance()
        self._retaking, self._rewound = False, None

    # — answering —

    def _commit(self) -> None:
        if self._retaking and self._taken is not None and self._taken.writes != self._tools.writes:
            # The answer has written something since the caller went on: it stands, and this is a turn of its own.
            self._drop_speculation()
            self._retaking, self._rewound = False, None
            self._speculate()
        speculation, drafting = self._speculation, self._drafting
        self._speculation = self._drafting = None
        if speculation is None or drafting is None:
            return
        if self._retaking and self._taken is not None:
            self._undraw()
            self._ledger.retaken()
            self._dialogue = speculation.dialogue
        self._retaking, self._rewound = False, None
        times = TurnTimes(
            speech_start=self._turns.speech_start,
            speech_end=self._turns.speech_end,
            speculated=self._paused_at,
            committed=self._now(),
        )
        self._ear.forget_past()
        self._taken = None
        self._answer = None
        self._aside = None
        self._pending = speculation.transcript.text if speculation.transcript else ""
        self._answering = self._spawn(self._answer_turn(speculation, drafting, times), "answer")

    async def _answer_turn(
        self, speculation: Speculation, drafting: asyncio.Task[Draft | None], times: TurnTimes
    ) -> None:
        try:
            draft = await drafting
            await self._floor.wait()
        except asyncio.CancelledError:
            speculation.drop()
            raise
        finally:
            drafting.cancel()
        self._pending = None
        if draft is None:
            self._reply_ended()
            return
        times = replace(times, recognized=speculation.recognized_at, drafted=speculation.drafted_at)
        await self._take(draft, speculation.speech, times, self._speculations)

    def _commit_keys(self) -> None:
        keys, self._keys = self._keys, ""
        self._taken, self._pending = None, None
        self._answer = None
        turn = CallerTurn(f"t{self._ledger.turns + 1}", "", keys=keys)
        self._answering = self._spawn(self._answer_at_once(turn), "answer")

    def _set_aside(self) -> None:
        utterance = self._ear.take_utterance()
        if utterance is not None:
            self._aside = self._spawn(overheard(utterance, self._aside), "aside")
            self._aside.add_done_callback(lambda _: utterance.close())

    def _commit_aside(self) -> None:
        self._taken, self._pending = None, None
        self._answer = None
        aside, self._aside = self._aside, None
        self._answering = self._spawn(self._answer_aside(aside), "answer")

    async def _answer_aside(self, aside: asyncio.Task[str] | None) -> None:
        text = await known(aside)
        if text:
            await self._answer_at_once(CallerTurn(f"t{self._ledger.turns + 1}", text))
        else:
            self._reply_ended()

    def _commit_text(self) -> None:
        self._taken, self._pending, self._answer = None, None, None
        text, channel = self._texted.take()
        self._spawn(self._cover(self._settings.texted), "acknowledgement")
        turn = CallerTurn(f"t{self._ledger.turns + 1}", text)
        self._answering = self._spawn(self._answer_at_once(turn, channel), "answer")

    async def _answer_at_once(self, turn: CallerTurn, channel: str = "") -> None:
        async with self._dialogue_lock, asyncio.timeout(self._settings.longest_draft_s):
            draft = await self._dialogue.draft(turn)
        if channel:
            self._texted.taken(turn.id)
        await self._take(draft, None, TurnTimes(committed=self._now()), 0, channel)

    async def _take(
        self, draft: Draft, speech: Speech | None, times: TurnTimes, speculations: int, channel: str = ""
    ) -> None:
        """Make the draft real and say what comes of it. `channel`: of a text, which nobody can take back by speaking on."""
        draft = replace(draft, turn=replace(draft.turn, final=True))
        self._ledger.took(draft, times, speculations, channel)
        self._log.info(
            "caller", turn=draft.turn.id, text=draft.text_to_keep, keys=draft.keys_to_keep, intent=draft.intent
        )
        if draft.turn.text and not channel:
            self._taken = Taken(draft.turn.text, self._dialogue.snapshot(), self._tools.writes)
        self._spawn(self._feel(draft), "mood")
        if await self._escalation.due(draft, self._dialogue.topic()):
            if speech is not None:
                speech.drop()
            self._take_what_waits()
            return
        await self._deliver(Answer(self._dialogue.commit(draft), speech))

    async def _feel(self, draft: Draft) -> None:
        """Score a turn that was taken; its answer may be running when that shows that a person is needed."""
        mood = await self._escalation.turn(draft.turn.text, self._now())
        if mood is not None:
            self._ledger.felt(draft.turn.id, mood)
            if await self._escalation.weigh(draft, mood, self._dialogue.topic()):
                self._take_what_waits()

    def _hand_over(self) -> None:
        self._ledger.escalated(self._escalation.destination)
        self._answering = self._escalation.last_words = self._spawn(self._say_last_words(), "last words")

    async def _say_last_words(self) -> None:
        await self._deliver(Answer(self._escalation.replies(), None))
        self._escalation.last_words = None
        self._take_what_waits()

    def _start_answer(self, answer: Answer) -> None:
        self._taken, self._pending = None, None
        self._answering = self._spawn(self._deliver(answer), "answer")

    def _prompt(self) -> None:
        self._start_answer(Answer(self._silence_prompt(self._turns.silences), None))

    def _acknowledge(self) -> None:
        phrases = self._settings.acknowledgements
        text = phrases[self._ledger.turns % len(phrases)]
        if not self._mouth_lock.locked():
            self._spawn(self._cover(text), "acknowledgement")

    async def _cover(self, text: str) -> None:
        """Say `text` unless the answer's own first words are being made."""
        async with self._mouth_lock:
            if self._turns.state is State.THINKING:
                self._log.info("agent covers a slow answer", text=text)
                await self._mouth.say(
                    self._mouth.prepare(text), lambda: self._handle(ReplyStarted(interruptible=True, now=self._now()))
                )

    async def _opening(self, again: str | None) -> AsyncIterator[Reply]:
        yield await self._dialogue.open() if again is None else Reply(again, self._dialogue.expectation)

    async def _silence_prompt(self, times: int) -> AsyncIterator[Reply]:
        yield await self._dialogue.silence(times)

    async def _deliver(self, answer: Answer) -> None:
        """Draw the answer's replies and say them one after the other."""
        answer.writes_before = self._tools.writes
        self._answer = answer
        self._drawing = drawing = self._spawn(self._draw(answer), "commit")
        self._commits[drawing] = answer.writes_before
        drawing.add_done_callback(self._commits.pop)
        # Who is handed over hears no more results: whoever takes the call sees them.
        while self._unsaid and not self._escalation.handing and await self._say(self._unsaid[0], answer):
            self._unsaid.pop(0)
        async for reply in answer.replies():
            if not await self._say(reply, answer) and self._tools.writes != answer.writes_before:
                self._unsaid.append(reply)
        answer.drop_first()
        await asyncio.wait({drawing})
        async with self._mouth_lock:
            await self._floor.wait()
        if not answer.abandoned:
            if self._taken is not None:
                self._taken.over = True
            self._ledger.close()
            self._reply_ended()

    def _reply_ended(self) -> None:
        self._handle(ReplyEnded(self._now()))
        self._take_keys_pressed_ahead((State.LISTENING, State.HEARING))

    def _take_keys_pressed_ahead(self, when: tuple[State, ...]) -> None:
        if self._keys and self._turns.state in when:
            self._handle(Keyed(keys_complete(self._keys, self._dialogue.expectation), self._now()))

    async def _draw(self, answer: Answer) -> None:
        async with self._dialogue_lock:
            await answer.draw(self._settings.longest_draft_s)
            self._save(self._dialogue.snapshot(), self._dialogue.topic())
        self._take_what_waits()

    async def _say(self, reply: Reply, answer: Answer) -> bool:
        """Say one reply and carry out its ending. False: the caller has taken the turn before it was begun."""
        async with self._mouth_lock:
            await self._floor.wait()
            if answer.abandoned:
                return False
            if reply.text:
                self._log.info("agent", text=reply.to_keep)
                await self._speak(reply, answer)
            if reply.ending is not None:
                self._finish(Outcome(reply.ending, reply.destination))
            return True

    async def _speak(self, reply: Reply, answer: Answer) -> None:
        speech = answer.take_first(reply.text) or self._mouth.prepare(reply.text)
        self._saying = answer
        self._kept = reply.kept
        try:
            whole = await self._mouth.say(speech, lambda: self._on_first_frame(reply))
        finally:
            self._saying = None
        if whole:
            everything = not any(clause.failed for clause in speech.clauses)
            self._dialogue.heard(reply.text if everything else speech.spoken, everything)
            self._ledger.heard(reply.kept or (reply.text if everything else speech.spoken))

    def _on_first_frame(self, reply: Reply) -> None:
        now = self._now()
        if self._taken is not None and self._taken.answered_at is None:
            self._taken.answered_at = now
        self._ledger.said(reply.to_keep, now)
        self._handle(ReplyStarted(reply.interruptible and reply.ending is None, now))
        self._take_keys_pressed_ahead((State.SPEAKING, State.OVERLAPPING))

    # — both at once —

    def _yield(self) -> None:
        self._yielded_at = self._now()
        self._floor.clear()
        self._mouth.pause()

    def _resume(self) -> None:
        self._yielded_at = None
        self._floor.set()
        self._mouth.resume(self._settings.barge_in.again_ms / 1000)

    def _abandon(self) -> None:
        heard = self._mouth.stop()
        self._escalation.cut(heard)
        if self._answer is not None:
            self._answer.abandoned = True
        if self._pending is not None and self._answering is not None:
            self._answering.cancel()
        self._pending = None
        if self._saying is not None:
            self._dialogue.heard(heard, False)
            self._ledger.heard(self._kept or heard, self._yielded_at or self._now())
        self._yielded_at = None
        self._floor.set()

    def _retract(self) -> None:
        """The caller goes on and nothing was said yet: undo the commit and listen on."""
        self._mouth.stop()
        if self._answering is not None:
            self._answering.cancel()
        if self._answer is not None:
            self._answer.abandoned = True
            self._answer.drop_first()
        if self._taken is not None:
            self._undraw()
            self._ledger.retaken()
            self._dialogue = self._reasoner.open(self._context, self._taken.before)
            self._save(self._taken.before, self._dialogue.topic())
        self._taken, self._pending = None, None
        self._retaking, self._rewound = False, None

    def _undraw(self) -> None:
        """Stop the newest commit, which has written nothing yet: it must not write any more."""
        if self._drawing is not None:
            self._drawing.cancel()
