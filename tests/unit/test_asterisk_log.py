"""Asterisk's log file, followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccaas.asterisk import log
from ccaas.asterisk.log import LogFollower, LogLine, last_errors, parse
from ccaas.asterisk.process import LAST_BACKOFF_S, backoff


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "[2026-11-22 16:01:21.086] ERROR[13848] tcptls.c: Unable to bind",
            LogLine("error", "tcptls.c", "Unable to bind"),
        ),
        (
            "[2026-11-22 16:08:09.555] WARNING[16038][C-00000001] app_stasis.c: Stasis app 'ccaas' doesn't exist",
            LogLine("warning", "app_stasis.c", "Stasis app 'ccaas' doesn't exist", "C-00000001"),
        ),
        (
            "[2026-11-22 16:01:20.992] NOTICE[1] loader.c: 148 modules: loaded",
            LogLine("info", "loader.c", "148 modules: loaded"),
        ),
        ("the rest of a longer message", None),
    ],
)
def test_a_line(line: str, expected: LogLine | None) -> None:
    assert parse(line) == expected


@pytest.mark.parametrize("secret", ["Authorization: Basic Y2NhYXM6c2VjcmV0", "password = hunter2", "Secret:hunter2"])
def test_credentials_are_blotted_out(secret: str) -> None:
    found = parse(f"[t] WARNING[1] a.c: got {secret}")
    assert found is not None
    assert "hunter2" not in found.text
    assert "Y2Nh" not in found.text


def test_a_warning_of_every_browser_telephone_is_no_warning() -> None:
    found = parse("[t] WARNING[1] a.c: Endpoint anna: Option 'stir_shaken' is no longer supported.  Use another.")
    assert found is not None
    assert found.level == "debug"


def test_only_what_was_added_and_only_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("[t] ERROR[1] a.c: old\n")
    follower = LogFollower(path)
    with path.open("a") as out:
        out.write("[t] ERROR[1] a.c: new\n[t] ERROR[1] a.c: ha")
        out.flush()
        assert [line.text for line in follower.new_lines()] == ["new"]
        out.write("lf\n")
    assert [line.text for line in follower.new_lines()] == ["half"]
    assert list(follower.new_lines()) == []


def test_a_log_that_does_not_exist_yet(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path / "messages")
    assert list(follower.new_lines()) == []
    (tmp_path / "messages").write_text("[t] NOTICE[1] a.c: first\n")
    assert [line.text for line in follower.new_lines()] == ["first"]


def test_a_long_log_starts_anew_and_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SIZE_LIMIT", 100)
    path = tmp_path / "messages"
    follower = LogFollower(path)
    with path.open("a") as asterisk:
        asterisk.write("[t] NOTICE[1] a.c: many\n" * 10)
        asterisk.flush()
        assert len(list(follower.new_lines())) == 10
        follower.shorten()
        asterisk.write("[t] NOTICE[1] a.c: after\n")
        asterisk.flush()
    assert [line.text for line in follower.new_lines()] == ["after"]
    assert (tmp_path / "messages.1").read_text().count("many") == 10


def test_the_last_errors(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text(
        "".join(f"[t] {level}[1] a.c: {n}\n" for n, level in enumerate(["ERROR", "NOTICE", "ERROR", "ERROR", "ERROR"]))
    )
    assert last_errors(path) == ["2", "3", "4"]


def test_backoff_grows_to_its_limit_and_is_spread() -> None:
    assert [backoff(n, 0.5) for n in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert backoff(50, 0.5) == LAST_BACKOFF_S
    assert backoff(1, 0.0) < backoff(1, 0.9)
