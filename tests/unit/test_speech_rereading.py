"""Codes that were doubtfully heard are decoded again, and the readings vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from ccaas_moonshine.model import Decoded, Floats, MoonshineModel
from ccaas_moonshine.rereading import doubtful, likeliest, stretched
from ccaas_moonshine.stream import MoonshineStream
from ccaas_moonshine.work import DecodingThreads

from ccaas.ports.reasoning import Expectation, ExpectationKind

CODE = Expectation(ExpectationKind.CODE, (6, 6))
YES_NO = Expectation(ExpectationKind.YES_NO)
DIGITS = Expectation(ExpectationKind.DIGITS, (4, 4))


def heard(text: str, confidence: float = 0.9) -> Decoded:
    return Decoded(text, (1, 2, 3) if text else (), confidence)


@pytest.mark.parametrize(
    ("text", "confidence", "expect", "doubt"),
    [
        ("K Q seven four two Z", 0.9, CODE, False),
        ("K Q seven four two Z", 0.5, CODE, True),
        ("K Q seven four two", 0.9, CODE, True),  # One is missing
        ("K Q seven four two Z hmpf", 0.9, CODE, True),  # And what is this?
        ("K Q seven", 0.9, CODE, False),  # The caller is in the middle of it
        ("", 0.0, CODE, False),
        ("four oh oh six", 0.9, DIGITS, False),
        ("four oh oh", 0.9, DIGITS, True),
        ("No it's tangle vicar 9 2 7 agile", 0.9, YES_NO, True),
        ("No, B as in boy.", 0.6, YES_NO, True),
        ("No, B as in boy.", 0.9, YES_NO, False),
        ("No.", 0.3, YES_NO, False),
        ("Yes, that's right.", 0.3, YES_NO, False),
        ("No, I'd like to fly on Friday.", 0.3, YES_NO, False),
        ("K Q seven four two", 0.2, Expectation(), False),
        ("K Q seven four two", 0.2, Expectation(ExpectationKind.CODE), False),  # Any length will do
    ],
)
def test_when_a_code_is_decoded_again(text: str, confidence: float, expect: Expectation, doubt: bool) -> None:
    assert doubtful(heard(text, confidence), expect) is doubt


def test_the_reading_that_fits_and_has_the_others_with_it_is_taken() -> None:
    wrong, short = heard("J Q seven four two Z", 0.8), heard("Q seven four two Z", 0.99)
    right, again = heard("Kq7 42z", 0.5), heard("K Q seven four two Z", 0.6)
    assert likeliest((wrong, right, again), CODE) is again
    assert likeliest((short, right), CODE) is right
    assert likeliest((wrong, right), CODE) is wrong
    assert likeliest((short,), CODE) is short


def test_of_corrections_the_one_with_the_fewest_strange_words_is_taken() -> None:
    strange, whole = heard("No it's tangle vicar 9 2 7 agile", 0.9), heard("No, it's tango victor 9 2 7 echo", 0.5)
    assert likeliest((strange, whole), YES_NO) is whole
    letters = [heard("No, D as in David.", 0.9), heard("No, B as in boy.", 0.5), heard("no B as in boy", 0.6)]
    assert likeliest(letters, YES_NO) is letters[2]


def test_stretching_changes_the_length_alone() -> None:
    tone = np.sin(np.arange(16_000) * 0.1).astype(np.float32)
    for speed in (0.93, 1.07):
        made = stretched(tone, speed)
        assert made.dtype == np.float32
        assert made.size == pytest.approx(16_000 / speed, abs=2)
        assert np.abs(made[2000:-2000]).max() == pytest.approx(1, abs=0.05)


class Model:
    """Hears by the length of the audio."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.sizes: list[int] = []

    def transcribe(self, samples: Floats, draft: Sequence[int] = (), voiced: bool = True) -> Decoded:
        assert voiced
        assert bool(draft) == bool(self.sizes)
        self.sizes.append(samples.size)
        return heard(self._texts[(len(self.sizes) - 1) % len(self._texts)], 0.6)


@pytest.mark.parametrize(("expect", "decodings"), [(CODE, 3), (Expectation(), 1)])
async def test_a_stream_votes_where_a_code_is_expected_and_only_once(expect: Expectation, decodings: int) -> None:
    model = Model("J Q seven four two Z", "K Q seven four two Z", "Kq7 42z")
    threads = DecodingThreads(1)
    stream = MoonshineStream(cast("MoonshineModel", model), cast("MoonshineModel", model), threads, 30.0)
    stream.push((np.sin(np.arange(32_000) * 0.1) * 8000).astype(np.int16))
    first = await stream.final(expect)
    assert (await stream.final(expect)).text == first.text
    await threads.close()
    assert len(model.sizes) == decodings
    assert len(set(model.sizes)) == decodings
    assert first.text == ("J Q seven four two Z" if decodings == 1 else "K Q seven four two Z")
