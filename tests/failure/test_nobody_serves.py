"""No controller, or none that can start: the dialplan takes the calls; and who comes next takes over what is there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from callers import (
    CHANGE,
    CODE,
    Listener,
    agent_said,
    asked,
    asterisk_pid,
    console,
    greeted,
    nothing_left,
    until,
    wanted_words,
)

from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_controller_that_cannot_start_again(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await greeted(ua)
    good = site.file.read_text()
    site.file.write_text("name: [\n")
    dead, killed = await site.kill_controller(), time.monotonic()
    try:
        await _caught(site, call, listener, killed)  # who was with the agent
        other = await ua.dial("1000")
        await _caught(site, other, listener, await other.answered())  # who calls meanwhile
    finally:
        site.file.write_text(good)
    site.signal(signal.SIGHUP)  # mended: try again now
    await site.ready(dead)
    await until(lambda: nothing_left(site), "the calls left nothing behind")
    await (await greeted(ua)).hang_up()


async def test_no_guard_and_no_controller(site: Installation, ua: SipCaller, listener: Listener) -> None:
    site.signal(signal.SIGKILL)
    await site.ended()
    await site.kill_controller()
    await until(lambda: _unserved(site), "asterisk knows that nobody serves")
    asterisk = asterisk_pid(site)
    call = await ua.dial("1000")
    await _caught(site, call, listener, await call.answered())

    await site.start()
    assert asterisk_pid(site) == asterisk
    await (await greeted(ua)).hang_up()
    await until(lambda: nothing_left(site), "the calls left nothing behind")


async def test_a_new_guard_takes_over_asterisk_and_the_calls(site: Installation, ua: SipCaller) -> None:
    call = await greeted(ua, CODE)
    site.signal(signal.SIGKILL)
    await site.ended()
    dead = int((await site.health())["pid"])
    since = time.monotonic()
    await call.press("482913")
    await call.hear(since)  # the controller serves on
    await site.start()
    await until(lambda: not Path(f"/proc/{dead}").exists(), "the old controller has made room")
    assert await site.ready() != dead
    await until(lambda: "lost you" in agent_said(site), "the new controller has the call")
    assert call.is_up
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_asterisk_dies_and_new_calls_work(site: Installation, ua: SipCaller) -> None:
    call = await greeted(ua)
    dead = asterisk_pid(site)
    os.kill(dead, signal.SIGKILL)
    await until(lambda: _works(site, dead), "asterisk is back", 30.0)
    await until(lambda: nothing_left(site), "the lost call is over in the books too")
    await call.hang_up()
    await (await greeted(ua)).hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")


async def test_a_stop_lets_the_calls_end(site: Installation, ua: SipCaller, listener: Listener) -> None:
    call = await greeted(ua)
    site.signal(signal.SIGTERM)
    await until(lambda: "draining" in site.log.read_text(), "it drains")
    other = await ua.dial("1000")
    since = await other.answered()
    await asked(call, CHANGE)  # who was there is served, before their silence has been long
    await _caught(site, other, listener, since)  # no new call is taken
    await call.hang_up()
    assert await site.ended() == 0


async def _caught(site: Installation, call: Call, listener: Listener, since: float) -> None:
    """The dialplan has the caller: they hear its words, and can leave a message."""

    async def recording() -> bool:
        return "VoiceMail" in await console(site, "core show channels concise")

    async def over() -> bool:
        return not await recording()

    await until(recording, "a message can be left", 40.0)
    assert "nobody is available" in wanted_words(await listener.heard(call.stereo(), since=since))
    await call.hang_up()
    await until(over, "the mailbox has let go of the caller")  # so that it is not taken for the next one's


async def _unserved(site: Installation) -> bool:
    return "ccaas" not in (await console(site, "ari show apps")).split()


async def _works(site: Installation, dead: int) -> bool:
    return asterisk_pid(site) not in (0, dead) and (await site.health()).get("asterisk") == "connected"
