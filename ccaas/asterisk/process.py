"""The managed Asterisk's process: start, adopt, watch, restart, stop.

Asterisk runs in a session of its own, so that it and its calls outlive this program; whoever starts next finds it by
its run folder and adopts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import resource
import signal
import subprocess
from collections.abc import Callable
from enum import Enum
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import structlog

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.install import PROGRAM
from ccaas.asterisk.log import LogFollower, last_errors
from ccaas.asterisk.secrets import AriAccess
from ccaas.debian import Prefix
from ccaas.errors import AsteriskError

READY_POLL_S = 0.05
LOG_POLL_S = 0.5
STOP_S = 5.0
"""How long Asterisk may take to end after SIGTERM before it is killed."""

FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 30.0
STEADY_S = 60.0
"""A run at least this long counts as healthy: the next restart is quick again."""


class ProcessState(Enum):
    """What the process is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    """ARI answers."""
    RESTARTING = "restarting"
    """It died; a new one is on its way."""


def backoff(failures: int, chance: float) -> float:
    """Seconds to wait before restart number `failures` (from 1); `chance` in [0, 1) spreads it by half either way."""
    return float(min(FIRST_BACKOFF_S * 2 ** (failures - 1), LAST_BACKOFF_S)) * (0.5 + chance)


def running_pid(folder: RunFolder) -> int | None:
    """The pid of the Asterisk that lives in this folder, if one does; a pid file left over is not believed."""
    try:
        pid = int(folder.pid_file.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder.config) in words and state != "Z" else None


