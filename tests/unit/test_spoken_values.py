"""Dates, times, money and numbers, heard and said."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.spoken import readback
from ccaas.spoken.dates import find_dates, find_month, resolve
from ccaas.spoken.numbers import cardinal, ordinal, words, year
from ccaas.spoken.times import find_money, find_parts_of_day, find_times

TODAY = date(2024, 5, 15)  # a Wednesday


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("I'd like to change my flight from Boston to Seattle on Thursday.", ["thursday"]),
        ("an earlier flight on March fourteenth", ["03-14"]),
        ("move it to the twenty second of June", ["06-22"]),
        ("from the twelfth to the nineteenth of April", ["04-12", "04-19"]),
        ("March 14th, 2025", ["2025-03-14"]),
        ("Next Tuesday.", ["next tuesday"]),
        ("the day after tomorrow", ["in 2 days"]),
        ("in two weeks", ["in 14 days"]),
        ("Are you open on Christmas Day?", ["12-25"]),
        ("open on Sundays", ["sunday"]),
        ("Sunday the eighth", ["sunday"]),
        ("I can only travel after the twenty fifth because of work.", ["25"]),
        ("the second one", []),
        ("Hold on a second", []),
        ("I may fly in May", []),
        ("May fifth", ["05-05"]),
        ("the thirty first of February", []),
        ("first class", []),
    ],
)
def test_dates(said: str, values: list[str]) -> None:
    assert [found.value for found in find_dates(said)] == values


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("today", "2024-05-15"),
        ("tonight", "2024-05-15"),
        ("tomorrow", "2024-05-16"),
        ("thursday", "2024-05-16"),
        ("wednesday", "2024-05-15"),
        ("next friday", "2024-05-24"),
        ("next tuesday", "2024-05-21"),
        ("05-14", "2025-05-14"),
        ("02-29", "2028-02-29"),
        ("2024-05-20", "2024-05-20"),
        ("15", "2024-05-15"),
        ("14", "2024-06-14"),
        ("in 7 days", "2024-05-22"),
    ],
)
def test_dates_are_resolved_forward(value: str, day: str) -> None:
    assert resolve(value, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize("value", ["", "someday", "13-45", "32", "2024-02-30"])
def test_what_is_no_date_resolves_to_nothing(value: str) -> None:
    assert resolve(value, TODAY) is None


@given(st.dates(date(2024, 5, 16), date(2025, 5, 14)))
def test_a_date_that_is_said_is_heard_again(when: date) -> None:
    said = readback.day(when, TODAY - timedelta(days=30))
    value = find_dates(said)[0].value
    assert resolve(value, TODAY) == when


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("the seven forty five a.m. to Denver", ["07:45"]),
        ("at 7:45 AM", ["07:45"]),
        ("be in Miami by six p.m.", ["18:00"]),
        ("the six thirty flight in the evening", ["18:30"]),
        ("before noon", ["12:00"]),
        ("half past six", ["06:30"]),
        ("quarter to seven p.m.", ["18:45"]),
        ("ten o'clock", ["10:00"]),
        ("twelve oh five am", ["00:05"]),
        ("two bags", []),
        ("row seventeen", []),
        ("flight two eighteen", []),
        ("nine one, M as in Mary", []),
    ],
)
def test_times(said: str, values: list[str]) -> None:
    assert [found.value for found in find_times(said)] == values


@given(st.times())
def test_a_time_that_is_said_is_heard_again(when: time) -> None:
    assert [f.value for f in find_times(f"at {readback.clock(when)}")] == [when.strftime("%H:%M")]


def test_parts_of_day_are_wishes() -> None:
    assert [f.value for f in find_parts_of_day("on Saturday morning")] == ["morning"]
    assert find_parts_of_day("Good morning, it was cancelled this morning, have a nice evening") == ()


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("three hundred and twelve dollars", ["312.00"]),
        ("two hundred and forty nine dollars and fifty cents", ["249.50"]),
        ("$249.50 back", ["249.50"]),
        ("1,200 dollars", ["1200.00"]),
        ("You charged me $200 and $60 twice.", ["260.00"]),
        ("forty thousand miles", []),
    ],
)
def test_money(said: str, values: list[str]) -> None:
    assert [found.value for found in find_money(said)] == values


@given(st.integers(0, 99_999_99))
def test_money_that_is_said_is_heard_again(cents: int) -> None:
    assert [f.value for f in find_money(readback.money(cents / 100))][-1:] == [f"{cents / 100:.2f}"]


@given(st.integers(0, 999_999))
def test_numbers_that_are_said_are_heard_again(value: int) -> None:
    said = words(readback.number(value))
    assert cardinal(said, 0) == (value, len(said))


@given(st.integers(1, 99))
def test_ordinals_that_are_said_are_heard_again(value: int) -> None:
    said = words(readback.ordinal(value))
    assert ordinal(said, 0) == (value, len(said))


def test_years() -> None:
    assert year(words("nineteen eighty four"), 0) == (1984, 3)
    assert year(words("two thousand and five"), 0) == (2005, 4)
    assert year(words("twenty twenty four"), 0) == (2024, 3)
    assert year(words("nineteen oh one"), 0) == (1901, 3)
    assert year(words("ninety"), 0) is None


def test_months() -> None:
    assert find_month("the ticket I bought in January") == "january"
    assert find_month("I may go") is None
    assert find_month("on March fifth") is None


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    find_dates(text)
    find_times(text)
    find_money(text)
    find_parts_of_day(text)
    find_month(text)


def test_what_is_said() -> None:
    assert readback.nato("KQ7X") == "Kilo, Quebec, seven, X-ray"
    assert readback.digit_groups("6175550142") == "six one seven, five five five, zero one four two"
    assert readback.money(-1.01) == "minus one dollar and one cent"
    assert readback.money(0.5) == "fifty cents"
    assert readback.clock(time(0)) == "midnight"
    assert readback.day(TODAY, TODAY) == "today"
    assert readback.day(date(2025, 1, 1), TODAY) == "Wednesday the first of January 2025"
    assert readback.moment(datetime(2024, 5, 16, 18, 30), TODAY) == "tomorrow at six thirty in the evening"
