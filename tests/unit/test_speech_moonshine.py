"""Moonshine without its models: drafts, tails, the vocabulary, and the threads."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from ccaas_moonshine import draft
from ccaas_moonshine.graph import with_signed_weights
from ccaas_moonshine.model import Floats
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_moonshine.stream import BLOCK, KEPT_TAIL, LEAST_TAIL, prepared
from ccaas_moonshine.vocabulary import Vocabulary
from ccaas_moonshine.work import DecodingThreads, Urgency
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.capi import onnxruntime_pybind11_state

from ccaas.errors import SetupError, SpeechError
from ccaas.ports.site import Site


def decoded_with(truth: list[int], guess: tuple[int, ...]) -> tuple[list[int], int]:
    """What a model that always makes `truth` (ended by 0) makes of a draft, and in how many steps."""
    made: list[int] = []
    steps = 0
    while not made or made[-1] != 0:
        steps += 1
        wanted = [truth[at] if at < len(truth) else 0 for at in range(len(made), len(made) + len(guess) + 1)]
        good = draft.agreed(guess, wanted)
        made += [*guess[:good], wanted[good]]
        if 0 in made:
            made = made[: made.index(0) + 1]
        guess = draft.rest(guess, good, wanted[good]) if good < len(guess) else ()
    return made[:-1], steps


tokens = st.lists(st.integers(1, 9), max_size=12)


@given(tokens, tokens)
def test_a_draft_never_changes_what_comes_out(truth: list[int], guess: list[int]) -> None:
    made, steps = decoded_with(truth, tuple(guess))
    assert made == truth
    assert steps <= len(truth) + 1


def test_a_right_draft_takes_one_step() -> None:
    assert decoded_with([3, 1, 4, 1, 5], (3, 1, 4, 1, 5)) == ([3, 1, 4, 1, 5], 1)


@pytest.mark.parametrize("guess", [(3, 1, 9, 1, 5), (3, 1, 9, 4, 1, 5), (3, 1, 4, 1)])
def test_a_draft_with_one_mistake_takes_two(guess: tuple[int, ...]) -> None:
    assert decoded_with([3, 1, 4, 1, 5], guess)[1] == 2


def tone(seconds: float, amplitude: float = 0.1) -> Floats:
    count = int(seconds * 16_000)
    made: Floats = (amplitude * np.sin(np.arange(count) * 0.2)).astype(np.float32)
    return made


def silence(seconds: float) -> Floats:
    return np.zeros(int(seconds * 16_000), np.float32)


def test_a_long_tail_is_cut() -> None:
    samples, end, voiced = prepared(np.concatenate([silence(0.2), tone(1.0), silence(0.8)]))
    assert voiced
    assert end == pytest.approx(1.2 * 16_000, abs=BLOCK)
    assert samples.size == end + KEPT_TAIL


def test_a_short_tail_is_filled() -> None:
    samples, end, _ = prepared(np.concatenate([silence(0.2), tone(1.0)]))
    assert samples.size == end + LEAST_TAIL


def test_the_end_stays_while_silence_grows() -> None:
    speech = np.concatenate([silence(0.2), tone(1.0), silence(0.2)])
    assert prepared(speech)[1] == prepared(np.concatenate([speech, silence(0.5)]))[1]


def test_a_whisper_of_noise_is_no_voice() -> None:
    assert not prepared(tone(1.0, amplitude=0.001))[2]
    assert not prepared(silence(0.01))[2]


def test_tokens_become_text(tmp_path: Path) -> None:
    vocabulary = {"<s>": 1, "</s>": 2, "▁I": 3, "'d": 4, "▁caf": 5, "<0xC3>": 6, "<0xA9>": 7}
    special = [{"id": 1, "special": True}, {"id": 2, "special": True}]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": special}))
    assert Vocabulary(path).text([1, 3, 4, 5, 6, 7, 2, 99]) == "I'd café"


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="is no tokenizer file"):
        Vocabulary(tmp_path / "tokenizer.json")


async def test_a_missing_model_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, tmp_path, tmp_path / "models", tmp_path)
    with pytest.raises(SetupError, match=r"models/moonshine-base/encoder\.onnx; run `make setup`"):
        await MoonshineRecognizer(MoonshineSettings(), site).start()


async def test_a_broken_model_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "moonshine-base"
    folder.mkdir()
    for name in ("encoder.onnx", "decoder.onnx"):
        (folder / name).write_bytes(b"no model")
    vocabulary = {"model": {"vocab": {"a": 3}}, "added_tokens": []}
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary))
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path)
    with pytest.raises(SetupError, match=r"moonshine-base cannot be loaded .*run `make setup`"):
        await MoonshineRecognizer(MoonshineSettings(interim="base"), site).start()


async def test_finals_overtake_interims() -> None:
    threads = DecodingThreads(1)
    begin = threading.Event()
    order: list[str] = []
    first = asyncio.create_task(threads.run(Urgency.INTERIM, begin.wait))
    rest = [
        asyncio.create_task(threads.run(Urgency.INTERIM, lambda: order.append("interim"))),
        asyncio.create_task(threads.run(Urgency.FINAL, lambda: order.append("final"))),
    ]
    await asyncio.sleep(0)
    begin.set()
    await asyncio.gather(first, *rest)
    assert order == ["final", "interim"]
    assert threads.waits.lag_s > 0
    await threads.close()


async def test_a_cancelled_question_is_not_worked_on() -> None:
    threads = DecodingThreads(1)
    begin = threading.Event()
    done: list[str] = []
    first = asyncio.create_task(threads.run(Urgency.FINAL, begin.wait))
    dropped = asyncio.create_task(threads.run(Urgency.FINAL, lambda: done.append("dropped")))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.gather(dropped, return_exceptions=True)
    begin.set()
    await first
    await threads.close()
    assert done == []


async def test_a_failure_of_the_runtime_is_a_speech_error() -> None:
    def fail() -> None:
        raise onnxruntime_pybind11_state.InvalidArgument("bad shape")

    threads = DecodingThreads(2)
    with pytest.raises(SpeechError, match="bad shape"):
        await threads.run(Urgency.FINAL, fail)
    assert await threads.run(Urgency.FINAL, lambda: 7) == 7
    await threads.close()


def test_signed_weights_compute_the_same() -> None:
    """Two products share one weight, whose zero point something else uses too; the numbers are small enough for processors
    whose signed products saturate."""
    random = np.random.default_rng(7)
    weights = [random.integers(0, 256, (40, 9), dtype=np.uint8), random.integers(0, 256, (9, 5), dtype=np.uint8)]
    node, value = helper.make_node, helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            node("MatMulInteger", ["heard", "wide", "zero", "of_wide"], ["first"]),
            node("MatMulInteger", ["again", "wide", "zero", "of_wide"], ["second"]),
            node("MatMulInteger", ["narrow_heard", "narrow", "zero", "of_narrow"], ["third"]),
            node("DequantizeLinear", ["wide", "scale", "of_wide"], ["rows"]),
        ],
        "products",
        [
            value("heard", TensorProto.UINT8, [3, 40]),
            value("again", TensorProto.UINT8, [3, 40]),
            value("narrow_heard", TensorProto.UINT8, [2, 9]),
        ],
        [
            *(value(name, TensorProto.INT32, None) for name in ("first", "second", "third")),
            value("rows", TensorProto.FLOAT, None),
        ],
        [
            numpy_helper.from_array(weights[0], "wide"),
            numpy_helper.from_array(weights[1], "narrow"),
            numpy_helper.from_array(np.array(3, np.uint8), "zero"),
            numpy_helper.from_array(np.array(131, np.uint8), "of_wide"),
            numpy_helper.from_array(np.array(120, np.uint8), "of_narrow"),
            numpy_helper.from_array(np.array(0.5, np.float32), "scale"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    heard = {
        "heard": random.integers(0, 100, (3, 40), dtype=np.uint8),
        "again": random.integers(0, 100, (3, 40), dtype=np.uint8),
        "narrow_heard": random.integers(0, 100, (2, 9), dtype=np.uint8),
    }
    before = InferenceSession(model.SerializeToString()).run(None, heard)
    with_signed_weights(model)
    products = [one for one in model.graph.node if one.op_type == "MatMulInteger"]
    kinds = {value.name: value.data_type for value in model.graph.initializer}
    assert {kinds[one.input[place]] for one in products for place in (1, 3)} == {TensorProto.INT8}
    for old, new in zip(before, InferenceSession(model.SerializeToString()).run(None, heard), strict=True):
        assert np.array_equal(old, new)
