"""`ccaas journey …`: beside a running controller and without one."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path

import pytest

from ccaas.cli import main
from ccaas.commands import journey as journey_commands
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import Case, Consent, Fact, FactKind, Identity, IdentityKind, Profile, Thread, ThreadState

INSTALLATION = """\
name: Demo
timezone: America/New_York
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
journey: {region: US}
"""
AT = 1_772_550_300.0
"""Tue 3 Mar 2026, 10:05 in New York."""


class Commands:
    """The command line of one installation."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys
        self.file = folder / "ccaas.yaml"
        self.file.write_text(INSTALLATION)
        monkeypatch.setenv("CCAAS_CONFIG", str(self.file))
        monkeypatch.setenv("COLUMNS", "150")

    def run(self, *words: str) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["ccaas", "journey", *words])
        self._monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = self._capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, monkeypatch, capsys)


async def opened(folder: Path) -> StoredJourney:
    return StoredJourney(await SqliteDatabase.open(folder / "state/journey.sqlite"), folder / "state")


async def known(folder: Path) -> None:
    """Mia, with something of everything."""
    journey = await opened(folder)
    phone, email = Identity(IdentityKind.PHONE, "+16145550109"), Identity(IdentityKind.EMAIL, "mia@example.com")
    profile = Profile("mia_1", "Mia", "Li", "gold", 125_000, "America/New_York", "en-US", {"channel": "sms"})
    await journey.register(profile, [phone, email], [Consent("sms", "marketing", granted=False, at=AT, proof="m")])
    await journey.thread(
        Thread("t-1", "mia_1", "upgrade", "the upgrade", ThreadState.OPEN, "voice", AT, AT, ("date",), snapshot={})
    )
    await journey.case(Case("k", "mia_1", "lost suitcase", "open", AT, AT))
    more = {"conversation_id": "call-1", "recording": "recordings/call-1.wav#t=3"}
    await journey.append(
        Fact("1", "mia_1", AT, FactKind.CONTACTED, "voice", "called 1000", "customer", **more),
        Fact("2", "mia_1", AT + 60, FactKind.ASKED, "voice", "an [upgrade]", "customer", thread_id="t-1", **more),
        Fact("3", "mia_1", AT + 86_400, FactKind.PROMISED, "sms", "a call back", "agent", data={"due": AT + 90_000}),
    )
    await journey.close()


def test_a_customer_is_shown_by_day_and_conversation(commands: Commands, tmp_path: Path) -> None:
    asyncio.run(known(tmp_path))
    code, out, err = commands.run("show", "(614) 555-0109")
    assert (code, err) == (0, "")
    for words in (
        "Mia Li  gold  mia_1",
        "mia@example.com, +16145550109",
        "America/New_York · en-US · channel: sms · worth 1,250.00",
        "forbids marketing by sms since 3 Mar 2026",
        "last contact Tue 3 Mar 2026, 10:05, by voice",
        "the upgrade  open, still to be told: date",
        "promised a call back  until Wed 4 Mar 2026, 11:05",
        "case lost suitcase",
        "Tuesday 3 March 2026",
        "voice  call-1",
        "an [upgrade]  [the upgrade]  recordings/call-1.wav#t=3",
        "Wednesday 4 March 2026",
    ):
        assert words in out, words
    assert out.index("Tuesday") < out.index("10:05:00") < out.index("10:06:00") < out.index("Wednesday")


@pytest.mark.parametrize(
    ("who", "reason"),
    [("+16145550000", "nobody is known by +16145550000"), ("12", "12 is no telephone number: it is too short")],
)
def test_somebody_who_is_not_known_is_one_line(commands: Commands, tmp_path: Path, who: str, reason: str) -> None:
    asyncio.run(known(tmp_path))
    for command in ("show", "export"):
        code, out, err = commands.run(command, who)
        assert (code, out) == (2, "")
        assert err.startswith(reason)
        assert err.count("\n") == 1


def test_without_a_journey_nothing_is_made(commands: Commands, tmp_path: Path) -> None:
    code, _, err = commands.run("show", "+16145550109")
    assert code == 2
    assert (
        err
        == f"there is no journey at {tmp_path}/state/journey.sqlite; take a call with `ccaas up`, or import customers, first\n"
    )
    assert not (tmp_path / "state").exists()


