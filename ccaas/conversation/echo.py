"""Telling the echo of our own voice from the caller's.

A phone returns some of what it plays, up to half a second later and much softer. When something voice-like is heard
while the agent speaks, it is held against what the agent has just said.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

_WINDOW_S = 0.3
"""How much of the caller's newest audio is compared (s)."""

_LONGEST_ECHO_S = 0.6
"""How far back in the agent's audio its source may lie (s)."""


class EchoGuard:
    """Keeps the last second of both directions of one call."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        size = int((_WINDOW_S + _LONGEST_ECHO_S) * 2 * sample_rate)
        self._agent: NDArray[np.float32] = np.zeros(size, dtype=np.float32)
        self._agent_end = 0.0
        self._caller: NDArray[np.float32] = np.zeros(int(_WINDOW_S * sample_rate), dtype=np.float32)

    def caller(self, pcm: Pcm) -> None:
        """The caller's newest samples."""
        self._caller = np.roll(self._caller, -len(pcm))
        self._caller[-len(pcm) :] = pcm

    def agent(self, pcm: Pcm, at: float) -> None:
        """Samples that are heard from monotonic second `at` on."""
        gap = round((at - self._agent_end) * self._rate) if self._agent_end else 0
        if gap > 0:
            self._shift(np.zeros(min(gap, len(self._agent)), dtype=np.float32))
        self._shift(pcm.astype(np.float32))
        self._agent_end = at + len(pcm) / self._rate

    def agent_cut(self, at: float) -> None:
        """What was to be heard after `at` was taken back."""
        unheard = round((self._agent_end - at) * self._rate)
        if unheard > 0:
            keep = max(len(self._agent) - unheard, 0)
            self._agent = np.concatenate((np.zeros(len(self._agent) - keep, dtype=np.float32), self._agent[:keep]))
            self._agent_end = at

    def likeness(self, now: float) -> float:
        """Greatest normalised cross-correlation (0…1) of the caller's last 0.3 s with the agent's audio of the 0.6 s before."""
        looked_at = int((_WINDOW_S + _LONGEST_ECHO_S) * self._rate)
        ahead = round((self._agent_end - now) * self._rate)
        if ahead <= -looked_at:
            return 0.0  # the agent has been silent for longer than an echo lives, or has never spoken
        heard = self._agent[: len(self._agent) - ahead] if ahead > 0 else self._agent
        if ahead < 0:
            heard = np.concatenate((heard, np.zeros(-ahead, dtype=np.float32)))
        heard = heard[-looked_at:]
        caller = self._caller - self._caller.mean()
        energy = float(np.dot(caller, caller))
        if energy < 1.0 or len(heard) < len(caller):
            return 0.0
        size = 1 << (len(heard) + len(caller) - 1).bit_length()
        spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(caller, size))
        lags = len(heard) - len(caller) + 1
        products = np.fft.irfft(spectrum, size)[:lags]
        squares = np.concatenate((np.zeros(1), np.cumsum(heard.astype(np.float64) ** 2)))
        energies = squares[len(caller) :][:lags] - squares[:lags]
        floor = max(float(energies.max()) * 1e-3, 1.0)
        return float(np.max(np.abs(products) / np.sqrt(energy * np.maximum(energies, floor))))

    def _shift(self, pcm: NDArray[np.float32]) -> None:
        if len(pcm) >= len(self._agent):
            self._agent = pcm[-len(self._agent) :].copy()
            return
        self._agent = np.roll(self._agent, -len(pcm))
        self._agent[-len(pcm) :] = pcm
