"""A Piper voice cut into three graphs, so that its audio can be made piece by piece.

Voice process only. A voice is one ONNX graph: text encoder and durations, then a flow, then a vocoder (VITS, Kim et al.
2021). Only the first needs the whole sentence. Flow and vocoder are convolutions: a piece of their output needs a known
margin of input frames on either side, so the first audio of a long sentence need not wait for its end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx.utils import Extractor
from onnxruntime.capi import onnxruntime_pybind11_state

Floats = NDArray[np.float32]

FLOW_MARGIN = 32
"""Frames of input on each side that a frame of the flow's output depends on: 4 flows of 4 layers of kernel 5."""

VOCODER_MARGIN = 12
"""The same for the vocoder; beyond it the difference to the undivided graph is below -110 dB."""

RUNTIME_ERRORS: tuple[type[Exception], ...] = tuple(
    error
    for error in vars(onnxruntime_pybind11_state).values()
    if isinstance(error, type) and issubclass(error, Exception)
)
"""What the runtime raises when it loads or runs a model; its exceptions have no common base of their own."""


@dataclass(frozen=True, slots=True)
class SplitVoice:
    """The three parts; arrays are [1, channels, frames]."""

    encode: Callable[[NDArray[np.int64], Floats], tuple[Floats, Floats]]
    """Phoneme ids [1, n] and scales [3] to the flow's input and its mask."""
    flow: Callable[[Floats, Floats], Floats]
    vocode: Callable[[Floats], Floats]
    """To samples in -1…1, shape [n]."""


class UnknownGraph(Exception):
    """The model is not built like the Piper voices known."""


def load(path: Path, threads: int) -> SplitVoice:
    """Raises UnknownGraph, or OSError when the file cannot be read."""
    try:
        model = onnx.load(str(path))
    except DecodeError as error:
        raise UnknownGraph(f"{path} is no ONNX model") from error
    latent, mask, decoded = _cuts(model)
    extract = Extractor(model).extract_model
    encoder = _session(extract(["input", "input_lengths", "scales"], [latent, mask]), threads)
    flow = _session(extract([latent, mask], [decoded]), threads)
    vocoder = _session(extract([decoded], ["output"]), threads)

    def encode(ids: NDArray[np.int64], scales: Floats) -> tuple[Floats, Floats]:
        lengths = np.array([ids.shape[1]], np.int64)
        made = encoder.run(None, {"input": ids, "input_lengths": lengths, "scales": scales})
        return made[0], made[1]

    return SplitVoice(
        encode=encode,
        flow=lambda frames, mask_: flow.run(None, {latent: frames, mask: mask_})[0],
        vocode=lambda frames: vocoder.run(None, {decoded: frames})[0].reshape(-1),
    )


def _cuts(model: onnx.ModelProto) -> tuple[str, str, str]:
    """Names of the flow's input, its mask, and the vocoder's input."""
    nodes = list(model.graph.node)
    made_by = {output: node for node in nodes for output in node.output}
    vocoder = next((node for node in nodes if node.name == "/dec/conv_pre/Conv"), None)
    if vocoder is None or any(value.name == "sid" for value in model.graph.input):
        raise UnknownGraph("it is not a Piper voice of one speaker")
    decoded = vocoder.input[0]
    last = made_by[decoded]
    mask = next((name for name in last.input if made_by[name].op_type == "Cast"), None)
    flow_nodes = [node for node in nodes if node.name.startswith("/flow/")]
    inside = {output for node in flow_nodes for output in node.output}
    latents = {
        name
        for node in flow_nodes
        for name in node.input
        if name not in inside and name != mask and name in made_by and made_by[name].name == "/Add"
    }
    if mask is None or len(latents) != 1:
        raise UnknownGraph("its flow is not where Piper voices have it")
    return latents.pop(), mask, decoded


def _session(model: onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # By way of a file: of a model that comes as bytes, the runtime keeps the bytes.
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(model.SerializeToString())
        file.flush()
        return onnxruntime.InferenceSession(file.name, options, providers=["CPUExecutionProvider"])
