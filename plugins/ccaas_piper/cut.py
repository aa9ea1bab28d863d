"""Cuts a Piper voice into the three graphs of `split`: `python -m ccaas_piper.cut TARGET VOICE`. Needs no piper-tts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.utils import Extractor

from ccaas.inference import UnusableModel, run_maker, save
from ccaas_piper.split import PARTS


def make(target: Path, sources: Sequence[Path]) -> None:
    """Write the graphs. Raises UnusableModel when the voice is not built like the Piper voices known."""
    (path,) = sources
    try:
        model = onnx.load(str(path))
    except DecodeError as error:
        raise UnusableModel(f"{path} is no ONNX model") from error
    latent, mask, decoded = _cuts(model)
    extract = Extractor(model).extract_model
    cuts = (
        (["input", "input_lengths", "scales"], [latent, mask]),
        ([latent, mask], [decoded]),
        ([decoded], ["output"]),
    )
    for part, (inputs, outputs) in zip(PARTS, cuts, strict=True):
        with tempfile.NamedTemporaryFile(suffix=".onnx", dir=target) as file:
            onnx.save(extract(inputs, outputs), file.name)
            save(Path(file.name), target / f"{part}.onnx")


def _cuts(model: onnx.ModelProto) -> tuple[str, str, str]:
    """Names of the flow's input, its mask, and the vocoder's input."""
    nodes = list(model.graph.node)
    made_by = {output: node for node in nodes for output in node.output}
    vocoder = next((node for node in nodes if node.name == "/dec/conv_pre/Conv"), None)
    if vocoder is None or any(value.name == "sid" for value in model.graph.input):
        raise UnusableModel("it is not a Piper voice of one speaker")
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
        raise UnusableModel("its flow is not where Piper voices have it")
    return latents.pop(), mask, decoded


if __name__ == "__main__":
    run_maker(make)
