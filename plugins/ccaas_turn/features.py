"""Log-mel features as smart-turn was trained on: those of Whisper (Radford et al. 2022), over 8 s at 16 kHz.

The audio is scaled to zero mean and unit variance, cut into windows of 25 ms every 10 ms, and its power is summed in 80
triangular bands on the Slaney mel scale, each of unit area; then log10, at most 8 below the loudest, (x + 4) / 4.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE = 16_000
SECONDS = 8
SAMPLES = RATE * SECONDS
WINDOW = 400
HOP = 160
BANDS = 80

Floats = NDArray[np.float32]

_MEL_LINEAR_HZ = 200.0 / 3.0
"""Slaney's mel scale: linear up to 1 kHz (15 mel), …"""
_MEL_LOG_STEP = np.log(6.4) / 27.0
"""… logarithmic above."""


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15.0, mel * _MEL_LINEAR_HZ, 1000.0 * np.exp(_MEL_LOG_STEP * (mel - 15.0)))


def _bands() -> Floats:
    """Weights [201, 80] from a power spectrum to mel bands."""
    top = 15.0 + np.log(RATE / 2 / 1000.0) / _MEL_LOG_STEP
    edges = _hertz(np.linspace(0.0, top, BANDS + 2))
    bins = np.linspace(0.0, RATE / 2, WINDOW // 2 + 1)[:, np.newaxis]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rise, fall)) * (2.0 / (high - low))
    return triangles.astype(np.float32)


_BANDS = _bands()
_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def log_mel(samples: Floats) -> Floats:
    """Features [80, 800] of the last 8 s of 16 kHz `samples` (any scale); what is shorter gets silence in front."""
    audio = np.zeros(SAMPLES, np.float32)
    kept = samples[-SAMPLES:]
    audio[SAMPLES - kept.size :] = kept
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    padded = np.pad(audio, WINDOW // 2, mode="reflect")
    # The frame centred on the very end is not used.
    windows = sliding_window_view(padded, WINDOW)[::HOP][:-1]
    spectrum = np.fft.rfft(windows * _HANN)
    power = spectrum.real**2 + spectrum.imag**2
    logs = np.log10(np.maximum(power.astype(np.float32) @ _BANDS, 1e-10))
    levels = (np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(levels.T, np.float32)
