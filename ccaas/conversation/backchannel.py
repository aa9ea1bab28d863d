"""Whether a voice over the agent only shows that it listens: judged from its sound, long before there are words.

A small recurrent network over `voice_shape`, trained by `bench/backchannel`. It knows nothing of words: "okay" and the
beginning of "okay, but…" are the same to it. What is understood decides in the end (`interruption.py`); this decides only
whether the agent speaks on until then.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from ccaas.conversation.voice_shape import FRAME, NUMBERS, Floats, VoiceShape
from ccaas.conversation.voice_shape import RATE as HEARD_HZ
from ccaas.ports.media import Pcm

__all__ = ["BEFORE_FRAMES", "HEARD_HZ", "Impression", "Impressions", "SoundImpression", "SoundImpressions"]

WEIGHTS = Path(__file__).with_name("backchannel.npz")

BEFORE_FRAMES = 8
"""Frames of 20 ms that a stretch begins with, up to the one in which its voice was noticed."""


class Impression(Protocol):
    """One stretch of voice being listened to."""

    def push(self, pcm: Pcm) -> None:
        """Append samples at 8 kHz. At most 0.3 ms of the event loop for 20 ms."""
        ...

    @property
    def listening(self) -> float:
        """Probability (0…1) that what was pushed so far is a sign of listening, or no speech at all."""
        ...


class Impressions(Protocol):
    """Makes them. Shared by all calls."""

    def open(self) -> Impression:
        """A new stretch: its first frames are the 160 ms up to the moment in which the voice was noticed."""
        ...


class SoundImpressions:
    """`Impressions` of the network whose weights lie beside this module."""

    def open(self) -> SoundImpression:
        return SoundImpression(*_weights())


class SoundImpression:
    """See `Impression`."""

    def __init__(self, inputs: Floats, states: Floats, biases: Floats, out: Floats) -> None:
        """Gates in the order reset, update, candidate: `inputs` [20, 3n], `states` [n, 3n], `biases` [3n], `out` [n + 1]."""
        self._inputs, self._states, self._biases, self._out = inputs, states, biases, out
        self._size = states.shape[0]
        self._state = np.zeros(self._size, np.float32)
        self._shape = VoiceShape()
        self._rest: Pcm = np.zeros(0, np.int16)

    def push(self, pcm: Pcm) -> None:
        joined = np.concatenate((self._rest, pcm))
        whole = len(joined) // FRAME * FRAME
        for start in range(0, whole, FRAME):
            self._step(self._shape.describe(joined[start : start + FRAME]))
        self._rest = joined[whole:]

    @property
    def listening(self) -> float:
        return float(_sigmoid(self._state @ self._out[:-1] + self._out[-1]))

    def _step(self, shape: Floats) -> None:
        size = self._size
        given = shape @ self._inputs + self._biases
        kept = self._state @ self._states
        gates = _sigmoid(given[: 2 * size] + kept[: 2 * size])
        candidate = np.tanh(given[2 * size :] + gates[:size] * kept[2 * size :])
        update = gates[size:]
        self._state = update * self._state + (1 - update) * candidate


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float32)


@cache
def _weights() -> tuple[Floats, Floats, Floats, Floats]:
    with np.load(WEIGHTS) as file:
        inputs, states, biases, out = (file[name].astype(np.float32) for name in ("inputs", "states", "biases", "out"))
    assert inputs.shape[0] == NUMBERS
    return inputs, states, biases, out
