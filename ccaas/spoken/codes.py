"""Spoken codes: letters, digits, NATO words, "b as in boy", "double seven", in the spellings that recognisers choose.

Each spoken word gives one or more readings of what it adds to the code; the readings are then put together so that the
expected length fits. Carrier phrases ("my confirmation code is") are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product

from ccaas.spoken.alphabet import CARRIERS, NATO_WORDS
from ccaas.spoken.code_items import Item, item_at, spelled_in_nato, sure_behind
from ccaas.spoken.nearly import nearly
from ccaas.spoken.numbers import Word, words

_LONG, _SHORT = 5, 3
"""Words of the alphabet that are longer than the one may be heard as two, the second at least as long as the other (letters)."""
_READINGS = 4096
"""Of so many ways to read a run of words the likeliest is chosen."""


def _segments(ws: Sequence[Word], digits_only: bool) -> Iterator[list[Item]]:
    """Runs of items with nothing but carrier words between them; weak words at a run's edge are dropped."""
    run: list[Item] = []
    i = 0
    while i < len(ws):
        item = item_at(ws, i, digits_only)
        carrier = ws[i].text in CARRIERS and (item is None or not item.sure)
        if item is not None and not (carrier and not (run and sure_behind(ws, i, digits_only))):
            run.append(item)
            i = item.behind
            continue
        if not carrier and run:
            yield run
            run = []
        i += 1
    if run:
        yield run


def _trim(run: list[Item]) -> list[Item]:
    while run and not run[0].sure:
        run = run[1:]
    while run and not run[-1].sure and len(run) > 1 and run[-1].readings[-1] == "" and len(run[-1].readings[0]) == 1:
        if run[-1].readings[0].isalpha():
            break
        run = run[:-1]
    return run


def _stretch(whole: Sequence[Item], trimmed: list[Item], length: tuple[int, int] | None) -> list[Item]:
    """Take everyday words at the edges back in ("are tea five eight eight pea") where only they make the code long enough."""
    if length is None or not trimmed:
        return trimmed
    low, high = whole.index(trimmed[0]), whole.index(trimmed[-1])
    taken = sum(len(item.readings[0]) for item in trimmed)
    while taken < length[0] and (low > 0 or high < len(whole) - 1):
        if high < len(whole) - 1:
            high += 1
            taken += len(whole[high].readings[0])
        else:
            low -= 1
            taken += len(whole[low].readings[0])
    return list(whole[low : high + 1])


def _fit(run: Sequence[Item], length: tuple[int, int] | None) -> str:
    """The likeliest reading whose length fits; without one that fits, the likeliest of all."""
    choices = [item.readings for item in run]
    likeliest = "".join(c[0] for c in choices)
    if length is None or length[0] <= len(likeliest) <= length[1]:
        return likeliest
    best, least = likeliest, float("inf")
    for reading in islice(product(*(range(len(c)) for c in choices)), _READINGS):
        joined = "".join(choice[n] for choice, n in zip(choices, reading, strict=True))
        # An article is left out before anything else is.
        doubt = sum(n * (0.9 if choice[0] in {"A", "8"} else 1) for choice, n in zip(choices, reading, strict=True))
        if length[0] <= len(joined) <= length[1] and doubt < least:
            best, least = joined, doubt
    return best


def _sentence(ws: Sequence[Word], run: Sequence[Item], length: tuple[int, int]) -> str:
    """What is left of a code that is too long without the sentence before or behind it; empty where that is not as long either."""
    for n in range(1, len(run)):
        if ws[run[n].first].after_mark in {".", "?", "!"}:
            for part in (run[n:], run[:n]):
                code = _fit(_trim(list(part)), length)
                if length[0] <= len(code) <= length[1]:
                    return code
    return ""


