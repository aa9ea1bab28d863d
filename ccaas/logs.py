"""Logs: for people or as JSON on the terminal, always as JSON in a file; secrets and card numbers are masked."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import re
import sys
import time
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from ccaas.config.settings import Log
from ccaas.errors import SetupError
from ccaas.journal.masking import masked
from ccaas.ports.redaction import Redactor, redacted

FILE_BYTES = 10_000_000
"""A log file of this size is put aside; five old ones are kept."""
OLD_FILES = 5
WAITING = 10_000
"""Most lines that wait for a slow disk; further ones are lost."""
_FLUSH_S = 2.0

_TEXTS = frozenset({"text", "event", "error", "keys", "title", "subject"})
"""Fields of a line that may hold what somebody said."""
_redactor: Redactor | None = None

_HIDDEN = "[secret]"
_CREDENTIALS = (
    (re.compile(r"(authorization\W{1,4}(?:basic|bearer|digest)\s+)[^\s'\",]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (re.compile(r"((?:password|passwd|secret|token|api_key)['\"]?\s?[=:]\s?['\"]?)[^\s'\",}&]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]+:)[^\s/@]+(@)"), rf"\1{_HIDDEN}\2"),
)  # fmt: skip


class Aside(logging.handlers.QueueHandler):
    """Writes on a thread of its own: a disk that stalls (0.4 s a line were seen) must not stall the calls."""

    def __init__(self, outputs: Sequence[logging.Handler]) -> None:
        self._lines: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
        super().__init__(self._lines)
        self._outputs = outputs
        self._writer = logging.handlers.QueueListener(self._lines, *outputs)
        self._writer.start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """As it is: structlog's own fields would be lost in the standard library's text."""
        return record

    def flush(self) -> None:
        """Return when everything is written, or the disk has had its time."""
        until = time.monotonic() + _FLUSH_S
        with self._lines.all_tasks_done:
            while self._lines.unfinished_tasks and (left := until - time.monotonic()) > 0:
                self._lines.all_tasks_done.wait(left)

    def close(self) -> None:
        """Write what waits, and close the outputs."""
        self.flush()
        outputs, self._outputs = self._outputs, ()
        if outputs and not self._lines.unfinished_tasks:
            self._writer.stop()
            for output in outputs:
                output.close()
        super().close()


def configure_logs(settings: Log, folder: Path, name: str = "ccaas", *, terminal: bool = True) -> Path:
    """Set logging up for this process; structlog's loggers and the standard library's end in the same places.

    Args:
        settings: the `log` section.
        folder: where the file lies; made if it is not there.
        name: of the file, without `.log`: each process has its own.
        terminal: whether anything is written to standard error too.

    Returns:
        The log file.

    Raises:
        SetupError: the file cannot be written.
    """
    file = folder / f"{name}.log"
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        to_file = logging.handlers.RotatingFileHandler(
            file, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8"
        )
    except OSError as error:
        raise SetupError(f"{file} cannot be written ({error.strerror}); mend its permissions or `state`") from None
    as_json = _formatter(before, structlog.processors.JSONRenderer(default=str))
    to_file.setFormatter(as_json)
    outputs: list[logging.Handler] = [to_file]
    if terminal:
        to_terminal = logging.StreamHandler(sys.stderr)
        to_terminal.setFormatter(as_json if settings.format == "json" else _formatter(before, _for_people()))
        outputs.append(to_terminal)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(Aside(outputs))
    root.setLevel(settings.level.upper())
    logging.raiseExceptions = False  # a full disk costs log lines, not calls
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return file


def redact_lines(redactor: Redactor | None) -> None:
    """From now on, or no longer, take private data out of what is logged: of texts, not of what lines are found by."""
    global _redactor  # noqa: PLW0603  (there is one log)
    _redactor = redactor


def mask(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Take card numbers, passwords and credentials out of a log line."""
    line: dict[str, Any] = {}
    for key, value in event.items():
        if key.startswith("_"):  # structlog's own
            line[key] = value
            continue
        clean = masked({key: value})
        for name, item in clean.items() if isinstance(clean, dict) else ():
            text = hide_credentials(item) if isinstance(item, str) else item
            line[name] = redacted(_redactor, text) if _redactor is not None and name in _TEXTS else text
    return line


def hide_credentials(text: str) -> str:
    """The text without what follows `Authorization:`, `password=` and the like."""
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    return text


def _for_people() -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _formatter(before: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
