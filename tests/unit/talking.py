"""A conversation with nobody real in it, in virtual time: a caller who speaks tones, a dialogue that follows a script.

async with Talk({"Book a flight.": Script("Where to?")}, folder) as talk:
    await talk.agent_says("How can I help?")
    await talk.say("Book a flight.")
    await talk.agent_says("Where to?")
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ccaas.conversation.answer import Outcome
from ccaas.conversation.conversation import Conversation
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.events import TurnRecord
from ccaas.conversation.parts import Load, Parts
from ccaas.conversation.phrases import Phrases
from ccaas.conversation.settings import ConversationSettings
from ccaas.errors import SpeechError
from ccaas.media.codec import coder, silence
from ccaas.media.tracks import Tracks
from ccaas.ports.journey import Assurance, Json
from ccaas.ports.media import Codec, Pcm
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Draft, Expectation, Reply, Topic
from ccaas.ports.speech import Transcript
from ccaas.ports.tools import Toolbox
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.media import FakeMediaStream
from ccaas.testing.fakes.speech import (
    FakeImpressions,
    FakeRecognizer,
    FakeRecognizerStream,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    heard,
    spoken,
)

GREETING = "How can I help?"


def barge_in(**changes: Any) -> dict[str, Any]:
    """The pinned section of that name: nobody looks at words before they are said to the end."""
    settings: dict[str, Any] = {
        "yield_ms": 160,
        "speak_on_at": 0.8,
        "resume_at": 0.8,
        "yield_below": 0.0,
        "first_words_ms": 0,
        "longest_listening_ms": 700,
        "again_ms": 400,
        "duck_db": -12.0,
        "echo_correlation": 0.55,
    }
    return settings | changes


def pinned(**changes: Any) -> ConversationSettings:
    """Settings that no tuning of the defaults changes: the tests' own times are built on them."""
    settings: dict[str, Any] = {
        "speech_threshold": 0.5,
        "silence_threshold": 0.35,
        "onset_ms": 64,
        "pause_ms": 64,
        "finished_threshold": 0.5,
        "budgets": {"open": {"complete_ms": 180, "likely_ms": 180, "unsure_ms": 800, "incomplete_ms": 1_800}},
        "barge_in": barge_in(),
        "acknowledge_ms": 900,
        "acknowledgements": ("One moment.", "Let me see."),
        "retake_ms": 900,
        "longest_draft_s": 15.0,
        "silence_s": 6.0,
        "longest_turn_s": 40.0,
        "key_gap_ms": 2_500,
        "longest_call_s": 3_600.0,
        "returned": "Sorry, I lost you for a moment.",
        "unanswered": "I'm sorry, nobody is free. How else can I help?",
    }
    return ConversationSettings.model_validate(settings | changes)


@dataclass(frozen=True)
class Wait:
    """The commit takes this long here (s)."""

    seconds: float


@dataclass(frozen=True)
class Write:
    """The commit runs a tool that writes here."""

    tool: str


Step = str | Reply | Wait | Write | Exception


class Script:
    """What the dialogue does with one turn: the steps of its commit, in order."""

    def __init__(
        self, *steps: Step, draft_s: float = 0.0, fails: Exception | None = None, private: bool = False
    ) -> None:
        """`draft_s`: how long drafting takes; `fails`: what drafting raises; `private`: it answers a check."""
        self.steps = [Reply(step) if isinstance(step, str) else step for step in steps]
        self.draft_s = draft_s
        self.fails = fails
        self.private = private

    @property
    def known(self) -> Reply | None:
        """The first reply, when nothing comes before it."""
        return self.steps[0] if self.steps and isinstance(self.steps[0], Reply) else None


