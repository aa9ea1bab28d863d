"""Codes as people say them and as recognisers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.spoken.alphabet import NATO
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_spelling
from ccaas.spoken.corrections import correct, correct_spelling
from ccaas.spoken.likeness import likeness
from ccaas.spoken.nearly import distance, nearly
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
        ("The reference is F as in Frank, two, five, J as in Jack, I ate.", "F25J8"),
        ("A hotel Juliet, a three-sixth Foxtrot Lima.", "HJ36FL"),
        ("10. G as in George, D as in David, 7-7, S as in Sam, T as in Tom.", "GD77ST"),
        ("The air of Charlie nine, the era Foxtrot, four", "SC9SF4"),
        ("It's for echo romeo foxtrot delta five", "4ERFD5"),
        ("It's a kilo Yankee Victor kilo", "8KYVK"),
        ("nine Yankee to echo hey Mike", "9Y2E8M"),
        ("echo, free, too, Lena, buck-straight, echo", "E32LFE"),
        ("November oscar 55 quibach 8", "NO55Q8"),
        ("Tango Victor 927. Neko", "TV927E"),
        ("Tango Victor 927 echoes", "TV927E"),
        ("Bravo fix. Sierra 4. Whiffy one.", "B6S4W1"),
        ("B isn't boy, nine, D and David, Y Evan yellow, four", "B9DY4"),
        ("T was in Tom, two, three, four, F us in Frank", "T234F"),
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


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("neko", "echo"), ("echoes", "echo"), ("zulus", "zulu"), ("whiffy", "whiskey"), ("wiki", "whiskey"), ("tangle", "tango"), ("elima", "lima"), ("charlotte", "charlie"),
        ("kilo", "kilo"), ("fife", "five"), ("booking", ""), ("person", ""), ("please", ""), ("hello", ""), ("mind", ""), ("ok", ""),
    ],
)  # fmt: skip
def test_misheard_words_of_the_alphabet(word: str, meant: str) -> None:
    assert nearly(word) == meant


@given(st.text("abcdefghijklmnopqrstuvwxyzθ", max_size=9), st.text("abcdefghijklmnopqrstuvwxyzθ", max_size=9))
def test_distance_is_the_same_both_ways(a: str, b: str) -> None:
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert distance(a, a) == 0


@pytest.mark.parametrize("said", ["", "...", "I'd like to speak to a person, please.", "I don't have it", "what code?"])
def test_sentences_are_no_codes(said: str) -> None:
    assert len(parse_code(said, (5, 6))) < 5
    assert coverage(said) < 0.5


@pytest.mark.parametrize("said", ["double", "four triple", "K Q seven double"])
def test_a_pause_behind_double_is_survived(said: str) -> None:
    assert parse_code(said, (5, 6)) == parse_code(said.rpartition(" ")[0], (5, 6))


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
        ("KQ742Z", "No, the third one is a five.", "KQ542Z"),
        ("KQ742Z", "No, the 3rd 1 is a 5.", "KQ542Z"),
        ("KQ742Z", "the second one should be a U", "KU742Z"),
        ("KQ742Z", "the second to last one is three", "KQ743Z"),
        ("KQ742Z", "letter two is a U", "KU742Z"),
        ("KQ742Z", "digit 3 should be five", "KQ542Z"),
        ("KQ742Z", "the ninth one is a five", None),
        ("KQ742Z", "you said Q, it's U", "KU742Z"),
        ("KQ742Z", "change the Q to a U", "KU742Z"),
        ("KQ742Z", "no, the Q is wrong, it's U", "KU742Z"),
        ("KQ742Z", "U as in uncle instead of Q", "KU742Z"),
        ("KQ742Z", "the Q should be a U", "KU742Z"),
        ("KQ742Z", "Five, not seven", "KQ542Z"),
        ("KQ742Z", "No, not Q, U as in uncle.", "KU742Z"),
        ("KQ742Z", "the second one is you", "KU742Z"),
        ("KQ742Z", "the fourth one is two, not for", "KQ722Z"),
        ("KH742Z", "the second one should be an A", "KA742Z"),
        ("KN742M", "It's M as in Mary, not N", "KM742M"),
        ("DXB91M", "no, D as in David", "DXD91M"),  # A D is there already: another one was misheard
        ("DX91M", "no, D as in David", None),  # Nothing sounds like it
        ("KB7P42", "no, T as in Tom", "KB7T42"),  # P is nearer to it than B
        ("AX91M", "no, an eight", "8X91M"),
        ("KQ742Z", "No, it's Kilo, Quebec, seven, four, three, Zulu.", "KQ743Z"),
        ("B604U1", "No, it's bravo. Six, Sierra, bar, whiskey. One.", "B6S4W1"),  # What "bar" was is known from before
        ("GD77FT", "No, it's golf, delta, seven, seven, the air, tango.", "GD77ST"),
        ("B604W1", "It's us isn't Sam not zero", "B6S4W1"),
        ("B604W1", "No, the third one is S's and Sam.", "B6S4W1"),
        ("7KSAP", "No not k8", "78SAP"),
        ("LDRUL7", "No, not you, W. S. and William.", "LDRWL7"),
        ("3AFEEL", "the second one is an age", "3HFEEL"),
    ],
)
def test_one_correction_repairs_one_character(code: str, said: str, after: str | None) -> None:
    assert correct(code, said) == after


@pytest.mark.parametrize(
    "said",
    [
        "no, that's not right", "no, it's wrong", "nope, try again", "No, it's for tomorrow", "no, two of them are wrong",
        "no, the last four are wrong", "No, I want to change my flight to Friday", "no, hang on a second", "no, the third one",
        "no, there's one missing", "no, let me say it again", "no, the name is Smith", "No, the code is for my wife", "no, my mistake",
    ],
)  # fmt: skip
def test_a_no_that_names_no_character_repairs_nothing(said: str) -> None:
    assert correct("KQ742Z", said, (6, 6)) is None


def test_a_code_said_again_must_be_as_long_as_codes_are() -> None:
    assert correct("KQ742Z", "No, it's Kilo, Quebec, seven, four, three.", (6, 6)) is None
    assert correct("KQ742", "No, it's Kilo, Quebec, seven, four, two, Zulu.", (5, 6)) == "KQ742Z"
    assert correct("", "No, it's Kilo.", (5, 6)) is None


@pytest.mark.parametrize(
    ("digits", "said", "after"),
    [
        ("6175590142", "No, it's five five five.", "6175550142"),
        ("6175550142", "no, the last one is a three", "6175550143"),
        ("80135592", "No, it's eight oh one, three five nine nine two.", "80135992"),
        ("4006", "four zero zero five", "4005"),
        ("4006", "It's nine, not six", "4009"),
        ("4006", "no, B as in boy", None),
        ("1874633163", "No, it's one, eight, seven, four, six, three, three, one.", "18746331"),
    ],
)
def test_numbers_are_corrected_in_digits(digits: str, said: str, after: str | None) -> None:
    assert correct(digits, said, (4, 10) if len(digits) < 8 else (8, 11), digits_only=True) == after


@pytest.mark.parametrize(
    ("name", "said", "after"),
    [
        ("Kovalski", "It's W as in whiskey, not V.", "Kowalski"),
        ("Kowalsky", "no, the last letter is I", "Kowalski"),
        ("Kowalsky", "No, it's K O W A L S K I", "Kowalski"),
        ("Kowalsky", "No, it's Kilo, Oscar, Whiskey, Alfa, Lima, Sierra, Kilo, India.", "Kowalski"),
        ("Kowalski", "no, the last one is five", None),
        ("Kowalski", "no, that's not me", None),
    ],
)
def test_names_are_corrected_letter_by_letter(name: str, said: str, after: str | None) -> None:
    assert correct_spelling(name, said) == after


@given(st.text(LETTERS + "0123456789", min_size=1, max_size=1), st.text(LETTERS + "0123456789", min_size=1, max_size=1))
def test_likeness_is_the_same_both_ways_and_nothing_is_like_itself(a: str, b: str) -> None:
    assert likeness(a, b) == likeness(b, a) >= 0
    assert likeness(a, a) == 0


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
        ("Seven, oh, nine, nineteen eighty four.", "1984-07-09"),
        ("twelve, oh, nine, eighty four", "1984-12-09"),
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
