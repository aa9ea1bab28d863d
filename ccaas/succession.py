"""One guard for an installation at a time, and the controller that a killed one left behind."""

from __future__ import annotations

import fcntl
import os
import signal
from io import TextIOWrapper
from pathlib import Path

import structlog

from ccaas.asterisk import pid as processes
from ccaas.errors import CcaasError

MODULE = "ccaas.controller"
"""What a guard's child runs."""
AWAITS = "--asterisk-starts"
"""Tells it that Asterisk is on its way, and that its standard input will say when it is there."""

_log = structlog.get_logger("guard")


class Succession:
    """The lock of an installation, which dies with its holder, and inside it the controller's process id."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "controller.pid"
        self._file: TextIOWrapper | None = None

    def claim(self) -> None:
        """Become the installation's guard. Raises CcaasError when it has one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise CcaasError(
                f"another `ccaas up` keeps the installation in {self._path.parent}; stop that one"
            ) from None
        self._file = file

    async def end_predecessor(self) -> bool:
        """End the controller that outlived its guard, if there is one; its calls wait in Asterisk for ours."""
        assert self._file is not None
        self._file.seek(0)
        left = self._file.read().strip()
        if not left.isdigit() or not _is_controller(int(left)):
            return False
        _log.warning("a controller without its guard is ended; ours picks its calls up", pid=int(left))
        os.kill(int(left), signal.SIGKILL)
        await processes.wait_gone(int(left))
        return True

    def note(self, pid: int) -> None:
        """Our controller of now."""
        assert self._file is not None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(pid))
        self._file.flush()

    def release(self) -> None:
        """Be the guard no longer. Safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


def left_controller(state_dir: Path) -> int:
    """Process id of the controller that runs for this installation, 0 when none does."""
    try:
        noted = (state_dir / "controller.pid").read_text(encoding="utf-8").strip()
    except OSError:
        return 0
    return int(noted) if noted.isdigit() and _is_controller(int(noted)) else 0


def _is_controller(pid: int) -> bool:
    try:
        return MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
