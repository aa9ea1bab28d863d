"""Whose turn it is: the state machine of a conversation. Pure: event in, commands out; time comes with the events.

`TRANSITIONS` is the whole machine. An event that a state does not list raises TransitionError and changes nothing.

This module is long because the states, the events, the commands and the table are one thing and are read together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ccaas.conversation.settings import ConversationSettings
from ccaas.errors import TransitionError

_ECHO_LOOK_S = 0.1
"""An echo is compared again this often (s)."""

_LOOK_S = 0.1
"""A voice that sounds like listening is listened to again within this, or the agent yields to it (s)."""


class State(Enum):
    """Who speaks."""

    LISTENING = "listening"
    """Nobody; the caller is expected to."""
    HEARING = "hearing"
    """The caller."""
    PAUSING = "pausing"
    """Nobody; the caller may have finished, and an answer is being prepared."""
    KEYING = "keying"
    """The caller presses keys."""
    THINKING = "thinking"
    """Nobody; the turn is taken, the answer is on its way."""
    SPEAKING = "speaking"
    """The agent."""
    OVERLAPPING = "overlapping"
    """Both; the agent is ducked."""
    WEIGHING = "weighing"
    """The agent; what the caller has said over it is being judged."""
    ENDED = "ended"


class Verdict(Enum):
    """What a stretch of the caller's sound turned out to be."""

    TURN = "turn"
    """Something to answer."""
    BACKCHANNEL = "backchannel"
    """"uh-huh": I am listening, go on."""
    NOTHING = "nothing"
    """Noise, a cough, our own echo."""


class Sense(Enum):
    """What a voice over the agent seems to want, before its words are known."""

    LISTENING = "listening"
    """That the agent go on."""
    TAKING = "taking"
    """The floor."""
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The caller began to make a voice-like sound."""

    at: float
    """Monotonic seconds of its first voiced frame."""
    now: float
    retractable: bool = False
    """The answer on its way has changed nothing yet, so the turn may be taken up again."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The caller fell silent."""

    at: float
    """Monotonic seconds of the end of the last voiced frame."""
    now: float


@dataclass(frozen=True, slots=True)
class Understood:
    """The stretch up to the pause was recognised and judged."""

    speculation: int
    """Which one; an overtaken one is ignored."""
    verdict: Verdict
    wait_s: float
    """How long the caller's silence must be before the turn is taken (s)."""
    now: float


@dataclass(frozen=True, slots=True)
class Sensed:
    """The voice over the agent was listened to."""

    sense: Sense
    now: float


@dataclass(frozen=True, slots=True)
class Keyed:
    """A key was pressed."""

    complete: bool
    """The entry is whole: nothing more is awaited."""
    now: float


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The agent's first sound is on its way."""

    interruptible: bool
    now: float


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The agent has been heard to the end, or had nothing to say."""

    now: float


@dataclass(frozen=True, slots=True)
class Told:
    """The caller has sent a text, and nobody speaks."""

    now: float


@dataclass(frozen=True, slots=True)
class Escalated:
    """A person is to be brought in, and `Turns.lets_go`."""

    now: float


@dataclass(frozen=True, slots=True)
class EchoHeard:
    """What overlaps the agent is the agent's own voice coming back."""

    now: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""

    now: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """The conversation is over."""

    now: float


Event = (
    VoiceStarted
    | VoiceStopped
    | Understood
    | Sensed
    | Keyed
    | ReplyStarted
    | ReplyEnded
    | EchoHeard
    | Told
    | Escalated
    | Tick
    | Hangup
)


class Do(Enum):
    """Commands to the conversation's adapter."""

    SPECULATE = "speculate"
    """Recognise and prepare an answer; report with Understood."""
    DROP = "drop"
    """Forget the speculation: the caller goes on."""
    COMMIT = "commit"
    """The turn is taken: answer it."""
    COMMIT_KEYS = "commit_keys"
    """The key entry is taken: answer it."""
    SET_ASIDE = "set_aside"
    """The caller has said something the answer on its way does not know of: keep it until the answer is out."""
    COMMIT_ASIDE = "commit_aside"
    """What was set aside is a turn now: answer it."""
    COMMIT_TEXT = "commit_text"
    """The caller's text is taken: answer it."""
    HAND_OVER = "hand_over"
    """Say the last words, and hand the caller over."""
    PROMPT = "prompt"
    """The caller is silent: say so."""
    ACKNOWLEDGE = "acknowledge"
    """The answer is late: cover it."""
    DUCK = "duck"
    UNDUCK = "unduck"
    YIELD = "yield"
    """Stop speaking within a frame, keeping the rest."""
    RESUME = "resume"
    """Go on where the agent yielded."""
    ABANDON = "abandon"
    """Drop the rest of the reply: the caller has taken the turn."""
    FORGET = "forget"
    """What was heard was nothing: drop it."""
    RETRACT = "retract"
    """The caller goes on before the answer began: take the commit back."""


