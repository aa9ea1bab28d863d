"""The world around the machine of turn-taking: what may happen next, and what must hold whatever happens.

`Walk` is one way through it; `explore` takes them all.
"""

from __future__ import annotations

import copy

from ccaas.conversation.settings import ConversationSettings
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

DECISIONS = 2 * 2 * 2 * 3 * 3 * 2 * 3
"""As many numbers settle the details of the next events in every way."""


class Walk:
    """A machine, and as much of the rest of a conversation as decides what it may be told next."""

    def __init__(self, settings: ConversationSettings) -> None:
        self.turns = Turns(settings)
        self.now = 0.0
        self.voiced = False
        """The caller makes a sound."""
        self.answering = True
        """An answer is on its way or being said, and nobody has taken it back."""
        self.yielded = False
        """The agent has stopped for the caller and holds the rest of its reply."""
        self.aside = False
        """Words of the caller's are kept until the answer is out."""

    def pass_time(self, seconds: float | None) -> None:
        """Let time pass; None: until the machine's deadline, if that is to come."""
        if seconds is None:
            self.now = max(self.now, self.turns.deadline or 0.0)
        else:
            self.now += seconds

    def events(self, decisions: int) -> list[Event]:
        """What may happen now but a hang-up; `decisions`, a number under `DECISIONS`, settles the events' details."""
        now, turns = self.now, self.turns

        def one_of(outcomes: int) -> int:
            nonlocal decisions
            decisions, outcome = divmod(decisions, outcomes)
            return outcome

        retractable = bool(one_of(2)) and turns.state is State.THINKING and self.answering
        voice = VoiceStopped(now - 0.06, now) if self.voiced else VoiceStarted(now - 0.06, now, retractable)
        events: list[Event] = [voice, Keyed(bool(one_of(2)), now)]
        if turns.speculation:
            which, verdict, wait_s = turns.speculation - one_of(2), list(Verdict)[one_of(3)], one_of(3) * 0.3
            events.append(Understood(which, verdict, wait_s, now))
        if turns.state is State.LISTENING:
            events.append(Told(now))
        if turns.lets_go:
            events.append(Escalated(now))
        if self.answering and not self.yielded:
            events += [ReplyStarted(bool(one_of(2)), now), ReplyEnded(now)]
        if turns.deadline is not None and now >= turns.deadline:
            events.append(Tick(now))
            if turns.state is State.OVERLAPPING:
                events.append(EchoHeard(now))
        if turns.state in (State.OVERLAPPING, State.HEARING):
            events.append(Sensed(list(Sense)[one_of(3)], now))
        return events

    def take(self, event: Event) -> tuple[Do, ...]:
        """Tell the machine, and carry out what it wants. Raises AssertionError when it breaks a promise."""
        done = self.turns.handle(event)
        self.voiced = {VoiceStarted: True, VoiceStopped: False}.get(type(event), self.voiced)
        if isinstance(event, ReplyEnded):
            self.answering = False
        for do in done:
            self._carry_out(do)
        self._check()
        return done

    def _carry_out(self, do: Do) -> None:
        match do:
            case Do.ABANDON | Do.RETRACT:
                assert self.answering, f"{do} without an answer"
                self.answering = self.yielded = False
            case Do.COMMIT | Do.COMMIT_KEYS | Do.COMMIT_TEXT | Do.COMMIT_ASIDE | Do.PROMPT:
                assert not self.answering, f"{do} while another answer is on its way"
                assert self.aside or do is not Do.COMMIT_ASIDE, "nothing was set aside"
                self.answering = True
                self.aside = self.aside and do not in (Do.COMMIT, Do.COMMIT_ASIDE)
            case Do.HAND_OVER:
                assert not self.answering, f"{do} while another answer is on its way"
                self.answering, self.aside = True, False
            case Do.SET_ASIDE:
                assert self.answering, "nothing is answered that words could wait for"
                self.aside = True
            case Do.YIELD:
                assert self.answering, "nothing is said that could be stopped"
                self.yielded = True
            case Do.RESUME:
                assert self.yielded, "nothing was stopped that could go on"
                self.yielded = False
            case Do.DUCK | Do.UNDUCK | Do.ACKNOWLEDGE:
                assert self.answering, f"{do} without an answer"
                assert not self.yielded, f"{do} of an agent who has stopped"

    def _check(self) -> None:
        turns, state = self.turns, self.turns.state
        assert turns.holding is self.yielded, "a reply is kept exactly while the agent has yielded"
        if self.aside:
            assert state is not State.LISTENING, "what was set aside is waited for in vain"
        if turns.holding:
            assert state in (State.HEARING, State.PAUSING), f"{state} while a reply is kept"
        if state in (State.LISTENING, State.HEARING, State.KEYING):
            assert turns.deadline is not None, f"nothing would end {state}"
        if state in (State.SPEAKING, State.OVERLAPPING, State.WEIGHING, State.THINKING):
            assert self.answering, f"nothing would end {state}"
        if state in (State.HEARING, State.OVERLAPPING):
            assert self.voiced, f"nothing would end {state}"
        if state in (State.LISTENING, State.SPEAKING, State.WEIGHING, State.PAUSING):
            assert not self.voiced, f"a caller speaks, and it is {state}"


def explore(settings: ConversationSettings) -> dict[tuple[State, type[Event]], set[State]]:
    """Every row that a conversation can meet, and the states that it may lead to."""
    seen: set[object] = set()
    rows: dict[tuple[State, type[Event]], set[State]] = {}
    waiting = [Walk(settings)]
    while waiting:
        walk = waiting.pop()
        if (known := _position(walk)) in seen:
            continue
        seen.add(known)
        for seconds in (0.02, None):
            walk.pass_time(seconds)
            possible = dict.fromkeys(event for number in range(DECISIONS) for event in walk.events(number))
            rows.setdefault((walk.turns.state, Hangup), {State.ENDED})
            for event in possible:
                following = copy.copy(walk)
                following.turns = copy.copy(walk.turns)
                following.take(event)
                rows.setdefault((walk.turns.state, type(event)), set()).add(following.turns.state)
                waiting.append(following)
    return rows


def _position(walk: Walk) -> object:
    """What of a walk decides how it may go on: not the times, but which of them are set."""
    indifferent = ("_settings", "state", "silences", "speech_start", "speech_end")
    flags = tuple(bool(value) for name, value in sorted(vars(walk.turns).items()) if name not in indifferent)
    return walk.turns.state, flags, walk.voiced, walk.answering, walk.aside
