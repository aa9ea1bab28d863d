"""Turns of a conversation: prepared, taken, answered, and taken again when the caller had not finished."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import GREETING, Script, Talk, Wait, Write, pinned

from ccaas.conversation.answer import Outcome
from ccaas.conversation.parts import Load
from ccaas.ports.media import Codec
from ccaas.ports.reasoning import Ending, Reply

pytestmark = pytest.mark.looptime

FLIGHT = "I want to fly to Boston."
FRIDAY = "On Friday."
WHOLE = f"{FLIGHT} {FRIDAY}"


def committed(talk: Talk) -> list[str]:
    return [turn.text or turn.keys for turn in talk.reasoner.commits]


@pytest.mark.parametrize("codec", [Codec.ULAW, Codec.ALAW])
async def test_the_agent_greets_and_answers(tmp_path: Path, codec: Codec) -> None:
    async with Talk({"Book a flight.": Script("Where to?")}, tmp_path, codec=codec) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        ended = await talk.say("Book a flight.")
        await talk.agent_says("Where to?")
        assert talk.first_sound(ended) - ended < 0.35
        await talk.until(lambda: len(talk.reasoner.heard) == 2, "the reply is heard")
        assert talk.reasoner.heard == [(GREETING, True), ("Where to?", True)]
        assert committed(talk) == ["Book a flight."]
        assert talk.saved[-1] == {"turns": ["Book a flight."]}


@pytest.mark.parametrize(("lag_s", "others"), [(0.0, 3), (0.2, 0), (0.0, 4)])
async def test_a_busy_machine_leaves_out_what_only_hints_at_the_turn(tmp_path: Path, lag_s: float, others: int) -> None:
    """Two cores give hints to four conversations."""
    async with Talk({"Book a flight.": Script("Where to?")}, tmp_path, load=Load(2, others)) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        talk.ears.lag_s = lag_s
        await talk.say("Book a flight.")
        await talk.agent_says("Where to?")
        assert committed(talk) == ["Book a flight."]
        assert (talk.ears.interims == 0) == (talk.turning.asked == 0) == (lag_s > 0 or others > 3)


async def test_the_ledger_keeps_the_stages_of_a_turn(tmp_path: Path) -> None:
    async with Talk({"Book a flight.": Script("Where to?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        began = talk.now
        ended = await talk.say("Book a flight.")
        await talk.agent_says("Where to?")
        await talk.until(lambda: talk.records["t1"].heard_text, "the record is closed")
        record, times = talk.records["t1"], talk.records["t1"].times
        assert (record.caller_text, record.agent_text, record.heard_text) == (
            "Book a flight.",
            "Where to?",
            "Where to?",
        )
        assert (record.speculations, record.retaken, times.interrupted) == (1, False, None)
        assert times.speech_start == pytest.approx(began, abs=0.045)
        assert times.speech_end == pytest.approx(ended, abs=0.045)
        stages = [times.speculated, times.recognized, times.drafted, times.committed, times.first_audio]
        seen = [stage for stage in stages if stage is not None]
        assert len(seen) == 5
        assert seen == sorted(seen)
        assert seen[2] < seen[3], "drafted while the pause was still being waited out"


async def test_the_first_words_are_made_before_the_turn_is_taken(tmp_path: Path) -> None:
    async with Talk({"Book a flight.": Script("Where to? I know many places.")}, tmp_path) as talk:
        talk.voice.slow_s = 0.05
        await talk.agent_says(GREETING)
        await talk.say("Book a flight.")
        await talk.until(lambda: "Where to?" in talk.voice.texts, "the first clause is asked for")
        assert not talk.reasoner.commits
        assert "I know many places." not in talk.voice.texts, "the rest may never be said"
        await talk.agent_says("I know many places.")


async def test_a_pause_within_a_turn_costs_a_speculation_and_no_more(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say("I want to fly to")
        await talk.wait(0.5)
        await talk.say("Boston.")
        await talk.agent_says("When?")
        assert committed(talk) == [FLIGHT]
        assert [turn.text for turn in talk.reasoner.drafts] == ["I want to fly to", FLIGHT]
        assert talk.records["t1"].speculations == 2


async def test_who_goes_on_while_the_answer_is_drafted_is_heard_as_a_whole(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?", draft_s=0.8)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.wait(0.4)
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")
        assert committed(talk) == [WHOLE]
        assert "When?" not in talk.agent()
        assert talk.records["t1"].caller_text == WHOLE


async def test_who_goes_on_before_the_answer_takes_the_commit_back(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script(Wait(1.0), "When?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.until(lambda: talk.reasoner.commits, "the turn is taken")
        await talk.wait(0.2)
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")
        assert committed(talk) == [FLIGHT, WHOLE]
        assert "When?" not in talk.agent()
        assert (talk.records["t1"].retaken, talk.records["t2"].retaken) == (True, False)
        assert talk.records["t2"].caller_text == WHOLE
        assert talk.saved[-1] == {"turns": [WHOLE]}, "the dialogue knows of the whole turn alone"


async def test_a_commit_that_was_taken_back_writes_nothing(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script(Wait(0.6), Write("book"), "Booked.")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.until(lambda: talk.reasoner.commits, "the turn is taken")
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")
        await talk.wait(2.0)
        assert talk.tools.begun == []
        assert committed(talk) == [FLIGHT, WHOLE]


async def test_a_commit_that_has_written_is_never_taken_back(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script(Write("book"), "Booked.")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.until(lambda: talk.tools.begun, "the write has begun")
        await talk.say(FRIDAY)
        await talk.agent_says("Booked.")
        await talk.agent_says("Booked.Okay.")
        assert (talk.tools.begun, talk.tools.done) == (["book t1"], ["book"])
        assert committed(talk) == [FLIGHT, FRIDAY], "what was said while it was written is a turn of its own"
        assert not talk.records["t1"].retaken
        assert talk.records["t1"].heard_text == "Booked.", "after the answer to the turn before"


async def test_who_goes_on_as_the_answer_begins_is_heard_as_a_whole(tmp_path: Path) -> None:
    scripts = {FLIGHT: Script("When would you like to leave, and with whom?"), WHOLE: Script("Friday it is.")}
    async with Talk(scripts, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.until(lambda: "When" in talk.agent(ended), "the answer begins")
        await talk.say(FRIDAY)
        await talk.agent_says("Friday it is.")
        assert committed(talk) == [FLIGHT, WHOLE]
        assert "with whom" not in talk.agent()
        first, second = talk.records["t1"], talk.records["t2"]
        assert first.retaken
        assert first.times.interrupted is not None
        assert second.caller_text == WHOLE
        assert talk.saved[-1] == {"turns": [WHOLE]}


async def test_who_goes_on_too_late_has_begun_a_new_turn(tmp_path: Path) -> None:
    scripts = {FLIGHT: Script("When would you like to leave, and with whom?")}
    async with Talk(scripts, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.until(lambda: "When would you like to leave" in talk.agent(ended), "a good part of the answer")
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")
        assert committed(talk) == [FLIGHT, FRIDAY]
        assert not talk.records["t1"].retaken
        assert talk.saved[-1] == {"turns": [FLIGHT, FRIDAY]}


async def test_an_answer_that_writes_while_the_caller_goes_on_stands(tmp_path: Path) -> None:
    scripts = {FLIGHT: Script("Let me book that for you now.", Wait(0.5), Write("book"), "Booked.")}
    async with Talk(scripts, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.until(lambda: "Let me" in talk.agent(ended), "the answer begins")
        assert not talk.tools.begun
        await talk.say(FRIDAY)
        assert talk.tools.begun, "the write began while the caller spoke"
        await talk.agent_says("Booked.Okay.")
        assert talk.tools.begun == ["book t1"]
        assert committed(talk) == [FLIGHT, WHOLE]
        assert not talk.records["t1"].retaken
        assert talk.saved[-1] == {"turns": [FLIGHT, WHOLE]}


async def test_a_slow_answer_is_covered(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?", draft_s=3.0)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("One moment.")
        assert talk.first_sound(ended) - ended == pytest.approx(0.18 + 0.9, abs=0.1)
        await talk.agent_says("When?", ended)
        assert talk.agent(ended) == "One moment.When?"
        assert talk.reasoner.heard == [(GREETING, True)], "an acknowledgement is not the dialogue's own reply"
        await talk.until(lambda: talk.records["t1"].heard_text == "When?", "the record is closed")
        assert ("When?", True) in talk.reasoner.heard


async def test_an_answer_whose_voice_is_slow_is_not_followed_by_an_acknowledgement(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.voice.slow_s = 2.0
        ended = await talk.say(FLIGHT)
        await talk.agent_says("When?", ended)
        await talk.wait(3.0)
        assert talk.agent(ended) == "When?"
        await talk.agent_says("Are you there 1?")


async def test_words_after_an_acknowledgement_belong_to_the_turn(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?", draft_s=4.0)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("One moment.")
        await talk.wait(0.3)
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.", ended)
        assert committed(talk) == [WHOLE]
        assert talk.records["t1"].caller_text == WHOLE
        await talk.wait(4.0)
        assert "When?" not in talk.agent()


@pytest.mark.parametrize("over", [True, False])
async def test_a_sign_of_listening_to_an_acknowledgement_changes_nothing(tmp_path: Path, over: bool) -> None:
    async with Talk({FLIGHT: Script("When?", draft_s=4.0)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("One" if over else "One moment.")
        await talk.say("okay")
        await talk.agent_says("When?", ended)
        assert committed(talk) == [FLIGHT]
        assert talk.records["t1"].times.committed is not None
        assert talk.now - talk.records["t1"].times.committed < 4.5, "the draft was not begun again"


async def test_an_acknowledgement_of_an_answer_without_words(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script(draft_s=1.1)}, tmp_path) as talk:
        talk.voice.slow_s = 0.3
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.agent_says("Are you there 1?")
        assert committed(talk) == [FLIGHT]


async def test_an_answer_without_words_leaves_the_caller_the_turn(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script()}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("Are you there 1?")
        assert talk.first_sound(ended) - ended == pytest.approx(6.2, abs=0.2)
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")


async def test_a_silent_caller_is_asked_again(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says("Are you there 1?")
        await talk.agent_says("Are you there 2?")
        await talk.say("Yes I am.")
        await talk.agent_says("Okay.")
        await talk.until(lambda: len(talk.reasoner.silences) == 3, "another silence")
        assert talk.reasoner.silences == [1, 2, 1]


async def test_nobody_is_asked_while_on_hold(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.wait(1.0)
        talk.conversation.hold(True)
        await talk.wait(60.0)
        assert talk.reasoner.silences == []
        talk.conversation.hold(False)
        await talk.wait(5.0)
        assert talk.reasoner.silences == [], "who comes back has time again"
        await talk.agent_says("Are you there 1?", seconds=2.5)


async def test_hold_over_a_reply_and_back(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says("How")
        talk.conversation.hold(True)
        await talk.agent_says(GREETING)
        talk.conversation.hold(False)
        await talk.agent_says("Are you there 1?")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply("Goodbye.", ending=Ending.HANG_UP), Outcome(Ending.HANG_UP)),
        (Reply("One moment please.", ending=Ending.TRANSFER, destination="desk"), Outcome(Ending.TRANSFER, "desk")),
        (Reply("", ending=Ending.HANG_UP), Outcome(Ending.HANG_UP)),
    ],
)
async def test_an_ending_is_carried_out_when_its_words_were_heard(
    tmp_path: Path, reply: Reply, outcome: Outcome
) -> None:
    async with Talk({FLIGHT: Script(reply)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        assert await talk.outcome() == outcome
        assert talk.agent(ended) == reply.text


async def test_nobody_talks_a_goodbye_away(tmp_path: Path) -> None:
    goodbye = Reply("Goodbye and thank you for your call.", ending=Ending.HANG_UP)
    async with Talk({FLIGHT: Script(goodbye)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.until(lambda: "Good" in talk.agent(ended), "the goodbye begins")
        await talk.say("And one more thing.")
        assert await talk.outcome() == Outcome(Ending.HANG_UP)
        assert talk.agent(ended) == goodbye.text


async def test_a_phone_that_stops_sending_has_fallen_silent(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        talk.caller.speak(FLIGHT)
        talk.caller.pause(0.02)
        await talk.until(lambda: not talk.caller.speaking, "said")
        talk.caller.muted = True
        ended = talk.now
        await talk.agent_says("When?")
        assert talk.first_sound(ended) - ended < 1.0
        assert committed(talk) == [FLIGHT]


async def test_a_turn_that_does_not_end_is_answered(tmp_path: Path) -> None:
    settings = pinned(longest_turn_s=5)
    async with Talk({}, tmp_path, settings) as talk:
        await talk.agent_says(GREETING)
        talk.caller.speak("and so on " * 20)
        await talk.until(lambda: talk.reasoner.commits, "it is taken")
        assert talk.caller.speaking
        await talk.until(lambda: not talk.caller.speaking, "the caller ends")
        await talk.agent_says("Okay.")


async def test_caller_and_agent_begin_together(tmp_path: Path) -> None:
    async with Talk({"Is anybody there now?": Script("Yes, I am.")}, tmp_path) as talk:
        talk.reasoner.open_s = 0.4
        await talk.wait(0.3)
        await talk.say("Is anybody there now?")
        await talk.agent_says("Yes, I am.")
        assert GREETING not in talk.agent()
        assert talk.reasoner.heard[0][1] is False


async def test_a_sound_before_the_greeting_does_not_cost_the_greeting(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        talk.reasoner.open_s = 0.6
        await talk.wait(0.1)
        await talk.say("hello")
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.agent_says("Okay.")
        assert committed(talk) == [FLIGHT]


async def test_a_sound_before_a_prompt_does_not_cost_the_prompt(tmp_path: Path) -> None:
    async with Talk({}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.until(lambda: talk.reasoner.heard, "it is heard")
        talk.voice.slow_s = 0.5
        await talk.wait(6.1)
        await talk.say("mmm")
        await talk.agent_says("Are you there 1?", seconds=1.5)


async def test_lost_audio_ends_the_conversation_for_another_stream(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script("When?")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.agent_says("When?")
        talk.stream.lose()
        assert await talk.outcome() == Outcome(None)
        snapshot = talk.saved[-1]
    async with Talk({}, tmp_path, snapshot=snapshot, first_words="Sorry, I lost you.") as talk:
        await talk.agent_says("Sorry, I lost you.")
        await talk.say(FRIDAY)
        await talk.agent_says("Okay.")
        assert GREETING not in talk.agent()
        assert talk.saved[-1] == {"turns": [FLIGHT, FRIDAY]}


async def test_a_write_under_way_when_the_audio_is_lost_is_in_the_snapshot(tmp_path: Path) -> None:
    async with Talk({FLIGHT: Script(Write("book"), "Booked.")}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.until(lambda: talk.tools.begun, "the write has begun")
        talk.stream.lose()
        assert await talk.outcome() == Outcome(None)
        assert talk.tools.done == ["book"]
        assert talk.saved[-1] == {"turns": [FLIGHT]}


async def test_a_budget_decides_how_long_a_pause_may_be(tmp_path: Path) -> None:
    settings = pinned(budgets={"open": {"complete_ms": 600, "likely_ms": 600}})
    async with Talk({}, tmp_path, settings) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("Okay.")
        assert talk.first_sound(ended) - ended == pytest.approx(0.6, abs=0.07)


@pytest.mark.parametrize(("wait_ms", "recognized_s"), [(300, 0.0), (100, 0.28)])
async def test_a_turn_that_is_due_as_the_caller_goes_on_is_not_taken(
    tmp_path: Path, wait_ms: int, recognized_s: float
) -> None:
    settings = pinned(onset_ms=200, budgets={"open": {"complete_ms": wait_ms, "likely_ms": wait_ms}})
    async with Talk({WHOLE: Script("Fine.")}, tmp_path, settings=settings) as talk:
        talk.ears.slow_s = recognized_s
        await talk.agent_says(GREETING)
        await talk.say(FLIGHT)
        await talk.wait(0.2)
        # Its first frames are heard when the turn is due, and not yet long enough to be a voice.
        await talk.say(FRIDAY)
        await talk.agent_says("Fine.")
        assert committed(talk) == [WHOLE]
        assert not any(record.retaken for record in talk.records.values())


async def test_both_replies_of_an_answer_are_said_in_order(tmp_path: Path) -> None:
    replies = (Reply("I book it."), Wait(0.5), Reply("It is booked.", interruptible=False))
    async with Talk({FLIGHT: Script(*replies)}, tmp_path) as talk:
        await talk.agent_says(GREETING)
        ended = await talk.say(FLIGHT)
        await talk.agent_says("It is booked.")
        assert talk.agent(ended) == "I book it.It is booked."
        await talk.until(lambda: talk.records["t1"].heard_text == "I book it. It is booked.", "the record is closed")
        assert talk.records["t1"].agent_text == "I book it. It is booked."
        assert talk.reasoner.heard[1:] == [("I book it.", True), ("It is booked.", True)]
