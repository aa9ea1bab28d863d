"""Caller and agent speaking at once: barge-in, signs of listening, false alarms, echo."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from talking import GREETING, Script, Talk, Wait, Write, barge_in, pinned

from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.ports.reasoning import Expectation, ExpectationKind, Reply
from ccaas.testing.fakes.speech import spoken

pytestmark = pytest.mark.looptime

ASK = "Tell me more."
STORY = "Here is a long story. It goes on and on, and then it goes on again. That was all of it."
UNDUCKED = pinned(barge_in=barge_in(duck_db=0))
"""The agent's level never changes, so that what was played can be compared sample by sample."""


async def told(talk: Talk, words: str = "Here is a long story.") -> float:
    """The agent is in the middle of its story; when the caller's question ended."""
    await talk.agent_says(GREETING)
    ended = await talk.say(ASK)
    await talk.agent_says(words, ended)
    return ended


def played(talk: Talk, since: float) -> Pcm:
    """Every sample that the caller heard, silences left out."""
    code = coder(Codec.ULAW)
    frames = [code.decode(frame) for at, frame in talk.stream.played if at >= since]
    return np.concatenate([frame for frame in frames if frame.any()])


def exactly(text: str) -> Pcm:
    code = coder(Codec.ULAW)
    return code.decode(code.encode(spoken(text)))


STORY_ALOUD = exactly(STORY.replace(". I", ".I").replace(". T", ".T"))
"""Sentences are made one by one, so that no tone stands for the space between them."""


def committed(talk: Talk) -> list[str]:
    return [turn.text or turn.keys for turn in talk.reasoner.commits]


async def test_a_barge_in_ducks_at_once_and_stops_within_200_ms(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        ended = await told(talk, "It goes on")
        began = talk.now
        talk.caller.speak("Stop it please!")
        await talk.until(lambda: not talk.caller.speaking, "said")
        during = [(at - began, coder(Codec.ULAW).decode(frame)) for at, frame in talk.stream.played if at > began]
        loud = [at for at, frame in during if np.abs(frame.astype(int)).max() > 4_000]
        soft = [at for at, frame in during if 1_000 < np.abs(frame.astype(int)).max() < 4_000]
        assert max(loud) < 0.15, "ducked as soon as the voice is sure"
        assert max(soft) < 0.2 + 0.05, "the tones' own frame, and the frame being played"
        await talk.agent_says("Okay.", ended)
        assert committed(talk) == [ASK, "Stop it please!"]


async def test_what_the_caller_heard_is_what_the_agent_believes(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        ended = await told(talk, "It goes on")
        await talk.say("Stop it please!")
        await talk.agent_says("Okay.", ended)
        text, whole = talk.reasoner.heard[1]
        assert not whole
        assert text.startswith("Here is a long story. It goes on")
        assert STORY.startswith(text)
        assert "That was all" not in text
        heard_s = len(played(talk, ended)) / 8_000 - len(spoken("Okay.")) / 8_000
        assert abs(len(text) * 0.04 - heard_s) < 0.25
        record = talk.records["t1"]
        assert (record.agent_text, record.heard_text, record.retaken) == (STORY, text, False)
        assert record.times.interrupted is not None


@pytest.mark.parametrize("sound", ["uh-huh", "okay", "mm-hmm, I see", "yeah"])
async def test_a_sign_of_listening_lets_the_agent_go_on_where_it_stood(tmp_path: Path, sound: str) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk)
        await talk.wait(0.913)
        await talk.say(sound)
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert np.array_equal(played(talk, ended), STORY_ALOUD), "not one sample lost or repeated"
        assert committed(talk) == [ASK]
        assert talk.records["t1"].times.interrupted is None


async def test_three_false_alarms_in_one_reply(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk)
        for sound in ("uh-huh", "okay", "right"):
            await talk.wait(0.7)
            await talk.say(sound)
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert np.array_equal(played(talk, ended), STORY_ALOUD)


async def test_a_noise_that_is_no_words_resumes(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk)
        await talk.wait(1.0)
        talk.ears.failing = 1
        await talk.say("(a lorry passes)")
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert np.array_equal(played(talk, ended), STORY_ALOUD)
        await talk.say("And now?")
        await talk.agent_says("Okay.")


async def test_a_cough_does_not_even_stop_the_agent(tmp_path: Path) -> None:
    settings = pinned(barge_in=barge_in(yield_ms=240))
    async with Talk({ASK: Script(STORY)}, tmp_path, settings) as talk:
        ended = await told(talk)
        before = talk.stream.flushes
        await talk.say("khm")
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert talk.stream.flushes - before == 2, "ducked and restored"
        times = [at for at, _ in talk.stream.played if at >= ended]
        assert np.allclose(np.diff([at for at in times if at > times[0]]), 0.02), "without a gap"
        assert len(played(talk, ended)) == len(STORY_ALOUD)


@pytest.mark.parametrize("sound", ["uh-huh", "okay", "mm-hmm, I see"])
async def test_an_agent_who_is_only_listened_to_speaks_on(tmp_path: Path, sound: str) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk)
        await talk.wait(0.9)
        talk.impressions.listening = 0.95
        await talk.say(sound)
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        times = [at for at, frame in talk.stream.played if at >= ended and coder(Codec.ULAW).decode(frame).any()]
        assert np.allclose(np.diff(times), 0.02), "without a gap"
        assert np.array_equal(played(talk, ended), STORY_ALOUD)
        assert committed(talk) == [ASK]
        assert len(talk.ears.expected) == 2, "it was judged nevertheless"