class ScriptedDialogue:
    def __init__(self, reasoner: ScriptedReasoner, tools: Toolbox, turns: list[str]) -> None:
        self._reasoner = reasoner
        self._tools = tools
        self.turns = turns
        self._expect = Expectation()

    @property
    def expectation(self) -> Expectation:
        return self._reasoner.expect or self._expect

    async def open(self) -> Reply:
        await asyncio.sleep(self._reasoner.open_s)
        return Reply(GREETING)

    async def draft(self, turn: CallerTurn) -> Draft:
        self._reasoner.drafts.append(turn)
        script = self._reasoner.script(turn)
        await asyncio.sleep(script.draft_s)
        if script.fails is not None:
            raise script.fails
        return Draft(turn, script.known, plan=script, private=script.private)

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        assert isinstance(draft.plan, Script)
        said = draft.turn.text or draft.turn.keys
        self._reasoner.commits.append(draft.turn)
        self.turns.append(said)
        for step in draft.plan.steps:
            match step:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Write(tool):
                    await self._tools.write(tool, {}, draft.turn.id, "")
                case Exception():
                    raise step
                case Reply():
                    self._expect = step.expect
                    yield step

    async def silence(self, times: int) -> Reply:
        self._reasoner.silences.append(times)
        return Reply(f"Are you there {times}?")

    def heard(self, text: str, whole: bool) -> None:
        self._reasoner.heard.append((text, whole))

    def topic(self) -> Topic | None:
        return self._reasoner.topic

    @property
    def assurance(self) -> Assurance:
        return self._tools.assurance

    def snapshot(self) -> Json:
        return {"turns": list(self.turns)}


class ScriptedReasoner:
    """Answers "Okay." to what no script says; keeps all that was asked of its dialogues, in order."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self.scripts = dict(scripts)
        self.open_s = 0.0
        self.expect: Expectation | None = None
        self.topic: Topic | None = None
        self.drafts: list[CallerTurn] = []
        self.commits: list[CallerTurn] = []
        self.heard: list[tuple[str, bool]] = []
        self.silences: list[int] = []
        self.dialogues: list[ScriptedDialogue] = []
        self.contexts: list[DialogueContext] = []
        """What each of them was opened with."""

    def script(self, turn: CallerTurn) -> Script:
        return self.scripts.get(turn.text or turn.keys) or Script("Okay.")

    async def start(self) -> None: ...

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> ScriptedDialogue:
        turns = snapshot["turns"] if snapshot is not None else []
        assert isinstance(turns, list)
        self.contexts.append(context)
        dialogue = ScriptedDialogue(self, context.tools, list(turns))
        self.dialogues.append(dialogue)
        return dialogue

    def phrases(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None: ...


class Tools:
    """A toolbox whose writes take their time and are not undone by a cancellation."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.assurance = Assurance.NONE
        self.begun: list[str] = []
        self.done: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def verifies(self, name: str) -> bool:
        return False

    async def read(self, name: str, arguments: Mapping[str, object], turn_id: str) -> dict[str, Any]:
        return {}

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str, *, intent: str = ""
    ) -> dict[str, Any]:
        self.begun.append(f"{name} {turn_id}")
        task = asyncio.create_task(self._write(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task})
        return {}

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks)

    async def _write(self, name: str) -> None:
        await asyncio.sleep(self.seconds)
        self.done.append(name)


class Ears(FakeRecognizer):
    """Reads tones at 16 kHz. The end of a filter's ringing is no character. `failing` finals raise SpeechError."""

    def __init__(self) -> None:
        super().__init__(rate=16_000)
        self.failing = 0
        self.slow_s = 0.0
        self.interims = 0
        """So many quick texts were asked for."""
        self.streams: list[EarStream] = []

    def open(self) -> EarStream:
        self.streams.append(EarStream(self))
        return self.streams[-1]


class EarStream(FakeRecognizerStream):
    def __init__(self, ears: Ears) -> None:
        super().__init__(ears)
        self._ears = ears
        self.closed = False

    async def interim(self) -> Transcript:
        self._ears.interims += 1
        return await super().interim()

    async def final(self, expect: Expectation | None = None) -> Transcript:
        await asyncio.sleep(self._ears.slow_s)
        if self._ears.failing:
            self._ears.failing -= 1
            raise SpeechError("the recogniser was to fail")
        found = await super().final(expect)
        return Transcript(found.text.replace("~", "").strip(), found.final, found.confidence, found.audio_s)

    def close(self) -> None:
        super().close()
        self.closed = True


