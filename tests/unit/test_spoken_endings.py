"""Whether words are the whole of what a caller wants to say, and whether they are words at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.backchannels import is_backchannel, opens_turns, wants_stop
from ccaas.spoken.endings import Completeness, ends, judge, stands_alone

SET = Path(__file__).parents[2] / "bench" / "speech" / "set.jsonl"
LINES = [json.loads(text) for text in SET.read_text("utf-8").splitlines()]
CODE = Expectation(ExpectationKind.CODE, (6, 6))


@pytest.mark.parametrize(
    "text",
    [
        "I'd like to fly to",
        "Can you move my trip from the twelfth to the",
        "It was, um",
        "My new address is",
        "I want to change my",
        "The name is",
        "two hundred and",
        "I was wondering if you could",
        "I have a question about the",
        "Could you tell me",
        "It leaves on next",
        "Can I",
        "and then I",
        "I'd like",
        "I need to be in",
        "I think…",
        "Could you take it on, umph",
        "I want the same",
        "My new address is 42.",
        "My new address is forty two.",
        "I was hoping to leave on there.",
    ],
)
def test_plainly_unfinished(text: str) -> None:
    assert ends(text) is Completeness.INCOMPLETE


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "Not really.",
        "Yes,",
        "mm-hmm",
        "I need somebody to help me",
        "I don't know what to do.",
        "Can you change it for me?",
        "Which flight am I on?",
        "When can I check in?",
        "I know where it is",
        "That's not what I paid for.",
        "Thank you, good-by.",
        "The second one",
        "What does that mean?",
        "Tell him I called.",
        "Can you tell me how to turn it off?",
        "The address is still the same.",
        "Nobody turned up.",
        "Check that my payment went through.",
        "I want to know what this charge is for.",
        "It's the person I spoke to.",
    ],
)
def test_not_unfinished(text: str) -> None:
    assert ends(text) is not Completeness.INCOMPLETE


@pytest.mark.parametrize(
    "text", ["Operator.", "No, no, stop", "Say that again, please?", "Never mind", "A human please"]
)
def test_commands_that_stand_alone(text: str) -> None:
    assert stands_alone(text)


@pytest.mark.parametrize(
    "text", ["Hello", "Stop the payment", "My suitcase", "Can you repeat the last", "I need an agent", ""]
)
def test_what_may_go_on(text: str) -> None:
    assert not stands_alone(text)


@pytest.mark.parametrize(
    ("kind", "length", "text", "verdict"),
    [
        (ExpectationKind.DIGITS, (10, 11), "617 555 0142", Completeness.COMPLETE),
        (ExpectationKind.DIGITS, (10, 11), "1 617 555 014", Completeness.UNSURE),
        (ExpectationKind.DIGITS, (8, 10), "617 555 01", Completeness.UNSURE),
        (ExpectationKind.DIGITS, (8, 10), "617 555 0142 0", Completeness.UNSURE),
        (ExpectationKind.SPELLING, None, "Kowalski, K O W A L S K I", Completeness.COMPLETE),
        (ExpectationKind.SPELLING, None, "Kowalski, K O W A L", Completeness.UNSURE),
        (ExpectationKind.SPELLING, None, "How old ski?", Completeness.UNSURE),
    ],
)
def test_how_much_of_a_code_is_there(
    kind: ExpectationKind, length: tuple[int, int] | None, text: str, verdict: Completeness
) -> None:
    assert judge(text, Expectation(kind, length)) is verdict


@pytest.mark.parametrize("line", [line for line in LINES if line["kind"] != "code"], ids=lambda line: line["id"])
def test_whole_utterances_are_never_called_unfinished(line: dict[str, str]) -> None:
    assert ends(line["text"]) is not Completeness.INCOMPLETE


@pytest.mark.parametrize("line", [line for line in LINES if line["kind"] == "hesitation"], ids=lambda line: line["id"])
def test_hesitations_are_never_called_finished(line: dict[str, str]) -> None:
    assert ends(line["text_marked"].split("|")[0]) is not Completeness.COMPLETE


@pytest.mark.parametrize(
    ("kind", "text", "verdict"),
    [
        (ExpectationKind.YES_NO, "yes", Completeness.COMPLETE),
        (ExpectationKind.YES_NO, "yeah, that's right", Completeness.COMPLETE),
        (ExpectationKind.YES_NO, "okay", Completeness.COMPLETE),
        (ExpectationKind.YES_NO, "yes but", Completeness.INCOMPLETE),
        (ExpectationKind.DATE, "next Tuesday", Completeness.COMPLETE),
        (ExpectationKind.DATE, "March", Completeness.INCOMPLETE),
        (ExpectationKind.DATE, "oh seven oh nine", Completeness.INCOMPLETE),
        (ExpectationKind.DATE, "oh seven oh nine nineteen eighty four", Completeness.COMPLETE),
        (ExpectationKind.TIME, "six p.m.", Completeness.COMPLETE),
        (ExpectationKind.TIME, "six", Completeness.UNSURE),
        (ExpectationKind.NUMBER, "two", Completeness.COMPLETE),
        (ExpectationKind.NUMBER, "two hundred", Completeness.UNSURE),
        (ExpectationKind.NAME, "Jennifer Walsh", Completeness.COMPLETE),
        (ExpectationKind.NAME, "my name is", Completeness.INCOMPLETE),
        (ExpectationKind.NAME, "Jennifer", Completeness.UNSURE),
        (ExpectationKind.SPELLING, "K O W", Completeness.UNSURE),
    ],
)
def test_answers(kind: ExpectationKind, text: str, verdict: Completeness) -> None:
    assert judge(text, Expectation(kind)) is verdict


def test_a_choice_is_complete_when_one_was_named() -> None:
    expect = Expectation(ExpectationKind.CHOICE, options=("window", "aisle"))
    assert judge("the aisle", expect) is Completeness.COMPLETE
    assert judge("the first one", expect) is Completeness.COMPLETE
    assert judge("the", expect) is Completeness.INCOMPLETE


def test_a_code_is_incomplete_until_its_length_is_there() -> None:
    assert judge("K Q seven", CODE) is Completeness.INCOMPLETE
    assert judge("K Q seven four two Z", CODE) is Completeness.COMPLETE
    assert judge("K Q seven four two as in", CODE) is Completeness.INCOMPLETE
    assert judge("I don't have it with me", CODE) is not Completeness.INCOMPLETE
    open_ended = Expectation(ExpectationKind.DIGITS, (4, 12))
    assert judge("four four one nine", open_ended) is Completeness.UNSURE


@given(st.integers(1, 6), st.text("BCDFGHJKLMNPQRSTVWXZ", min_size=6, max_size=6))
def test_every_beginning_of_a_code_is_incomplete(heard: int, code: str) -> None:
    said = " ".join(code[:heard])
    assert (judge(said, CODE) is Completeness.COMPLETE) is (heard == 6)


@given(st.text(max_size=200), st.sampled_from(list(ExpectationKind)))
def test_any_text_is_survived(text: str, kind: ExpectationKind) -> None:
    assert judge(text, Expectation(kind)) in Completeness
    is_backchannel(text)
    wants_stop(text)


@pytest.mark.parametrize("line", [line for line in LINES if line["kind"] == "backchannel"], ids=lambda line: line["id"])
def test_backchannels_of_the_set(line: dict[str, str]) -> None:
    assert is_backchannel(line["text"])
    assert not wants_stop(line["text"])


@pytest.mark.parametrize("line", [line for line in LINES if line["kind"] == "bargein"], ids=lambda line: line["id"])
def test_bargeins_of_the_set(line: dict[str, str]) -> None:
    assert wants_stop(line["text"])
    assert not is_backchannel(line["text"])


@pytest.mark.parametrize(
    "text", ["Mhm.", "uh huh", "Yeah, okay.", "ah, I see", "all right", "sure sure", "oh really", "of course"]
)
def test_more_backchannels(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "Friday", "no", "okay but Friday", "yeah I want to change my flight", "what"])
def test_no_backchannels(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("okay", True),
        ("Yeah.", True),
        ("mm-hmm, right", True),
        ("Mm-h", False),
        ("I see.", False),
        ("", False),
        ("Stop", False),
    ],
)
def test_some_signs_of_listening_begin_sentences_as_well(text: str, opens: bool) -> None:
    assert opens_turns(text) is opens