async def test_words_that_only_sound_like_listening_take_the_turn(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        ended = await told(talk, "It goes on")
        talk.impressions.listening = 0.95
        began = talk.now
        await talk.say("Not this.")
        await talk.agent_says("Okay.", ended)
        stopped = talk.records["t1"].times.interrupted
        assert stopped is not None
        assert 0.36 < stopped - began < 0.6, "as soon as they are understood"
        assert committed(talk) == [ASK, "Not this."]
        text, whole = talk.reasoner.heard[1]
        assert (whole, text.startswith("Here is a long story. It goes on")) == (False, True)


async def test_nobody_listens_for_long(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        await told(talk, "It goes on")
        talk.impressions.listening = 0.95
        began = talk.now
        talk.caller.speak("I would rather have the other one, please.")
        await talk.until(lambda: not talk.caller.speaking, "said")
        stopped = max(at for at, frame in talk.stream.played if coder(Codec.ULAW).decode(frame).any())
        assert 0.65 < stopped - began < 0.85


async def test_an_agent_who_has_stopped_for_it_goes_on_during_a_sign_of_listening(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk)
        await talk.wait(0.9)
        began = talk.now
        talk.caller.speak("mm-hmm, okay")
        await talk.wait(0.3)
        talk.impressions.listening = 0.95
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        times = [at for at, frame in talk.stream.played if at >= ended and coder(Codec.ULAW).decode(frame).any()]
        pauses = [(a - began, b - a) for a, b in pairwise(times) if b - a > 0.03]
        assert len(pauses) == 1
        assert 0.1 < pauses[0][0] < 0.2
        assert 0.05 < pauses[0][1] < 0.2, "long before the sound has ended"
        assert np.array_equal(played(talk, ended), STORY_ALOUD), "not one sample lost or repeated"
        assert talk.records["t1"].times.interrupted is None


@pytest.mark.parametrize(("words", "stops"), [("okay, okay, okay", False), ("Stop it, would you?", True)])
async def test_first_words_tell_what_the_sound_does_not(tmp_path: Path, words: str, stops: bool) -> None:
    settings = pinned(barge_in=barge_in(yield_ms=300, first_words_ms=200, duck_db=0))
    async with Talk({ASK: Script(STORY)}, tmp_path, settings) as talk:
        ended = await told(talk)
        await talk.wait(0.5)
        began = talk.now
        talk.caller.speak(words)
        await talk.wait(0.4)
        silent = [at for at, frame in talk.stream.played if at > began + 0.26 and coder(Codec.ULAW).decode(frame).any()]
        assert (not silent) is stops
        await talk.until(lambda: not talk.caller.speaking, "said")
        if stops:
            await talk.agent_says("Okay.", ended)
            assert committed(talk) == [ASK, words]
        else:
            await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")


async def test_an_echo_that_seems_to_want_the_floor_is_an_echo(tmp_path: Path) -> None:
    settings = pinned(barge_in=barge_in(yield_below=0.2))
    async with Talk({ASK: Script(STORY)}, tmp_path, settings) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(ASK)
        talk.caller.echo = 0.3
        talk.impressions.listening = 0.1
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert len(played(talk, ended)) == len(STORY_ALOUD)


async def test_a_click_is_nothing(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        await told(talk)
        before = talk.stream.flushes
        await talk.say("x")
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert talk.stream.flushes == before


async def test_a_yes_into_the_last_word_of_the_question_answers_it(tmp_path: Path) -> None:
    question = Reply("Shall I book it for you now, then?", Expectation(ExpectationKind.YES_NO))
    async with Talk({ASK: Script(question)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(ASK)
        await talk.agent_says("now, th")
        await talk.say("yes")
        await talk.agent_says("Okay.")
        assert committed(talk) == [ASK, "yes"]


async def test_our_own_echo_does_not_stop_us(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(ASK)
        talk.caller.echo = 0.3
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the story ends")
        assert len(played(talk, ended)) == len(STORY_ALOUD)
        await talk.wait(2.0)
        assert committed(talk) == [ASK], "the agent does not answer itself"
        assert len(talk.reasoner.drafts) == 1
        talk.caller.echo = 0.0
        await talk.say("And now?")
        await talk.agent_says("Okay.")


async def test_a_caller_is_heard_through_the_echo(tmp_path: Path) -> None:
    async with Talk({ASK: Script(STORY)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(ASK)
        talk.caller.echo = 0.2
        await talk.agent_says("It goes on", ended)
        began = talk.now
        talk.caller.speak("Stop it please, I have heard enough!")
        await talk.until(lambda: talk.reasoner.heard[-1][1] is False, "the agent stops")
        stopped = max(at for at, frame in talk.stream.played if at < began + 1.5)
        assert stopped - began < 0.6
        await talk.until(lambda: not talk.caller.speaking, "said")


async def test_a_notice_that_must_be_heard_is_heard(tmp_path: Path) -> None:
    notice = Reply("This call is recorded for your own safety.", interruptible=False)
    async with Talk({ASK: Script(notice)}, tmp_path, UNDUCKED) as talk:
        ended = await told(talk, "This call")
        await talk.say("Stop it, would you?")
        await talk.until(lambda: (notice.text, True) in talk.reasoner.heard, "the notice ends")
        assert np.array_equal(played(talk, ended), exactly(notice.text))


async def test_words_that_outlast_the_reply_are_answered(tmp_path: Path) -> None:
    notice = Reply("This call is recorded.", interruptible=False)
    async with Talk({ASK: Script(notice)}, tmp_path) as talk:
        await told(talk, "recor")
        await talk.say("Please tell me about my flight to Boston.")
        await talk.agent_says("Okay.")
        assert committed(talk)[1].endswith("flight to Boston.")


@pytest.mark.parametrize(("words", "said"), [("uh-huh", True), ("No, wait a moment.", False)])
async def test_the_next_reply_waits_while_the_caller_has_the_floor(tmp_path: Path, words: str, said: bool) -> None:
    script = Script("I look it up for you.", Wait(2.0), "Here it is.")
    async with Talk({ASK: script}, tmp_path) as talk:
        ended = await told(talk, "I look it up for you.")
        await talk.wait(0.45)
        began = talk.now
        talk.caller.speak(words)
        await talk.until(lambda: not talk.caller.speaking, "said")
        assert not [at for at, frame in talk.stream.played if at > began and coder(Codec.ULAW).decode(frame).any()]
        await talk.agent_says("Here it is." if said else "Okay.", ended)
        await talk.wait(1.0)
        assert ("Here it is." in talk.agent(ended)) is said
        assert committed(talk) == ([ASK] if said else [ASK, words])


async def test_an_answer_may_end_while_the_caller_has_the_floor(tmp_path: Path) -> None:
    async with Talk({ASK: Script("I look it up for you.", Wait(1.6))}, tmp_path) as talk:
        await told(talk, "I look it up for you.")
        await talk.wait(0.2)
        await talk.say("mm-hmm, mm-hmm, okay, yes")
        await talk.agent_says("Are you there 1?")
        assert committed(talk) == [ASK]


async def test_what_a_write_has_done_is_told_although_the_caller_interrupted(tmp_path: Path) -> None:
    scripts = {
        ASK: Script("I am changing it for you now.", Write("change"), "It is changed."),
        "And my seat?": Script("4 A."),
    }
    async with Talk(scripts, tmp_path) as talk:
        talk.tools.seconds = 1.5
        ended = await told(talk, "I am changing")
        assert talk.tools.begun == ["change t1"]
        await talk.say("And my seat?")
        await talk.agent_says("It is changed.4 A.", ended)
        assert talk.tools.begun == ["change t1"]
        assert committed(talk) == [ASK, "And my seat?"]
        assert "for you now" not in talk.agent(ended)


async def test_what_a_write_has_done_is_told_even_after_two_interruptions(tmp_path: Path) -> None:
    scripts = {ASK: Script("I am changing it for you now.", Write("change"), "It is changed.")}
    async with Talk(scripts, tmp_path) as talk:
        talk.tools.seconds = 0.4
        ended = await told(talk, "I am changing")
        talk.voice.slow_s = 0.8
        await talk.say("And my seat?")
        await talk.until(lambda: len(talk.reasoner.commits) == 2, "the second turn is taken")
        await talk.wait(0.1)
        assert "It is changed." not in talk.agent(ended)
        await talk.say("By the window.")
        await talk.agent_says("It is changed.", ended)
        assert talk.agent(ended).count("It is changed.") == 1


async def test_what_nothing_was_written_for_is_not_told_any_more(tmp_path: Path) -> None:
    async with Talk({ASK: Script("I am looking for it now.", "There is none.")}, tmp_path) as talk:
        ended = await told(talk, "I am looking for")
        await talk.wait(0.4)
        await talk.say("Never mind it.")
        await talk.agent_says("Okay.", ended)
        await talk.wait(2.0)
        assert "There is none." not in talk.agent()


async def test_an_interruption_between_two_replies_does_not_unsay_the_first(tmp_path: Path) -> None:
    async with Talk({ASK: Script("I look.", Wait(3.0), "Here it is.")}, tmp_path) as talk:
        ended = await told(talk, "I look.")
        await talk.wait(1.0)
        await talk.say("Never mind it.")
        await talk.agent_says("Okay.", ended)
        assert talk.reasoner.heard[:2] == [(GREETING, True), ("I look.", True)]
        assert ("", False) not in talk.reasoner.heard
