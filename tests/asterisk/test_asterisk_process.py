"""Asterisk is kept alive, adopted, and ended when it should be."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.managed import ManagedAsterisk
from ccaas.asterisk.pid import end, is_gone, running_pid
from ccaas.asterisk.process import ProcessState
from ccaas.config.asterisk import AsteriskSettings
from ccaas.errors import AsteriskError
from ccaas.testing.asterisk import RunningAsterisk, free_settings

Until = Callable[..., Awaitable[object]]

CALL_SILENCE = "channel originate Local/silence@ccaas-test extension silence@ccaas-test"


async def test_killed_it_comes_back(own_folder: Path, until: Until) -> None:
    states: list[ProcessState] = []
    asterisk = ManagedAsterisk(free_settings(), own_folder, Path(), outlive=False, on_change=states.append)
    await asterisk.start()
    try:
        killed = asterisk.process.pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda: asterisk.process.restarts == 1)
        assert asterisk.process.pid != killed
        assert "System uptime" in await asterisk.console("core show uptime")
    finally:
        await asterisk.stop()
    await asterisk.stop()
    assert states == [
        *(ProcessState.STARTING, ProcessState.READY, ProcessState.RESTARTING, ProcessState.READY, ProcessState.STOPPED)
    ]
    assert running_pid(asterisk.folder) == 0


async def test_it_tries_again_until_it_can(own_folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    asterisk = ManagedAsterisk(free_settings(), own_folder, Path(), outlive=False)
    await asterisk.start()
    monkeypatch.setattr(asterisk.process, "_ready_s", 1.0)
    try:
        os.kill(asterisk.process.pid, signal.SIGKILL)
        with socket.socket() as in_the_way:
            in_the_way.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            await until(lambda: asterisk.process.state is ProcessState.RESTARTING)
            in_the_way.bind(("127.0.0.1", asterisk.settings.http_port))
            in_the_way.listen()
            await until(lambda: asterisk.process.pid == 0)
        await until(lambda: asterisk.process.restarts == 1)
        assert "System uptime" in await asterisk.console("core show uptime")
    finally:
        await asterisk.stop()


@dataclass
class Controller:
    """A controller in a process of its own."""

    process: asyncio.subprocess.Process
    settings: AsteriskSettings
    asterisk_pid: int


CONTROLLER = """
import asyncio, sys
from pathlib import Path
from ccaas.asterisk.managed import ManagedAsterisk
from ccaas.config.asterisk import AsteriskSettings

async def main():
    settings = AsteriskSettings.model_validate_json(sys.argv[2])
    asterisk = ManagedAsterisk(settings, Path(sys.argv[1]), Path())
    await asterisk.start()
    print(asterisk.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def controller(own_folder: Path) -> AsyncIterator[Controller]:
    """Another process that cares for an Asterisk, and the settings that it has; nothing of it is left behind."""
    settings = free_settings()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CONTROLLER, str(own_folder), settings.model_dump_json()), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Controller(process, settings, await _printed_pid(process))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        left = running_pid(RunFolder(own_folder))
        if left:
            await end(left)


async def test_a_killed_controller_leaves_calls_up_and_the_next_one_adopts(
    own_folder: Path, until: Until, controller: Controller
) -> None:
    asterisk = ManagedAsterisk(controller.settings, own_folder, Path(), outlive=False)
    with pytest.raises(AsteriskError, match="another controller keeps the Asterisk"):
        await asterisk.start()
    await asterisk.console(CALL_SILENCE)
    controller.process.kill()
    await controller.process.wait()
    pid = controller.asterisk_pid
    assert not is_gone(pid)
    await asterisk.start()
    try:
        assert (asterisk.process.pid, asterisk.process.adopted) == (pid, True)
        assert await asterisk.calls() >= 1
        os.kill(pid, signal.SIGKILL)
        await until(lambda: asterisk.process.restarts == 1)
    finally:
        await asterisk.stop()
    assert is_gone(pid)


async def _printed_pid(controller: asyncio.subprocess.Process) -> int:
    assert controller.stdout is not None
    async for line in controller.stdout:
        if re.fullmatch(rb"\d+\n", line):
            return int(line)
    raise AssertionError("the controller ended")


async def test_detached_it_lives_on(own_folder: Path) -> None:
    settings = free_settings()
    first = ManagedAsterisk(settings, own_folder, Path(), outlive=False)
    await first.start()
    pid = first.process.pid
    await first.detach()
    second = ManagedAsterisk(settings, own_folder, Path(), outlive=False)
    await second.start()
    assert second.process.pid == pid
    await second.stop()
    assert is_gone(pid)


async def test_new_settings_wait_for_the_end_of_calls(own_folder: Path, until: Until) -> None:
    settings = free_settings()
    first = ManagedAsterisk(settings, own_folder, Path(), outlive=False)
    await first.start()
    pid = first.process.pid
    await first.console(CALL_SILENCE)
    await first.detach()
    changed = settings.model_copy(update={"cel": True})
    busy = ManagedAsterisk(changed, own_folder, Path(), outlive=False)
    await busy.start()
    assert busy.process.pid == pid
    await busy.console("channel request hangup all")

    async def no_calls() -> bool:
        return not await busy.calls()

    await until(no_calls)
    await busy.detach()
    idle = ManagedAsterisk(changed, own_folder, Path(), outlive=False)
    await idle.start()
    try:
        assert idle.process.pid != pid
        assert "cel_custom.so" in await idle.console("module show like cel_custom")
    finally:
        await idle.stop()


async def test_a_port_in_use_is_said_before_it_starts(own_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = free_settings(http_port=taken.getsockname()[1])
        with pytest.raises(AsteriskError, match=rf"asterisk\.http_port: TCP port {settings.http_port} .* is in use; "):
            await ManagedAsterisk(settings, own_folder, Path(), outlive=False).start()
    assert not (own_folder / "etc").exists()


async def test_what_keeps_it_from_starting_is_said(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ccaas.asterisk.render.render", lambda *_, **__: {"asterisk.conf": "[directories]\nastetcdir => /nonexistent\n"}
    )
    asterisk = ManagedAsterisk(free_settings(), own_folder, Path(), outlive=False)
    with pytest.raises(AsteriskError, match=r"Asterisk ended while it started: .*; see .*/log/messages"):
        await asterisk.start()
    assert running_pid(asterisk.folder) == 0


async def test_another_s_asterisk_on_our_port_is_not_taken_for_ours(
    own_folder: Path, asterisk: RunningAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccaas.asterisk.check.faults", lambda *_, **__: [])
    ours = ManagedAsterisk(free_settings(http_port=asterisk.settings.http_port), own_folder, Path(), outlive=False)
    with pytest.raises(AsteriskError, match="refuses our password, so it is another one"):
        await ours.start()
    assert ours.process.pid == 0
