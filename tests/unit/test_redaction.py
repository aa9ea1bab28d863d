"""What the redactor "pii" finds in texts, written and spoken, and what it leaves alone."""

from __future__ import annotations

import pytest
from ccaas_redaction.finding import Finder
from ccaas_redaction.settings import RedactionSettings
from pydantic import ValidationError

from ccaas.ports.redaction import redacted

FINDER = Finder(RedactionSettings())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to ann.lee+x@example.co.uk please.", "EMAIL", "ann.lee+x@example.co.uk"),
        ("It's john dot smith at example dot com.", "EMAIL", "john.smith@example.com"),
        ("mia underscore li at post dot example dot org", "EMAIL", "mia_li@post.example.org"),
        ("My number is 617-555-0123.", "PHONE", "+16175550123"),
        ("(617) 555 0123", "PHONE", "+16175550123"),
        ("+49 30 901820", "PHONE", "+4930901820"),
        ("It's six one seven five five five zero one four two.", "PHONE", "+16175550142"),
        ("six one seven, triple five, oh one four two", "PHONE", "+16175550142"),
        ("4111 1111 1111 1111", "CARD", "4111111111111111"),
        ("four one one one one one one one one one one one one one one one", "CARD", "4111111111111111"),
        ("DE89 3704 0044 0532 0130 00", "IBAN", "DE89370400440532013000"),
        ("123-45-6789", "NATIONAL_ID", "123-45-6789"),
        ("my passport number is 123456789", "NUMBER", "123456789"),
        ("I was born on May twenty-fifth, nineteen eighty four.", "BIRTH_DATE", "1984-05-25"),
        ("May 25th, 1984", "BIRTH_DATE", "1984-05-25"),
        ("1984-05-25", "BIRTH_DATE", "1984-05-25"),
        ("I was born oh seven oh nine nineteen eighty four", "BIRTH_DATE", "1984-07-09"),
        ("My name is Jane Miller and I need help.", "NAME", "Jane Miller"),
        ("I live at 12 Oak Street in Boston.", "ADDRESS", "12 Oak Street"),
    ],
)
def test_it_is_found(text: str, kind: str, value: str) -> None:
    assert [(one.kind, one.value) for one in FINDER.find(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Flight HAT045 on May 19th at 4:30, 305 dollars.",
        "2024-05-19 16:30 until 2024-05-20 18:00",
        "My reservation is CMPLX7, and the other one is ZFA04Y.",
        "I need three tickets for 120 dollars to JFK in May 2024.",
        "Order number four five five.",
        "See you at home. Thanks a million.",
        "The 4:30 flight on Thursday, seat 12 A, gate 14.",
        "one two three testing",
    ],
)
def test_it_is_left_alone(text: str) -> None:
    assert FINDER.find(text) == ()


def test_known_names_are_found_in_words_and_in_keys_of_records() -> None:
    found = FINDER.find("Sara's user id is sara_doe_496; sarah is somebody else.", ["Sara", "Doe"])
    assert [one.value for one in found] == ["Sara", "sara", "doe"]


def test_kinds_can_be_allowed_and_added() -> None:
    ours = Finder(RedactionSettings(allow=("PHONE",), patterns={"MEMBER": r"\bAC\d{8}\b"}))
    assert [one.kind for one in ours.find("ac12345678 or 617-555-0123")] == ["MEMBER"]


@pytest.mark.parametrize(
    "wrong",
    [{"patterns": {"MEMBER": "("}}, {"patterns": {"member": "x"}}, {"region": "usa"}, {"allow": ["a b"]}, {"more": 1}],
)
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RedactionSettings.model_validate(wrong)


def test_for_good() -> None:
    text = "Ann, at ann@example.com or 617-555-0123: call her."
    assert redacted(FINDER, text) == "Ann, at [EMAIL] or [PHONE]: call her."


def test_a_long_word_costs_no_more_than_its_length() -> None:
    # Searched from each of its letters anew, this would take minutes.
    assert FINDER.find("a" * 300_000) == ()
