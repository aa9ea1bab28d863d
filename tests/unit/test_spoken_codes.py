"""Codes as people say them and as recognisers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.spoken.alphabet import NATO
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_spelling
from ccaas.spoken.corrections import correct
from ccaas.spoken.personal import parse_birth_date, parse_flight, parse_phone
from ccaas.spoken.readback import digit_groups, nato

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGIT_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
CODES = st.text(LETTERS + "0123456789", min_size=4, max_size=8)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("K Q seven four two Z", "KQ742Z"),
        ("K Q 7 42 Z", "KQ742Z"),
        ("K.Q. seven four two Z.", "KQ742Z"),
        ("Kq7 or 2z", "KQ742Z"),
        ("kay queue seven forty two zed", "KQ742Z"),
        ("It's B as in boy, X as in x-ray, nine one, M as in Mary", "BX91M"),
        ("D as in boy, X is in x ray, 91, N as in Mary", "BX91M"),
        ("B for Bravo, X for X-ray, nine one, M for Mike", "BX91M"),
        ("are tea five eight eight pea", "RT588P"),
        ("A hotel Juliet, a three six Foxtrot Lima,", "HJ36FL"),
        ("My confirmation code is W-N-4-6-L-D.", "WN46LD"),
        ("My confirmation code is Wn four, six Ld,", "WN46LD"),
        ("double u n forty six l d", "WN46LD"),
        ("Bravo 6 Sierra 4 Whiskey 1", "B6S4W1"),
        ("double seven nine H Y R", "779HYR"),
        ("triple four A B C", "444ABC"),
        ("you are two four see why", "UR24CY"),
        ("the code is A one C three E five", "A1C3E5"),
        ("um, it's, uh, PLM 33X, thanks", "PLM33X"),
        ("November Oscar five five Quebec eight", "NO55Q8"),
    ],
)
def test_codes(said: str, code: str) -> None:
    assert parse_code(said, (5, 6)) == code


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("six one seven five five five oh one four two", "6175550142"),
        ("617-555-0142", "6175550142"),
        ("two, o, six, five, five, five, o, one, eight, nine.", "2065550189"),
        ("ends in forty oh six", "4006"),
        ("double oh seven", "007"),
        ("the last four are seven seven one nine", "7719"),
    ],
)
def test_digits(said: str, digits: str) -> None:
    assert parse_digits(said, (len(digits), len(digits))) == digits


@pytest.mark.parametrize("said", ["", "...", "I'd like to speak to a person, please.", "I don't have it", "what code?"])
def test_sentences_are_no_codes(said: str) -> None:
    assert len(parse_code(said, (5, 6))) < 5
    assert coverage(said) < 0.5


@given(CODES)
def test_nato_words_are_heard_again(code: str) -> None:
    assert parse_code(nato(code), (len(code), len(code))) == code


@given(CODES)
def test_letters_and_digit_words_are_heard_again(code: str) -> None:
    said = " ".join(DIGIT_WORDS[int(c)] if c.isdigit() else c for c in code)
    assert parse_code(f"It's {said}.", (len(code), len(code))) == code


@given(st.text("0123456789", min_size=3, max_size=12))
def test_digit_groups_are_heard_again(digits: str) -> None:
    assert parse_digits(digit_groups(digits), (len(digits), len(digits))) == digits


@given(st.text("0123456789", min_size=2, max_size=8), st.integers(2, 3))
def test_double_and_triple_repeat_the_next(digits: str, times: int) -> None:
    word = {2: "double", 3: "triple"}[times]
    said = " ".join(f"{word} {DIGIT_WORDS[int(d)]}" for d in digits)
    assert parse_digits(said) == "".join(d * times for d in digits)


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    parse_code(text, (5, 6))
    parse_digits(text)
    parse_spelling(text)
    parse_flight(text)
    parse_phone(text)
    parse_birth_date(text)
    correct("KQ742Z", text)
    assert 0.0 <= coverage(text) <= 1.0


@pytest.mark.parametrize(
    ("code", "said", "after"),
    [
        ("DX91M", "no, B as in boy", "BX91M"),
        ("DX91M", "No, the first one is B", "BX91M"),
        ("KQ742Z", "no, the third one is nine", "KQ942Z"),
        ("KQ742Z", "the last letter is C", "KQ742C"),
        ("KQ742Z", "not Z, C as in Charlie", "KQ742C"),
        ("KQ742Z", "it's C, not Z", "KQ742C"),
        ("KN742Z", "No, it's M as in Mary", "KM742Z"),
        ("KQ742Z", "no it's K Q seven four three Z", "KQ743Z"),
        ("KQ742Z", "no, seven four three", "KQ743Z"),
        ("KQ742Z", "no", None),
        ("KQ742Z", "no, Friday", None),
    ],
)
def test_one_correction_repairs_one_character(code: str, said: str, after: str | None) -> None:
    assert correct(code, said) == after


@given(CODES, st.sampled_from(LETTERS), st.integers(0, 7))
def test_a_correction_by_place_changes_that_place_alone(code: str, letter: str, place: int) -> None:
    ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
    if place >= len(code):
        return
    example = NATO[letter].capitalize()
    after = correct(code, f"no, the {ordinals[place]} one is {letter} as in {example}")
    assert after == code[:place] + letter + code[place + 1 :]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Kowalski, K O W A L S K I", "Kowalski"),
        ("N G U Y E N", "Nguyen"),
        ("S as in Sam, M, I, T, H", "Smith"),
        ("hello", ""),
    ],
)
def test_spellings(said: str, name: str) -> None:
    assert parse_spelling(said) == name


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ("oh seven oh nine nineteen eighty four", "1984-07-09"),
        ("07091984", "1984-07-09"),
        ("July ninth nineteen eighty four", "1984-07-09"),
        ("the ninth of July, 1984", "1984-07-09"),
        ("7/9/84", "1984-07-09"),
        ("one two two five nineteen ninety", "1990-12-25"),
        ("thirteen thirty two nineteen ninety", ""),
        ("tomorrow", ""),
    ],
)
def test_dates_of_birth(said: str, born: str) -> None:
    assert parse_birth_date(said) == born


@pytest.mark.parametrize(
    ("said", "flight"),
    [
        ("I just got a text saying flight two eighteen is cancelled.", "218"),
        ("It's flight U A two three one eight", "UA2318"),
        ("flight number DL four oh two tomorrow", "DL402"),
        ("my flight to Boston", ""),
        ("flight on Friday", ""),
    ],
)
def test_flights(said: str, flight: str) -> None:
    assert parse_flight(said) == flight


def test_a_number_that_nobody_can_have_is_no_phone() -> None:
    assert parse_phone("six one seven five five five oh one four two") == "6175550142"
    assert parse_phone("one one one five five five oh one four two") == ""
    assert parse_phone("six one seven") == ""
