"""Fits the weights of `ccaas/conversation/finish.py` to rendered callers, and says how well they tell ends from gaps.

    python -m bench.turn_training FOLDER… [--test FOLDER…]

Folders are of `bench/turn_corpus.py`. Logistic regression with a ridge, Newton's method; the pauses are those of answers
to an open question that the words alone do not call unfinished, at least LEAST_GAP_S long: shorter ones cut nobody off.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.endpointing import expectations, observations
from bench.ruler import FALSE_ALARMS
from ccaas.conversation.finish import features
from ccaas.ports.reasoning import ExpectationKind
from ccaas.spoken.endings import Completeness, judge

LEAST_GAP_S = 0.15
RIDGE = 2.0
STEPS = 50

Floats = NDArray[np.float64]


def examples(folders: Sequence[Path]) -> tuple[list[str], Floats, Floats]:
    """Names of the features, their values [n, features], and whether each pause was the end [n]."""
    asked = expectations()
    names: list[str] = []
    values, ends = [], []
    for one in (seen for folder in folders for seen in observations(folder)):
        expect = asked[one.utterance.question]
        if one.utterance.kind in FALSE_ALARMS or expect.kind is not ExpectationKind.OPEN:
            continue
        for pause in one.pauses:
            words = judge(pause.text, expect)
            end = pause.stirred_s is None
            long = pause.stirred_s is None or pause.stirred_s - pause.start_s > LEAST_GAP_S
            if not pause.text or words is Completeness.INCOMPLETE or not long:
                continue
            found = features(pause.text, pause.spoken_s)
            names = list(found)
            values.append(list(found.values()))
            ends.append(float(end))
    return names, np.array(values), np.array(ends)


def fitted(values: Floats, ends: Floats) -> Floats:
    """Weights that make `ends` most likely."""
    weights = np.zeros(values.shape[1])
    ridge = RIDGE * np.eye(values.shape[1])
    ridge[0, 0] = 1e-3
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-values @ weights))
        slope = values.T @ (probability - ends) + ridge @ weights
        bend = (values.T * (probability * (1 - probability))) @ values + ridge
        weights -= np.linalg.solve(bend, slope)
    return weights


def separation(scores: Floats, ends: Floats) -> float:
    """Area under the ROC curve: how often an end scores above a gap."""
    rank = np.empty(scores.size)
    rank[np.argsort(scores)] = np.arange(scores.size)
    good = ends.sum()
    return float((rank[ends == 1].sum() - good * (good - 1) / 2) / (good * (ends.size - good)))


def main() -> None:
    """Fit, print the weights as Python, and judge them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--test", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    names, values, ends = examples(options.folders)
    weights = fitted(values, ends)
    for name, weight in zip(names, weights, strict=True):
        print(f'    "{name}": {weight:.2f},')
    print(
        f"fitted to {int(ends.sum())} ends and {int((1 - ends).sum())} gaps: {separation(values @ weights, ends):.3f}"
    )
    for folder in options.test:
        _, values, ends = examples([folder])
        print(
            f"{folder.name}: {int(ends.sum())} ends, {int((1 - ends).sum())} gaps: {separation(values @ weights, ends):.3f}"
        )


if __name__ == "__main__":
    main()
