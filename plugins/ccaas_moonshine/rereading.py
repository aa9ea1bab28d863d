"""Codes are decoded again, a little slower and a little faster, where the first text is doubtful: the readings vote.

A misheard letter is often heard right at another speed; the errors of the three are hardly related (docs/latency.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import soxr

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.codes import coverage, parse_code, parse_digits
from ccaas.spoken.numbers import words
from ccaas_moonshine.model import RATE, Decoded, Floats

SPEEDS = (0.93, 1.07)
SURE = 0.7
"""Confidence from which a text that reads as a whole code is believed."""
_DENIALS = frozenset({"no", "nope", "not", "it's", "actually", "sorry"})
_LEAST_COVERAGE = 0.4
NEARLY_WHOLE = 2
"""With so many characters missing the caller is still in the middle of it: nothing is decoded again."""


def _code(text: str, expect: Expectation) -> str:
    read = parse_digits if expect.kind is ExpectationKind.DIGITS else parse_code
    return read(text, expect.length)


def _fits(code: str, expect: Expectation) -> bool:
    return expect.length is not None and expect.length[0] <= len(code) <= expect.length[1]


def _corrects(text: str) -> bool:
    """Whether an answer to "Is that right?" has letters or digits in it ("no, B as in boy"), and little else."""
    ws = words(text)
    return len(ws) > 1 and ws[0].text in _DENIALS and coverage(text) >= _LEAST_COVERAGE and bool(parse_code(text))


def doubtful(decoded: Decoded, expect: Expectation) -> bool:
    """Whether a code was expected, or is being corrected, and the text may be one that was misheard."""
    if expect.kind is ExpectationKind.YES_NO:
        return _corrects(decoded.text) and (decoded.confidence < SURE or coverage(decoded.text) < 1)
    if expect.kind not in {ExpectationKind.CODE, ExpectationKind.DIGITS} or expect.length is None or not decoded.tokens:
        return False
    code = _code(decoded.text, expect)
    if len(code) < expect.length[0] - NEARLY_WHOLE:
        return False
    return not _fits(code, expect) or decoded.confidence < SURE or coverage(decoded.text) < 1


def stretched(samples: Floats, speed: float) -> Floats:
    """The audio at that speed, and higher or lower by as much."""
    made: Floats = soxr.resample(samples, RATE * speed, RATE, quality="QQ").astype(np.float32)
    return made


def likeliest(readings: Sequence[Decoded], expect: Expectation) -> Decoded:
    """The reading that is as long as it must be, has most of the others with it, and of those the surest. Of corrections, the
    one with the fewest words that are no part of a code."""
    codes = [_code(reading.text, expect) for reading in readings]
    votes = Counter(codes)

    def worth(n: int) -> tuple[bool, float, float, float]:
        part, vote = coverage(readings[n].text), votes[codes[n]]
        # How long a correction is nobody knows: there the words that belong to no code tell the misheard ones.
        first, second = (vote, part) if expect.length is not None else (round(part, 1), vote)
        return _fits(codes[n], expect), first, second, readings[n].confidence

    return readings[max(range(len(readings)), key=worth)]
