"""The graphs of a Moonshine model as they are run here; `python -m ccaas_moonshine.graph TARGET ENCODER DECODER`.

As published, the decoder is two graphs in one: the first step, which also makes the keys and values of what was heard, and
the steps after it. Both hold the same weights, and the runtime packs them for each. Here the keys and values are made by
the encoder (`listen.onnx`), once for each decoding, and every step is a later one (`step.onnx`), the first with nothing
before it. What comes out is the same.

And the decoder keeps its embedding in 8 bits but turns all 32,768 rows into floats at every token, to multiply the last
state with them. Done in 8 bits instead, that takes a fifth of the time and 110 MB less; of the 172 texts of the
development set two change, and the word error rate does not (bench/recognition.py).

The published weights are unsigned. Processors with VNNI multiply unsigned with signed bytes twice as fast, in the same whole
numbers: weights and their zero points less 128 give the same result, to the bit. Others would saturate, and keep them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import compose, helper, numpy_helper
from onnx.checker import ValidationError
from onnx.utils import Extractor

from ccaas.inference import UnusableModel, processor_flags, run_maker, save

LISTEN, STEP = "listen.onnx", "step.onnx"
PREFIX = "heard/"
"""Of the names of the encoder's outputs: `heard/present.0.encoder.key` …"""

_HEAD = "ccaas.head"
_PRODUCT = "MatMulInteger"
_STATES = "encoder_hidden_states"
_OF_ENCODER = ".encoder."
"""Part of the names of keys and values that come from the encoder."""
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


def make(target: Path, sources: Sequence[Path]) -> None:
    """Write both graphs. Raises UnusableModel when the model is not built as Moonshine's are."""
    encoder, decoder = (_load(source) for source in sources)
    first, later = _branches(decoder)
    listen = compose.merge_models(encoder, _heard(first), io_map=[("last_hidden_state", _STATES)], prefix2=PREFIX)
    for name, model in ((LISTEN, listen), (STEP, _with_small_head(_step(later)))):
        if _VNNI & processor_flags():
            with_signed_weights(model)
        with tempfile.NamedTemporaryFile(suffix=".onnx", dir=target) as file:
            onnx.save(model, file.name)
            save(Path(file.name), target / name)


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path))
    except DecodeError as error:
        raise UnusableModel(f"{path} is no ONNX model: {error}") from error


def _branches(decoder: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The first step and the later ones, each as a model of its own."""
    choices = [node for node in decoder.graph.node if node.op_type == "If"]
    if len(choices) != 1 or len(decoder.graph.node) != 1:
        raise UnusableModel("the decoder is not one choice between a first and a later step")
    graphs = {attribute.name: attribute.g for attribute in choices[0].attribute}
    return _alone(decoder, graphs["else_branch"]), _alone(decoder, graphs["then_branch"])


def _alone(decoder: onnx.ModelProto, branch: onnx.GraphProto) -> onnx.ModelProto:
    whole = decoder.graph
    if [output.name for output in branch.output] != [output.name for output in whole.output]:
        raise UnusableModel("the decoder's steps name their results in ways of their own")
    graph = helper.make_graph(list(branch.node), branch.name, list(whole.input), list(whole.output), whole.initializer)
    return helper.make_model(graph, opset_imports=decoder.opset_import, ir_version=decoder.ir_version)


def _heard(first: onnx.ModelProto) -> onnx.ModelProto:
    """From the encoder's states to keys and values alone."""
    wanted = [output.name for output in first.graph.output if _OF_ENCODER in output.name]
    for node in first.graph.node:
        # How many utterances there are is the one thing that is read from the tokens here; the states know it too.
        if node.op_type == "Shape" and "/encoder_attn/" in node.name:
            node.input[0] = _STATES
    return Extractor(first).extract_model([_STATES], wanted)


def _step(later: onnx.ModelProto) -> onnx.ModelProto:
    inputs = [value.name for value in later.graph.input if value.name not in (_STATES, "use_cache_branch")]
    outputs = [output.name for output in later.graph.output if _OF_ENCODER not in output.name]
    return Extractor(later).extract_model(inputs, outputs)


def _with_small_head(model: onnx.ModelProto) -> onnx.ModelProto:
    """transpose(embedding) → float → multiplied with the last state → logits: the same in whole numbers."""
    graph = model.graph
    made_by = {output: node for node in graph.node for output in node.output}
    try:
        multiply = made_by[graph.output[0].name]
        dequantize = made_by[multiply.input[1]]
        transpose = made_by[dequantize.input[0]]
    except KeyError as error:
        raise UnusableModel(f"the decoder's logits are made otherwise: {error} is missing") from error
    if [node.op_type for node in (multiply, dequantize, transpose)] != ["MatMul", "DequantizeLinear", "Transpose"]:
        raise UnusableModel("the decoder's logits are no product with its embedding")
    embedding = next(value for value in graph.initializer if value.name == transpose.input[0])
    turned = numpy_helper.from_array(np.ascontiguousarray(numpy_helper.to_array(embedding).T), f"{_HEAD}.weight")
    graph.initializer.append(turned)
    quantized, scale, zero, product, floats, scales = (f"{_HEAD}.{n}" for n in ("q", "s", "z", "i", "f", "ss"))
    node = helper.make_node
    nodes = [old for old in graph.node if not any(old is gone for gone in (multiply, dequantize, transpose))]
    nodes += [
        node("DynamicQuantizeLinear", [multiply.input[0]], [quantized, scale, zero]),
        node("MatMulInteger", [quantized, turned.name, zero, dequantize.input[2]], [product]),
        node("Cast", [product], [floats], to=onnx.TensorProto.FLOAT),
        node("Mul", [scale, dequantize.input[1]], [scales]),
        node("Mul", [floats, scales], [multiply.output[0]]),
    ]
    made = helper.make_graph(nodes, graph.name, list(graph.input), list(graph.output), graph.initializer)
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)


def with_signed_weights(model: onnx.ModelProto) -> None:
    """Turn the unsigned weights of all products into signed ones, in place; what is computed stays the same."""
    known = {value.name: value for value in model.graph.initializer}
    others = {name for node in model.graph.node if node.op_type != _PRODUCT for name in node.input}
    for node in model.graph.node:
        if node.op_type != _PRODUCT or any(name not in known for name in (node.input[1], node.input[3])):
            continue
        for place in (1, 3):  # the weights, and their zero point
            value = known[node.input[place]]
            if value.data_type != onnx.TensorProto.UINT8:
                continue
            signed = numpy_helper.from_array(
                (numpy_helper.to_array(value).astype(np.int16) - 128).astype(np.int8), value.name
            )
            if value.name not in others:
                value.CopyFrom(signed)
                continue
            signed.name = node.input[place] = f"{value.name}.signed"
            if signed.name not in known:
                model.graph.initializer.append(signed)
                known[signed.name] = signed


if __name__ == "__main__":
    run_maker(make, unusable=(ValidationError,))