class AsteriskProcess:
    """One managed Asterisk. `start` returns when ARI answers; from then on it is kept alive until `stop` or `detach`."""

    def __init__(
        self,
        folder: RunFolder,
        prefix: Prefix,
        access: AriAccess,
        *,
        open_files: int,
        ready_s: float = 15.0,
        on_change: Callable[[ProcessState], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._access = access
        self._open_files = open_files
        self._ready_s = ready_s
        self._on_change = on_change
        self._log = structlog.get_logger("asterisk")
        self._lock: TextIOWrapper | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.state = ProcessState.STOPPED
        self.pid = 0
        """Process id, 0 when there is none."""
        self.restarts = 0
        """How often it has died and come back under our eyes."""
        self.adopted = False
        """Whether the running one was found rather than started."""

    async def start(self) -> None:
        """Adopt the Asterisk that lives in the folder, or start one; its configuration must have been written.

        Raises:
            AsteriskError: another controller keeps it, it does not start, or ARI does not answer in time.
        """
        self._claim()
        follower = LogFollower(self._folder.log)
        try:
            found = running_pid(self._folder)
            self.adopted = found is not None
            self._set(ProcessState.STARTING)
            self.pid = found or self._spawn()
            await self._ready()
        except BaseException:
            if not self.adopted:
                await self._end()
            self._release()
            self._set(ProcessState.STOPPED)
            raise
        self._set(ProcessState.READY)
        self._log.info("asterisk is ready", pid=self.pid, adopted=self.adopted)
        self._tasks = [
            asyncio.create_task(self._keep_alive(), name="asterisk-watch"),
            asyncio.create_task(self._follow(follower), name="asterisk-log"),
        ]

    async def stop(self) -> None:
        """End Asterisk and with it every call. Safe to call twice."""
        await self._forget()
        await self._end()
        self._release()
        self._set(ProcessState.STOPPED)

    async def detach(self) -> None:
        """Leave Asterisk and its calls running, for the next controller to adopt."""
        await self._forget()
        self._release()

    async def console(self, command: str) -> str:
        """What `asterisk -rx COMMAND` prints.

        Raises:
            AsteriskError: nobody answers on the control socket.
        """
        process = await asyncio.create_subprocess_exec(
            *self._prefix.command(PROGRAM, "-C", str(self._folder.config), "-rx", command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode("utf-8", "replace")
        if process.returncode:
            raise AsteriskError(
                f"Asterisk in {self._folder.path} does not answer on its console: {text.strip()}; is it up?"
            )
        return text

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _set(self, state: ProcessState) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(state)

    def _claim(self) -> None:
        """Two controllers must not both restart one Asterisk; the lock goes away with its process."""
        self._folder.path.mkdir(parents=True, exist_ok=True)
        lock = (self._folder.path / "controller.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AsteriskError(
                f"another controller keeps the Asterisk in {self._folder.path}; stop that one first"
            ) from None
        self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _spawn(self) -> int:
        """Start the process; what it prints goes to a file, since a pipe to us would kill it when we die."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < self._open_files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._open_files, hard))
        self._folder.pid_file.unlink(missing_ok=True)
        command = self._prefix.command(PROGRAM, "-C", str(self._folder.config), "-f", "-n")
        with self._folder.console.open("wb") as console:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self._folder.path,
                start_new_session=True,
            )
        return self._child.pid

    async def _ready(self) -> None:
        """Wait for ARI's ping.

        Raises:
            AsteriskError: it died, refused our password or ran out of time.
        """
        auth = aiohttp.BasicAuth(self._access.user, self._access.password)
        try:
            async with (
                asyncio.timeout(self._ready_s),
                aiohttp.ClientSession(auth=auth, timeout=aiohttp.ClientTimeout(total=2)) as session,
            ):
                while not await self._ping(session):
                    if self._gone():
                        raise AsteriskError(f"Asterisk ended while it started{self._why()}")
                    await asyncio.sleep(READY_POLL_S)
        except TimeoutError:
            raise AsteriskError(
                f"ARI did not answer at {self._access.url} in {self._ready_s:g} s{self._why()}"
            ) from None

    async def _ping(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self._access.url}/ari/asterisk/ping") as response:
                if response.status in (401, 403):
                    raise AsteriskError(
                        f"the Asterisk at {self._access.url} is not ours (it refuses our password); change asterisk.http_port"
                    )
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _why(self) -> str:
        """The last errors of its log, or what it printed."""
        errors = last_errors(self._folder.log)
        if not errors and self._folder.console.exists():
            errors = self._folder.console.read_text(errors="replace").strip().splitlines()[-2:]
        return f": {' | '.join(errors)}; see {self._folder.log}" if errors else f"; see {self._folder.log}"

    def _gone(self) -> bool:
        if self._child is not None and self._child.pid == self.pid:
            return self._child.poll() is not None
        return running_pid(self._folder) != self.pid

    async def _ended(self) -> None:
        """Wait until the process is gone, whoever its parent is."""
        if self._gone():
            return
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        if self._child is not None and self._child.pid == self.pid:
            self._child.wait()

    async def _keep_alive(self) -> None:
        failures, since = 0, asyncio.get_running_loop().time()
        while True:
            await self._ended()
            self._set(ProcessState.RESTARTING)
            lived = asyncio.get_running_loop().time() - since
            failures = 1 if lived > STEADY_S else failures + 1
            wait = backoff(failures, random.random())
            self._log.error(
                "asterisk ended and is restarted", lived_s=round(lived, 1), wait_s=round(wait, 2), pid=self.pid
            )
            await asyncio.sleep(wait)
            since = asyncio.get_running_loop().time()
            try:
                self.pid = self._spawn()
                await self._ready()
            except (AsteriskError, OSError) as error:
                self._log.error("asterisk did not come back", error=str(error))
                await self._end()
                continue
            self.restarts += 1
            self._set(ProcessState.READY)
            self._log.info("asterisk is ready again", pid=self.pid, restarts=self.restarts)

    async def _follow(self, follower: LogFollower) -> None:
        while True:
            for line in follower.new_lines():
                extra = {"call": line.call} if line.call else {}
                getattr(self._log, line.level)(line.text, source=line.source, **extra)
            follower.shorten()
            await asyncio.sleep(LOG_POLL_S)

    async def _forget(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _end(self) -> None:
        """SIGTERM, then SIGKILL; returns when the process is gone."""
        if not self.pid or self._gone():
            self.pid = 0
            return
        for sent, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sent)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._ended()
                    break
        self.pid = 0