def _read(text: str, length: tuple[int, int] | None, digits_only: bool) -> str:
    ws = words(text)
    if not digits_only and spelled_in_nato(ws):
        ws = words(_as_meant(ws, digits_only))
    best = _best(ws, length, digits_only)
    if not best or length is None or len(best) >= length[1]:
        return best
    # Where more may belong to it, words that are no part of a code may be misheard ones that are.
    meant = _as_meant(ws, digits_only)
    again = _best(words(meant), length, digits_only)
    return again if length[0] <= len(again) <= length[1] and len(best) < len(again) <= 2 * len(best) else best


def _as_meant(ws: Sequence[Word], digits_only: bool) -> str:
    """The text with misheard words of the alphabet as they were probably meant; two may have been one ("box strat": foxtrot)."""
    said: list[str] = []
    i = 0
    while i < len(ws):
        unknown = item_at(ws, i, digits_only) is None and ws[i].text not in CARRIERS
        follows = ws[i + 1].text if i + 1 < len(ws) and ws[i + 1].text.isalpha() else ""
        both = nearly(ws[i].text + follows) if unknown and len(follows) >= _SHORT and follows not in NATO_WORDS else ""
        if len(both) > _LONG:
            said.append(both)
            i += 2
            continue
        said.append((nearly(ws[i].text) or ws[i].raw) if unknown else ws[i].raw)
        i += 1
    return ", ".join(said)


def _best(ws: Sequence[Word], length: tuple[int, int] | None, digits_only: bool) -> str:
    best = ""
    for run in _segments(ws, digits_only):
        # Where the utterance is nothing but a code, everyday words at its edges are letters too.
        alone = length and run[0].first == 0 and run[-1].behind == len(ws)
        code = _fit(_stretch(run, _trim(run), (length[1], length[1]) if length and alone else length), length)
        if length is not None and len(code) > length[1]:
            code = _sentence(ws, run, length) or code
        fits = length is not None and length[0] <= len(code) <= length[1]
        best_fits = length is not None and length[0] <= len(best) <= length[1]
        if (fits, len(code)) > (best_fits, len(best)):
            best = code
    return best


def parse_gapped(text: str, digits_only: bool = False) -> str:
    """The code in `text` with "?" for each word that was not understood, as far as it goes: "Kilo, bar, seven" is "K?7"."""
    ws = words(_as_meant(words(text), digits_only))
    code = ""
    i = 0
    while i < len(ws):
        item = item_at(ws, i, digits_only)
        carrier = ws[i].text in CARRIERS
        if item is not None and (item.sure or not carrier):
            code += item.readings[0]
            i = item.behind
            continue
        if not carrier and not code.endswith("?"):
            code += "?"
        i += 1
    return code


def parse_code(text: str, length: tuple[int, int] | None = None) -> str:
    """The code in `text`, upper case without spaces; empty when there is none. `length` (fewest, most) settles doubtful words;
    what is returned may still be shorter or longer."""
    return _read(text, length, digits_only=False)


def parse_digits(text: str, length: tuple[int, int] | None = None) -> str:
    """The digits in `text` ("oh one four two", "double seven", "0142"); empty when there are none."""
    return _read(text, length, digits_only=True)


def parse_spelling(text: str) -> str:
    """A spelled name ("K O W A L S K I", "Kowalski, K-O-W…") with a capital; empty when no letters were spelled."""
    best = ""
    for run in _segments(words(text), digits_only=False):
        letters = "".join(next((r for r in item.readings if r and r.isalpha()), "") for item in _trim(run))
        if len(letters) > len(best):
            best = letters
    return best.capitalize() if len(best) >= 2 else ""


def coverage(text: str) -> float:
    """Which part (0…1) of the words that are not carrier phrases can belong to a code: 1.0 for a pure code, low for a sentence."""
    ws = words(text)
    if spelled_in_nato(ws):
        ws = words(_as_meant(ws, digits_only=False))
    used = meaningful = 0
    i = 0
    while i < len(ws):
        item = item_at(ws, i, digits_only=False)
        if item is not None and item.sure:
            used += 1
            meaningful += 1
            i = item.behind
            continue
        if ws[i].text not in CARRIERS and not (item is not None and used):
            meaningful += 1
        i += 1
    return used / meaningful if meaningful else 0.0
