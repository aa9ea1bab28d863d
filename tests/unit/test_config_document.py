"""Every complaint about a YAML file names file, line, dotted key and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ccaas.config.document import ConfigErrors, Document
from ccaas.errors import ConfigError


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: str
    opens: str = "08:00"
    ports: tuple[int, ...] = ()
    mode: str | None = None


class Office(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lines: dict[str, Line]
    seats: int = Field(default=1, gt=0, le=99)
    greeting: str = ""

    @field_validator("greeting")
    @classmethod
    def _short(cls, value: str, info: ValidationInfo) -> str:
        if len(value) > 20:
            raise ValueError(f"it is too long for {info.context['folder'].name}; say less")
        return value


def complaint(tmp_path: Path, text: str) -> list[str]:
    """The lines of what is wrong with `text` as an Office, without the folder."""
    file = tmp_path / "office.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Document.read(file).validate(Office)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_a_good_file_becomes_the_model(tmp_path: Path) -> None:
    file = tmp_path / "office.yaml"
    file.write_text('lines:\n  front: {number: "+15550100", opens: "12:30"}\nseats: 3\n')
    assert Document.read(file).validate(Office) == Office(
        lines={"front": Line(number="+15550100", opens="12:30")}, seats=3
    )


@pytest.mark.parametrize("value", ["+15550100", "0123", "12:30", "no", "yes", "2026-11-22", "1_000", "0x1f", "~"])
def test_an_unquoted_value_that_yaml_does_not_read_as_text_must_be_quoted(tmp_path: Path, value: str) -> None:
    lines = complaint(tmp_path, f"lines:\n  front:\n    number: {value}\n")
    assert len(lines) == 1
    assert lines[0].startswith("office.yaml:3: lines.front.number: ")
    assert f'put it in quotes: "{value}"' in lines[0] or value == "~"


def test_several_mistakes_are_all_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "lines:\n  front:\n    numbr: '1'\n    ports: [1, x]\nseats: 0\ngreting: hi\n"
    assert complaint(tmp_path, text) == [
        "office.yaml:2: lines.front.number: this key is missing; add `number: …`",
        'office.yaml:3: lines.front.numbr: there is no such key; did you mean "number"?',
        "office.yaml:4: lines.front.ports[1]: x is not a valid integer, unable to parse string as an integer; "
        "write a whole number",
        "office.yaml:5: seats: 0 is out of range; write more than 0",
        'office.yaml:6: greting: there is no such key; did you mean "greeting"?',
    ]


def test_an_unknown_key_unlike_any_other_is_told_which_there_are(tmp_path: Path) -> None:
    assert complaint(tmp_path, "lines: {}\nzebra: 1\n") == [
        "office.yaml:2: zebra: there is no such key; known are: greeting, lines, seats"
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lines: {}\nlines: {}\n", "office.yaml:2: lines: the key stands twice, first on line 1; remove one of the two"),
        ("lines: {1000: {}}\n", 'office.yaml:1: lines.1000: YAML does not read the key 1000 as text; put it in quotes: "1000":'),
        ("lines: !secret x\n", "office.yaml:1: lines: the YAML tag !secret means nothing here; remove it"),
        ("lines: &a {b: *a}\n", "office.yaml:1: lines.b: this alias contains itself; write the value out"),
        ("lines:\n\tfront: 1\n", "office.yaml:2: this is not valid YAML (found character that cannot start any token); "
         "indent with spaces instead of tabs"),
        ("lines: [1\n", "office.yaml:2: this is not valid YAML (did not find expected ',' or ']'); "
         "check indentation, colons and quotes on this line and the one before it"),
        ("", "office.yaml:1: lines: this key is missing; add `lines: …`"),
        ("- 1\n", "office.yaml:1: here must be keys and values; write `key: value`, one a line"),
        ("lines: {}\nseats:\n", "office.yaml:2: seats: there is no value; write one, or remove the line"),
        ("lines: {}\ngreeting: Welcome to the whole office\n",
         "office.yaml:2: greeting: it is too long for {folder}; say less"),
        ("? [a]\n: 1\n", "office.yaml:1: a key must be plain text; write it as a word and a colon"),
    ],
)  # fmt: skip
def test_one_sentence_for_each_mistake(tmp_path: Path, text: str, wanted: str) -> None:
    assert complaint(tmp_path, text) == [wanted.format(folder=tmp_path.name) if "{folder}" in wanted else wanted]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: there is no such file; give the path"):
        Document.read(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="this is a folder"):
        Document.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml:2: this is not UTF-8 text; save the file as UTF-8"):
        Document.read(tmp_path / "latin.yaml")


def test_merged_keys_keep_their_own_lines(tmp_path: Path) -> None:
    text = "lines:\n  a: &a\n    number: 'x'\n    opens: 12:30\n  b:\n    <<: *a\n    number: 'y'\n"
    lines = complaint(tmp_path, text)
    assert [line.split(": YAML")[0] for line in lines] == [
        "office.yaml:4: lines.a.opens",
        "office.yaml:4: lines.b.opens",
    ]


def test_a_part_of_a_file_is_checked_with_its_whole_way(tmp_path: Path) -> None:
    file = tmp_path / "office.yaml"
    file.write_text("lines:\n  - use: x\n    number: 7\n    extra: 1\n")
    document = Document.read(file)
    with pytest.raises(ConfigErrors) as caught:
        document.validate(Line, ("lines", 0), without=frozenset({"use"}))
    assert [error.key for error in caught.value.errors] == ["lines[0].number", "lines[0].extra"]
    assert str(document.error(("lines", 0, "use"), "x is old", "use y")).endswith(
        "office.yaml:2: lines[0].use: x is old; use y"
    )


def test_unknown_keys_can_be_refused_for_models_that_would_ignore_them(tmp_path: Path) -> None:
    class Loose(BaseModel):
        a: int = 1

    file = tmp_path / "loose.yaml"
    file.write_text("b: 1\n")
    assert Document.read(file).validate(Loose) == Loose()
    with pytest.raises(ConfigError, match="there is no such key"):
        Document.read(file).validate(Loose, forbid=True)
