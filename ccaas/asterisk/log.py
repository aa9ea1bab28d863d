"""Asterisk's log file, followed into our own log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(
    r"\[(?P<at>[^\]]+)\] (?P<level>[A-Z]+)\[\d+\](?:\[(?P<call>C-[0-9a-f]+)\])? (?P<source>[^:]+): (?P<text>.*)"
)
"""As `dateformat` in our logger.conf makes it: `[time] LEVEL[thread][call] file.c: text`."""

LEVELS = {
    "ERROR": "error",
    "WARNING": "warning",
    "NOTICE": "info",
    "SECURITY": "warning",
    "VERBOSE": "debug",
    "DEBUG": "debug",
}
"""Asterisk's level → the name of structlog's method."""

SECRET = re.compile(r"(?i)((?:authorization|password|secret)[^:=]{0,20}[:=]\s*)(\S+(?: \S+)?)")

_OF_NO_USE = re.compile(r"Endpoint \S+ Option 'stir_shaken' is no longer supported")
"""What Asterisk 22 says of every endpoint that it is given over ARI, whatever is in it."""

SIZE_LIMIT = 20_000_000
"""Bytes after which the log starts anew; the old one is kept once, as `messages.1`."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message of Asterisk's."""

    level: str
    """Name of structlog's method: error, warning, info or debug."""
    source: str
    """The C file, e.g. "res_pjsip.c"."""
    text: str
    call: str = ""
    """Asterisk's own id of the call, "C-00000001", where there is one."""


def parse(line: str) -> LogLine | None:
    """One line of the file; None for the rest of a longer message. Credentials are blotted out."""
    match = LINE.match(line)
    if match is None:
        return None
    text = SECRET.sub(r"\1***", match["text"])
    level = "debug" if _OF_NO_USE.match(text) else LEVELS.get(match["level"], "info")
    return LogLine(level, match["source"], text, match["call"] or "")


class LogFollower:
    """Reads what was added to the log file since the last time."""

    def __init__(self, path: Path, *, from_end: bool = True) -> None:
        self._path = path
        self._rest = b""
        self._offset = self._size() if from_end else 0

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def new_lines(self) -> Iterator[LogLine]:
        """Complete messages since the last call; starts over when the file has shrunk."""
        if self._size() < self._offset:
            self._offset, self._rest = 0, b""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                added = stream.read()
        except FileNotFoundError:
            return
        self._offset += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        for line in lines:
            parsed = parse(line.decode("utf-8", "replace"))
            if parsed is not None:
                yield parsed

    def shorten(self) -> None:
        """Keep the disk from filling: Asterisk appends, so that an emptied file simply goes on."""
        if self._size() > SIZE_LIMIT:
            self._path.with_name(f"{self._path.name}.1").write_bytes(self._path.read_bytes())
            with self._path.open("r+b") as stream:
                stream.truncate(0)


def last_errors(path: Path, count: int = 3) -> list[str]:
    """The last error messages of a log file, oldest first."""
    found = [line.text for line in LogFollower(path, from_end=False).new_lines() if line.level == "error"]
    return found[-count:]
