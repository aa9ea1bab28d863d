"""Word error rate that does not punish spelling: "$249.50" and "two hundred and forty nine dollars and fifty cents" agree.

Both sides are brought to one form: numbers as single digits, spelt codes as single letters, one spelling of English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_VALUES = {word: value for value, word in enumerate([*_UNITS.split(), "seventeen", "eighteen", "nineteen"])}
_VALUES |= {word: 10 * (value + 2) for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty"])}
_VALUES |= {"seventy": 70, "eighty": 80, "ninety": 90, "oh": 0, "o": 0}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    **{f"{word}th": value for word, value in _VALUES.items() if value > 3},
    "twentieth": 20,
    "thirtieth": 30,
}
_SPELLINGS = {
    "canceled": "cancelled",
    "traveling": "travelling",
    "installment": "instalment",
    "ok": "okay",
    "alright": "all right",
    "goodbye": "good bye",
    "backpack": "back pack",
    "checkin": "check in",
    "um": "",
    "uh": "",
    "mmhmm": "mm hmm",
}


def words(text: str) -> list[str]:
    """The text's words in the one form in which two texts are compared."""
    text = text.lower().replace("’", "'")
    text = re.sub(r"\$(\d+)\.(\d\d)\b", r"\1 dollars \2 cents", text)
    text = re.sub(r"\$(\d+)", r"\1 dollars", text)
    text = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1 th", text)
    text = re.sub(r"(\d),(\d{3})\b", r"\1\2", text)
    text = re.sub(r"[^a-z0-9' ]+", " ", text)
    text = re.sub(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", " ", text)
    spelled = [other for word in text.split() for other in _SPELLINGS.get(word, word).split()]
    return _digits(spelled)


def _digits(plain: Sequence[str]) -> list[str]:
    out: list[str] = []
    number: int | None = None
    room = 1
    """What may still be added to `number`: 10 after "twenty", 100 after "hundred"."""

    def put() -> None:
        nonlocal number
        if number is not None:
            out.extend(str(number))
        number = None

    for at, word in enumerate(plain):
        ordinal = word in _ORDINALS and not (word == "second" and "one" in plain[at + 1 : at + 2])
        value = _ORDINALS[word] if ordinal else _VALUES.get(word)
        if value is not None:
            if number is not None and value < room and value > 0:
                number += value
            else:
                put()
                number = value
            room = 10 if number % 100 >= 20 and number % 10 == 0 else 1
            if ordinal:
                put()
                out.append("th")
        elif word in ("hundred", "thousand") and number is not None:
            number *= 100 if word == "hundred" else 1000
            room = 100 if word == "hundred" else 1000
        elif (word == "and" and number is not None and (room >= 100 or plain[at + 1 : at + 2] == [])) or (
            word == "and" and out and out[-1] == "dollars"
        ):
            continue
        else:
            put()
            out.extend(word if word.isdigit() else [word])
            room = 1
    put()
    return out


def errors(truth: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions that turn one into the other (Levenshtein 1966)."""
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(truth, 1):
        left, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            left, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, left + (expected != got))
    return row[-1]


def same(truth: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether they agree when spaces are ignored: "K Q 7" and "KQ7"."""
    return "".join(truth) == "".join(heard)
