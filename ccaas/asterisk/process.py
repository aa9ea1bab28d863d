"""The managed Asterisk's process: started or adopted, watched, restarted when it dies.

Asterisk runs in a session of its own, so that it and its calls outlive this program; whoever starts next finds it by
its run folder and adopts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
from collections.abc import Callable
from enum import Enum

import aiohttp
import structlog

from ccaas.asterisk import pid as processes
from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.install import PROGRAM
from ccaas.asterisk.log import LogFollower, last_errors
from ccaas.asterisk.secrets import AriAccess
from ccaas.debian import Prefix
from ccaas.errors import AsteriskError, CcaasError

READY_POLL_S = 0.05
LOG_POLL_S = 0.5
FIRST_BACKOFF_S = 0.25
LAST_BACKOFF_S = 30.0
STEADY_S = 60.0
"""A run at least this long counts as healthy: the next restart is quick again."""

ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""What Asterisk gets of our environment; secrets are not among it."""

DIE_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")
"""Part of every Debian (util-linux); execs the program after it, so that the pid stays the same."""


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
        outlive: bool = True,
        on_change: Callable[[ProcessState], None] = lambda _: None,
    ) -> None:
        self._outlive = outlive
        self._folder = folder
        self._prefix = prefix
        self._access = access
        self._open_files = open_files
        self._ready_s = ready_s
        self._on_change = on_change
        self._log = structlog.get_logger("asterisk")
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
            AsteriskError: it does not start, or ARI does not answer in time.
        """
        follower = LogFollower(self._folder.log)
        found = processes.running_pid(self._folder)
        self.adopted = found != 0
        self._set(ProcessState.STARTING)
        try:
            self.pid = found or self._spawn()
            await self._ready()
        except BaseException:
            if not self.adopted:
                await self._end()
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
        await self.detach()
        await self._end()
        self._set(ProcessState.STOPPED)

    async def detach(self) -> None:
        """Watch no longer, and leave Asterisk and its calls running for the next controller to adopt."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _set(self, state: ProcessState) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(state)

    def _spawn(self) -> int:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < self._open_files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._open_files, hard))
        self._folder.pid_file.unlink(missing_ok=True)
        command = self._prefix.command(PROGRAM, "-C", str(self._folder.config), "-f", "-n")
        if not self._outlive:
            command = [*DIE_WITH_US, *command]
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        return processes.spawn(command, self._folder.console, environment)

    async def _ready(self) -> None:
        """Wait for ARI's ping.

        Raises:
            AsteriskError: it died, refused our password or ran out of time.
        """
        try:
            async with (
                asyncio.timeout(self._ready_s),
                aiohttp.ClientSession(headers=self._access.headers, timeout=aiohttp.ClientTimeout(total=2)) as session,
            ):
                while not await self._ping(session):
                    if processes.is_gone(self.pid):
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
                        f"the Asterisk at {self._access.url} refuses our password, so it is another one; "
                        "stop it or change asterisk.http_port"
                    )
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _why(self) -> str:
        """The last errors of its log, or what it printed."""
        words = last_errors(self._folder.log) or self._last_words()
        return f": {' | '.join(words)}; see {self._folder.log}" if words else f"; see {self._folder.log}"

    def _last_words(self) -> list[str]:
        try:
            return self._folder.console.read_text(errors="replace").strip().splitlines()[-2:]
        except FileNotFoundError:
            return []

    async def _keep_alive(self) -> None:
        clock = asyncio.get_running_loop().time
        failures, since = 0, clock()
        while True:
            if self.pid:  # 0 after a restart that failed
                await processes.wait_gone(self.pid)
            self._set(ProcessState.RESTARTING)
            lived = clock() - since
            failures = 1 if lived > STEADY_S else failures + 1
            wait = backoff(failures, random.random())
            self._log.error(
                "asterisk ended and is restarted",
                pid=self.pid,
                lived_s=round(lived, 1),
                wait_s=round(wait, 2),
                printed=self._last_words(),
            )
            await asyncio.sleep(wait)
            since = clock()
            try:
                self.pid = self._spawn()
                await self._ready()
            except (CcaasError, OSError) as error:
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

    async def _end(self) -> None:
        if self.pid:
            await processes.end(self.pid)
        self.pid = 0
