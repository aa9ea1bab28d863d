"""TF-IDF vectors of words, word pairs and letter groups, in numpy."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def features(text: str) -> Counter[str]:
    """Words, pairs of neighbouring words, and groups of four letters inside words (so that "cancelled" is near "cancel")."""
    found = re.findall(r"[a-z0-9']+", text.lower())
    marked = ["<", *found, ">"]
    counts: Counter[str] = Counter(found)
    counts.update(f"{a} {b}" for a, b in itertools.pairwise(marked))
    counts.update(f"#{word[n : n + 4]}" for word in found for n in range(len(word) - 3))
    return counts


class TfIdf:
    """Vectors over the features of the sentences it was made from; unit length, zero when nothing is known."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [features(text) for text in texts]
        seen: Counter[str] = Counter()
        for counts in counted:
            seen.update(counts.keys())
        self._column = {name: n for n, name in enumerate(sorted(seen))}
        self._weight = np.array(
            [math.log((1 + len(texts)) / (1 + seen[name])) + 1.0 for name in sorted(seen)], np.float32
        )

    @property
    def size(self) -> int:
        """Length of a vector."""
        return len(self._column)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape [len(texts), size]."""
        out = np.zeros((len(texts), self.size), np.float32)
        for row, text in enumerate(texts):
            for name, count in features(text).items():
                column = self._column.get(name)
                if column is not None:
                    out[row, column] = (1.0 + math.log(count)) * self._weight[column]
        norms = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out / np.maximum(norms, 1e-9), np.float32)
