"""The system that is measured: `ccaas up` as a child process, from a copy of a configuration with ports of its own."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from ccaas.testing.asterisk import free_port, free_settings

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "examples/bench/ccaas.yaml"

_READY_S = 120.0
_PHRASES_S = 300.0
_STOP_S = 40.0


class SystemFailed(Exception):
    """The system could not be started; says what it wrote last."""


class System:
    """`async with System(folder)`: ready for calls, its fixed phrases made, when entered."""

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        """`folder` is emptied; the system's state and log lie there. `changes`: top-level sections to replace."""
        self.folder = folder.absolute()
        self.state = self.folder / "state"
        self.log = self.folder / "log.txt"
        self._changes = changes or {}

    async def __aenter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        file = self._configuration()
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ccaas.cli",
                "up",
                str(file),
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
        try:
            await self._wait_for("ready for calls", _READY_S)
            await self._wait_for("phrases ready", _PHRASES_S)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        """Process id of the parent of everything."""
        return self._process.pid

    def _configuration(self) -> Path:
        settings: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text()) | dict(self._changes)
        free = free_settings()
        self.sip_host, self.sip_port = "127.0.0.1", free.sip.udp
        settings["asterisk"] |= {
            "prefix": str((CONFIGURATION.parent / settings["asterisk"]["prefix"]).resolve()),
            "http_port": free.http_port,
            "sip": {"udp": free.sip.udp, "tcp": free.sip.tcp},
            "rtp": {"first": free.rtp.first, "last": free.rtp.last},
        }
        settings["web"] = {"port": free_port()}
        settings["state"] = str(self.state)
        settings["cache"] = str(ROOT / "var/bench/cache")
        settings["models"] = str((CONFIGURATION.parent / settings["models"]).resolve())
        for reasoner in settings["reasoners"].values():
            reasoner["file"] = str((CONFIGURATION.parent / reasoner["file"]).resolve())
        file = self.folder / "ccaas.yaml"
        file.write_text(yaml.safe_dump(settings, sort_keys=False))
        return file

    async def _wait_for(self, line: str, limit_s: float) -> None:
        waited = 0.0
        while line not in self.log.read_text(errors="replace"):
            if self._process.returncode is not None or waited > limit_s:
                why = "it ended" if self._process.returncode is not None else f"not within {limit_s:g} s"
                last = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                raise SystemFailed(f'no "{line}" from ccaas up: {why}; the end of {self.log}:\n{last}')
            await asyncio.sleep(0.1)
            waited += 0.1

    async def _stop(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


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
