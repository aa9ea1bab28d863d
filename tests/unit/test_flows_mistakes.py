"""Every mistake in a flows file is one line with file, line, key and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccaas_flows.source import load

from ccaas.errors import ConfigError

GOOD = """\
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


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "flows.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_good_file_is_read(tmp_path: Path) -> None:
    program = load(written(tmp_path, GOOD))
    assert program.intents["book"].flow == "book"
    assert "goodbye" in program.intents


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("ask: date", "aks: date", 9, 'there is no step aks; did you mean "ask"?'),
        ("ask: date", "ask: dat", 9, 'there is no slot dat; did you mean "date"?'),
        ("- ask: date", "- goto: nowhere", 9, "there is no label nowhere in this flow"),
        ("{date} it", "{dte} it", 10, 'nothing is called dte in {dte}; did you mean "date"?'),
        ("{date} it", "{date|mony} it", 10, 'there is no filter mony in {date|mony}; did you mean "money"?'),
        ("{date} it", "{date it", 10, "a brace stands alone"),
        ("type: date", "type: dat", 3, 'there is no type dat; did you mean "date"?'),
        ("type: date", "type: choice", 3, "a choice needs its values"),
        (", question: Which day?", "", 9, "nothing says how to ask for date"),
        ("greeting:", "greting:", 1, 'there is no such key; did you mean "greeting"?'),
        (
            "{examples: [book a room]}",
            "{examples: [book a room], flow: bok}",
            5,
            'there is no flow bok; did you mean "book"?',
        ),
        ("{examples: [book a room]}", "{examples: [no]}", 5, "put it in quotes"),
        ("- ask: date", "- just words", 9, "a step is a key with what it does"),
        ("- ask: date", "- read: x\n        wiht: {}", 10, "wiht: there is no such key"),
        ("- ask: date", "- if: {value: date}", 9, "the test says only which value"),
        ("- ask: date", "- if: {value: dat, known: true}", 9, 'nothing is called dat; did you mean "date"?'),
        ("- ask: date", "- label: a\n      - label: a", 10, "the label a stands twice"),
        ("- ask: date", "- forget: dat", 9, 'did you mean "date"?'),
        ("- ask: date", "- confirm: Sure?\n        change: {slots: [dat], goto: x}", 10, 'did you mean "date"?'),
        ("greeting: Hello.", "greeting: Hello.\nstart: bok", 2, 'there is no flow bok; did you mean "book"?'),
        (
            "greeting: Hello.",
            'greeting: Hello.\nkeys: {"0": humn}',
            2,
            'there is no intent humn; did you mean "human"?',
        ),
        ("{examples: [book a room]}", "{examples: [book a room], title: 'the {dat}'}", 5, 'did you mean "date"?'),
        (
            "{examples: [book a room]}",
            "{examples: [book a room], title: ['a', 'for {customer}']}",
            5,
            "nothing is called customer",
        ),
        ("flows:\n", "verify: {steps: [{ask: dat}]}\nflows:\n", 6, "verify.steps[0].ask: there is no slot dat"),
        ("greeting: Hello.", "greeting_thread: '{thred.title}?'", 1, 'did you mean "thread"?'),
        ("greeting: Hello.", "text: {goodbye: 'Bye {x}'}", 1, "nothing is called x"),
        ("- ask: date", "- promise: We write.\n        within_hours: 0", 10, "out of range"),
        ("greeting: Hello.", "include: more.yaml", 1, "there is no file more.yaml beside this one"),
        ("greeting: Hello.", "include: flows.yaml", 1, "flows.yaml includes this file again"),
        ("      - ask: date", "\t- ask: date", 9, "indent with spaces"),
        ("greeting: Hello.", "thresholds: {accept: 2}", 1, "out of range"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    assert old in GOOD
    file = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as raised:
        load(file)
    message = str(raised.value)
    assert message.startswith(f"{file}:{line}: ")
    assert told in message
    assert "\n" not in message


def test_included_files_come_first_and_are_overridden(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "slots: {date: {type: date, question: When?}}\nintents: {book: {examples: [reserve something], label: reserve}}\n",
        "utf-8",
    )
    program = load(written(tmp_path, GOOD.replace("greeting:", "include: base.yaml\ngreeting:")))
    assert set(program.examples["book"]) == {"reserve something", "book a room"}
    assert program.intents["book"].label == "reserve"


def test_the_examples_of_the_project_are_good() -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert load(examples / "airline" / "flows.yaml").flows["flight_change"]
    assert load(examples / "bench" / "flows.yaml").flows
