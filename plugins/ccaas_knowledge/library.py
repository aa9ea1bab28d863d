"""Questions to the pages: passages by meaning and by words together, and the sentences that answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ccaas_flows.understanding.embedding import Embedding, Vectors
from ccaas_flows.understanding.tfidf import TfIdf

from ccaas_knowledge.index import Cache, pages
from ccaas_knowledge.passages import Passage

_WORDS = 0.3
"""Share of the words (TF-IDF) in a score; the rest is meaning."""
_NEAR = 0.85
"""A sentence that fits so much as well as the best one of its passage belongs to the answer."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage for a question."""

    passage: Passage
    score: float
    """0…1; comparable between questions."""
    answer: tuple[int, ...]
    """Numbers of the sentences that fit best, in order."""

    def words(self, most: int) -> str:
        """The answer in at most `most` words, but a sentence at least."""
        best, *others = self.answer
        kept = {best}
        for number in others:
            if sum(len(self.passage.sentences[n].split()) for n in {*kept, number}) <= most:
                kept.add(number)
        return " ".join(self.passage.sentences[n] for n in sorted(kept))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The folder at one moment."""

    state: tuple[tuple[str, int, int], ...]
    passages: tuple[Passage, ...]
    whole: Vectors
    sentences: Vectors
    owner: np.ndarray[tuple[int], np.dtype[np.int64]]
    """To which passage a sentence belongs."""
    words: TfIdf
    word_vectors: Vectors


class Library:
    """The pages of one folder. Blocking: call it from a thread."""

    def __init__(self, folder: Path, cache: Cache, embedding: Embedding) -> None:
        self._folder = folder
        self._cache = cache
        self._embedding = embedding
        self._lock = threading.Lock()
        self._shelf: _Shelf | None = None

    def refresh(self) -> int:
        """Take in what has changed in the folder; how many passages there are. Raises SetupError."""
        with self._lock:
            return len(self._current().passages)

    def ask(self, question: str, most: int) -> list[Hit]:
        """The best passages, the best first, however badly they fit. Raises SetupError when the folder is gone."""
        with self._lock:
            shelf = self._current()
        if not shelf.passages or not question.strip():
            return []
        asked = self._embedding.embed([question])[0]
        by_sentence = shelf.sentences @ asked
        best = np.full(len(shelf.passages), -1.0, np.float32)
        np.maximum.at(best, shelf.owner, by_sentence)
        meaning = np.maximum(shelf.whole @ asked, best)
        scores = (1 - _WORDS) * meaning + _WORDS * (shelf.word_vectors @ shelf.words.vectors([question])[0])
        order = np.argsort(-scores, kind="stable")[:most]
        return [
            Hit(shelf.passages[n], float(np.clip(scores[n], 0, 1)), _fitting(by_sentence[shelf.owner == n]))
            for n in order
        ]

    def _current(self) -> _Shelf:
        files = pages(self._folder)
        state = tuple((str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files)
        if self._shelf is None or self._shelf.state != state:
            self._shelf = self._read(files, state)
        return self._shelf

    def _read(self, files: Sequence[Path], state: tuple[tuple[str, int, int], ...]) -> _Shelf:
        indexed = [self._cache.page(path, path.relative_to(self._folder).as_posix()) for path in files]
        passages = tuple(passage for page in indexed for passage in page.passages)
        counts = [len(passage.sentences) for passage in passages]
        words = TfIdf([f"{passage.headings} {passage.text}" for passage in passages])
        return _Shelf(
            state,
            passages,
            np.concatenate([page.whole for page in indexed]),
            np.concatenate([page.sentences for page in indexed]),
            np.repeat(np.arange(len(passages)), counts),
            words,
            words.vectors([f"{passage.headings} {passage.text}" for passage in passages]),
        )


def _fitting(scores: Vectors) -> tuple[int, ...]:
    """The best sentence, then those that are nearly as good, the better first."""
    order = np.argsort(-scores, kind="stable")
    least = float(scores[order[0]]) * _NEAR
    return tuple(int(n) for n in order if scores[n] >= least)
