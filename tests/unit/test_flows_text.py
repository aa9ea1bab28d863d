"""Where sentences are read: characters and figures instead of words for the ear, and answers as they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest
import yaml
from ccaas_flows import written
from ccaas_flows.source import load
from ccaas_flows.templates import SPOKEN, WRITTEN, argument, render
from ccaas_flows.typed import typed

from ccaas.ports.reasoning import CallerTurn, Expectation, ExpectationKind
from ccaas.testing.fakes.tools import FakeToolbox
from tests.flows_parts import HEAD
from tests.unit.flow_talk import NOON, reasoner, talk

ROOT = Path(__file__).parents[2]
TODAY = date(2024, 5, 15)


@pytest.mark.parametrize(
    ("template", "value", "said", "read"),
    [
        ("{v|spell}", "cmplx7", "Charlie, Mike, Papa, Lima, X-ray, seven", "CMPLX7"),
        ("{v}", "16:30", "four thirty in the afternoon", "4:30 PM"),
        ("{v}", "00:05", "twelve oh five in the morning", "12:05 AM"),
        ("{v}", "2024-05-19", "Sunday the nineteenth of May", "Sunday, May 19"),
        ("{v}", "2024-05-16", "tomorrow", "tomorrow"),
        ("{v}", "2025-01-02", "Thursday the second of January 2025", "Thursday, January 2, 2025"),
        ("{v}", "2024-05-16T16:30", "tomorrow at four thirty in the afternoon", "tomorrow at 4:30 PM"),
        ("{v|money}", 120, "one hundred and twenty dollars", "$120"),
        ("{v|money}", 1249.5, "one thousand two hundred and forty nine dollars and fifty cents", "$1,249.50"),
        ("{v|difference}", 120, "for one hundred and twenty dollars more", "for $120 more"),
        ("{v|difference}", -42, "and you get forty two dollars back", "and you get $42 back"),
        ("{v|difference}", 0, "at the same price", "at the same price"),
        ("{v}", 3, "three", "3"),
        ("{v|ordinal}", 22, "twenty second", "22nd"),
        ("{v|digits}", "6175550142", "six one seven, five five five, zero one four two", "617-555-0142"),
        ("{v}", "visa ending in 1357", "visa ending in one three five seven", "visa ending in 1357"),
        ("{v}", "May 2025", "May 2025", "May 2025"),
        ("{v}", ["16:30", "18:00"], "four thirty in the afternoon and six in the evening", "4:30 PM and 6:00 PM"),
    ],
)
def test_values_for_the_ear_and_for_the_eye(template: str, value: object, said: str, read: str) -> None:
    assert render(template, {"v": value}, {}, TODAY, SPOKEN) == said
    assert render(template, {"v": value}, {}, TODAY, WRITTEN) == read


def test_a_text_for_a_tool_has_values_as_they_are_or_as_their_filter_writes_them() -> None:
    values = {"trip": {"date": "2024-05-19", "price": 305}}
    template = "{trip.date}: {trip.date|date}, {trip.price|money}{trip.seat}"
    assert argument(template, values, {}, TODAY) == "2024-05-19: Sunday, May 19, $305"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (13, "13th"), (21, "21st"), (112, "112th")]
)
def test_ordinals(number: int, text: str) -> None:
    assert written.ordinal(number) == text


def test_sums_below_zero_and_odd_cents() -> None:
    assert [written.money(sum_) for sum_ in (-5, -0.001, 0, 0.5, 1_000_000)] == [
        "-$5",
        "$0",
        "$0",
        "$0.50",
        "$1,000,000",
    ]
    assert written.clock(time(12, 0)) == "12:00 PM"
    assert written.moment(datetime(2024, 5, 15, 9), TODAY) == "today at 9:00 AM"
    assert written.digit_groups("12-34") == "1234"


@pytest.mark.parametrize(
    ("text", "kind", "taken", "keys"),
    [
        ("y", ExpectationKind.YES_NO, "yes", ""),
        ("N.", ExpectationKind.YES_NO, "no", ""),
        ("👍", ExpectationKind.YES_NO, "yes", ""),
        ("1", ExpectationKind.YES_NO, "", "1"),
        (" 2 ", ExpectationKind.YES_NO, "", "2"),
        ("3", ExpectationKind.YES_NO, "3", ""),
        ("1", ExpectationKind.NUMBER, "1", ""),
        ("yes but on Friday", ExpectationKind.YES_NO, "yes but on Friday", ""),
    ],
)
def test_what_is_typed(text: str, kind: ExpectationKind, taken: str, keys: str) -> None:
    turn = typed(CallerTurn("t", text), Expectation(kind))
    assert (turn.text, turn.keys) == (taken, keys)


ASKS = "  book: {{steps: [{{ask: {slot}}}, {{done: 'It is: {{{slot}}}.'}}]}}\n"


@pytest.mark.parametrize("channel", ["chat", "sms", "email"])
@pytest.mark.parametrize(
    ("slot", "answer", "read"),
    [
        ("code", "CMPLX7", "CMPLX7"),
        ("code", "cmplx7", "CMPLX7"),
        ("date", "20 May", "Monday, May 20"),
        ("date", "May 20", "Monday, May 20"),
        ("time", "4:30 pm", "4:30 PM"),
        ("guests", "1", "1"),
        ("guests", "3 please", "3"),
        ("wants", "y", "yes"),
        ("phone", "617-555-0142", "617-555-0142"),
        ("who", "jennifer walsh", "Jennifer Walsh"),
        ("view", "sea", "sea"),
    ],
)
async def test_typed_answers_are_understood_and_read_well(
    tmp_path: Path, channel: str, slot: str, answer: str, read: str
) -> None:
    conversation = await talk(reasoner(tmp_path, ASKS.format(slot=slot)), channel=channel)
    await conversation.say("I want a room")
    assert await conversation.say(answer) == f"It is: {read}. Is there anything else?"


async def test_a_typed_1_or_2_answers_a_yes_no_question(tmp_path: Path) -> None:
    flows = "  book:\n    steps:\n      - confirm: Sure?\n        declined: [{done: Then not.}]\n      - done: Good.\n"
    for answer, said in (("1", "Good."), ("2", "Then not."), ("ok", "Good."), ("nope", "Then not.")):
        conversation = await talk(reasoner(tmp_path, flows), channel="sms")
        await conversation.say("I want a room")
        assert (await conversation.say(answer)).startswith(said)


async def test_a_typed_number_takes_that_item_of_a_list(tmp_path: Path) -> None:
    flows = (
        "  book:\n    steps:\n      - read: look\n        as: found\n      - choose: found.rooms\n        as: room\n"
        '        offer: "{option.name}?"\n      - done: "{room.name}."\n'
    )
    tools = FakeToolbox({"look": {"rooms": [{"name": "Blue"}, {"name": "Red"}, {"name": "Old"}]}})
    conversation = await talk(reasoner(tmp_path, flows), tools, channel="chat")
    assert await conversation.say("I want a room") == "Blue?"
    assert (await conversation.say("3")).startswith("Old.")


async def test_the_same_draft_as_the_turn_that_was_typed(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, ASKS.format(slot="wants")), channel="chat")
    await conversation.say("I want a room")
    turn = CallerTurn("t9", "y")
    assert (await conversation.dialogue.draft(turn)).turn == turn


def shipped() -> Iterator[Path]:
    """Every YAML that is part of the project."""
    for folder in ("examples", "plugins", "contrib", "tests"):
        yield from sorted((ROOT / folder).rglob("*.yaml"))


def sentences(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from sentences(item)


@pytest.mark.parametrize("file", list(shipped()), ids=lambda file: str(file.relative_to(ROOT)))
def test_nobody_is_ever_told_of_a_main_menu(file: Path) -> None:
    said = [text for part in yaml.safe_load_all(file.read_text("utf-8")) for text in sentences(part)]
    assert [text for text in said if re.search(r"main menu", text, re.IGNORECASE)] == []


def test_the_flows_tell_nobody_to_press_keys() -> None:
    for name in ("airline", "bench"):
        program = load(ROOT / "examples" / name / "flows.yaml")
        assert not re.search(r"\bpress\b", repr((program.flows, program.words, program.written, program.greeting)))


async def test_the_clock_of_the_texts_is_the_business_s(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, ASKS.format(slot="date"), HEAD), channel="chat", now=NOON)
    await conversation.say("I want a room")
    assert await conversation.say("tomorrow") == "It is: tomorrow. Is there anything else?"