class Turning(FakeTurnDetector):
    """`failing` judgements raise SpeechError."""

    def __init__(self) -> None:
        super().__init__(rate=16_000)
        self.failing = self.asked = 0

    async def finished(self, pcm: Pcm) -> float:
        self.asked += 1
        if self.failing:
            self.failing -= 1
            raise SpeechError("the turn detector was to fail")
        return 0.95


class Voice(FakeSynthesizer):
    """A voice that may be slow, broken in a way nobody foresaw, or fail on some texts."""

    def __init__(self, fails_on: Sequence[str] = ()) -> None:
        super().__init__(fails_on=fails_on)
        self.slow_s = 0.0
        self.broken: Exception | None = None

    async def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        await asyncio.sleep(self.slow_s)
        if self.broken is not None:
            raise self.broken
        async for chunk in super().synthesize(text, voice):
            yield chunk


@dataclass
class Caller:
    """The far end of the stream: sends a frame every 20 ms, of what there is to say or of silence."""

    stream: FakeMediaStream
    muted: bool = False
    echo: float = 0.0
    """How much of what it hears comes back (0…1), 200 ms later."""
    _frames: deque[Pcm] = field(default_factory=deque)
    _returning: deque[Pcm] = field(default_factory=lambda: deque([np.zeros(160, dtype=np.int16)] * 10))

    async def live(self) -> None:
        loop, code = asyncio.get_running_loop(), coder(self.stream.codec)
        quiet = code.decode(silence(self.stream.codec))
        begun, number, played = loop.time(), 0, 0
        while True:
            number += 1
            # A little jitter, as on any line: nothing happens in the very moment in which the agent's next frame is played.
            jitter = (number * 7 % 11) * 0.0005 + 0.0003
            await asyncio.sleep(max(0.0, begun + number * 0.02 + jitter - loop.time()))
            frame = self._frames.popleft() if self._frames else quiet
            back = np.zeros(160, dtype=np.int16)
            if len(self.stream.played) > played:
                back = code.decode(self.stream.played[played][1])
                played = len(self.stream.played)
            self._returning.append(back)
            frame = (frame + self._returning.popleft() * self.echo).astype(np.int16)
            if not self.muted:
                self.stream.hear(code.encode(frame))

    def speak(self, text: str) -> float:
        """Say it from now on; how long it takes (s)."""
        pcm = spoken(text)
        for start in range(0, len(pcm), 160):
            self._frames.append(pcm[start : start + 160])
        return len(pcm) / 8_000

    def pause(self, seconds: float) -> float:
        self._frames.extend([np.zeros(160, dtype=np.int16)] * round(seconds * 50))
        return seconds

    @property
    def speaking(self) -> bool:
        return bool(self._frames)


