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
    """Return when the process has ended, whoever its parent is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def end(pid: int) -> None:
    """SIGTERM, and SIGKILL if that is not obeyed; returns when the process has ended."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if is_gone(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sent)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await wait_gone(pid)