class Turns:
    """One conversation's turn-taking. It begins with the agent's first words on their way."""

    def __init__(self, settings: ConversationSettings) -> None:
        self._settings = settings
        self.state = State.THINKING
        self.deadline: float | None = None
        """When `Tick` is due (monotonic s), None when nothing is waited for."""
        self.speculation = 0
        """Number of the newest speculation."""
        self.silences = 0
        """Prompts since the caller's last words."""
        self.holding = False
        """A reply was interrupted and is kept for a false alarm."""
        self.speech_start: float | None = None
        self.speech_end: float | None = None
        self._interruptible = True
        self._voiced = False
        self._overlapped_at = 0.0
        """When the voice over the agent began."""
        self._reconsidered = False
        """The agent has already gone on once since then."""
        self._acknowledged = False
        self._owed = False
        """The answer on its way is to the caller's own words or keys."""
        self.overheard = False
        """The caller speaks, or has spoken, since the turn was taken, and none of the answer has been heard."""
        self._aside = False
        """Such words wait until the answer is out."""

    @property
    def over_agent(self) -> bool:
        """What the caller says, or has just said, was said over a reply that may go on."""
        return self.holding or self.state is State.WEIGHING

    def handle(self, event: Event) -> tuple[Do, ...]:
        """Take one event; the commands to carry out, in order. Raises TransitionError, and nothing has changed."""
        try:
            step = TRANSITIONS[self.state, type(event)]
        except KeyError:
            raise TransitionError(f"{type(event).__name__} cannot happen while {self.state.value}") from None
        return step(self, event)

    # — the caller's voice —

    def _begin_turn(self, event: VoiceStarted) -> tuple[Do, ...]:
        self._voiced = True
        self.speech_start, self.speech_end = event.at, None
        return self._hear(event.now)

    def _go_on(self, event: VoiceStarted) -> tuple[Do, ...]:
        self._voiced = True
        self._reconsidered = True
        return (Do.DROP, *self._hear(event.now))

    def _hear(self, now: float) -> tuple[Do, ...]:
        self.state = State.HEARING
        begun = self.speech_start if self.speech_start is not None else now
        self.deadline = begun + self._settings.longest_turn_s
        return ()

    def _pause(self, event: VoiceStopped) -> tuple[Do, ...]:
        self._voiced = False
        self.speech_end = event.at
        return self._prepare()

    def _prepare(self) -> tuple[Do, ...]:
        self.state = State.PAUSING
        self.deadline = None
        self.speculation += 1
        return (Do.SPECULATE,)

    def _understood(self, event: Understood) -> tuple[Do, ...]:
        if event.speculation != self.speculation:
            return ()
        if event.verdict is Verdict.TURN or (event.verdict is Verdict.BACKCHANNEL and not self.holding):
            self.deadline = (self.speech_end or event.now) + event.wait_s
            return self._commit(event) if event.now >= self.deadline else ()
        if self.holding:
            self.holding = False
            self.state, self.deadline = State.SPEAKING, None
            return (Do.FORGET, Do.RESUME)
        return (Do.FORGET, *self._listen(event.now))

    def _commit(self, event: Event) -> tuple[Do, ...]:
        abandon = (Do.ABANDON,) if self.holding else ()
        self.holding = False
        self.silences = 0
        self._aside = False  # It stands in front of these words.
        self._think(event.now)
        return (*abandon, Do.COMMIT)

    def _take_long_turn(self, event: Tick) -> tuple[Do, ...]:
        """Nobody listens for ever: what was said so far is answered."""
        self.speech_end = event.now
        self.speculation += 1
        return (Do.SPECULATE, *self._commit(event))

    # — silence and slowness —

    def _listen(self, now: float) -> tuple[Do, ...]:
        if self._aside:
            self._aside = False
            self._think(now)
            return (Do.COMMIT_ASIDE,)
        self.state = State.LISTENING
        self.deadline = now + self._settings.silence_s
        return ()

    def _prompt(self, event: Tick) -> tuple[Do, ...]:
        self.silences += 1
        self._think(event.now)
        self._owed = False
        return (Do.PROMPT,)

    def _think(self, now: float) -> None:
        self.state = State.THINKING
        self.deadline = now + self._settings.acknowledge_ms / 1000
        self._acknowledged = False
        self._owed, self.overheard = True, False

    def _acknowledge(self, event: Tick) -> tuple[Do, ...]:
        self.deadline = None
        if self._acknowledged or self._voiced:
            return ()
        self._acknowledged = True
        return (Do.ACKNOWLEDGE,)

    # — the agent's voice —

    def _speak(self, event: ReplyStarted) -> tuple[Do, ...]:
        self._interruptible = event.interruptible
        self.state, self.deadline = State.SPEAKING, None
        if not self._voiced:
            return self._set_aside()
        self.speech_start, self.speech_end = event.now, None
        return self._overlap(event.now)

    def _set_aside(self) -> tuple[Do, ...]:
        if not self.overheard:
            return ()
        self.overheard, self._aside = False, True
        return (Do.SET_ASIDE,)

    def _speak_next(self, event: ReplyStarted) -> tuple[Do, ...]:
        """Another reply of the same answer, or the answer behind an acknowledgement."""
        changed = self._interruptible is not event.interruptible
        self._interruptible = event.interruptible
        if self.state is State.SPEAKING or not changed:
            return ()
        return self._overlap(event.now) if event.interruptible else (*self._overlap(event.now), Do.UNDUCK)

    def _interrupt(self, event: VoiceStarted) -> tuple[Do, ...]:
        self._voiced = True
        self.speech_start, self.speech_end = event.at, None
        return self._overlap(event.at)

    def _overlap(self, since: float) -> tuple[Do, ...]:
        self.state = State.OVERLAPPING
        self._overlapped_at, self._reconsidered = since, False
        if not self._interruptible:
            self.deadline = None
            return ()
        self.deadline = since + self._settings.barge_in.yield_ms / 1000
        return (Do.DUCK,)

    def _sense(self, event: Sensed) -> tuple[Do, ...]:
        if not self._weighable:
            return ()
        if event.sense is Sense.TAKING:
            return self._yield(event)
        if self._reconsidered:
            return ()
        if event.sense is Sense.LISTENING:
            self.deadline = min(event.now + _LOOK_S, self._listening_until)
        elif self.deadline is not None:  # it sounded so a moment ago, and does so no longer
            patient = self._overlapped_at + self._settings.barge_in.yield_ms / 1000
            self.deadline = min(self.deadline, max(event.now, patient))
        return ()

    @property
    def _weighable(self) -> bool:
        """What is said over the agent may be a sign of listening: it hears the agent, and need not hear it to its end."""
        return self._interruptible and not self.overheard

    @property
    def _listening_until(self) -> float:
        return self._overlapped_at + self._settings.barge_in.longest_listening_ms / 1000

    def _reconsider(self, event: Sensed) -> tuple[Do, ...]:
        """The agent has yielded to what only sounds like listening after all: it goes on, once, and needs a reason to stop
        again."""
        over = event.now >= self._listening_until
        if not self.holding or event.sense is not Sense.LISTENING or over or self._reconsidered:
            return ()
        self.holding, self._reconsidered = False, True
        self.state = State.OVERLAPPING
        self.deadline = self._listening_until
        return (Do.RESUME, Do.DUCK)

    def _yield(self, event: Tick | Sensed) -> tuple[Do, ...]:
        self.holding = True
        self.overheard = False
        return (Do.YIELD, *self._hear(event.now))

    def _speak_on(self, event: EchoHeard) -> tuple[Do, ...]:
        """Look again soon: the caller may begin to speak under the echo."""
        self.deadline = event.now + _ECHO_LOOK_S
        self._overlapped_at = event.now
        return (Do.UNDUCK,)

    def _end_overlap(self, event: VoiceStopped) -> tuple[Do, ...]:
        """The agent never stopped: a blip is nothing, whatever is longer is judged while the agent speaks on."""
        self._voiced = False
        if self._weighable and event.at - self._overlapped_at >= self._settings.barge_in.yield_ms / 1000:
            self.speech_end = event.at
            self._prepare()
            self.state = State.WEIGHING
            return (Do.UNDUCK, Do.SPECULATE)
        self.state, self.deadline = State.SPEAKING, None
        return (*(self._set_aside() or (Do.FORGET,)), Do.UNDUCK)

    def _weighed(self, event: Understood) -> tuple[Do, ...]:
        if event.speculation != self.speculation:
            return ()
        if event.verdict is not Verdict.TURN or not self._interruptible:
            self.state, self.deadline = State.SPEAKING, None
            return (Do.FORGET,)
        self.holding = True
        self.state = State.PAUSING
        yielded = (Do.YIELD,)
        done = self._understood(event)
        return done or yielded

    def _speak_on_weighing(self, event: ReplyStarted) -> tuple[Do, ...]:
        self._interruptible = event.interruptible
        return ()

    def _overlap_again(self, event: VoiceStarted) -> tuple[Do, ...]:
        """The caller goes on, over the agent who goes on: the end of a word ("righ-t"), or more, which needs a reason to
        stop the agent again."""
        self._voiced = True
        begun, gone_on = self._overlapped_at, self._reconsidered
        done = self._overlap(event.at)
        if gone_on and self._weighable and event.at < begun + self._settings.barge_in.longest_listening_ms / 1000:
            self._overlapped_at, self._reconsidered = begun, True
            self.deadline = self._listening_until
        return (Do.DROP, *done)

    def _reply_ended_while_weighing(self, event: ReplyEnded) -> tuple[Do, ...]:
        self.state = State.PAUSING
        return ()

    def _voice_before_reply(self, event: VoiceStarted) -> tuple[Do, ...]:
        self._voiced = True
        if event.retractable:
            return (Do.RETRACT, *self._hear(event.now))
        if not self.overheard:
            self.speech_start = event.at
        self.speech_end = None
        self.overheard = self._owed
        return ()

    def _voice_ended_before_reply(self, event: VoiceStopped) -> tuple[Do, ...]:
        self._voiced = False
        self.speech_end = event.at
        return ()

    def _reply_ended(self, event: ReplyEnded) -> tuple[Do, ...]:
        return self._listen(event.now)

    def _reply_ended_under_caller(self, event: ReplyEnded) -> tuple[Do, ...]:
        self.overheard = False
        return self._hear(event.now)

    def _reply_was_empty(self, event: ReplyEnded) -> tuple[Do, ...]:
        overheard, self.overheard = self.overheard, False
        if self._voiced:
            return self._hear(event.now)
        return self._prepare() if overheard else self._listen(event.now)

    # — keys —

    def _key(self, event: Keyed) -> tuple[Do, ...]:
        stop: tuple[Do, ...] = ()
        if self.state in (State.SPEAKING, State.OVERLAPPING) or self.holding:
            stop = (Do.ABANDON,)
        elif self.state is State.WEIGHING:
            stop = (Do.FORGET, Do.ABANDON)
        elif self.state in (State.HEARING, State.PAUSING):
            stop = (Do.FORGET,)
        self.holding = False
        self.silences = 0
        if event.complete:
            self._think(event.now)
            return (*stop, Do.COMMIT_KEYS)
        self.state = State.KEYING
        self.deadline = event.now + self._settings.key_gap_ms / 1000
        return stop

    def _keys_done(self, event: Tick) -> tuple[Do, ...]:
        self._think(event.now)
        return (Do.COMMIT_KEYS,)

    def _take_text(self, event: Told) -> tuple[Do, ...]:
        self.silences = 0
        self._think(event.now)
        return (Do.COMMIT_TEXT,)

    # — a person is brought in —

    @property
    def lets_go(self) -> bool:
        """Whether the agent may stop for it now: the caller is heard out, and what may not be interrupted is said."""
        if self.state in (State.SPEAKING, State.OVERLAPPING, State.WEIGHING):
            return self._interruptible
        return self.state is State.LISTENING or (self.state is State.THINKING and not self._voiced)

    def _hand_over(self, event: Escalated) -> tuple[Do, ...]:
        """The answer, on its way or half said, gives way to the last words."""
        abandon = (Do.ABANDON,) if self.state is not State.LISTENING else ()
        self.state, self.deadline = State.THINKING, None
        self._owed = self.overheard = self._aside = False
        return (*abandon, Do.HAND_OVER)

    def _fall_silent(self, event: Escalated) -> tuple[Do, ...]:
        """The caller speaks: the last words wait until they have finished."""
        self.overheard = False
        return (Do.ABANDON, *self._hear(event.now))

    def _fall_silent_weighing(self, event: Escalated) -> tuple[Do, ...]:
        self.state = State.PAUSING
        return (Do.ABANDON,)

    def _note_voice(self, event: VoiceStarted) -> tuple[Do, ...]:
        self._voiced = True
        self.speech_start, self.speech_end = event.at, None
        return ()

    def _note_silence(self, event: VoiceStopped) -> tuple[Do, ...]:
        self._voiced = False
        return ()

    def _ignore(self, event: Event) -> tuple[Do, ...]:
        return ()

    def _end(self, event: Hangup) -> tuple[Do, ...]:
        self.state, self.deadline = State.ENDED, None
        return ()


