"""`ccaas check`, and what `ccaas up` looks at before it starts anything: each mistake with file, line, key and mend."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ccaas.checking import check, ready_machine
from ccaas.config.configuration import load
from ccaas.config.picks import Pick
from ccaas.errors import ConfigError, SetupError
from ccaas.testing.asterisk import free_port

FLOWS = """\
greeting: Hello.
slots:
  date: {type: date, question: Which day?}
intents:
  book: {examples: [book a room]}
flows:
  book:
    steps:
      - ask: date
      - done: "{date} it is."
"""
LOGIN = "Basic Y2NhYXMtY29udHJvbGxlcjpzZWNyZXQ="
"""ccaas-controller and "secret"."""


class Ari(BaseHTTPRequestHandler):
    """As Asterisk's: it lets in who knows the password."""

    def do_GET(self) -> None:
        allowed = self.path.startswith("/ari/") and self.headers["Authorization"] == LOGIN
        self.send_response(200 if allowed else 404 if "/ari/" not in self.path[:5] else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def ari() -> Iterator[int]:
    """The port of an external Asterisk."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ari) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def file(tmp_path: Path, ari: int) -> Path:
    """An installation with nothing wrong."""
    (tmp_path / "models").mkdir()
    (tmp_path / "flows.yaml").write_text(FLOWS)
    made = tmp_path / "ccaas.yaml"
    made.write_text(f"""\
name: Demo
timezone: UTC
state: state
models: models
plugins: [espeak, moonshine, turn, flows]
asterisk: {{mode: external, ari: {{url: "http://127.0.0.1:{ari}", password: secret}}}}
speech:
  recognizer: {{use: moonshine}}
  voice: {{use: silero}}
  turn: {{use: smart_turn}}
  synthesizer: {{use: espeak}}
reasoners:
  rooms: {{use: flows, file: flows.yaml}}
entries: {{main: {{numbers: ["*"], reasoner: rooms}}}}
web: {{port: {free_port()}}}
""")
    return made


def changed(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def _looked_at(file: Path) -> None:
    ready_machine(load(file))
    check(file)


def complaint(file: Path) -> str:
    """What `ccaas up` says before it starts anything; where that is nothing, what `ccaas check` says."""
    with pytest.raises(ConfigError) as raised:
        _looked_at(file)
    assert "\n" not in str(raised.value)
    return str(raised.value).replace(f"{file.parent}/", "")


def test_nothing_is_wrong(file: Path) -> None:
    check(file)
    assert not (file.parent / "state").exists(), "looking makes nothing"
    ready_machine(load(file))
    assert (file.parent / "state").is_dir()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("models: models", "models: gone", "ccaas.yaml:4: models: there is no folder gone; run `make setup`, or correct it"),
        ("state: state", "state: flows.yaml", "ccaas.yaml:3: state: flows.yaml is no folder; name another one"),
        ("turn, flows]", "turn, flwos]", 'ccaas.yaml:5: plugins[3]: no plug-in flwos is installed; did you mean "flows"?'),
        ("secret}}", "wrong}}", "with this password; make both those of its ari.conf"),
        ("password: secret}}", "password_env: NOBODY_SETS_THIS}}", "ccaas.yaml:6: asterisk.ari.password_env: NOBODY_SETS_THIS is not set"),
        ("name: Demo", "name: Demo\nclock: 12:30", "ccaas.yaml:2: clock: YAML reads this as a number, not as a time; write date"),
        ("file: flows.yaml", "file: gone.yaml", "ccaas.yaml:13: reasoners.rooms.file: gone.yaml: there is no such file;"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line(file: Path, old: str, new: str, said: str) -> None:
    assert said in complaint(changed(file, old, new))


def test_a_mistake_in_a_reasoners_own_file_names_that_file(file: Path) -> None:
    changed(file.parent / "flows.yaml", "greeting:", "greting:")
    assert complaint(file).startswith("flows.yaml:1: greting: there is no such key;")


def test_an_empty_file_is_one_mistake(file: Path) -> None:
    file.write_text("# nothing\n")
    assert complaint(file) == "ccaas.yaml:1: the file is empty; begin with a copy of examples/airline/ccaas.yaml"


def test_a_character_that_is_no_text_has_its_line(file: Path) -> None:
    file.write_text("name: Café\nstate: a\x01b\n")
    assert complaint(file) == "ccaas.yaml:2: a character here is no text; remove it, or save the file as UTF-8"


def test_a_web_port_that_is_taken(file: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", load(file).settings.web.port))
        other.listen()
        port = other.getsockname()[1]
        assert f"web.port: TCP port {port} on 127.0.0.1 cannot be used (Address already in use); stop" in complaint(
            file
        )


def test_an_external_asterisk_that_is_not_there(file: Path, ari: int) -> None:
    gone = free_port()
    said = complaint(changed(file, f":{ari}", f":{gone}"))
    assert f"asterisk.ari.url: no Asterisk answers at http://127.0.0.1:{gone} (Connection refused); start it" in said


def test_a_server_that_is_no_asterisk(file: Path, ari: int) -> None:
    assert "(404 Not Found); start it and enable ARI" in complaint(changed(file, f":{ari}", f":{ari}/elsewhere"))


def test_a_state_folder_that_may_not_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "state").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "state")  # root may write anywhere
    assert "ccaas.yaml:3: state: this user may not write to state; correct its permissions" in complaint(file)


def test_a_state_folder_that_cannot_be_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    assert "ccaas.yaml:3: state: state cannot be made (Read-only file system); name" in complaint(file)


def test_a_plug_in_that_cannot_be_imported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = file.parent / "broken-1.0.dist-info"
    about.mkdir()
    (file.parent / "broken_plugin.py").write_text('raise RuntimeError("no licence")\n')
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[ccaas]\nbroken = broken_plugin\n")
    monkeypatch.syspath_prepend(file.parent)
    assert complaint(changed(file, "turn, flows]", "turn, flows, broken]")) == (
        'ccaas.yaml:5: plugins[4]: plug-in "broken" (broken_plugin) could not be imported: RuntimeError: no licence; '
        "mend or remove it"
    )


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_of_pages_that_is_not_there(file: Path, made: bool) -> None:
    changed(file, "turn, flows]", "turn, flows, knowledge]")
    changed(file, "entries:", "tools:\n  - use: knowledge\n    folder: pages\nentries:")
    if made:
        (file.parent / "pages").mkdir()
        _looked_at(file)
        (file.parent / "pages").rmdir()
        (file.parent / "pages").touch()
    assert complaint(file) == ("ccaas.yaml:16: tools[0].folder: there is no folder pages; make it, or correct the path")


async def test_a_part_that_lacks_its_model_is_named_by_its_place(file: Path) -> None:
    configuration = load(file)
    chosen = Pick(("speech", "synthesizer"), "voice", "voices", configuration.settings, lambda *_: None)
    with pytest.raises(ConfigError) as raised, chosen.placed(configuration.document):
        raise SetupError("there is no file voice.onnx; run `make setup`")
    assert str(raised.value) == f"{file}:11: speech.synthesizer: there is no file voice.onnx; run `make setup`"
