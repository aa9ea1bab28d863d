"""Intents by example: logistic regression over MiniLM and TF-IDF similarities, in numpy.

The regression is trained in its dual form (weights per example, not per feature): 500 examples need a 500×500 matrix,
whatever the number of features, and train in well under a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ccaas_flows.understanding.embedding import Embedding
from ccaas_flows.understanding.tfidf import TfIdf

Matrix = NDArray[np.float32]
_ROUNDS = 150
_LAYOUT = "4"
"""Part of the cache's key: raise it when the training changes."""


@dataclass(frozen=True, slots=True)
class Guess:
    """An intent and how likely it is."""

    intent: str
    probability: float
    """0…1."""


def _softmax(scores: Matrix) -> Matrix:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def _train(kernel: Matrix, labels: NDArray[np.intp], classes: int, penalty: float) -> Matrix:
    """Dual weights [examples, classes] of multinomial logistic regression, by accelerated gradient descent (Nesterov 1983)."""
    wanted = np.zeros((len(labels), classes), np.float32)
    wanted[np.arange(len(labels)), labels] = 1.0
    share = 1.0 / np.maximum(wanted.sum(axis=0), 1.0)
    balance = (share / share.mean())[labels][:, None]
    step = 1.0 / (0.5 * float(np.linalg.eigvalsh(kernel)[-1]) * float(balance.max()) + penalty)
    weights = np.zeros_like(wanted)
    before = weights
    for n in range(_ROUNDS):
        ahead = weights + (n / (n + 3.0)) * (weights - before)
        before = weights
        gradient = balance * (_softmax(kernel @ ahead) - wanted) + penalty * ahead
        weights = (ahead - step * gradient).astype(np.float32)
    return weights


class IntentClassifier:
    """Learns from example sentences; `guess` ranks all intents for a new one."""

    def __init__(
        self,
        examples: Mapping[str, Sequence[str]],
        embedding: Embedding,
        cache_dir: Path | None = None,
        penalty: float = 0.02,
        marks: Callable[[str], Iterable[str]] = lambda _: (),
    ) -> None:
        self.intents = tuple(sorted(examples))
        self._embedding = embedding
        self._marks = marks
        texts = [text for name in self.intents for text in examples[name]]
        labels = np.array([n for n, name in enumerate(self.intents) for _ in examples[name]], np.intp)
        marked = [self._marked(text) for text in texts]
        self._tfidf = TfIdf(marked)
        self._words = self._tfidf.vectors(marked)
        # The model is part of the key by what it makes of a sentence.
        probe = embedding.embed(["which model is this"]).round(3).tobytes()
        learnt = repr((_LAYOUT, penalty, [(n, tuple(examples[n])) for n in self.intents], marked)).encode()
        key = hashlib.sha256(probe + learnt).hexdigest()[:24]
        kept = _load(cache_dir, key, len(texts), len(self.intents))
        if kept is None:
            vectors = embedding.embed(texts)
            kept = (
                vectors,
                _train(vectors @ vectors.T, labels, len(self.intents), penalty),
                _train(self._words @ self._words.T, labels, len(self.intents), penalty),
            )
            _save(cache_dir, key, kept)
        # Primal weights: [features, classes].
        self._by_meaning: Matrix = kept[0].T @ kept[1]
        self._by_words: Matrix = self._words.T @ kept[2]
        del self._words

    def _marked(self, text: str) -> str:
        """The text with the names of the slots that it fills: "in seven C" says seat, whichever seat it is."""
        return " ".join([text, *(f"slot{name}" for name in sorted(self._marks(text)))])

    def guess(self, text: str) -> tuple[Guess, ...]:
        """All intents, likeliest first. Blocks for about 5 ms; releases the GIL."""
        meaning = _softmax(self._embedding.embed([text]) @ self._by_meaning)[0]
        worded = _softmax(self._tfidf.vectors([self._marked(text)]) @ self._by_words)[0]
        mixed = _softmax((0.6 * np.log(meaning + 1e-6) + 0.4 * np.log(worded + 1e-6))[None])[0]
        order = np.argsort(-mixed)
        return tuple(Guess(self.intents[n], float(mixed[n])) for n in order)


def _file(cache_dir: Path, key: str) -> Path:
    return cache_dir / f"intents-{key}.npz"


def _load(cache_dir: Path | None, key: str, examples: int, classes: int) -> tuple[Matrix, Matrix, Matrix] | None:
    if cache_dir is None or not _file(cache_dir, key).is_file():
        return None
    try:
        with np.load(_file(cache_dir, key), allow_pickle=False) as kept:
            found = (kept["vectors"], kept["meaning"], kept["words"])
    except (OSError, ValueError, KeyError, EOFError):
        return None
    shapes = [a.shape for a in found]
    return found if shapes == [(examples, found[0].shape[1]), (examples, classes), (examples, classes)] else None


def _save(cache_dir: Path | None, key: str, kept: tuple[Matrix, Matrix, Matrix]) -> None:
    if cache_dir is None:
        return
    cache_dir.mkdir(parents=True, exist_ok=True)
    part = cache_dir / f".intents-{key}.part.npz"
    np.savez(part, vectors=kept[0], meaning=kept[1], words=kept[2])
    part.replace(_file(cache_dir, key))