Step = Callable[[Turns, Any], tuple[Do, ...]]
"""Takes the one event type of its row."""

TRANSITIONS: dict[tuple[State, type[Event]], Step] = {
    (State.LISTENING, VoiceStarted): Turns._begin_turn,
    (State.LISTENING, Understood): Turns._ignore,
    (State.LISTENING, Keyed): Turns._key,
    (State.LISTENING, Told): Turns._take_text,
    (State.LISTENING, Escalated): Turns._hand_over,
    (State.LISTENING, Tick): Turns._prompt,
    (State.LISTENING, Hangup): Turns._end,
    (State.HEARING, VoiceStopped): Turns._pause,
    (State.HEARING, Understood): Turns._ignore,
    (State.HEARING, Sensed): Turns._reconsider,
    (State.HEARING, Keyed): Turns._key,
    (State.HEARING, Tick): Turns._take_long_turn,
    (State.HEARING, Hangup): Turns._end,
    (State.PAUSING, VoiceStarted): Turns._go_on,
    (State.PAUSING, Understood): Turns._understood,
    (State.PAUSING, Keyed): Turns._key,
    (State.PAUSING, Tick): Turns._commit,
    (State.PAUSING, Hangup): Turns._end,
    (State.KEYING, VoiceStarted): Turns._note_voice,
    (State.KEYING, VoiceStopped): Turns._note_silence,
    (State.KEYING, Understood): Turns._ignore,
    (State.KEYING, Keyed): Turns._key,
    (State.KEYING, Tick): Turns._keys_done,
    (State.KEYING, Hangup): Turns._end,
    (State.THINKING, VoiceStarted): Turns._voice_before_reply,
    (State.THINKING, VoiceStopped): Turns._voice_ended_before_reply,
    (State.THINKING, Understood): Turns._ignore,
    (State.THINKING, Keyed): Turns._ignore,
    (State.THINKING, ReplyStarted): Turns._speak,
    (State.THINKING, ReplyEnded): Turns._reply_was_empty,
    (State.THINKING, Escalated): Turns._hand_over,
    (State.THINKING, Tick): Turns._acknowledge,
    (State.THINKING, Hangup): Turns._end,
    (State.SPEAKING, VoiceStarted): Turns._interrupt,
    (State.SPEAKING, Understood): Turns._ignore,
    (State.SPEAKING, Keyed): Turns._key,
    (State.SPEAKING, ReplyStarted): Turns._speak_next,
    (State.SPEAKING, ReplyEnded): Turns._reply_ended,
    (State.SPEAKING, Escalated): Turns._hand_over,
    (State.SPEAKING, Hangup): Turns._end,
    (State.OVERLAPPING, VoiceStopped): Turns._end_overlap,
    (State.OVERLAPPING, Sensed): Turns._sense,
    (State.OVERLAPPING, Understood): Turns._ignore,
    (State.OVERLAPPING, Keyed): Turns._key,
    (State.OVERLAPPING, ReplyStarted): Turns._speak_next,
    (State.OVERLAPPING, ReplyEnded): Turns._reply_ended_under_caller,
    (State.OVERLAPPING, EchoHeard): Turns._speak_on,
    (State.OVERLAPPING, Escalated): Turns._fall_silent,
    (State.OVERLAPPING, Tick): Turns._yield,
    (State.OVERLAPPING, Hangup): Turns._end,
    (State.WEIGHING, VoiceStarted): Turns._overlap_again,
    (State.WEIGHING, Understood): Turns._weighed,
    (State.WEIGHING, Keyed): Turns._key,
    (State.WEIGHING, ReplyStarted): Turns._speak_on_weighing,
    (State.WEIGHING, ReplyEnded): Turns._reply_ended_while_weighing,
    (State.WEIGHING, Escalated): Turns._fall_silent_weighing,
    (State.WEIGHING, Hangup): Turns._end,
}
