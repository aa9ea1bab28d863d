"""A voice that dies, a disk that takes nothing: calls go on."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest
from callers import (
    AFTER,
    BEFORE,
    BORN,
    CHANGE,
    QUICK,
    SPEECH,
    YES,
    Bookings,
    Listener,
    ask,
    asked,
    flights,
    greeted,
    newest_call,
    nothing_left,
    until,
    wanted_words,
)

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_voice_process_killed_in_mid_sentence(
    site: Installation, ua: SipCaller, listener: Listener, bookings: Bookings
) -> None:
    call = await greeted(ua)
    await ask(call, CHANGE)
    await asked(call, BORN)
    controller = int((await site.health())["pid"])
    dead = _voices(controller)
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: _voices(controller) - dead, "another voice process is there", 30.0)
    await until(lambda: call.ears.last_voiced < time.monotonic() - 1.0, "the agent has finished", 30.0)
    since = time.monotonic()
    await ask(call, YES)
    if flights(site) != AFTER:
        await ask(call, YES)  # an offer that was not heard to its end is made again
    await call.hang_up()

    assert "you now leave tomorrow" in wanted_words(await listener.heard(call.stereo(), since=since))
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert flights(site) == AFTER


async def test_recordings_cannot_be_written(site: Installation, ua: SipCaller) -> None:
    site.recordings.mkdir(exist_ok=True)
    aside = site.recordings.rename(site.recordings.with_name("aside"))
    site.recordings.write_text("not a folder")
    try:
        call = await greeted(ua)
        await asked(call, CHANGE)
        await call.hang_up()
        await until(lambda: nothing_left(site), "the call left nothing behind")
    finally:
        site.recordings.unlink()
        aside.rename(site.recordings)
    call_id = newest_call(site)["call_id"]
    assert len(site.rows("SELECT 1 FROM turns WHERE call_id = ?", call_id)) == 2
    assert "the call's recording ends here" in site.log.read_text()


async def test_a_full_disk(site: Installation, ua: SipCaller, listener: Listener, bookings: Bookings) -> None:
    controller = int((await site.health())["pid"])
    call = await greeted(ua, QUICK)
    resource.prlimit(controller, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    await call.say(SPEECH / YES)
    await call.wait_ended(20.0)
    resource.prlimit(controller, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert "nothing has changed" in wanted_words(await listener.heard(call.stereo()))
    assert flights(site) == BEFORE

    await (await greeted(ua)).hang_up()  # there is room again
    await site.ready(await site.kill_controller())
    await until(lambda: nothing_left(site), "the books are right after the next start at the latest")


def _voices(controller: int) -> set[int]:
    """Process ids of the controller's voices."""
    children = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
    return {int(pid) for pid in children if b"ccaas_piper.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}