def test_an_import_names_what_it_skips(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("phone,first_name\n+16145550109,Mia\n12,Bob\n+16145550110,Ann\n")
    code, out, err = commands.run("import", str(file))
    assert (code, out) == (1, "customers imported: 2; rows skipped: 1\n")
    assert f"{file}:3: 12 is no telephone number: it is too short" in err
    file.write_text("phone,first_name\n+16145550109,Mia\n")
    code, out, _ = commands.run("import", str(file))
    assert (code, out) == (0, "customers imported: 1\n")
    assert "Mia" in commands.run("show", "+16145550109")[1]


def test_an_export_goes_to_the_terminal_or_a_private_file(commands: Commands, tmp_path: Path) -> None:
    asyncio.run(known(tmp_path))
    code, out, _ = commands.run("export", "mia@example.com")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    kinds = ["customer", "identity", "identity", "consent", "case", "thread", "fact", "fact", "fact"]
    assert [line["type"] for line in lines] == kinds
    file = tmp_path / "mia.jsonl"
    code, told, _ = commands.run("export", "mia_1", "--out", str(file))
    assert (code, told) == (0, f"9 lines in {file}\n")
    assert file.read_text() == out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, err = commands.run("export", "mia_1", "--out", str(tmp_path / "no/such/file"))
    assert (code, err) == (
        2,
        f"{tmp_path}/no/such/file cannot be written (No such file or directory); name another file\n",
    )


def test_forgetting_asks_first(commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(known(tmp_path))
    asked: list[str] = []

    def confirm(question: str, *, abort: bool) -> None:
        asked.append(question)
        raise SystemExit(1)

    monkeypatch.setattr("typer.confirm", confirm)
    assert commands.run("forget", "mia_1")[0] == 1
    assert asked == ["erase Mia Li (mia@example.com, +16145550109) mia_1 for good?"]
    assert commands.run("show", "mia_1")[0] == 0
    code, out, _ = commands.run("forget", "mia_1", "--yes", "--why", "letter of May")
    assert code == 0
    assert out.startswith("erased; facts: 3, recordings: 1, receipt: e-")
    assert commands.run("show", "+16145550109")[0] == 2
    _, audit, _ = commands.run("audit")
    assert "letter of May" in audit
    assert "mia" not in audit.lower()
    assert len(asked) == 1


def test_what_one_machine_keeps_goes_first(commands: Commands, tmp_path: Path) -> None:
    asyncio.run(known(tmp_path))
    assert (
        commands.run("forget", "mia_1", "--yes", "--here")[1] == "0 calls and conversations erased from this machine\n"
    )
    assert commands.run("show", "mia_1")[0] == 0


def test_the_controller_that_runs_erases_since_it_knows_what_is_going_on(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(known(tmp_path))
    asked: list[str] = []

    def ask(_: object, method: str, path: str, **more: float) -> dict[str, object]:
        asked.append(f"{method} {path}")
        return {"conversations": 2} if "here" in path else {"receipt": "e-1", "facts": 3, "recordings": 0}

    monkeypatch.setattr(journey_commands, "left_controller", lambda state: 4711 if state == tmp_path / "state" else 0)
    monkeypatch.setattr(journey_commands, "ask", ask)
    monkeypatch.setattr(journey_commands, "_us", lambda: "cli ann")
    code, out, _ = commands.run("forget", "+16145550109", "--yes", "--why", "letter of May")
    assert (code, out) == (0, "erased; facts: 3, recordings: 0, receipt: e-1\n")
    assert commands.run("forget", "mia_1", "--yes", "--here")[1].startswith("2 calls and conversations")
    assert asked == ["DELETE /journey/mia_1?why=letter+of+May&by=cli+ann", "DELETE /journey/mia_1?here=1"]
    assert commands.run("show", "mia_1")[0] == 0, "here, nothing was erased"


def test_merging_and_back(commands: Commands, tmp_path: Path) -> None:
    asyncio.run(known(tmp_path))
    file = tmp_path / "customers.csv"
    file.write_text("id,phone,first_name\nmaria,+16145550110,Maria\n")
    commands.run("import", str(file))
    assert commands.run("merge", "mia_1", "+16145550110", "--why", "same person")[:2] == (
        0,
        "+16145550110 is mia_1 from now on\n",
    )
    assert "Mia Li" in commands.run("show", "+16145550110")[1]
    assert commands.run("unmerge", "maria")[0] == 0
    assert "Maria" in commands.run("show", "+16145550110")[1]
    code, _, err = commands.run("unmerge", "maria")
    assert (code, err) == (2, "maria is not merged into anybody; `journey audit` lists the merges\n")
    lines = [line.split() for line in commands.run("audit")[1].splitlines()]
    assert [next(word for word in line if "merge" in word) for line in lines[1:]] == ["merge", "unmerge"]


def test_commands_work_beside_a_controller(commands: Commands, tmp_path: Path) -> None:
    """Another process, or here another connection, has the journey open and goes on writing."""
    asyncio.run(known(tmp_path))

    async def beside() -> None:
        journey = await opened(tmp_path)
        await asyncio.to_thread(commands.run, "merge", "mia_1", await journey.register(Profile("maria")))
        await journey.append(Fact("n", "maria", AT, FactKind.SAID, "sms", "from the controller", "customer"))
        _, out, _ = await asyncio.to_thread(commands.run, "show", "mia_1")
        assert "from the controller" in out
        await asyncio.to_thread(commands.run, "forget", "mia_1", "--yes")
        assert await journey.context("maria") is None
        await journey.close()

    asyncio.run(beside())
