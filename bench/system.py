"""The system that is measured: `ccaas up` as a child process, from a copy of a configuration with ports of its own."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from ccaas.testing.installation import Installation

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "examples/bench/ccaas.yaml"

_PHRASES_S = 300.0


class SystemFailed(Exception):
    """The system could not be started or stopped; says what it wrote last."""


class System:
    """`async with System(folder)`: ready for calls, its fixed phrases made, when entered."""

    sip_host = "127.0.0.1"

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        """`folder` is emptied; the system's state and log lie there. `changes`: top-level sections to replace."""
        self.site = Installation(folder.absolute(), CONFIGURATION, changes)
        self.state = self.site.state
        self.log = self.site.log
        self.sip_port = self.site.sip_port
        self.ready_s = 0.0
        """Seconds from the start of `ccaas up` until it took calls, once entered."""
        self.controller = 0
        """The controller's process id, once entered."""

    async def __aenter__(self) -> Self:
        shutil.rmtree(self.site.folder, ignore_errors=True)
        began = time.monotonic()
        try:
            await self.site.__aenter__()
        except AssertionError as error:
            await self._leave()
            raise SystemFailed(str(error)) from error
        except BaseException:
            await self._leave()
            raise
        self.ready_s = time.monotonic() - began
        try:
            self.controller = int((await self.site.health())["pid"])
            await self._wait_for("phrases ready", _PHRASES_S)
        except BaseException:
            await self._leave()
            raise
        return self

    @property
    def roots(self) -> tuple[int, int, int]:
        """Process ids of `ccaas up`, the controller and Asterisk; what else runs is under them."""
        parent = int(Path(f"/proc/{self.controller}/stat").read_text().rpartition(")")[2].split()[1])
        return parent, self.controller, int((self.state / "asterisk/run/asterisk.pid").read_text())

    async def metrics(self) -> str:
        """The text of GET /metrics."""
        url = f"http://127.0.0.1:{self.site.web_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    async def console(self, command: str) -> str:
        """What Asterisk's console prints."""
        process = await asyncio.create_subprocess_exec(
            self.state / "asterisk/console", "-rx", command, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode(errors="replace")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        try:
            await self.site.__aexit__(None, None, None)
        except AssertionError as error:
            raise SystemFailed(str(error)) from error

    async def _wait_for(self, line: str, limit_s: float) -> None:
        limit = time.monotonic() + limit_s
        while line not in self.log.read_text(errors="replace"):
            if not await self.site.health() or time.monotonic() > limit:
                last = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                raise SystemFailed(f'no "{line}" from ccaas up; the end of {self.log}:\n{last}')
            await asyncio.sleep(0.1)


def environment() -> dict[str, Any]:
    """The machine, as far as it bears on figures."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
