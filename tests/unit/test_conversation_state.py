"""The machine of turn-taking: every row of its table, illegal events, and walks through it as a conversation may make
them."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccaas.conversation.settings import BargeIn, ConversationSettings
from ccaas.conversation.state import (
    TRANSITIONS,
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
    Turns,
    Understood,
    Verdict,
    VoiceStarted,
    VoiceStopped,
)
from ccaas.errors import TransitionError
from ccaas.testing.turns import DECISIONS, Walk, explore

SETTINGS = ConversationSettings(
    barge_in=BargeIn(yield_ms=160, longest_listening_ms=700),
    acknowledge_ms=900,
    silence_s=6,
    longest_turn_s=40,
    key_gap_ms=2_500,
)
SAMPLES: dict[type[Event], Event] = {
    VoiceStarted: VoiceStarted(1.0, 1.1),
    VoiceStopped: VoiceStopped(2.0, 2.1),
    Understood: Understood(0, Verdict.NOTHING, 0.2, 3.0),
    Sensed: Sensed(Sense.TAKING, 3.0),
    Keyed: Keyed(complete=False, now=3.0),
    ReplyStarted: ReplyStarted(interruptible=True, now=3.0),
    ReplyEnded: ReplyEnded(3.0),
    EchoHeard: EchoHeard(3.0),
    Escalated: Escalated(3.0),
    Tick: Tick(3.0),
    Hangup: Hangup(3.0),
}


def at(turns: Turns) -> tuple[State, float | None]:
    """The state and its deadline, rounded to the millisecond."""
    return turns.state, None if turns.deadline is None else round(turns.deadline, 3)


def started(*events: Event) -> Turns:
    """A machine that was told `events` from its beginning on."""
    turns = Turns(SETTINGS)
    for event in events:
        turns.handle(event)
    return turns


GREETED = (ReplyStarted(True, 0.0), ReplyEnded(1.0))
"""The agent has greeted; the machine listens from 1.0 s on."""
SPOKEN = (*GREETED, VoiceStarted(2.0, 2.1), VoiceStopped(3.0, 3.1))
COMMITTED = (*SPOKEN, Understood(1, Verdict.TURN, 0.2, 3.15), Tick(3.2))
ANSWERED = (*COMMITTED, ReplyStarted(True, 3.3))
OVERLAPPED = (*ANSWERED, VoiceStarted(5.0, 5.07))
YIELDED = (*OVERLAPPED, Tick(5.16))
YIELDED_TO = (*YIELDED, VoiceStopped(5.5, 5.6))
LISTENED = (*OVERLAPPED, Sensed(Sense.LISTENING, 5.1))
WEIGHED = (*LISTENED, Sensed(Sense.LISTENING, 5.19), VoiceStopped(5.22, 5.28))


def test_the_agent_begins() -> None:
    turns = started()
    assert at(turns) == (State.THINKING, None)
    assert turns.handle(ReplyStarted(True, 0.4)) == ()
    assert turns.state is State.SPEAKING
    assert turns.handle(ReplyEnded(2.0)) == ()
    assert at(turns) == (State.LISTENING, 8.0)


def test_a_caller_who_speaks_before_the_greeting_meets_it() -> None:
    turns = started(VoiceStarted(0.1, 0.2))
    assert turns.state is State.THINKING
    assert turns.handle(ReplyStarted(True, 0.5)) == (Do.DUCK,)
    assert at(turns) == (State.OVERLAPPING, 0.66)


def test_a_turn_is_prepared_at_the_first_pause_and_taken_after_its_silence() -> None:
    turns = started(*GREETED)
    assert turns.handle(VoiceStarted(2.0, 2.1)) == ()
    assert (turns.state, turns.speech_start, turns.deadline) == (State.HEARING, 2.0, 42.0)
    assert turns.handle(VoiceStopped(3.0, 3.1)) == (Do.SPECULATE,)
    assert (turns.state, turns.speech_end, turns.deadline, turns.speculation) == (State.PAUSING, 3.0, None, 1)
    assert turns.handle(Understood(1, Verdict.TURN, 0.45, 3.2)) == ()
    assert turns.deadline == pytest.approx(3.45), "counted from the caller's last voiced frame"
    assert turns.handle(Tick(3.45)) == (Do.COMMIT,)
    assert at(turns) == (State.THINKING, 4.35)


def test_a_judgement_that_comes_late_takes_the_turn_at_once() -> None:
    turns = started(*SPOKEN)
    assert turns.handle(Understood(1, Verdict.TURN, 0.2, 3.4)) == (Do.COMMIT,)
    assert turns.state is State.THINKING


def test_a_sign_of_listening_to_nobody_is_a_turn() -> None:
    turns = started(*SPOKEN)
    assert turns.handle(Understood(1, Verdict.BACKCHANNEL, 0.1, 3.4)) == (Do.COMMIT,)


def test_noise_is_forgotten() -> None:
    turns = started(*SPOKEN)
    assert turns.handle(Understood(1, Verdict.NOTHING, 0.0, 3.4)) == (Do.FORGET,)
    assert at(turns) == (State.LISTENING, 9.4)


def test_a_caller_who_goes_on_drops_the_speculation() -> None:
    turns = started(*SPOKEN, Understood(1, Verdict.TURN, 0.45, 3.2))
    assert turns.handle(VoiceStarted(3.3, 3.4)) == (Do.DROP,)
    assert (turns.state, turns.speech_start, turns.deadline) == (State.HEARING, 2.0, 42.0)
    assert turns.handle(VoiceStopped(4.0, 4.1)) == (Do.SPECULATE,)
    assert turns.handle(Understood(1, Verdict.TURN, 0.0, 4.2)) == (), "the first one is overtaken"
    assert turns.state is State.PAUSING
    assert turns.handle(Understood(2, Verdict.TURN, 0.1, 4.3)) == (Do.COMMIT,)


def test_a_turn_that_never_ends_is_answered() -> None:
    turns = started(*GREETED, VoiceStarted(2.0, 2.1))
    assert turns.handle(Tick(42.0)) == (Do.SPECULATE, Do.COMMIT)
    assert turns.state is State.THINKING
    assert turns.handle(Tick(42.9)) == (), "nobody says one moment to somebody who speaks"
    assert turns.handle(ReplyStarted(True, 43.0)) == (Do.DUCK,)
    assert turns.handle(Tick(43.16)) == (Do.YIELD,)
    assert turns.deadline == pytest.approx(83.0), "a new turn began when the agent did"


def test_a_slow_answer_is_covered_once() -> None:
    turns = started(*COMMITTED)
    assert turns.deadline == pytest.approx(3.2 + 0.9)
    assert turns.handle(Tick(4.1)) == (Do.ACKNOWLEDGE,)
    assert turns.deadline is None
    assert turns.handle(ReplyStarted(True, 4.3)) == ()
    assert turns.handle(ReplyStarted(True, 6.0)) == (), "the answer itself"
    assert turns.state is State.SPEAKING


def test_a_silent_caller_is_asked_again_and_again() -> None:
    turns = started(*GREETED)
    assert turns.handle(Tick(7.0)) == (Do.PROMPT,)
    assert (turns.state, turns.silences) == (State.THINKING, 1)
    turns.handle(ReplyStarted(True, 7.1))
    turns.handle(ReplyEnded(8.0))
    assert turns.handle(Tick(14.0)) == (Do.PROMPT,)
    assert turns.silences == 2


def test_words_end_the_count_of_silences() -> None:
    turns = started(*GREETED, Tick(7.0), ReplyStarted(True, 7.1), ReplyEnded(8.0), VoiceStarted(9.0, 9.1))
    turns.handle(VoiceStopped(9.5, 9.6))
    turns.handle(Understood(1, Verdict.TURN, 0.0, 9.7))
    assert turns.silences == 0


def test_a_reply_with_nothing_to_say_is_over_at_once() -> None:
    turns = started(*COMMITTED)
    assert turns.handle(ReplyEnded(3.4)) == ()
    assert at(turns) == (State.LISTENING, 9.4)
    turns = started(*COMMITTED, VoiceStarted(3.3, 3.4))
    assert turns.handle(ReplyEnded(3.5)) == ()
    assert turns.state is State.HEARING


def test_a_barge_in_ducks_yields_and_abandons() -> None:
    turns = started(*ANSWERED)
    assert turns.handle(VoiceStarted(5.0, 5.07)) == (Do.DUCK,)
    assert at(turns) == (State.OVERLAPPING, 5.16)
    assert turns.handle(Tick(5.16)) == (Do.YIELD,)
    assert (turns.state, turns.holding) == (State.HEARING, True)
    assert turns.handle(VoiceStopped(6.0, 6.1)) == (Do.SPECULATE,)
    assert turns.handle(Understood(2, Verdict.TURN, 0.1, 6.2)) == (Do.ABANDON, Do.COMMIT)
    assert (turns.state, turns.holding) == (State.THINKING, False)


@pytest.mark.parametrize("verdict", [Verdict.BACKCHANNEL, Verdict.NOTHING])
def test_a_false_alarm_resumes(verdict: Verdict) -> None:
    turns = started(*YIELDED_TO)
    assert turns.handle(Understood(2, verdict, 0.0, 5.7)) == (Do.FORGET, Do.RESUME)
    assert (turns.state, turns.holding, turns.deadline) == (State.SPEAKING, False, None)
    assert turns.handle(ReplyEnded(8.0)) == ()


def test_a_sound_shorter_than_the_yield_changes_nothing() -> None:
    turns = started(*OVERLAPPED)
    assert turns.handle(VoiceStopped(5.1, 5.15)) == (Do.FORGET, Do.UNDUCK)
    assert at(turns) == (State.SPEAKING, None)


def test_the_agent_speaks_on_while_it_is_only_listened_to() -> None:
    turns = started(*OVERLAPPED)
    assert turns.handle(Sensed(Sense.UNSURE, 5.08)) == ()
    assert at(turns) == (State.OVERLAPPING, 5.16)
    assert turns.handle(Sensed(Sense.LISTENING, 5.1)) == ()
    assert at(turns) == (State.OVERLAPPING, 5.2)
    assert turns.handle(Sensed(Sense.UNSURE, 5.12)) == ()
    assert at(turns) == (State.OVERLAPPING, 5.16)
    assert turns.handle(Sensed(Sense.LISTENING, 5.65)) == ()
    assert at(turns) == (State.OVERLAPPING, 5.7), "whoever makes a sound for longer wants something"
    assert turns.handle(Tick(5.7)) == (Do.YIELD,)
    assert turns.handle(Sensed(Sense.LISTENING, 5.72)) == ()
    assert (turns.state, turns.holding) == (State.HEARING, True)


def test_a_voice_that_wants_the_floor_need_not_wait_for_it() -> None:
    turns = started(*OVERLAPPED)
    assert turns.handle(Sensed(Sense.TAKING, 5.08)) == (Do.YIELD,)
    assert (turns.state, turns.holding) == (State.HEARING, True)


def test_a_voice_that_sounds_like_listening_no_longer_is_yielded_to_at_once() -> None:
    turns = started(*OVERLAPPED)
    turns.handle(Sensed(Sense.LISTENING, 5.1))
    assert turns.deadline == pytest.approx(5.2)
    turns.handle(Sensed(Sense.UNSURE, 5.12))
    assert turns.deadline == pytest.approx(5.16), "no sooner than an agent yields who was unsure all the time"
    turns.handle(Sensed(Sense.LISTENING, 5.14))
    turns.handle(Sensed(Sense.UNSURE, 5.18))
    assert turns.deadline == pytest.approx(5.18)


def test_an_agent_who_has_yielded_to_a_sign_of_listening_goes_on_once() -> None:
    turns = started(*YIELDED)
    assert turns.handle(Sensed(Sense.UNSURE, 5.2)) == ()
    assert turns.handle(Sensed(Sense.LISTENING, 5.25)) == (Do.RESUME, Do.DUCK)
    assert at(turns) == (State.OVERLAPPING, 5.7)
    assert not turns.holding
    again = copy.deepcopy(turns)
    assert turns.handle(Sensed(Sense.TAKING, 5.3)) == (Do.YIELD,)
    assert turns.handle(Sensed(Sense.LISTENING, 5.32)) == (), "it does not stammer"
    assert again.handle(VoiceStopped(5.3, 5.33)) == (Do.UNDUCK, Do.SPECULATE)
    assert again.handle(Understood(2, Verdict.BACKCHANNEL, 0.0, 5.5)) == (Do.FORGET,)
    assert at(again) == (State.SPEAKING, None)


def test_nobody_goes_on_who_was_not_interrupted() -> None:
    turns = started(*GREETED, VoiceStarted(2.0, 2.1))
    assert turns.handle(Sensed(Sense.LISTENING, 2.2)) == ()
    assert turns.state is State.HEARING
    turns = started(*YIELDED_TO, VoiceStarted(5.7, 5.75))
    assert turns.handle(Sensed(Sense.LISTENING, 5.8)) == (), "nor over somebody who has paused and speaks again"
    assert (turns.state, turns.holding) == (State.HEARING, True)


def test_what_was_said_over_an_agent_who_speaks_on_is_judged_all_the_same() -> None:
    turns = started(*LISTENED)
    turns.handle(Sensed(Sense.LISTENING, 5.19))
    assert turns.handle(VoiceStopped(5.22, 5.28)) == (Do.UNDUCK, Do.SPECULATE)
    assert (turns.state, turns.deadline, turns.speech_end, turns.over_agent) == (State.WEIGHING, None, 5.22, True)
    late = copy.deepcopy(turns)
    assert turns.handle(Understood(1, Verdict.TURN, 0.4, 5.3)) == (), "it is about something else"
    assert turns.handle(Understood(2, Verdict.TURN, 0.4, 5.4)) == (Do.YIELD,)
    assert (turns.state, turns.holding) == (State.PAUSING, True)
    assert turns.deadline == pytest.approx(5.62)
    assert turns.handle(Tick(5.62)) == (Do.ABANDON, Do.COMMIT)
    assert late.handle(Understood(2, Verdict.TURN, 0.1, 5.4)) == (Do.ABANDON, Do.COMMIT)
    assert late.state is State.THINKING


@pytest.mark.parametrize("verdict", [Verdict.BACKCHANNEL, Verdict.NOTHING])
def test_an_agent_who_speaks_on_has_nothing_to_resume(verdict: Verdict) -> None:
    turns = started(*WEIGHED)
    assert turns.handle(Understood(2, verdict, 0.0, 5.4)) == (Do.FORGET,)
    assert at(turns) == (State.SPEAKING, None)


def test_a_caller_may_go_on_while_the_first_words_are_judged() -> None:
    turns = started(*WEIGHED)
    assert turns.handle(VoiceStarted(5.3, 5.37)) == (Do.DROP, Do.DUCK)
    assert at(turns) == (State.OVERLAPPING, 5.46)
    assert turns.speech_start == 5.0, "it is one stretch"
    assert turns.handle(Tick(5.46)) == (Do.YIELD,)


def test_the_rest_of_a_word_does_not_stop_an_agent_who_has_just_gone_on() -> None:
    turns = started(*YIELDED, Sensed(Sense.LISTENING, 5.25), VoiceStopped(5.3, 5.33))
    later = copy.deepcopy(turns)
    assert turns.handle(VoiceStarted(5.38, 5.44)) == (Do.DROP, Do.DUCK)
    assert at(turns) == (State.OVERLAPPING, 5.7)
    assert turns.handle(Sensed(Sense.TAKING, 5.6)) == (Do.YIELD,), "the words may"
    later.handle(VoiceStarted(5.75, 5.8))
    assert later.deadline == pytest.approx(5.91), "whoever speaks long after it began wants the floor"


def test_a_reply_may_end_while_words_over_it_are_judged() -> None:
    turns = started(*WEIGHED)
    assert turns.handle(ReplyEnded(5.3)) == ()
    assert at(turns) == (State.PAUSING, None)
    assert turns.handle(Understood(2, Verdict.TURN, 0.0, 5.4)) == (Do.COMMIT,)


def test_a_notice_that_begins_while_words_are_judged_is_heard() -> None:
    turns = started(*WEIGHED)
    assert turns.handle(ReplyStarted(False, 5.3)) == ()
    assert turns.handle(Understood(2, Verdict.TURN, 0.0, 5.4)) == (Do.FORGET,)
    assert turns.state is State.SPEAKING


def test_nobody_listens_closely_under_a_notice() -> None:
    turns = started(*COMMITTED, ReplyStarted(False, 3.3), VoiceStarted(4.0, 4.1))
    assert turns.handle(Sensed(Sense.TAKING, 4.2)) == ()
    assert turns.handle(VoiceStopped(4.9, 5.0)) == (Do.FORGET, Do.UNDUCK)
    assert turns.state is State.SPEAKING


def test_an_echo_may_last() -> None:
    turns = started(*OVERLAPPED, EchoHeard(5.16))
    assert turns.handle(Sensed(Sense.LISTENING, 5.8)) == ()
    assert turns.deadline == pytest.approx(5.86), "what comes after it may be a sign of listening"


def test_nobody_talks_over_a_notice_that_must_be_heard() -> None:
    turns = started(*COMMITTED, ReplyStarted(False, 3.3))
    assert turns.handle(VoiceStarted(4.0, 4.1)) == ()
    assert at(turns) == (State.OVERLAPPING, None)
    assert turns.handle(ReplyEnded(6.0)) == ()
    assert (turns.state, turns.speech_start) == (State.HEARING, 4.0)


def test_each_reply_of_an_answer_says_whether_it_may_be_talked_over() -> None:
    turns = started(*ANSWERED)
    assert turns.handle(ReplyStarted(False, 5.0)) == ()
    assert turns.handle(VoiceStarted(5.1, 5.2)) == ()
    assert turns.deadline is None
    assert turns.handle(ReplyStarted(True, 6.0)) == (Do.DUCK,)
    assert turns.deadline == pytest.approx(6.16)
    assert turns.handle(ReplyStarted(True, 6.1)) == ()
    assert turns.deadline == pytest.approx(6.16)
    assert turns.handle(ReplyStarted(False, 6.15)) == (Do.UNDUCK,)
    assert at(turns) == (State.OVERLAPPING, None)


def test_an_echo_is_spoken_over_and_looked_at_again() -> None:
    turns = started(*OVERLAPPED)
    assert turns.handle(EchoHeard(5.16)) == (Do.UNDUCK,)
    assert at(turns) == (State.OVERLAPPING, 5.26)
    assert turns.handle(EchoHeard(5.26)) == (Do.UNDUCK,)
    assert turns.handle(Tick(5.36)) == (Do.YIELD,), "the caller has begun under the echo"


def test_the_caller_goes_on_before_the_answer() -> None:
    turns = started(*COMMITTED)
    assert turns.handle(VoiceStarted(3.3, 3.4, retractable=True)) == (Do.RETRACT,)
    assert (turns.state, turns.speech_start) == (State.HEARING, 2.0), "it is one turn"
    turns = started(*COMMITTED)
    assert turns.handle(VoiceStarted(3.3, 3.4)) == ()
    assert (turns.state, turns.speech_start) == (State.THINKING, 3.3)
    assert turns.handle(VoiceStopped(3.5, 3.6)) == ()
    assert turns.handle(ReplyStarted(True, 3.7)) == (Do.SET_ASIDE,)
    assert turns.state is State.SPEAKING


ASIDE = (*COMMITTED, VoiceStarted(3.3, 3.4), VoiceStopped(3.5, 3.6), ReplyStarted(True, 3.7))
"""Words that were said before the answer are kept behind it."""


def test_words_before_the_answer_are_a_turn_when_it_is_out() -> None:
    turns = started(*ASIDE)
    assert turns.handle(ReplyEnded(5.0)) == (Do.COMMIT_ASIDE,)
    assert at(turns) == (State.THINKING, 5.9)
    assert turns.handle(ReplyStarted(True, 5.3)) == ()
    assert turns.handle(ReplyEnded(6.0)) == ()
    assert at(turns) == (State.LISTENING, 12.0)


def test_words_before_the_answer_that_end_as_it_begins_are_kept_too() -> None:
    turns = started(*COMMITTED, VoiceStarted(3.3, 3.4))
    assert turns.handle(ReplyStarted(True, 4.0)) == (Do.DUCK,)
    assert turns.handle(VoiceStopped(4.05, 4.11)) == (Do.SET_ASIDE, Do.UNDUCK)
    assert turns.handle(ReplyEnded(5.0)) == (Do.COMMIT_ASIDE,)


def test_words_before_an_answer_of_nothing_are_prepared_at_once() -> None:
    turns = started(*COMMITTED, VoiceStarted(3.3, 3.4), VoiceStopped(3.5, 3.6))
    assert turns.handle(VoiceStarted(3.7, 3.8)) == ()
    assert turns.speech_start == 3.3, "it is one stretch"
    assert turns.handle(VoiceStopped(4.0, 4.1)) == ()
    assert turns.handle(ReplyEnded(4.2)) == (Do.SPECULATE,)
    assert (turns.state, turns.speech_end) == (State.PAUSING, 4.0)


def test_words_before_the_answer_stand_in_front_of_those_that_interrupt_it() -> None:
    turns = started(*ASIDE, VoiceStarted(4.0, 4.1), Tick(4.16), VoiceStopped(4.5, 4.6))
    assert turns.handle(Understood(2, Verdict.TURN, 0.0, 4.7)) == (Do.ABANDON, Do.COMMIT)
    turns.handle(ReplyStarted(True, 5.0))
    assert turns.handle(ReplyEnded(6.0)) == ()
    assert turns.state is State.LISTENING, "they were taken with them"


def test_a_false_alarm_leaves_what_was_set_aside() -> None:
    turns = started(*ASIDE, VoiceStarted(4.0, 4.1), Tick(4.16), VoiceStopped(4.5, 4.6))
    assert turns.handle(Understood(2, Verdict.BACKCHANNEL, 0.0, 4.7)) == (Do.FORGET, Do.RESUME)
    assert turns.handle(ReplyEnded(6.0)) == (Do.COMMIT_ASIDE,)


@pytest.mark.parametrize("before", [(), (*GREETED, Tick(7.0))], ids=["greeting", "prompt"])
def test_words_before_what_the_agent_says_by_itself_are_no_turn(before: tuple[Event, ...]) -> None:
    turns = started(*before, VoiceStarted(7.1, 7.2), VoiceStopped(7.3, 7.4))
    assert turns.handle(ReplyStarted(True, 7.5)) == ()
    assert turns.handle(ReplyEnded(8.0)) == ()
    assert turns.state is State.LISTENING


KEYING: dict[State, tuple[Event, ...]] = {
    State.LISTENING: GREETED,
    State.HEARING: (*GREETED, VoiceStarted(2.0, 2.1)),
    State.PAUSING: SPOKEN,
    State.SPEAKING: ANSWERED,
    State.OVERLAPPING: OVERLAPPED,
    State.WEIGHING: WEIGHED,
}


@pytest.mark.parametrize("state", list(KEYING))
def test_keys_stop_what_goes_on(state: State) -> None:
    turns = started(*KEYING[state])
    assert turns.state is state
    agent = state in (State.SPEAKING, State.OVERLAPPING)
    stop: tuple[Do, ...] = (Do.ABANDON,) if agent else (Do.FORGET,) if state is not State.LISTENING else ()
    stop = (Do.FORGET, Do.ABANDON) if state is State.WEIGHING else stop
    whole = copy.deepcopy(turns)
    assert turns.handle(Keyed(False, 8.0)) == stop
    assert at(turns) == (State.KEYING, 10.5)
    assert turns.handle(Keyed(False, 9.0)) == ()
    assert turns.deadline == 11.5, "each key gives time for the next"
    assert turns.handle(Tick(11.5)) == (Do.COMMIT_KEYS,)
    assert whole.handle(Keyed(True, 8.0)) == (*stop, Do.COMMIT_KEYS)
    assert whole.state is State.THINKING


def test_keys_over_an_agent_who_has_yielded_abandon_the_reply() -> None:
    for events in (YIELDED, YIELDED_TO):
        turns = started(*events)
        assert turns.handle(Keyed(False, 6.0)) == (Do.ABANDON,)
        assert not turns.holding


def test_voice_between_keys_is_not_a_turn() -> None:
    turns = started(*GREETED, Keyed(False, 2.0))
    assert turns.handle(VoiceStarted(2.1, 2.2)) == ()
    assert turns.handle(VoiceStopped(2.3, 2.4)) == ()
    assert turns.handle(Keyed(True, 3.0)) == (Do.COMMIT_KEYS,)
    assert turns.handle(Keyed(True, 3.1)) == (), "kept for the answer"


REACHING: dict[State, tuple[Event, ...]] = {
    State.THINKING: (),
    State.KEYING: (*GREETED, Keyed(False, 2.0)),
    State.ENDED: (Hangup(0.0),),
    **KEYING,
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(SAMPLES))
def test_what_is_not_in_the_table_changes_nothing(state: State, kind: type[Event]) -> None:
    turns = started(*REACHING[state])
    before = copy.deepcopy(vars(turns))
    if (state, kind) in TRANSITIONS:
        turns.handle(SAMPLES[kind])
        return
    with pytest.raises(TransitionError, match=f"{kind.__name__} cannot happen while {state.value}"):
        turns.handle(SAMPLES[kind])
    assert vars(turns) == before


def test_every_state_can_be_hung_up_on() -> None:
    for state in set(State) - {State.ENDED}:
        turns = started(*REACHING[state])
        assert turns.handle(Hangup(9.0)) == ()
        assert at(turns) == (State.ENDED, None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, DECISIONS * 60), max_size=60))
def test_whatever_can_happen_next_is_in_the_table(numbers: list[int]) -> None:
    walk = Walk(SETTINGS)
    for drawn in numbers:
        number, decisions = divmod(drawn, DECISIONS)
        walk.pass_time((0.02, 0.1, 0.3, 1.0, None)[decisions % 5])
        events = walk.events(decisions)
        walk.take(events[number % len(events)])
    walk.turns.handle(Hangup(walk.now))
    assert walk.turns.state is State.ENDED


def test_every_row_of_the_table_is_reached() -> None:
    assert set(explore(SETTINGS)) == set(TRANSITIONS)
