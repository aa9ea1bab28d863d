"""The process of one run folder's Asterisk, ours by birth or by adoption."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from ccaas.asterisk.folder import RunFolder

STOP_S = 5.0
"""How long a process may take to end after SIGTERM before it is killed."""


def running_pid(folder: RunFolder) -> int:
    """The pid of the Asterisk that lives in this folder, 0 when none does; a pid file left over is not believed."""
    try:
        pid = int(folder.pid_file.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return 0
    return pid if os.fsencode(folder.config) in words and not is_gone(pid) else 0


def is_gone(pid: int) -> bool:
    """Whether the process has ended; one that waits to be reaped has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state in "ZX"


async def wait_gone(pid: int) -> None:
    """Return when the process has ended, whoever its parent is; a child of ours is reaped."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
        _reap(pid)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def spawn(command: list[str], output: Path, environment: dict[str, str]) -> int:
    """Start a process in a session of its own, so that it outlives us, and return its pid.

    What it prints goes to the file `output`: a pipe to us would kill it when we die.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        command[0],
        command,
        environment,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


async def end(pid: int) -> None:
    """SIGTERM, and SIGKILL if that is not obeyed; returns when the process has ended."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if is_gone(pid):
            _reap(pid)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await wait_gone(pid)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # It was adopted, not born here.
        os.waitpid(pid, os.WNOHANG)
