"""Keys: menus, entries with an end, keys pressed ahead of the question."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import GREETING, Script, Talk, Wait, pinned

from ccaas.conversation.endpointing import keys_complete
from ccaas.ports.reasoning import Expectation, ExpectationKind

MENU = Expectation(ExpectationKind.CHOICE, keys="12*")
PIN = Expectation(ExpectationKind.DIGITS, length=(4, 4))
NUMBER = Expectation(ExpectationKind.DIGITS, length=(4, 12))


def press(talk: Talk, digits: str) -> None:
    for digit in digits:
        talk.conversation.key(digit)


def committed(talk: Talk) -> list[str]:
    return [turn.keys or turn.text for turn in talk.reasoner.commits]


@pytest.mark.parametrize(
    ("keys", "expect", "whole"),
    [
        ("1", MENU, True),
        ("3", MENU, False),
        ("*", MENU, True),
        ("31", MENU, True),
        ("123", PIN, False),
        ("1234", PIN, True),
        ("1234", NUMBER, False),
        ("1234#", NUMBER, True),
        ("#", Expectation(), True),
        ("5", Expectation(), False),
    ],
)
def test_an_entry_is_whole_when_nothing_more_is_awaited(keys: str, expect: Expectation, whole: bool) -> None:
    assert keys_complete(keys, expect) is whole


@pytest.mark.looptime
async def test_a_menu_key_is_answered_at_once(tmp_path: Path) -> None:
    async with Talk({"1": Script("Bookings it is.")}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        await talk.wait(0.5)
        pressed = talk.now
        press(talk, "1")
        await talk.agent_says("Bookings it is.")
        assert talk.first_sound(pressed) - pressed < 0.1
        assert (talk.records["t1"].keys, talk.records["t1"].caller_text) == ("1", "")


@pytest.mark.looptime
async def test_a_key_stops_the_agent(tmp_path: Path) -> None:
    async with Talk({"1": Script("Bookings it is.")}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says("How can")
        press(talk, "1")
        await talk.agent_says("Bookings it is.")
        assert GREETING not in talk.agent()
        text, whole = talk.reasoner.heard[0]
        assert (text, whole) in {("How", False), ("How can", False)}


@pytest.mark.looptime
@pytest.mark.parametrize(("digits", "expect"), [("1234", PIN), ("12345678#", NUMBER)])
async def test_an_entry_ends_with_its_length_or_its_terminator(
    tmp_path: Path, digits: str, expect: Expectation
) -> None:
    async with Talk({}, tmp_path) as talk:
        talk.reasoner.expect = expect
        await talk.agent_says(GREETING)
        for digit in digits:
            await talk.wait(0.4)
            assert talk.reasoner.commits == []
            press(talk, digit)
        pressed = talk.now
        await talk.agent_says("Okay.")
        assert committed(talk) == [digits]
        assert talk.first_sound(pressed) - pressed < 0.1


@pytest.mark.looptime
async def test_an_entry_ends_when_no_key_follows(tmp_path: Path) -> None:
    settings = pinned(key_gap_ms=2_000)
    async with Talk({}, tmp_path, settings) as talk:
        await talk.agent_says(GREETING)
        press(talk, "12")
        await talk.wait(1.8)
        press(talk, "3")
        pressed = talk.now
        await talk.agent_says("Okay.")
        assert committed(talk) == ["123"]
        assert talk.first_sound(pressed) - pressed == pytest.approx(2.0, abs=0.1)


@pytest.mark.looptime
async def test_keys_pressed_while_the_agent_thinks_answer_its_next_question(tmp_path: Path) -> None:
    scripts = {"1": Script("Enter your number please.", draft_s=0.5), "4711": Script("Thank you.")}
    async with Talk(scripts, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        press(talk, "1")
        talk.reasoner.expect = PIN
        await talk.wait(0.1)
        press(talk, "4711")
        await talk.agent_says("Thank you.")
        assert committed(talk) == ["1", "4711"]
        assert "number please" not in talk.agent(), "who knows the question does not hear it"


@pytest.mark.looptime
async def test_keys_pressed_ahead_of_an_answer_without_words(tmp_path: Path) -> None:
    async with Talk({"1": Script(Wait(0.5)), "4711": Script("Thank you.")}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        press(talk, "1")
        talk.reasoner.expect = PIN
        await talk.wait(0.1)
        press(talk, "47")
        await talk.wait(1.0)
        press(talk, "11")
        await talk.agent_says("Thank you.")
        assert committed(talk) == ["1", "4711"]


@pytest.mark.looptime
async def test_keys_pressed_before_the_greeting(tmp_path: Path) -> None:
    async with Talk({"1": Script("Bookings it is.")}, tmp_path) as talk:
        talk.reasoner.open_s = 0.5
        talk.reasoner.expect = MENU
        await talk.wait(0.2)
        press(talk, "1")
        await talk.agent_says("Bookings it is.")
        assert GREETING not in talk.agent()


@pytest.mark.looptime
async def test_keys_while_a_reply_meets_a_voice(tmp_path: Path) -> None:
    scripts = {"1": Script("Enter your number please.", draft_s=0.5), "4711": Script("Thank you.")}
    async with Talk(scripts, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        press(talk, "1")
        talk.reasoner.expect = PIN
        await talk.wait(0.4)
        talk.caller.speak("hm,")
        press(talk, "4711")
        await talk.agent_says(" you.")
        assert committed(talk) == ["1", "4711"]


@pytest.mark.looptime
async def test_a_cough_does_not_cost_the_answer_to_keys(tmp_path: Path) -> None:
    async with Talk({"1": Script("Bookings it is.", draft_s=0.8)}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        press(talk, "1")
        await talk.wait(0.1)
        await talk.say("hmm")
        await talk.agent_says("Bookings it is.")
        assert committed(talk) == ["1"]


@pytest.mark.looptime
async def test_keys_in_the_middle_of_words_take_their_place(tmp_path: Path) -> None:
    async with Talk({"1": Script("Bookings it is.")}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        talk.caller.speak("I would like")
        await talk.wait(0.45)
        press(talk, "1")
        await talk.agent_says("Bookings it is.")
        assert committed(talk) == ["1"]


@pytest.mark.looptime
async def test_keys_after_an_acknowledgement_replace_the_words(tmp_path: Path) -> None:
    async with Talk({"Book it.": Script("When?", draft_s=4.0), "1": Script("Bookings it is.")}, tmp_path) as talk:
        talk.reasoner.expect = MENU
        await talk.agent_says(GREETING)
        await talk.say("Book it.")
        await talk.agent_says("One")
        press(talk, "1")
        await talk.agent_says("Bookings it is.")
        await talk.wait(4.0)
        assert committed(talk) == ["1"]
        assert "When?" not in talk.agent()
