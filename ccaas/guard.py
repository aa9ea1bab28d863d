"""`ccaas up`: starts Asterisk and the controller, and stands by while they work.

Both start at the same time: the controller connects when it is told that Asterisk is up.

The controller is a child, so that its death is noticed at once: callers whose agent has just fallen silent hear music
within a moment, the next controller picks their calls up, and if none comes back the dialplan gets them. A guard that is
itself killed leaves Asterisk, the controller and all calls behind for the next one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog

from ccaas.asterisk.access import access_of
from ccaas.asterisk.managed import ManagedAsterisk
from ccaas.asterisk.secrets import AriAccess
from ccaas.comfort import comfort, hand_over
from ccaas.config.configuration import Configuration
from ccaas.succession import AWAITS, MODULE, Succession

_log = structlog.get_logger("guard")

_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 10.0
_STEADY_S = 60.0
"""A controller that ran this long was well: the next restart is quick again."""

_PATIENCE_S = 40.0
"""Callers hear music for this long at most; then the dialplan gets them (s). A busy machine takes 15 s for a restart."""

CONFIG_EXIT = 2
"""The controller's way to say that an admin must mend something: no quick restart helps."""


class Guard:
    """One installation's parent process."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._succession = Succession(configuration.site.state_dir)
        self._asterisk: ManagedAsterisk | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._comforting: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._woken = asyncio.Event()

    async def run(self) -> int:
        """Until the controller ends by itself or we are told to stop; the exit code.

        Raises:
            CcaasError: another guard is here, or Asterisk cannot be started or reached.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._restart)
        self._succession.claim()
        try:
            inherited = await self._succession.end_predecessor()
            access = access_of(self._configuration)
            # The controller loads its models while Asterisk starts.
            asterisk = asyncio.create_task(self._start_asterisk(access, inherited), name="asterisk")
            try:
                return await self._keep_controller(access, asterisk)
            finally:
                asterisk.cancel()
                await asyncio.gather(asterisk, return_exceptions=True)
                await self._end_controller()
        finally:
            if self._asterisk is not None:
                await self._asterisk.stop()
            self._succession.release()

    async def _start_asterisk(self, access: AriAccess, inherited: bool) -> bool:
        """Have it up; whether there may be calls from before us, `inherited` or found in one that ran. Raises
        AsteriskError."""
        settings = self._configuration.settings.asterisk
        if settings.mode == "managed":
            site = self._configuration.site
            self._asterisk = ManagedAsterisk(settings, site.state_dir / "asterisk", site.config_dir)
            await self._asterisk.start()
            inherited = inherited or self._asterisk.process.adopted
        if inherited:
            self._comfort(access)
        return inherited

    async def _keep_controller(self, access: AriAccess, asterisk: asyncio.Task[bool]) -> int:
        """Raises AsteriskError when `asterisk` does."""
        loop = asyncio.get_running_loop()
        backoff, first = _FIRST_BACKOFF_S, True
        while not self._stopping:
            began = loop.time()
            code = await self._run_controller(asterisk)
            if self._stopping or code == 0:
                break
            inherited = await asterisk
            if code == CONFIG_EXIT and first and not inherited:
                return code
            first = False
            if code == CONFIG_EXIT:
                _log.error("the controller cannot start; until that is mended, the dialplan takes all calls")
                await self._give_up_calls(access)
                backoff = _LAST_BACKOFF_S
            else:
                _log.error("the controller died; starting it again", code=code)
                self._comfort(access)
                steady = loop.time() - began > _STEADY_S
                backoff = _FIRST_BACKOFF_S if steady else min(backoff * 2, _LAST_BACKOFF_S)
            await self._pause(backoff)
        return 0

    async def _run_controller(self, asterisk: asyncio.Task[bool]) -> int:
        """One controller from its start to its end; its exit code. It is told when `asterisk` is up."""
        command = (sys.executable, "-m", MODULE, str(self._configuration.file), AWAITS)
        # Two arenas serve the few threads as well as many do, and hold 40 MB less.
        environment = {"MALLOC_ARENA_MAX": "2", **os.environ}
        self._child = child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, start_new_session=True, env=environment
        )
        self._succession.note(child.pid)
        ended = asyncio.create_task(child.wait(), name="controller")
        await asyncio.wait({asterisk, ended}, return_when=asyncio.FIRST_COMPLETED)
        if asterisk.done():
            asterisk.result()
            assert child.stdin is not None
            child.stdin.close()
        return await ended

    async def _end_controller(self) -> None:
        """Where Asterisk did not come up, it waits for nothing."""
        self._signal(signal.SIGKILL)
        if self._child is not None:
            await self._child.wait()

    def _comfort(self, access: AriAccess) -> None:
        """Each death anew: whom an earlier controller had left may have been taken back meanwhile, and left again."""
        task = asyncio.create_task(comfort(access, _PATIENCE_S), name="comfort")
        self._comforting.add(task)
        task.add_done_callback(self._comforting.discard)

    async def _give_up_calls(self, access: AriAccess) -> None:
        for task in self._comforting:
            task.cancel()
        await hand_over(access)

    async def _pause(self, seconds: float) -> None:
        """Until it is time for the next controller, or somebody wants it now."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _stop(self) -> None:
        """Pass the wish on: the first signal drains, the second ends at once."""
        self._stopping = True
        self._woken.set()
        self._signal(signal.SIGTERM)

    def _restart(self) -> None:
        """A new controller over the same calls: for a changed configuration or an upgrade."""
        self._woken.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)


def up(configuration: Configuration) -> int:
    """Run the installation until it is stopped; the process's exit code. Raises CcaasError."""
    return asyncio.run(Guard(configuration).run())
