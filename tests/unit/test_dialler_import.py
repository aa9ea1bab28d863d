"""Records from CSV: which rows are taken, and what is said of the others; the command line around it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ccaas.cli import app
from ccaas.config.configuration import load
from ccaas.config.picks import pick
from ccaas.dialler.importing import Bad, read_csv, row_of
from ccaas.dialler.records import Row
from ccaas.errors import CcaasError, ConfigError
from ccaas.hooks import PluginHost


def read(tmp_path: Path, text: str | bytes) -> list[tuple[int, Row | Bad]]:
    file = tmp_path / "people.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_csv(file, "US", ("6002",), lambda _: None))


def test_good_rows_are_read_and_bad_ones_told_by_line(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "customer,phone,phone_home,first_name,priority\n"
        "c1,(212) 555-0100,+1 305 555 0101,Ann,3\n"
        "c2,12,,Bob,\n"
        "c3,,,Eve,\n"
        "c4,212-555-0104,,Joe,high\n"
        "c5,212-555-0105,,Kim,,extra\n"
        ",6002,,Lee,\n",
    )
    good = {line: row for line, row in rows if isinstance(row, Row)}
    assert good[2] == Row("c1", ("+12125550100", "+13055550101"), {"customer": "c1", "first_name": "Ann"}, 3)
    assert good[7].key == "6002"
    assert [(row.line, row.why) for _, row in rows if isinstance(row, Bad)] == [
        (3, "phone: 12 is no telephone number"),
        (4, "it has no telephone number"),
        (5, "priority: high is no whole number"),
        (6, "it has more fields than the first line has columns"),
    ]


def test_quotes_that_are_not_closed_are_told(tmp_path: Path) -> None:
    rows = read(tmp_path, 'phone,name\n212-555-0100,"Ann\n')
    assert [type(row) for _, row in rows] == [Bad]


def test_a_file_from_a_spreadsheet_begins_with_a_mark(tmp_path: Path) -> None:
    assert isinstance(read(tmp_path, "\ufeffphone\r\n212-555-0100\r\n")[0][1], Row)


@pytest.mark.parametrize(
    ("text", "said"),
    [("name\nAnn\n", "there is no column phone"), ("", "there is no column phone"), (b"phone\n\xff\n", "not UTF-8")],
)
def test_a_file_that_is_none_is_refused_whole(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        list(read_csv(tmp_path / "none.csv", "US", (), lambda _: None))


def test_a_number_that_stands_twice_counts_once() -> None:
    row = row_of({"phone": "212-555-0100", "phone2": "+12125550100"}, 1, "US")
    assert isinstance(row, Row)
    assert row.numbers == ("+12125550100",)


# — the command line —

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
outreach: {voice: {endpoint: "PJSIP/{number}@carrier", entry: a}}
dialler: {campaigns: {spring: {entry: a, pacing: {use: progressive}}}}
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    file = tmp_path / "ccaas.yaml"
    file.write_text(INSTALLATION)
    (tmp_path / "people.csv").write_text("phone,first_name\n212-555-0100,Ann\n12,Bob\n")
    return file


def campaign(file: Path, *words: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["campaign", *map(str, words), str(file)])
    return (
        (found.exit_code, str(found.exception))
        if isinstance(found.exception, CcaasError)
        else (
            found.exit_code,
            found.output,
        )
    )


def test_a_campaign_from_the_command_line(installation: Path) -> None:
    people = installation.parent / "people.csv"
    assert "spring    empty" in campaign(installation, "list")[1]
    code, said = campaign(installation, "import", "spring", people)
    assert code == 0
    assert f"{people}:3: phone: 12 is no telephone number; left out" in said
    assert "1 records taken into spring, 1 bad, 0 known before; `ccaas campaign resume spring` calls them" in said
    assert campaign(installation, "resume", "spring") == (0, "spring is running\n")
    assert campaign(installation, "next", "spring", "--agent", "ann") == (
        0,
        "record 1: +12125550100\n  first_name: Ann\n",
    )
    assert campaign(installation, "dial", "spring", 1) == (0, "record 1 of spring: release\n")
    assert campaign(installation, "next", "spring", "--agent", "bob") == (1, "nobody of spring is due\n")
    assert campaign(installation, "stop", "spring") == (0, "spring is stopped\n")
    assert campaign(installation, "recycle", "spring") == (0, "0 records of spring are called again\n")
    assert "spring: paused; 1 released" in campaign(installation, "show", "spring")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pause", "sprig"), "there is no campaign sprig; "),
        (("pause", "spring"), "nothing was imported into spring yet; `ccaas campaign import spring FILE` does it"),
        (("show", "spring"), "nothing was imported into spring yet"),
        (("import", "spring", "none.csv"), "none.csv: cannot be read (No such file or directory); mend it"),
    ],
)
def test_mistakes_are_one_line(installation: Path, words: tuple[str, ...], said: str) -> None:
    code, line = campaign(installation, *words)
    assert code == 1
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("spring: {entry: a,", "spring: {entry: b,", "there is no entry b"),
        ("spring: {entry: a,", "spring: {entry: a, queue: q,", "there is no queue q"),
        (
            "spring: {entry: a,",
            "spring: {entry: a, language: de,",
            "language: dialler.answering.languages has no words in de; known are: en",
        ),
        (
            "spring: {entry: a,",
            "spring: {entry: a, purpose: transactional, message: Call us,",
            "message: without `listens` nobody knows that a machine has answered; set listens: true, or remove the message",
        ),
        (
            "spring: {entry: a,",
            "spring: {entry: a, listens: true, message: Call us,",
            "message: messages for marketing must say how to get no more calls; set outreach.opt_out.voicemail",
        ),
        (
            'outreach: {voice: {endpoint: "PJSIP/{number}@carrier", entry: a}}\n',
            "",
            "nothing says how customers are called",
        ),
        ("use: progressive", "use: progresive", "no loaded plug-in offers a pacer called progresive"),
    ],
)
def test_mistakes_in_the_yaml_name_their_place(installation: Path, before: str, after: str, said: str) -> None:
    installation.write_text(INSTALLATION.replace(before, after))
    with pytest.raises(ConfigError) as caught:
        pick(load(installation), PluginHost.load(["outbound"]))
    (line,) = [one for one in str(caught.value).splitlines() if "dialler.campaigns.spring" in one]
    assert re.match(r".*ccaas\.yaml:\d+: ", line)
    assert said in line


@pytest.mark.parametrize(
    ("answering", "said"),
    [
        ("limits: {machine_s: 0.1}", "answering.limits.machine_s: "),
        ("limits: {machines_s: 4}", "answering.limits.machines_s: "),
        (
            "languages: {de: {machine: [hallo]}}",
            "answering.languages.de.machine[0]: 'hallo' is too short to tell a machine from a person; write two words or more",
        ),
        ("languages: {de: {machines: [nach dem ton]}}", "answering.languages.de.machines: "),
        (
            "languages: {Deutsch: {}}",
            "answering.languages.Deutsch: Deutsch is no language; write one such as de or pt-BR",
        ),
    ],
)
def test_mistakes_in_how_answers_are_judged_name_their_place(installation: Path, answering: str, said: str) -> None:
    installation.write_text(INSTALLATION.replace("dialler: {", f"dialler: {{answering: {{{answering}}}, "))
    with pytest.raises(ConfigError) as caught:
        load(installation)
    (line,) = str(caught.value).splitlines()
    assert re.match(r".*ccaas\.yaml:\d+: ", line)
    assert said in line
