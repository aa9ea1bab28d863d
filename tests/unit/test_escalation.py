"""A caller who is upset, or wants a person, in a conversation: the agent stops, says one line, and hands over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from talking import GREETING, Script, Talk, Wait, Write, pinned

from ccaas.conversation.answer import Outcome
from ccaas.conversation.escalation import Escalation, reason
from ccaas.conversation.settings import EscalationSettings
from ccaas.conversation.state import Do
from ccaas.ports.reasoning import Ending, Reply
from ccaas.ports.sentiment import Handover, Mood, Signal, Why
from ccaas.testing.fakes.sentiment import CALM, FakeSentiment

pytestmark = pytest.mark.looptime

ASK, ANGRY, WISH = "Tell me more.", "That is a scandal!", "A human now"
STORY = "Here is a long story. It goes on and on, and then it goes on again. That was all of it."
SORRY, OF_COURSE = "I am sorry.", "Of course."
LINES = {"en": {"upset": SORRY, "wish": OF_COURSE}}
SENIOR = Outcome(Ending.TRANSFER, "senior")


def settings(**changes: Any) -> EscalationSettings:
    return EscalationSettings.model_validate(
        {"destination": "senior", "human_destination": "agents", "lines": LINES} | changes
    )


class Feeling:
    """A sentiment, an escalation on it, and what the plug-ins were asked."""

    def __init__(self, answer: Handover | None = None, moods: dict[str, Mood] | None = None, **changes: Any) -> None:
        self.sentiment = FakeSentiment(moods)
        self.signals: list[Signal] = []
        self.answer = answer
        self.escalation = Escalation(
            self.sentiment.open(), settings(**changes), self.ask, lambda name: name in ("senior", "agents", "gold")
        )

    async def ask(self, signal: Signal) -> Handover | None:
        self.signals.append(signal)
        return self.answer


async def spoken_to(talk: Talk, *texts: str) -> float:
    """The agent has greeted, and the caller has said these, one after the answer to the other; when the last one ended."""
    await talk.agent_says(GREETING)
    ended = 0.0
    for text in texts:
        ended = await talk.say(text)
        if text is not texts[-1]:
            await talk.agent_says("Okay.", ended)
    return ended


async def test_who_is_upset_hears_one_line_and_goes_to_a_person(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({ANGRY: Script(STORY)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, "Hello there.", ANGRY)
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended) == SORRY, "no answer, no acknowledgement, no prompt"
        assert [turn.text for turn in talk.reasoner.commits] == ["Hello there."], (
            "the turn is for whoever takes the call"
        )
        record = talk.records["t2"]
        assert (record.caller_text, record.sentiment, record.escalated) == (ANGRY, 0.8, "senior")
        assert record.mood is not None
        assert record.mood.trend == pytest.approx(0.8)
        assert record.heard_text == SORRY
        assert talk.first_sound(ended) - ended < 0.4
    assert [(signal.why, signal.text, signal.destination) for signal in feels.signals] == [(Why.UPSET, ANGRY, "senior")]


async def test_a_score_that_is_late_stops_the_answer(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.slow_s = 1.0
    async with Talk({ANGRY: Script(STORY)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended).startswith("Here is a")
        said = talk.records["t1"].heard_text
        assert said.endswith(SORRY)
        assert "That was all" not in said
        heard, whole = talk.reasoner.heard[1]
        assert not whole, "the dialogue knows that its answer was cut"
        assert STORY.startswith(heard)


async def test_calm_callers_stay_and_every_turn_is_scored(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, "My bill please.", "It is too high.")
        await talk.agent_says("Okay.", ended)
        assert [talk.records[turn].sentiment for turn in ("t1", "t2")] == [0.0, 0.0]
        assert [text for text, _ in feels.sentiment.streams[0].turns] == ["My bill please.", "It is too high."]
        assert all(samples > 8_000 for _, samples in feels.sentiment.streams[0].turns), "the voice was heard, at 16 kHz"
    assert feels.signals == []


async def test_feelings_are_only_noted_where_nobody_takes_upset_callers(tmp_path: Path) -> None:
    noted = Escalation(FakeSentiment().open())
    async with Talk({}, tmp_path, escalation=noted) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("Okay.", ended)
        assert talk.records["t1"].sentiment == 0.8


async def test_a_model_that_fails_costs_the_score_alone(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.failing = True
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("Okay.", ended)
        assert talk.records["t1"].sentiment is None


@pytest.mark.parametrize("prosody", [0.9, 1.0])
async def test_a_voice_alone_is_no_reason(prosody: float) -> None:
    assert reason(Mood(1.0, 0.0, prosody, 1.0, wants_human=False), settings()) is None
    assert reason(Mood(1.0, 0.29, prosody, 1.0, wants_human=False), settings()) is None
    assert reason(Mood(0.55, 0.3, prosody, 1.0, wants_human=False), settings()) is Why.UPSET
    assert reason(Mood(-1.0, -1.0, -1.0, 0.0, wants_human=True), settings()) is Why.WISH


async def test_a_wish_for_a_person_is_always_granted(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({WISH: Script("I can help you too.")}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, WISH)
        assert await talk.outcome() == Outcome(Ending.TRANSFER, "agents")
        assert talk.agent(ended) == OF_COURSE
    assert [signal.why for signal in feels.signals] == [Why.WISH]


async def test_a_wish_that_the_reasoner_grants_is_left_to_it(tmp_path: Path) -> None:
    feels = Feeling()
    own = Reply("To a colleague then.", ending=Ending.TRANSFER, destination="desk")
    async with Talk({WISH: Script(own)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, WISH)
        assert await talk.outcome() == Outcome(Ending.TRANSFER, "desk")
        assert talk.agent(ended) == "To a colleague then."
    assert feels.signals == []


async def test_an_angry_wish_goes_to_the_senior_whatever_the_reasoner_would_do(tmp_path: Path) -> None:
    feels = Feeling()
    own = Reply("To a colleague then.", ending=Ending.TRANSFER, destination="desk")
    async with Talk({"Get me a human!": Script(own)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, "Get me a human!")
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended) == SORRY


async def test_what_may_not_be_interrupted_is_said_first(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.slow_s = 0.6
    notice = Reply("This call is recorded, as the law demands.", interruptible=False)
    async with Talk({ANGRY: Script(notice, STORY)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended).replace(" ", "").startswith(notice.text.replace(" ", ""))
        assert talk.agent(ended).endswith(SORRY)
        assert "It goes on" not in talk.agent(ended)


async def test_a_write_that_runs_comes_to_its_end_first(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.slow_s = 0.6
    async with Talk({ANGRY: Script(Write("book"), STORY)}, tmp_path, escalation=feels.escalation) as talk:
        talk.tools.seconds = 3.0
        ended = await spoken_to(talk, ANGRY)
        await talk.until(lambda: SORRY in talk.agent(ended), "the line")
        assert talk.tools.done == ["book"]
        assert await talk.outcome() == SENIOR
        assert "It goes on" not in talk.agent(ended)


async def test_who_goes_on_is_heard_out(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        await talk.agent_says(GREETING)
        talk.caller.speak(ANGRY)
        talk.caller.pause(0.45)
        ended = await talk.say("And I have more to say about it.")
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended) == SORRY
        assert [record.caller_text for record in talk.records.values() if record.escalated and not record.retaken]


async def test_who_goes_on_in_the_very_moment_is_handed_over_after(tmp_path: Path) -> None:
    """On a machine that stalls, last words may be taken back before their first step."""
    feels = Feeling()
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        begin = talk.conversation._hand_over
        begun: list[float] = []

        def begin_and_take_back() -> None:
            begin()
            begun.append(talk.now)
            if len(begun) == 1:
                assert talk.conversation._answering is not None
                talk.conversation._answering.cancel()

        talk.conversation._do[Do.HAND_OVER] = begin_and_take_back
        await talk.agent_says(GREETING)
        talk.caller.speak(ANGRY)
        await talk.until(lambda: begun, "the last words begin")
        ended = await talk.say("And I have more to say about it.")
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended) == SORRY


async def test_who_speaks_over_the_line_does_not_hear_it_again(tmp_path: Path) -> None:
    long = "I am so sorry about all of this, and I am getting somebody for you."
    feels = Feeling(lines={"en": {"upset": long}})
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("I am so", ended)
        await talk.wait(1.2)
        over = await talk.say("You had better be sorry about this.")
        assert await talk.outcome() == SENIOR
        assert talk.agent(over) == ""
    assert len(feels.signals) == 1


async def test_a_sign_of_listening_lets_the_line_go_on(tmp_path: Path) -> None:
    long = "I am so sorry about all of this, and I am getting somebody for you."
    feels = Feeling(lines={"en": {"upset": long}})
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("I am so", ended)
        await talk.wait(1.2)
        await talk.say("okay")
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended).endswith("for you.")


async def test_an_agent_that_is_spoken_over_stops_and_waits_with_the_line(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.slow_s = 1.5
    async with Talk({ANGRY: Script(STORY)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("Here is", ended)
        feels.sentiment.slow_s = 0.0
        over = await talk.say("No no no, you listen to me now, all of this has been going on for weeks.")
        assert await talk.outcome() == SENIOR
        assert talk.agent(over) == SORRY


async def test_a_plugin_leaves_the_caller_with_the_agent(tmp_path: Path) -> None:
    feels = Feeling(Handover(""))
    async with Talk({ANGRY: Script(STORY)}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.until(lambda: (STORY, True) in talk.reasoner.heard, "the answer is heard to its end")
        assert SORRY not in talk.agent(ended)
        assert talk.records["t1"].escalated == ""
    assert len(feels.signals) == 1, "asked once a turn"


@pytest.mark.parametrize(("chosen", "reached"), [("gold", "gold"), ("nowhere", "senior")])
async def test_a_plugin_chooses_another_destination(tmp_path: Path, chosen: str, reached: str) -> None:
    feels = Feeling(Handover(chosen))
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        await spoken_to(talk, ANGRY)
        assert await talk.outcome() == Outcome(Ending.TRANSFER, reached)


async def test_a_caller_whom_nobody_took_is_handed_over_so_often_and_no_more(tmp_path: Path) -> None:
    feels = Feeling(most=2)
    for _ in range(2):
        async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
            ended = await spoken_to(talk, ANGRY)
            assert await talk.outcome() == SENIOR
            assert talk.agent(ended) == SORRY, "who comes back and is upset again hears it again"
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("Okay.", ended)


async def test_nobody_who_holds_us_is_handed_over_unheard(tmp_path: Path) -> None:
    feels = Feeling()
    feels.sentiment.slow_s = 3.0
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        ended = await spoken_to(talk, ANGRY)
        await talk.agent_says("Okay.", ended)
        talk.conversation.hold(True)
        await talk.wait(5.0)
        assert SORRY not in talk.agent(ended)
        back = talk.now
        talk.conversation.hold(False)
        assert await talk.outcome() == SENIOR
        assert talk.agent(back) == SORRY


async def test_what_is_sent_as_a_text_counts_too(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        await talk.agent_says(GREETING)
        await talk.until(lambda: talk.reasoner.heard, "the greeting is over")
        telling = asyncio.create_task(talk.conversation.tell(ANGRY, "sms"))
        assert await talk.outcome() == SENIOR
        assert await telling == "t1"


async def test_noise_is_not_held_against_anybody(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        await talk.agent_says(GREETING)
        await talk.until(lambda: talk.reasoner.heard, "the greeting is over")
        talk.ears.failing = 1
        await talk.say("(a lorry passes)")
        await talk.wait(1.0)
        assert feels.sentiment.streams[0].pushed == 0


async def test_within_a_long_turn_the_mood_is_looked_at(tmp_path: Path) -> None:
    feels = Feeling()
    words = "I have been with you for years and years and years"
    async with Talk({}, tmp_path, escalation=feels.escalation) as talk:
        await talk.agent_says(GREETING)
        for _ in range(4):
            talk.caller.speak(words)
            talk.caller.pause(0.05)
        await talk.until(lambda: not talk.caller.speaking, "said")
        assert feels.sentiment.streams[0].glances, "before it was over"
        assert talk.reasoner.commits == []
        await talk.until(lambda: talk.reasoner.commits, "it is taken", 5)


async def test_a_slow_answer_is_not_covered_behind_the_line(tmp_path: Path) -> None:
    feels = Feeling()
    async with Talk(
        {ANGRY: Script(Wait(5.0), STORY)}, tmp_path, pinned(acknowledge_ms=300), escalation=feels.escalation
    ) as talk:
        ended = await spoken_to(talk, ANGRY)
        assert await talk.outcome() == SENIOR
        assert talk.agent(ended) == SORRY


def test_the_line_is_the_intents_own_in_the_nearest_language() -> None:
    lines = {
        "en": {"upset": "sorry", "flight_cancelled": "sorry for the flight", "wish": "of course"},
        "de": {"upset": "Verzeihung"},
        "de-AT": {"upset": "Pardon"},
    }
    ours = settings(lines=lines)
    assert ours.line("upset", ("flight_cancelled",), "en-US") == "sorry for the flight"
    assert ours.line("upset", ("seat", "flight_cancelled"), "en-US") == "sorry for the flight", (
        "the topic's, without one of its own"
    )
    assert ours.line("upset", ("seat",), "en-GB") == "sorry"
    assert ours.line("upset", ("seat",), "de-DE") == "Verzeihung"
    assert ours.line("upset", (), "de-AT") == "Pardon"
    assert ours.line("upset", (), "fr") == "sorry"
    assert ours.line("wish", ("flight_cancelled",), "en") == "of course"
    assert ours.line("wish", (), "de") == "Verzeihung"
    assert settings(lines={"it": {"upset": "mi dispiace"}}).line("upset", (), "en") == "mi dispiace"
    assert settings(lines={}).line("upset", (), "en") == ""
    assert set(ours.sentences) == {"sorry", "sorry for the flight", "of course", "Verzeihung", "Pardon"}
    assert CALM.word == "calm"
