"""What reaches a log file: JSON, from structlog and the standard library alike, without secrets."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest
import structlog
from ccaas_redaction.finding import Finder
from ccaas_redaction.settings import RedactionSettings

from ccaas.config.settings import Log
from ccaas.errors import SetupError
from ccaas.logs import Aside, configure_logs, hide_credentials, redact_lines


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


def written() -> None:
    """All lines are where they belong."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def lines(file: Path) -> list[dict]:
    written()
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
    written()
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
    written()
    shown = capsys.readouterr().err
    assert shown.count("hold on") == 1
    assert shown.startswith("{") == (format_ == "json")


def test_private_data_is_taken_out_where_that_is_wanted(tmp_path: Path) -> None:
    file = configure_logs(Log(), tmp_path, terminal=False)
    redact_lines(Finder(RedactionSettings()))
    structlog.get_logger("a").info("caller", text="Write to ann@example.com", ani="+16175550123")
    redact_lines(None)
    structlog.get_logger("a").info("caller", text="Write to ann@example.com")
    written()
    first, second = lines(file)
    assert (first["text"], first["ani"]) == ("Write to [EMAIL]", "+16175550123")
    assert second["text"] == "Write to ann@example.com"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(SetupError, match=r"ccaas\.log cannot be written"):
        configure_logs(Log(), tmp_path / "log", terminal=False)


def test_a_disk_that_stalls_delays_no_call() -> None:
    """Whoever logs goes on at once; the lines are written, in order, when the disk is back."""
    back, got = threading.Event(), []

    class Stalled(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert back.wait(10)
            got.append(record.getMessage())

    aside = Aside([Stalled()])
    for number in range(3):
        aside.handle(logging.LogRecord("x", logging.INFO, "", 0, f"line {number}", (), None))
    assert got == []
    back.set()
    aside.close()
    assert got == ["line 0", "line 1", "line 2"]


def test_more_lines_than_may_wait_are_lost_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccaas.logs.WAITING", 2)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    back, got = threading.Event(), []

    class Stalled(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert back.wait(10)
            got.append(record.getMessage())

    aside = Aside([Stalled()])
    for number in range(20):
        aside.handle(logging.LogRecord("x", logging.INFO, "", 0, str(number), (), None))
    back.set()
    aside.close()
    assert 2 <= len(got) <= 3
    assert got[0] == "0"
