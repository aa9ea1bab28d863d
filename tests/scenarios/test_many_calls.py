"""Calls come and go, and nothing of them stays: no channel, bridge, task, file or memory."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from callers import CHANGE, SPEECH, asterisk_pid, nothing_left, until

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = 20


async def test_twenty_calls_in_a_row_leave_nothing_behind(site: Installation, ua: SipCaller) -> None:
    await _call(site, ua, 0)  # What is made once and kept, is made now
    pids = await _processes(site)
    await until(lambda: nothing_left(site), "the first call left nothing behind")
    before = {name: (_files(pid), _megabytes(pid)) for name, pid in pids.items()}
    tasks, written = await _tasks(site), _written(site)
    for number in range(CALLS):
        await _call(site, ua, number)
    await until(lambda: nothing_left(site), "the calls left nothing behind")
    assert await _processes(site) == pids
    await until(lambda: all(_files(pid) <= before[name][0] for name, pid in pids.items()), "all files are closed")

    async def no_more_tasks() -> bool:
        return await _tasks(site) <= tasks

    await until(no_more_tasks, f"no more tasks than the {tasks} before")
    calls = {row["call_id"] for row in site.rows("SELECT call_id FROM calls ORDER BY began DESC LIMIT ?", CALLS)}
    kept = {f"recordings/{call}.{kind}" for call in calls for kind in ("wav", "jsonl")}
    assert _written(site) - written <= kept, "nothing but what was recorded"
    for name, pid in pids.items():
        print(f"{name}: {before[name][1]:.1f} MB, after {CALLS} calls {_megabytes(pid):.1f} MB")
    assert (await site.ask("GET", "/calls"))["calls"] == []


async def test_twelve_calls_at_once_leave_nothing_behind(site: Installation) -> None:
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(SipCaller("127.0.0.1", site.sip_port)) for _ in range(3)]
        calls = [await phone.dial("1000") for phone in phones for _ in range(4)]
        await asyncio.gather(*(call.answered(20.0) for call in calls))
        await asyncio.gather(*(call.hear_start(timeout=20.0) for call in calls))
        await asyncio.gather(*(call.hang_up() for call in calls))
    await until(lambda: nothing_left(site), "the calls left nothing behind")


async def _call(site: Installation, ua: SipCaller, number: int) -> None:
    """A call that ends at one moment or another."""
    call = await ua.dial("1000")
    await call.answered()
    match number % 4:
        case 0:
            await call.hear_start()
        case 1:
            call.start_saying(SPEECH / CHANGE)
            await call.hear_start()
        case 2:
            await call.press("1")
    await call.hang_up()


async def _processes(site: Installation) -> dict[str, int]:
    return {"controller": int((await site.health())["pid"]), "asterisk": asterisk_pid(site)}


async def _tasks(site: Installation) -> int:
    """Tasks of the controller."""
    (line,) = [line for line in (await site.metrics()).splitlines() if line.startswith("ccaas_tasks ")]
    return int(float(line.split()[1]))


def _written(site: Installation) -> set[str]:
    """Files under the state folder."""
    return {str(path.relative_to(site.state)) for path in site.state.rglob("*") if path.is_file()}


def _files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
