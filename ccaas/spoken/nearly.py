"""Words that a recogniser made of NATO words and digits that it misheard: "Neko" for "echo", "whiffy" for "whiskey"."""

from __future__ import annotations

import re
from functools import lru_cache

from ccaas.spoken.alphabet import NATO
from ccaas.spoken.numbers import UNITS

_SPELLED_AS_SOUNDS = (
    (re.compile("ph"), "f"), (re.compile("qu"), "kw"), (re.compile("wh"), "w"), (re.compile("ck|ch"), "k"), (re.compile("c(?=[eiy])"), "s"),
    (re.compile("c"), "k"), (re.compile("x"), "ks"), (re.compile("z"), "s"), (re.compile("th"), "θ"), (re.compile("gh"), ""),
    (re.compile("(?<=.)e$"), ""), (re.compile(r"(.)\1"), r"\1"),
)  # fmt: skip
_VOWELS = frozenset("aeiouy")
_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("bp", "bv", "bf", "dt", "gk", "vf", "fs", "sθ", "fθ", "mn", "lr", "wr", "tk", "dθ", "pt", "vw")
)
_VOWEL_COST, _ALIKE_COST = 0.3, 0.5
FARTHEST = 0.36
"""Largest distance, a sound of the word that was meant, at which a word is taken for it."""


def _sounds(word: str) -> str:
    for pattern, sound in _SPELLED_AS_SOUNDS:
        word = pattern.sub(sound, word)
    return word


_MEANT = {word: _sounds(word) for word in (*NATO.values(), *(word for word, value in UNITS.items() if value < 10))}


def _one(sound: str) -> float:
    return 2 * _VOWEL_COST if sound in _VOWELS else 1.0


def _swap(a: str, b: str) -> float:
    if a == b:
        return 0.0
    if a in _VOWELS and b in _VOWELS:
        return _VOWEL_COST
    return _ALIKE_COST if frozenset((a, b)) in _ALIKE else 1.2


def distance(a: str, b: str) -> float:
    """How far two spellings lie from each other, in sounds."""
    row = [0.0]
    for sound in b:
        row.append(row[-1] + _one(sound))
    for sound in a:
        above, row = row, [row[0] + _one(sound)]
        for n, other in enumerate(b, 1):
            row.append(min(above[n] + _one(sound), row[-1] + _one(other), above[n - 1] + _swap(sound, other)))
    return row[-1]


@lru_cache(maxsize=1024)
def nearly(word: str) -> str:
    """The NATO word or digit that `word` (lower case) was most likely meant for; empty when none is near enough, or two are."""
    if len(word) < 3:
        return ""
    heard = {_sounds(word), _sounds(re.sub("e?s$", "", word))}  # "echoes" as well
    ranked = sorted((min(distance(h, sounds) for h in heard) / len(sounds), meant) for meant, sounds in _MEANT.items())
    (first, meant), (second, _) = ranked[:2]
    return meant if first <= FARTHEST and second - first > 0.02 else ""
