"""Utterances of the speech set with their own background around them, as a line sounds before and after somebody speaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.speechset import RATE, Utterance
from ccaas.ports.media import Pcm

FOLDER = Path(__file__).parent / "speech"


def padded(utterance: Utterance, before_s: float, after_s: float) -> Pcm:
    """8 kHz samples with that much more in front and behind."""
    noise = _background(utterance)
    before = np.resize(noise, int(before_s * RATE))
    after = np.resize(noise[::-1], int(after_s * RATE))
    joined: Pcm = np.concatenate([before, utterance.pcm, after])
    return joined


def _background(utterance: Utterance) -> Pcm:
    """The quietest tenth of a second, forwards and backwards, so that its ends meet."""
    length = RATE // 20
    if utterance.pauses:
        start, end = max(utterance.pauses, key=lambda pause: pause[1] - pause[0])
        middle = int((start + end) / 2 * RATE)
        quiet = utterance.pcm[max(0, middle - length) : middle + length]
    else:
        starts = range(0, utterance.pcm.size - length, length // 2)
        blocks = [utterance.pcm[at : at + length] for at in starts]
        quiet = min(blocks, key=lambda block: float(np.mean(block.astype(np.float64) ** 2)))
    return np.concatenate([quiet, quiet[::-1]])


def noise_levels(folder: Path) -> dict[str, float | None]:
    """Signal to noise in dB by utterance, None for clean ones."""
    rows = map(json.loads, (folder / "set.jsonl").read_text().splitlines())
    return {row["id"]: row["snr_db"] for row in rows}
