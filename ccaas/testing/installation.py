"""A whole installation for tests and benches: `ccaas up` on free ports with a state folder of its own.

async with Installation(folder, Path("examples/airline/ccaas.yaml")) as site:
    … dial site.sip_port, read site.rows("SELECT …"), site.recordings …
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from ccaas.testing.asterisk import free_port, free_settings
from ccaas.web.control import TOKEN_FILE, TOKEN_HEADER

START_S = 60.0
"""Longest wait for "ready": a busy machine loads models slowly."""


class Installation:
    """One `ccaas up`, its files, and what may be asked of it."""

    def __init__(
        self, folder: Path, example: Path, changes: Mapping[str, Any] | None = None, *, phones: tuple[str, ...] = ()
    ) -> None:
        """Args:
        folder: for the YAML file and all state.
        example: a ccaas.yaml to start from; files that it names stay where they are.
        changes: top-level sections that replace the example's.
        phones: SIP phones that may register.
        """
        self.folder = folder
        self.file = folder / "ccaas.yaml"
        self.state = folder / "var"
        self.recordings = self.state / "recordings"
        self.log = folder / "up.log"
        self.web_port, self.public_port, self.desk_port = free_port(), free_port(), free_port()
        asterisk = free_settings(phones)
        self.sip_port = asterisk.sip.udp
        document = yaml.safe_load(example.read_text()) | dict(changes or {})
        home = example.parent.absolute()
        document["asterisk"] = {
            "prefix": str(asterisk.prefix),
            "http_port": asterisk.http_port,
            "sip": {"udp": asterisk.sip.udp, "tcp": asterisk.sip.tcp},
            "rtp": {"first": asterisk.rtp.first, "last": asterisk.rtp.last},
            "phones": [{"name": phone, "password": f"secret-{phone}"} for phone in phones],
            "test_extensions": True,
        }
        document["models"] = str((home / document.get("models", ".cache/models")).resolve())
        document["state"] = str(self.state)
        document["cache"] = str((home / "../../.cache/spoken").resolve())
        document["web"] = {
            "port": self.web_port,
            "public": {"port": self.public_port},
            "desk": {"port": self.desk_port},
        }
        for use in [*document["reasoners"].values(), *document.get("tools", ())]:
            for key in {"file", "folder"} & use.keys():
                use[key] = str((home / use[key]).resolve())
        self._document = document
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(yaml.safe_dump(self._document, sort_keys=False))
        self._session = aiohttp.ClientSession()
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._session is not None:
            await self._session.close()

    async def start(self) -> None:
        """`ccaas up`; returns when calls are taken. Raises AssertionError with the log when it does not come up."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ccaas.cli", "up", str(self.file), stdout=log, stderr=log
            )
        await self.ready()

    async def ready(self, not_pid: int = 0) -> int:
        """Wait until a controller takes calls, another one than `not_pid`; its process id."""
        assert self._process is not None
        try:
            async with asyncio.timeout(START_S):
                while True:
                    health = await self.health()
                    if health.get("asterisk") == "connected" and health["pid"] != not_pid:
                        return int(health["pid"])
                    if self._process.returncode is not None:
                        break
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        raise AssertionError(f"ccaas up is not ready:\n{self.log.read_text()[-4000:]}")

    def signal(self, number: signal.Signals) -> None:
        """Send `ccaas up` a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, timeout: float = 60.0) -> int:
        """Wait until `ccaas up` has ended; its exit code, negative for a signal."""
        assert self._process is not None
        async with asyncio.timeout(timeout):
            return await self._process.wait()

    async def stop(self) -> int:
        """Stop at once, by two SIGTERM; the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for _ in range(2):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(30):
                return await process.wait()
        except TimeoutError:
            process.kill()
            raise AssertionError(f"ccaas up does not stop:\n{self.log.read_text()[-4000:]}") from None

    async def health(self) -> dict[str, Any]:
        """What GET /health says; empty while nobody answers."""
        assert self._session is not None
        try:
            async with self._session.get(f"http://127.0.0.1:{self.web_port}/health") as answer:
                health: dict[str, Any] = await answer.json()
                return health
        except aiohttp.ClientError:
            return {}

    async def metrics(self) -> str:
        """The text of GET /metrics."""
        assert self._session is not None
        async with self._session.get(f"http://127.0.0.1:{self.web_port}/metrics") as answer:
            return await answer.text()

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A request of the control server with its token. Raises AssertionError with the answer's text."""
        assert self._session is not None
        token = (self.state / TOKEN_FILE).read_text()
        url = f"http://127.0.0.1:{self.web_port}{path}"
        async with self._session.request(method, url, json=body, headers={TOKEN_HEADER: token}) as answer:
            assert answer.ok, f"{answer.status} {await answer.text()}"
            told: dict[str, Any] = await answer.json()
            return told

    async def kill_controller(self) -> int:
        """Kill -9; the process id that died."""
        pid = int((await self.health())["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def rows(self, query: str, *values: object, file: str = "journal.sqlite") -> list[dict[str, Any]]:
        """Rows of one of the installation's databases."""
        with sqlite3.connect(f"file:{self.state / file}?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query, values)]