class Talk:
    """One conversation from its first words; entering starts it, leaving ends it and looks for what it left behind."""

    def __init__(
        self,
        scripts: Mapping[str, Script],
        folder: Path,
        settings: ConversationSettings | None = None,
        fallback: FakeSynthesizer | None = None,
        snapshot: Json | None = None,
        first_words: str = "",
        codec: Codec = Codec.ULAW,
        escalation: Escalation | None = None,
        load: Load | None = None,
    ) -> None:
        self.settings = settings or pinned()
        self._load = load or Load()
        self.reasoner = ScriptedReasoner(scripts)
        self.tools = Tools()
        self.ears, self.turning, self.voice = Ears(), Turning(), Voice()
        self.records: dict[str, TurnRecord] = {}
        self.saved: list[Json] = []
        self._folder, self._fallback = folder, fallback
        self._snapshot, self._first_words, self._codec = snapshot, first_words, codec
        self._escalation = escalation
        self._complaints: list[dict[str, Any]] = []
        self._raised = False
        self._understood: dict[tuple[float, int], str] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._complaints.append(context))
        self.clock = LoopClock()
        self.stream = FakeMediaStream(self._codec)
        self.caller = Caller(self.stream)
        phrases = Phrases(self.voice, self._fallback, self._folder, "tones")
        self.impressions = FakeImpressions()
        voice, clock, load = FakeVoiceDetector(), self.clock, self._load
        parts = Parts(self.ears, voice, self.turning, phrases, self.settings, clock, self.impressions, load)
        context = DialogueContext("call", "voice", "+15550100", "1000", None, self.tools, self.clock.wall())
        self.conversation = Conversation(
            "call",
            self.stream,
            self.reasoner,
            context,
            parts,
            Tracks(None),
            self._publish,
            self._save,
            escalation=self._escalation,
        )
        self._before = asyncio.all_tasks()
        self.running = asyncio.create_task(self.conversation.run(self._snapshot, self._first_words))
        self._calling = asyncio.create_task(self.caller.live())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        left = asyncio.all_tasks() - self._before - {self._calling, self.running, *self.tools._tasks}
        await self.tools.settle()
        sent, flushed = len(self.stream.sent), self.stream.waiting
        await asyncio.sleep(0.09)
        self._calling.cancel()
        await asyncio.wait({self._calling})
        if error is not None:
            return
        if not self._calling.cancelled() and (broken := self._calling.exception()):
            raise broken
        assert not left, f"tasks were left: {left}"
        assert not self._complaints, self._complaints
        assert (len(self.stream.sent), flushed) == (sent, 0), "the agent went on after the end"
        assert all(stream.closed for stream in self.ears.streams), "a recogniser's stream was left open"
        if not self.running.cancelled() and not self._raised and (fault := self.running.exception()):
            raise fault

    def _publish(self, record: TurnRecord) -> None:
        self.records[record.turn_id] = record

    def _save(self, snapshot: Json, topic: Topic | None) -> None:
        self.saved.append(snapshot)

    async def outcome(self) -> Outcome:
        """How the conversation ended. Raises what it raised."""
        await self.until(self.running.done, "the conversation ends")
        self._raised = True
        return self.running.result()

    @property
    def now(self) -> float:
        return self.clock.now()

    # — the caller —

    async def say(self, text: str) -> float:
        """Speak, and return when the last word is out: when that was."""
        self.caller.speak(text)
        await self.until(lambda: not self.caller.speaking, f"{text!r} is said")
        return self.now

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(self.now + seconds)

    async def until(self, true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        ends = self.now + seconds
        while not true():
            if self.running.done() and not self._raised:
                self._raised = True
                self.running.result()
            assert self.now < ends, f"not within {seconds} s: {what}; the agent said {self.agent()!r}"
            await asyncio.sleep(0.01)

    # — the agent —

    def agent(self, since: float = 0.0) -> str:
        """What the caller has heard since then; no space stands where two clauses meet."""
        known = (since, len(self.stream.played))
        if known not in self._understood:
            self._understood[known] = self._understand(since)
        return self._understood[known]

    def _understand(self, since: float) -> str:
        runs: list[list[Pcm]] = []
        before = 0.0
        for at, frame in self.stream.played:
            if at >= since:
                if not runs or at - before > 0.03:
                    runs.append([])
                pcm = coder(self._codec).decode(frame)
                # Ducking must not make a difference to what is understood.
                runs[-1].append((pcm * (8_000 / max(8, int(np.abs(pcm.astype(int)).max())))).astype(np.int16))
            before = at
        return "".join(heard(np.concatenate(run)) for run in runs)

    async def agent_says(self, text: str, since: float = 0.0, seconds: float = 60.0) -> None:
        await self.until(lambda: text in self.agent(since), f"{text!r}", seconds)

    def first_sound(self, since: float) -> float:
        """When the caller first heard the agent, at or after `since`."""
        return next(at for at, frame in self.stream.played if at >= since and np.any(coder(self._codec).decode(frame)))
