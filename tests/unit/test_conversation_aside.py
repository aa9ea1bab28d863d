"""What a caller says while a write is under way: never lost, and never a consent to what is asked later."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import GREETING, Script, Talk, Wait, Write, pinned

from ccaas.conversation.aside import without_consent
from ccaas.ports.reasoning import Expectation, ExpectationKind, Reply

pytestmark = pytest.mark.looptime

CHANGE = "Change my flight."
BAG = "Book a bag."
CHANGED = "It is changed. You leave on Friday at nine."


def committed(talk: Talk) -> list[str]:
    return [turn.text or turn.keys for turn in talk.reasoner.commits]


async def writing(talk: Talk) -> float:
    """The caller has asked for a change, and it is being written; when that began."""
    await talk.agent_says(GREETING)
    await talk.say(CHANGE)
    await talk.until(lambda: talk.tools.begun, "the write has begun")
    return talk.now


async def test_what_is_said_during_a_write_is_answered_after_it(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED), BAG: Script("One bag.")}, tmp_path) as talk:
        began = await writing(talk)
        await talk.say(BAG)
        assert talk.now - began < 0.9, "before anything is said to cover the wait"
        await talk.agent_says("at nine.One bag.", began)
        assert committed(talk) == [CHANGE, BAG]
        assert (talk.tools.begun, talk.tools.done) == (["change t1"], ["change"])
        assert talk.saved[-1] == {"turns": [CHANGE, BAG]}
        first, second = talk.records["t1"], talk.records["t2"]
        assert (first.heard_text, second.caller_text) == (CHANGED, BAG)
        assert not (first.retaken or second.retaken)


async def test_an_answer_of_nothing_lets_the_words_be_taken_at_once(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"))}, tmp_path) as talk:
        talk.tools.seconds = 0.8
        began = await writing(talk)
        await talk.say(BAG)
        await talk.agent_says("Okay.", began)
        assert committed(talk) == [CHANGE, BAG]
        assert talk.agent(began) == "Okay."


async def test_words_with_pauses_are_one_turn(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path, pinned(acknowledge_ms=3_000)) as talk:
        talk.tools.seconds = 2.0
        began = await writing(talk)
        talk.caller.speak("Book")
        talk.caller.pause(0.7)
        talk.caller.speak("a bag.")
        await talk.agent_says("at nine.Okay.", began)
        assert committed(talk) == [CHANGE, "Book a bag."]


async def test_words_that_end_under_the_answers_first_sound_are_not_lost(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path) as talk:
        talk.tools.seconds = 0.5
        began = await writing(talk)
        await talk.wait(0.1)
        await talk.say("Book a bag.")  # 0.44 s: its last characters fall together with the answer's first ones
        await talk.agent_says("at nine.Okay.", began)
        assert committed(talk) == [CHANGE, BAG]


async def test_words_that_go_on_over_the_answer_are_one_turn_with_those_before(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path) as talk:
        talk.tools.seconds = 0.7
        began = await writing(talk)
        await talk.say(BAG)
        await talk.agent_says("It is changed.", began)
        await talk.say("A heavy one!")
        await talk.agent_says("Okay.", began)
        assert committed(talk) == [CHANGE, f"{BAG} A heavy one!"]
        assert talk.tools.begun == ["change t1"]


async def test_a_sign_of_listening_over_the_answer_leaves_the_words_their_turn(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path) as talk:
        talk.tools.seconds = 0.7
        began = await writing(talk)
        await talk.say(BAG)
        await talk.agent_says("It is changed.", began)
        await talk.say("uh-huh")
        await talk.agent_says("at nine.Okay.", began)
        assert committed(talk) == [CHANGE, BAG]


async def test_the_words_wait_behind_what_covers_a_slow_write(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), Wait(1.5), CHANGED)}, tmp_path) as talk:
        began = await writing(talk)
        await talk.say(BAG)
        await talk.agent_says("at nine.Okay.", began)
        covered = talk.agent(began)
        assert covered.startswith(("One moment.", "Let me see."))
        assert committed(talk) == [CHANGE, BAG]


async def test_a_yes_from_before_the_question_is_no_answer_to_it(tmp_path: Path) -> None:
    question = Reply("It is changed. Shall I book a car?", Expectation(ExpectationKind.YES_NO))
    scripts = {CHANGE: Script(Write("change"), question), "yes": Script(Write("car"), "Booked.")}
    async with Talk(scripts, tmp_path) as talk:
        talk.tools.seconds = 0.7
        began = await writing(talk)
        await talk.say("yes please.")
        await talk.agent_says("a car?", began)
        await talk.wait(2.0)
        assert committed(talk) == [CHANGE]
        await talk.say("yes")
        await talk.agent_says("Booked.", began)
        assert talk.tools.begun == ["change t1", "car t2"]


async def test_noise_during_a_write_is_nothing(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path) as talk:
        began = await writing(talk)
        talk.ears.failing = 1
        await talk.say("(a lorry)")
        await talk.agent_says("at nine.", began)
        await talk.agent_says("Are you there 1?", began)
        assert committed(talk) == [CHANGE]


async def test_a_call_that_ends_with_words_set_aside_leaves_nothing(tmp_path: Path) -> None:
    async with Talk({CHANGE: Script(Write("change"), CHANGED)}, tmp_path) as talk:
        talk.tools.seconds = 0.7
        began = await writing(talk)
        await talk.say(BAG)
        talk.ears.slow_s = 30.0
        await talk.agent_says("It is", began)
    assert committed(talk) == [CHANGE]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("And also book a bag.", "And also book a bag."),
        ("Wait, what does it cost?", "Wait, what does it cost?"),
        ("Okay, and a bag.", "and a bag."),
        ("Yes. Yes please.", ""),
        ("Yeah, that's right.", ""),
        ("Sure.", ""),
        ("Uh-huh.", ""),
        ("No.", "No."),
        ("Thank you so much, goodbye.", "Thank you so much, goodbye."),
        ("", ""),
    ],
)
def test_consent_is_not_kept(said: str, left: str) -> None:
    assert without_consent(said) == left
