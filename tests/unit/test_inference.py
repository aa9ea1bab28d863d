"""Models are prepared once, anew when anything changed, and say what is wrong with them."""

from __future__ import annotations

import gc
import subprocess
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ccaas import inference
from ccaas.errors import SetupError
from ccaas.inference import UnusableModel, open_session, prepared

WIDTH = 64


def write_model(path: Path, factor: float) -> Path:
    """A graph that multiplies a row with `factor` times the unit matrix."""
    weights = numpy_helper.from_array(np.eye(WIDTH, dtype=np.float32) * np.float32(factor), "weights")
    row = helper.make_tensor_value_info("row", onnx.TensorProto.FLOAT, [1, WIDTH])
    made = helper.make_tensor_value_info("made", onnx.TensorProto.FLOAT, [1, WIDTH])
    graph = helper.make_graph([helper.make_node("MatMul", ["row", "weights"], ["made"])], "g", [row], [made], [weights])
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), str(path))
    return path


def factor(folder: Path) -> float:
    made = open_session(folder / "model.onnx").run(None, {"row": np.ones((1, WIDTH), np.float32)})[0]
    return float(made[0, 0])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines of the makers that were run."""
    seen: list[list[str]] = []
    run = subprocess.run

    def noted(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return run(command, check=False, **{k: v for k, v in options.items() if k != "check"})

    monkeypatch.setattr(subprocess, "run", noted)
    return seen


def test_a_model_is_prepared_once_and_computes_the_same(tmp_path: Path, runs: list[list[str]]) -> None:
    source = write_model(tmp_path / "model.onnx", 3.0)
    folder = prepared("m", [source], tmp_path / "cache")
    assert factor(folder) == 3.0
    assert prepared("m", [source], tmp_path / "cache") == folder
    assert len(runs) == 1
    assert (folder / "model.onnx.weights").stat().st_size >= 4 * WIDTH * WIDTH


def test_who_opens_the_same_graph_shares_it_while_it_is_open(tmp_path: Path) -> None:
    path = prepared("m", [write_model(tmp_path / "model.onnx", 3.0)], tmp_path / "cache") / "model.onnx"
    one = open_session(path)
    assert open_session(path) is one
    assert open_session(path, threads=2) is not one
    known = weakref.ref(one)
    del one
    gc.collect()
    assert known() is None


def test_a_changed_model_is_prepared_anew_and_the_old_one_goes(tmp_path: Path) -> None:
    source = write_model(tmp_path / "model.onnx", 3.0)
    before = prepared("m", [source], tmp_path / "cache")
    write_model(source, 4.0)
    after = prepared("m", [source], tmp_path / "cache")
    assert factor(after) == 4.0
    assert not before.exists()


def test_another_processor_gets_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_model(tmp_path / "model.onnx", 3.0)
    here = prepared("m", [source], tmp_path / "cache")
    monkeypatch.setattr(inference, "_processor", lambda: "flags: none")
    assert prepared("m", [source], tmp_path / "cache") != here


def test_models_of_one_name_in_two_places_do_not_disturb_each_other(tmp_path: Path) -> None:
    folders = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        source = write_model(tmp_path / str(number) / "model.onnx", number)
        folders.append(prepared("m", [source], tmp_path / "cache"))
    assert [factor(folder) for folder in folders] == [1.0, 2.0]


def test_two_at_once_prepare_once(tmp_path: Path, runs: list[list[str]]) -> None:
    source = write_model(tmp_path / "model.onnx", 3.0)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: prepared("m", [source], tmp_path / "cache"), range(2))
    assert one == other
    assert len(runs) == 1


def test_what_is_wrong_with_a_source_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    source = tmp_path / "model.onnx"
    source.write_bytes(b"no model")
    with pytest.raises(UnusableModel, match="Protobuf parsing failed"):
        prepared("m", [source], tmp_path / "cache")
    (home,) = (tmp_path / "cache/models").iterdir()
    assert [path.name for path in home.iterdir()] == ["lock"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    source = write_model(tmp_path / "model.onnx", 3.0)
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(SetupError, match=r"cache/models/m-\w+ cannot be written .*`cache` in the YAML"):
        prepared("m", [source], tmp_path / "cache")
