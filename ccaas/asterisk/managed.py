"""The managed Asterisk as a whole: checked, rendered, running."""

from __future__ import annotations

import asyncio
import fcntl
import re
import shlex
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

import structlog

from ccaas.asterisk import check, pid, render
from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.install import PROGRAM
from ccaas.asterisk.manual import write_data
from ccaas.asterisk.process import AsteriskProcess, ProcessState
from ccaas.asterisk.secrets import AriAccess, ari_access, keep_secrets, made_for
from ccaas.config.asterisk import AsteriskSettings
from ccaas.debian import Prefix
from ccaas.errors import AsteriskError

ESSENTIAL = frozenset({"asterisk.conf", "http.conf", "ari.conf"})
"""Files without whose present state we could not control a running Asterisk."""


class ManagedAsterisk:
    """One installation's Asterisk, in `folder`.

    Args:
        settings: the YAML's `asterisk:` section.
        folder: its run folder (`<state_dir>/asterisk`); made if it is not there.
        base: folder from which relative paths in the settings start.
        outlive: whether it stays up when this program dies; tests say no.
        on_change: told on the event loop whenever the process changes its state.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        folder: Path,
        base: Path,
        *,
        outlive: bool = True,
        on_change: Callable[[ProcessState], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.folder = RunFolder(folder.absolute())
        self.prefix = Prefix((base / settings.prefix).absolute())
        self.secrets = keep_secrets(self.folder.secrets, made_for(settings))
        self.access: AriAccess = ari_access(settings, self.folder.secrets, {})
        self.process = AsteriskProcess(
            self.folder,
            self.prefix,
            self.access,
            open_files=render.open_files(settings),
            outlive=outlive,
            on_change=on_change,
        )
        self._base = base.absolute()
        self._lock: TextIOWrapper | None = None

    async def start(self) -> None:
        """Adopt the one that runs, or start one. A running one with calls keeps its old configuration for now, unless
        it could not be controlled then.

        Raises:
            AsteriskError: the settings have faults, another controller keeps it, or it does not come up.
        """
        self._claim()
        try:
            running = pid.running_pid(self.folder)
            found = check.faults(self.settings, self._base, running=bool(running))
            if found:
                raise AsteriskError("\n".join(str(fault) for fault in found))
            files = render.render(self.settings, self.secrets, self.folder, self.prefix, base=self._base)
            changed = render.changed(self.folder, files)
            if running and changed and await self._may_restart(changed):
                await pid.end(running)
                running = 0
            if not running:
                render.write(self.folder, files)
                write_data(self.folder.data, self.prefix.path / "usr/share/asterisk")
                self._write_console()
            await self.process.start()
        except BaseException:
            self._release()
            raise

    async def stop(self) -> None:
        """End it and its calls. Safe to call twice."""
        await self.process.stop()
        self._release()

    async def detach(self) -> None:
        """Leave it and its calls running, for the next controller to adopt."""
        await self.process.detach()
        self._release()

    async def console(self, command: str) -> str:
        """What `asterisk -rx COMMAND` prints.

        Raises:
            AsteriskError: nobody answers on the control socket.
        """
        process = await asyncio.create_subprocess_exec(
            *self.prefix.command(PROGRAM, "-C", str(self.folder.config), "-rx", command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode("utf-8", "replace")
        if process.returncode:
            raise AsteriskError(f"Asterisk in {self.folder.path} does not answer on its console; look whether it runs")
        return text

    async def calls(self) -> int:
        """How many calls are up."""
        match = re.search(r"(\d+) active call", await self.console("core show channels count"))
        return int(match[1]) if match else 0

    def _write_console(self) -> None:
        """A script for people: `console -rx "core show channels"`, `console -r`."""
        command = shlex.join(self.prefix.command(PROGRAM, "-C", str(self.folder.config)))
        script = self.folder.path / "console"
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        script.chmod(0o700)

    async def _may_restart(self, changed: tuple[str, ...]) -> bool:
        log = structlog.get_logger("asterisk")
        calls = await self.calls()
        if calls and not ESSENTIAL.intersection(changed):
            log.warning("the new configuration waits for the end of calls: restart then", calls=calls, files=changed)
            return False
        log.info("asterisk is restarted with its new configuration", calls=calls, files=changed)
        return True

    def _claim(self) -> None:
        """Two controllers must not both care for one Asterisk; the lock goes away with its process."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        lock = (self.folder.path / "controller.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AsteriskError(f"another controller keeps the Asterisk in {self.folder.path}; stop that one") from None
        self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
