"""Lines about a person are overwritten in the log files, where they stand; every other byte stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccaas import log_erasing
from ccaas.errors import SetupError
from ccaas.log_erasing import erase

LINES = (
    '{"call": "c20260101abc", "text": "I am Mia"}',
    '{"call": "c20260101abcd", "text": "I am Ann"}',
    '{"ani": "+16145550109"}',
    "c1",
    '{"say": "c20260101abc and c20260101abc"}',
)


def test_lines_that_name_somebody_go_and_the_file_keeps_its_length(tmp_path: Path) -> None:
    for name in ("ccaas.log", "ccaas.log.1", "turns.json"):
        (tmp_path / name).write_text("\n".join(LINES) + "\n")
    assert erase(tmp_path, ["c20260101abc", "16145550109", "c1"]) == 6
    for name in ("ccaas.log", "ccaas.log.1"):
        text = (tmp_path / name).read_text()
        assert len(text) == (tmp_path / "turns.json").stat().st_size
        found = text.splitlines()
        assert json.loads(found[0]) == json.loads(found[2]) == json.loads(found[4]) == {"event": "erased"}
        assert (found[1], found[3]) == (LINES[1], "c1"), "a longer id is another's, and a short name says nothing"
    assert "Mia" in (tmp_path / "turns.json").read_text()


def test_a_large_file_is_gone_through_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_erasing, "AT_ONCE", 64)
    lines = [f"call-{number % 7} said {number}" for number in range(500)]
    (tmp_path / "ccaas.log").write_text("\n".join(lines))  # the last line is still being written
    assert erase(tmp_path, ["call-3"]) == sum(number % 7 == 3 for number in range(500))
    found = (tmp_path / "ccaas.log").read_text().split("\n")
    for number, line in enumerate(found):
        assert line.strip() == (line.strip() if number % 7 == 3 else lines[number])
        assert ("call-3" in line) is False
    assert len(found) == 500


def test_a_line_that_is_too_short_for_more_is_blank(tmp_path: Path) -> None:
    (tmp_path / "ccaas.log").write_text("call-3 hi\nnext\n")
    erase(tmp_path, ["call-3"])
    assert (tmp_path / "ccaas.log").read_text().splitlines()[1] == "next"
    assert "call-3" not in (tmp_path / "ccaas.log").read_text()


def test_a_file_that_cannot_be_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "ccaas.log").mkdir()
    with pytest.raises(SetupError, match=r"ccaas\.log cannot be changed"):
        erase(tmp_path, ["call-3"])


def test_without_logs_or_names_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert erase(tmp_path / "nowhere", ["call-3"]) == erase(tmp_path, []) == 0
