"""Card numbers and secrets are taken out before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS = {
    word: str(digit)
    for digit, words in enumerate(("zero oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    for word in words.split()
}
_GROUP = rf"(?:\d++|(?:{'|'.join(_WORDS)}))(?!\w)"
# Groups of digits, or digits in words, with a blank, a comma or a dash between them. Nothing that was taken is given back
# (`++`, `*+`): a call's id is digits and letters, and to try each division of it would hold up the event loop for a second.
_RUN = re.compile(rf"(?<![\w.]){_GROUP}(?:(?:\s-\s|, |[\s,-]){_GROUP})*+", re.IGNORECASE)
_PIECE = re.compile(_GROUP, re.IGNORECASE)
_SECRET = re.compile(r"(?:^|_)(?:password|passwd|secret|token|api_key|authorization|cvv|cvc|pin)$", re.IGNORECASE)
# ISO/IEC 7812: 13 to 19 digits; payment cards begin with 2 to 6.
_FEWEST, _MOST, _FIRST = 13, 19, "23456"


def masked_text(text: str) -> str:
    """The text with every payment card number (13–19 digits, spoken or written, that pass the Luhn check) replaced by
    `[card ending 1234]`."""
    return text if len(text) < _FEWEST else _RUN.sub(_mask_run, text)


def masked(value: object) -> object:
    """A JSON value with card numbers masked in its strings and whole numbers, and the values of secret keys removed."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if -(10**12) < value < 10**12 or masked_text(str(value)) == str(value) else masked_text(str(value))
    if isinstance(value, Mapping):
        return {
            masked_text(str(key)): "[secret]" if _SECRET.search(str(key)) and item else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    return masked_text(str(value))


def _mask_run(run: re.Match[str]) -> str:
    text = run.group()
    groups = list(_PIECE.finditer(text))
    digits = [_WORDS.get(group.group().lower(), group.group()) for group in groups]
    kept: list[str] = []
    position = start = 0
    while start < len(groups):
        stop = _card_end(digits, start)
        if stop is None:
            start += 1
            continue
        number = "".join(digits[start:stop])
        kept += [text[position : groups[start].start()], f"[card ending {number[-4:]}]"]
        position = groups[stop - 1].end()
        start = stop
    return "".join(kept) + text[position:]


def _card_end(digits: list[str], start: int) -> int | None:
    """Where the longest card number that begins with group `start` ends."""
    best, number = None, ""
    for stop in range(start + 1, len(digits) + 1):
        number += digits[stop - 1]
        if len(number) > _MOST:
            break
        if is_card(number):
            best = stop
    return best


def is_card(number: str) -> bool:
    """Whether digits are a payment card's number: as long, with such a beginning, and right by the Luhn check (ISO/IEC
    7812-1 annex B)."""
    if not _FEWEST <= len(number) <= _MOST or number[0] not in _FIRST:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
