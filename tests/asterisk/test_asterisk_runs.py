"""The rendered configuration, as the real Asterisk sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from ccaas.asterisk.log import LogFollower
from ccaas.asterisk.secrets import AriAccess
from ccaas.testing.asterisk import RunningAsterisk

Until = Callable[..., Awaitable[object]]


async def test_ari_answers(rest: aiohttp.ClientSession) -> None:
    async with rest.get("/ari/asterisk/info") as response:
        info = await response.json()
    assert info["system"]["version"].startswith("22.")
    assert info["config"]["name"] == "ccaas"
    assert info["config"]["default_language"] == "en_US_f_Allison"


async def test_ari_refuses_a_wrong_password(asterisk: RunningAsterisk) -> None:
    wrong = AriAccess(asterisk.access.url, asterisk.access.user, "wrong")
    async with (
        aiohttp.ClientSession(headers=wrong.headers) as session,
        session.get(f"{wrong.url}/ari/channels") as response,
    ):
        assert response.status == 401


async def test_it_starts_without_an_error(own_folder: Path) -> None:
    async with RunningAsterisk(own_folder) as fresh:
        lines = list(LogFollower(fresh.folder.log, from_end=False).new_lines())
    assert [line.text for line in lines if line.level == "error"] == []


async def test_every_module_asked_for_runs(asterisk: RunningAsterisk) -> None:
    asked = set(re.findall(r"^load = (\S+)$", (asterisk.folder.etc / "modules.conf").read_text(), re.MULTILINE))
    shown = await asterisk.console("module show")
    running = {line.split()[0] for line in shown.splitlines() if " Running " in line}
    assert asked - running == set()


async def test_sip_and_http_listen_on_loopback_alone(asterisk: RunningAsterisk) -> None:
    shown = await asterisk.console("pjsip show transports")
    udp_and_tcp = re.findall(r"transport-(?:udp|tcp)\s+\w+\s+\d+\s+\d+\s+(\S+)", shown)
    assert udp_and_tcp == [asterisk.sip_address, asterisk.sip_address]


async def test_codecs_translate(asterisk: RunningAsterisk) -> None:
    for codec in ("ulaw", "alaw", "g722", "opus"):
        shown = await asterisk.console(f"core show translation paths {codec}")
        assert re.search(r"To slin:16000\s+: \(", shown), f"{codec} has no way to 16 kHz samples"


async def test_phones_are_known(asterisk: RunningAsterisk) -> None:
    shown = await asterisk.console("pjsip show endpoints")
    assert {name for name in ("6001", "6002", "anonymous") if f" {name} " in shown} == {"6001", "6002", "anonymous"}


async def test_the_script_for_people(asterisk: RunningAsterisk) -> None:
    script = asterisk.folder.path / "console"
    process = await asyncio.create_subprocess_exec(script, "-rx", "core show version", stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert printed.startswith(b"Asterisk 22.")


async def test_music_on_hold_is_found(asterisk: RunningAsterisk) -> None:
    assert "hold.wav" not in await asterisk.console("moh show classes")
    assert "hold" in await asterisk.console("moh show files")


async def _originate(rest: aiohttp.ClientSession, extension: str, context: str) -> None:
    """Call an extension of ours from a channel that waits; the two ends are a Local channel's halves."""
    body = {
        "endpoint": f"Local/{extension}@{context}/n",
        "extension": "silence",
        "context": "ccaas-test",
        "priority": 1,
    }
    async with rest.post("/ari/channels", json=body) as response:
        assert response.status == 200, await response.text()


async def _channels(rest: aiohttp.ClientSession) -> list[dict[str, object]]:
    async with rest.get("/ari/channels") as response:
        return list(await response.json())


async def _hang_up_all(rest: aiohttp.ClientSession) -> None:
    for channel in await _channels(rest):
        async with rest.delete(f"/ari/channels/{channel['id']}"):
            pass


async def test_without_a_controller_the_dialplan_takes_the_call(rest: aiohttp.ClientSession, until: Until) -> None:
    await _originate(rest, "+15550100", "ccaas-inbound")

    async def caught() -> bool:
        places = [channel["dialplan"] for channel in await _channels(rest)]
        return any(isinstance(p, dict) and p["context"] == "ccaas-message-taking" for p in places)

    try:
        await until(caught)
        up = [channel for channel in await _channels(rest) if channel["state"] == "Up"]
        assert len(up) == 2
    finally:
        await _hang_up_all(rest)


async def test_a_caller_leaves_a_message(asterisk: RunningAsterisk, rest: aiohttp.ClientSession, until: Until) -> None:
    """The box records; what is heard while it does is the caller's (a tone here)."""
    body = {
        "endpoint": "Local/+15550101@ccaas-fallback/n",
        "extension": "milliwatt",
        "context": "ccaas-test",
        "priority": 1,
    }
    async with rest.post("/ari/channels", json=body) as response:
        assert response.status == 200, await response.text()
    inbox = asterisk.folder.path / "spool/voicemail/ccaas/100"

    def recorded() -> bool:
        return any(path.stat().st_size > 8000 * 2 * 3 for path in inbox.rglob("*.wav"))

    try:
        await until(recorded, 40)
    finally:
        await _hang_up_all(rest)

    await until((inbox / "INBOX/msg0000.wav").exists)


@pytest.mark.parametrize("context", ["ccaas-inbound", "ccaas-fallback"])
async def test_a_hang_up_is_no_new_call(
    asterisk: RunningAsterisk, rest: aiohttp.ClientSession, until: Until, context: str
) -> None:
    """Asterisk runs the extension "h" after a call; a pattern that takes it for a number would start over."""
    follower = LogFollower(asterisk.folder.log)
    await _originate(rest, "echo" if context == "ccaas-inbound" else "s", context)

    async def up() -> bool:
        return len([c for c in await _channels(rest) if c["state"] == "Up"]) >= 2

    async def none() -> bool:
        return not await _channels(rest)

    await until(up)
    await _hang_up_all(rest)
    await until(none)
    assert [line.text for line in follower.new_lines() if line.level in ("warning", "error")] == []


async def test_a_controller_gets_the_call_with_what_was_dialled(
    asterisk: RunningAsterisk, rest: aiohttp.ClientSession
) -> None:
    async with rest.ws_connect("/ari/events?app=ccaas&subscribeAll=false") as events:
        await _originate(rest, "4711", "ccaas-inbound")
        async for message in events:
            event = message.json()
            if event["type"] == "StasisStart":
                break
        assert event["args"] == ["inbound", "4711"]
        async with rest.post(
            f"/ari/channels/{event['channel']['id']}/continue?context=ccaas-fallback&extension=4711&priority=1"
        ) as response:
            assert response.status == 204
        async for message in events:
            event = message.json()
            if event["type"] == "StasisEnd":
                break
    await _hang_up_all(rest)


async def test_descriptors_are_raised(asterisk: RunningAsterisk) -> None:
    shown = await asterisk.console("core show settings")
    match = re.search(r"Maximum open file handles:\s+(\d+)", shown)
    assert match is not None
    assert int(match[1]) >= 4096
