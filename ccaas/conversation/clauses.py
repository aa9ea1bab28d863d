"""Cutting a reply into pieces that are synthesised one by one, so that the first is heard while the rest is made."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[\"'(A-Z0-9])")
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+")

_SHORT_WORDS = 8
"""A first sentence up to this long is not cut further: a cut costs melody."""

_LEAST_WORDS = 3
"""A piece shorter than this sounds clipped when spoken alone."""


def clauses(text: str) -> list[str]:
    """`text` as sentences, the first of them cut at a comma when it is long. Joined with spaces they are the text."""
    sentences = [part for part in _SENTENCE.split(" ".join(text.split())) if part]
    if not sentences:
        return []
    return [*_cut(sentences[0]), *sentences[1:]]


def _cut(sentence: str) -> list[str]:
    if len(sentence.split()) <= _SHORT_WORDS:
        return [sentence]
    for cut in _CLAUSE.finditer(sentence):
        head, tail = sentence[: cut.start()], sentence[cut.end() :]
        if len(head.split()) >= _LEAST_WORDS and len(tail.split()) >= _LEAST_WORDS:
            return [head, tail]
    return [sentence]
