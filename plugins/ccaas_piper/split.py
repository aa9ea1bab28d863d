"""A Piper voice cut into three graphs, so that its audio can be made piece by piece.

Used in the voice process; `ccaas_piper.cut` does the cutting. A voice is one ONNX graph: text encoder and durations, then a
flow, then a vocoder (VITS, Kim et al. 2021). Only the first needs the whole sentence. Flow and vocoder are convolutions: a
piece of their output needs a known margin of input frames on either side, so the first audio of a long sentence need not
wait for its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ccaas.inference import open_session

Floats = NDArray[np.float32]

PARTS = ("encoder", "flow", "vocoder")
"""Names of the three graphs."""

FLOW_MARGIN = 32
"""Frames of input on each side that a frame of the flow's output depends on: 4 flows of 4 layers of kernel 5."""

VOCODER_MARGIN = 12
"""The same for the vocoder; beyond it the difference to the undivided graph is below -110 dB."""


@dataclass(frozen=True, slots=True)
class SplitVoice:
    """The three parts; arrays are [1, channels, frames]."""

    encode: Callable[[NDArray[np.int64], Floats], tuple[Floats, Floats]]
    """Phoneme ids [1, n] and scales [3] to the flow's input and its mask."""
    flow: Callable[[Floats, Floats], Floats]
    vocode: Callable[[Floats], Floats]
    """To samples in -1…1, shape [n]."""


def load(folder: Path, threads: int) -> SplitVoice:
    """From the folder that `ccaas_piper.cut` has prepared. Raises OSError or one of the runtime's errors."""
    encoder, flow, vocoder = (open_session(folder / f"{part}.onnx", threads) for part in PARTS)
    latent, mask = (output.name for output in encoder.get_outputs())
    decoded = vocoder.get_inputs()[0].name

    def encode(ids: NDArray[np.int64], scales: Floats) -> tuple[Floats, Floats]:
        lengths = np.array([ids.shape[1]], np.int64)
        made = encoder.run(None, {"input": ids, "input_lengths": lengths, "scales": scales})
        return made[0], made[1]

    return SplitVoice(
        encode=encode,
        flow=lambda frames, mask_: flow.run(None, {latent: frames, mask: mask_})[0],
        vocode=lambda frames: vocoder.run(None, {decoded: frames})[0].reshape(-1),
    )
