"""Sections cut into passages of a length that can be found by its meaning, and these into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccaas_knowledge.pages import Section

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(A-Z0-9$])")
_MOST_WORDS = 90
"""The language model reads 128 pieces of words, the headings among them."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is found and cited."""

    source: str
    """File, headings, page: "bags.md › Checked bags"."""
    headings: str
    """Of the section, for the search."""
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(self.sentences)


def cut(file: str, sections: Sequence[Section]) -> tuple[Passage, ...]:
    """The passages of one page, in order."""
    return tuple(passage for section in sections for passage in _passages(file, section))


def _passages(file: str, section: Section) -> Iterator[Passage]:
    where = " › ".join([file, *section.headings[-2:], *([f"page {section.page}"] if section.page else [])])
    headings = ". ".join(section.headings)
    held: list[str] = []
    for line in section.text.split("\n"):
        for sentence in _SENTENCE.split(line):
            if held and _words([*held, sentence]) > _MOST_WORDS:
                yield Passage(where, headings, tuple(held))
                held = []
            held.append(sentence)
    if held:
        yield Passage(where, headings, tuple(held))


def _words(sentences: Sequence[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)
