"""What a caller's words say: learnt from examples, over sentence vectors and over the words' own spelling.

The vectors find what means the same in English; spelling, in groups of letters, finds what looks alike in any language. Three
logistic regressions are trained in their dual form (a weight per example), which takes some milliseconds.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from ccaas_flows.understanding.embedding import Embedding
from numpy.typing import NDArray

from ccaas_sentiment.examples import Examples

Matrix = NDArray[np.float32]

_MEANING, _SPELLING = 0.65, 0.35
"""How much each says of two sentences being alike."""
_PENALTY = 0.0003
_ROUNDS = 400
_LAYOUT = "1"
"""Part of the cache's key: raise it when the vectors change."""
_REMEMBERED = 64
_SENTENCE = re.compile(r"(?<=[.!?;…])\s+")
_LONGEST_WORDS = 18
"""A longer sentence is also read in pieces of this length: one word of rage must not drown in a story."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What some words say."""

    mood: float
    """−1 (pleased) … +1 (furious)."""
    wish: float
    """Probability (0…1) that they ask for a person."""


def grams(text: str) -> Counter[str]:
    """Words, pairs of words, and groups of three and four letters inside them, in any script."""
    found = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower().replace("’", "'"))
    counts: Counter[str] = Counter(found)
    counts.update(f"{a} {b}" for a, b in pairwise(["<", *found, ">"]))
    for word in found:
        marked = f"‹{word}›"
        for size in (3, 4):
            counts.update(f"#{marked[n : n + size]}" for n in range(len(marked) - size + 1))
    return counts


class Words:
    """Reads texts. Made once; blocks while it is made, and `read` for some 5 ms, without the GIL for the most part."""

    def __init__(self, examples: Examples, embedding: Embedding, cache_dir: Path | None = None) -> None:
        self._embedding = embedding
        self._known: dict[str, Reading] = {}
        counted = [grams(text) for text in examples.texts]
        seen: Counter[str] = Counter()
        for counts in counted:
            seen.update(counts.keys())
        self._column = {gram: n for n, gram in enumerate(sorted(seen))}
        self._rarity = np.array(
            [math.log((1 + len(counted)) / (1 + seen[gram])) + 1.0 for gram in self._column], np.float32
        )
        vectors = self._features(counted, _embedded(examples.texts, embedding, cache_dir))
        kernel = vectors @ vectors.T
        columns = (examples.upset, examples.pleased, examples.human)
        heads = [_trained(kernel, np.array(column, np.float32)) for column in columns if any(column)]
        while len(heads) < len(columns):
            heads.insert(1, (np.zeros(len(counted), np.float32), -9.0))  # only `pleased` may be empty
        self._weights: Matrix = vectors.T @ np.stack([weights for weights, _ in heads], axis=1)
        self._biases = np.array([bias for _, bias in heads], np.float32)

    def read(self, text: str) -> Reading:
        """Read a turn: the whole, its sentences and, of long ones, pieces. The most upset of them counts."""
        found = self._known.get(text)
        if found is None:
            found = self._read(pieces(text)) if text.strip() else Reading(0.0, 0.0)
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)), None)
            self._known[text] = found
        return found

    def _read(self, texts: Sequence[str]) -> Reading:
        vectors = self._features([grams(text) for text in texts], self._embedding.embed(texts))
        odds = np.clip(vectors @ self._weights + self._biases, -30, 30)
        upset, pleased, wish = (1 / (1 + np.exp(-odds))).T
        # A sentence in the middle counts, but not as much as if nothing else were said.
        mood = float(upset[0] + upset.max()) / 2
        return Reading(mood - float(pleased[0]) * (1 - mood), float(wish.max()))

    def _features(self, counted: Sequence[Counter[str]], meaning: Matrix) -> Matrix:
        spelling = np.zeros((len(counted), len(self._column)), np.float32)
        for row, counts in enumerate(counted):
            for gram, count in counts.items():
                column = self._column.get(gram)
                if column is not None:
                    spelling[row, column] = (1 + math.log(count)) * self._rarity[column]
        spelling /= np.maximum(np.linalg.norm(spelling, axis=1, keepdims=True), 1e-9)
        return np.asarray(np.hstack((meaning * math.sqrt(_MEANING), spelling * math.sqrt(_SPELLING))), np.float32)


def pieces(text: str) -> list[str]:
    """The text, its sentences, and overlapping pieces of long ones; each once."""
    found = [text.strip()]
    for sentence in _SENTENCE.split(text.strip()):
        words = sentence.split()
        found.append(sentence)
        if len(words) > _LONGEST_WORDS:
            half = _LONGEST_WORDS // 2
            found += [" ".join(words[at : at + _LONGEST_WORDS]) for at in range(0, len(words) - half, half)]
    return list(dict.fromkeys(found))


def _trained(kernel: Matrix, wanted: Matrix) -> tuple[Matrix, float]:
    """Dual weights and bias of a balanced logistic regression, by accelerated gradient descent (Nesterov 1983)."""
    share = float(wanted.mean())
    balance = np.where(wanted > 0, 0.5 / share, 0.5 / (1 - share)).astype(np.float32)
    size = len(wanted)
    step = 1.0 / (0.25 * float(balance.max()) * (float(np.linalg.eigvalsh(kernel)[-1]) + size) / size + _PENALTY)
    now = np.zeros(size + 1, np.float32)
    before = now
    for n in range(_ROUNDS):
        ahead = now + (n / (n + 3.0)) * (now - before)
        before = now
        odds = kernel @ ahead[:-1] + ahead[-1]
        miss = balance * (1 / (1 + np.exp(-odds)) - wanted) / size
        now = ahead - step * np.append(miss + _PENALTY * ahead[:-1], miss.sum()).astype(np.float32)
    return now[:-1], float(now[-1])


def _embedded(texts: Sequence[str], embedding: Embedding, cache_dir: Path | None) -> Matrix:
    """Vectors of the examples, kept from one start to the next."""
    probe = embedding.embed(["which model is this"]).round(3).tobytes()
    key = hashlib.sha256(probe + repr((_LAYOUT, tuple(texts))).encode()).hexdigest()[:24]
    file = cache_dir / f"moods-{key}.npy" if cache_dir is not None else None
    if file is not None:
        try:
            kept = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            pass
        else:
            if kept.ndim == 2 and len(kept) == len(texts):
                return np.asarray(kept, np.float32)
    vectors = embedding.embed(texts)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as out:
            np.save(out, vectors)
        part.replace(file)
    return vectors
