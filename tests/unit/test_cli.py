"""What the command line prints and how it ends: one sentence and exit code 2 for every mistake, never a traceback."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.cli import main
from ccaas.conversation.events import TurnRecord, TurnTimes
from ccaas.journal.entries import CallBegan, CallEnded, Transition, Turn
from ccaas.journal.journal import Journal
from ccaas.ports.media import Codec
from ccaas.ports.sentiment import Mood
from ccaas.ports.tools import Effect
from ccaas.telephony.events import Answered, EndReason

INSTALLATION = """\
name: Demo
timezone: UTC
state: state
plugins: []
speech:
  recognizer: {use: ears}
  voice: {use: vad}
  turn: {use: turn}
  synthesizer: {use: voice}
reasoners: {a: {use: script}}
entries: {a: {numbers: ["*"], reasoner: a}}
web: {port: 1}
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    file = tmp_path / "ccaas.yaml"
    file.write_text(INSTALLATION)
    return file


def run(monkeypatch, capsys, *words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `ccaas WORDS`."""
    monkeypatch.setattr(sys, "argv", ["ccaas", *map(str, words)])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_the_version(monkeypatch, capsys) -> None:
    assert run(monkeypatch, capsys, "--version")[:2] == (0, "ccaas 0.1.0\n")


def test_a_mistake_in_the_file_is_one_line_and_exit_code_2(monkeypatch, capsys, installation: Path) -> None:
    installation.write_text(INSTALLATION.replace('["*"]', "[12:30]"))
    code, out, err = run(monkeypatch, capsys, "check", installation)
    assert (code, out) == (2, "")
    assert err == (
        f"{installation}:11: entries.a.numbers[0]: YAML reads 12:30 without quotes as a number, not as text; "
        'put it in quotes: "12:30"\n'
    )


def test_check_looks_at_what_the_plugins_offer(monkeypatch, capsys, installation: Path) -> None:
    code, _, err = run(monkeypatch, capsys, "check", installation)
    assert code == 2
    assert f"{installation}:6: speech.recognizer.use: no loaded plug-in offers a recognizer called ears" in err
    assert err.count("\n") == 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["calls"], "there is no journal"),
        (["call", "show", "x"], "there is no journal"),
        (["drain"], "no controller has run with"),
        (["call", "start", "PJSIP/1", "--entry", "a"], "no controller has run with"),
        (["asterisk", "shell"], "no Asterisk has run with"),
    ],
)
def test_commands_that_need_a_running_installation(
    monkeypatch, capsys, installation: Path, words, sentence: str
) -> None:
    code, _, err = run(monkeypatch, capsys, *words, installation)
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1


def test_a_controller_that_does_not_answer(monkeypatch, capsys, installation: Path) -> None:
    (installation.parent / "state").mkdir()
    (installation.parent / "state/control.token").write_text("x")
    code, _, err = run(monkeypatch, capsys, "drain", installation)
    assert (code, err) == (2, f"no controller answers at 127.0.0.1:1; start one with `ccaas up {installation}`\n")


async def _journalled(file: Path) -> None:
    journal = await Journal.open(file)
    times = TurnTimes(speech_end=10.0, first_audio=10.25)
    run_ = ToolRun("k", "call-1", "t1", "ada", "change_flight", Effect.WRITE, {}, "t1", Outcome.DONE, 5.0, 7.4)
    await journal.append(
        CallBegan("call-1", "+15550100", "1000", "a", "ada", at=1_000.0),
        Transition("call-1", 0, Answered("leg", 1.0, Codec.ULAW)),
        Turn(
            "call-1",
            TurnRecord("t1", "change my flight", "", "change", agent_text="Done.", heard_text="Done.", times=times),
        ),
        Turn(
            "call-1",
            TurnRecord(
                "t2",
                "outrageous",
                "",
                "",
                sentiment=0.8,
                mood=Mood(0.8, 0.7, 0.6, 0.9, wants_human=True),
                escalated="senior",
            ),
        ),
        run_,
        CallEnded("call-1", EndReason.HUNG_UP, 16, at=1_012.5),
        CallBegan("call-2", "", "1000", "a", at=2_000.0),
    )
    await journal.close()


def test_calls_are_listed_and_shown(monkeypatch, capsys, installation: Path) -> None:
    state = installation.parent / "state"
    state.mkdir()
    asyncio.run(_journalled(state / "journal.sqlite"))
    (state / "recordings").mkdir()
    (state / "recordings/call-1.wav").touch()
    code, out, _ = run(monkeypatch, capsys, "calls", installation)
    first, second = out.splitlines()[1:]
    assert code == 0
    assert first.split()[0] == "call-1"
    assert first.split()[3:] == ["12", "+15550100", "1000", "ada", "2", "1", "hung_up"]
    assert "withheld" in second
    assert second.split()[-1] == "up"
    code, out, _ = run(monkeypatch, capsys, "call", "show", "call-1", installation)
    assert code == 0
    for part in (
        "caller  change my flight",
        "agent   Done.  [250 ms]",
        "wrote change_flight: done in 7 ms",
        "caller  outrageous  upset +0.80 (words +0.70, voice +0.60, trend +0.90,",
        "handed over to senior",
        "call-1.wav",
    ):
        assert part in out
    code, _, err = run(monkeypatch, capsys, "call", "show", "call", installation)
    assert (code, err) == (2, "several calls begin with call; give more of the id\n")


def test_the_newest_calls_only(monkeypatch, capsys, installation: Path) -> None:
    (installation.parent / "state").mkdir()
    asyncio.run(_journalled(installation.parent / "state/journal.sqlite"))
    out = run(monkeypatch, capsys, "calls", "-n", 1, installation)[1]
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["call-2"]


def test_installed_plugins_are_listed(monkeypatch, capsys) -> None:
    code, out, _ = run(monkeypatch, capsys, "plugins")
    assert code == 0
    assert "piper" in {line.split()[0] for line in out.splitlines()}


def test_a_fault_of_ours_is_one_line_and_a_file(tmp_path: Path) -> None:
    script = (
        "import sys, ccaas.cli, ccaas.config.configuration as c\n"
        "def load(file): raise KeyError('password=swordfish')\n"
        "c.load = load\n"
        "sys.argv = ['ccaas', 'calls', 'x.yaml']\n"
        "ccaas.cli.main()\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    (details,) = tmp_path.glob("ccaas-fault-*.txt")
    assert str(details) in done.stderr
    assert "Traceback" in details.read_text()
    assert "swordfish" not in details.read_text()
