"""What reaches a log file: JSON, from structlog and the standard library alike, without secrets."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import structlog

from ccaas.config.settings import Log
from ccaas.errors import SetupError
from ccaas.logs import configure_logs, hide_credentials


@pytest.fixture(autouse=True)
def _put_back():
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        if handler not in handlers:
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_both_kinds_of_loggers_write_json_to_the_file(tmp_path: Path) -> None:
    file = configure_logs(Log(level="info"), tmp_path / "log", terminal=False)
    structlog.get_logger("calls").info("answered", call="c1", seconds=0.25)
    logging.getLogger("aiohttp").warning("slow %s", "client")
    structlog.get_logger("calls").debug("not shown")
    first, second = lines(file)
    assert (first["event"], first["call"], first["seconds"], first["level"]) == ("answered", "c1", 0.25, "info")
    assert (second["event"], second["logger"]) == ("slow client", "aiohttp")


def test_secrets_and_card_numbers_are_masked(tmp_path: Path) -> None:
    file = configure_logs(Log(), tmp_path, terminal=False)
    structlog.get_logger("x").info(
        "paid with 4111 1111 1111 1111",
        password="swordfish",
        header="Authorization: Basic c3dvcmRmaXNo",
        nested={"token": "abc"},
    )
    try:
        raise ValueError("password=swordfish")
    except ValueError:
        logging.getLogger("y").exception("failed")
    text = file.read_text()
    for secret in ("4111", "swordfish", "c3dvcmRmaXNo", "abc"):
        assert secret not in text
    assert "[card ending 1111]" in text
    assert "ValueError" in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ari://ccaas:hunter2@127.0.0.1", "ari://ccaas:[secret]@127.0.0.1"),
        ("{'Authorization': 'Bearer abc'}", "{'Authorization': 'Bearer [secret]'}"),
        ('{"password": "x y"}', '{"password": "[secret] y"}'),
        ("the password is wrong", "the password is wrong"),
    ],
)
def test_credentials_inside_text(text: str, wanted: str) -> None:
    assert hide_credentials(text) == wanted


@pytest.mark.parametrize("format_", ["console", "json"])
def test_the_terminal_shows_the_line_once(tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str) -> None:
    configure_logs(Log(format=format_), tmp_path)
    configure_logs(Log(format=format_), tmp_path)
    structlog.get_logger("calls").warning("hold on", call="c1")
    shown = capsys.readouterr().err
    assert shown.count("hold on") == 1
    assert shown.startswith("{") == (format_ == "json")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(SetupError, match=r"ccaas\.log cannot be written"):
        configure_logs(Log(), tmp_path / "log", terminal=False)
