"""The wire to ARI: what breaks it, and what comes back."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from ccaas.asterisk.errors import AriError
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.ports.media import Codec
from ccaas.ports.telephony import Connected, Disconnected
from ccaas.telephony.events import Answered, Ended, EndReason, KeyPressed, Offered
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.loopback import Loopback, loopback_asterisk
from ccaas.testing.watch import Watch

ROOT = Path(__file__).parents[2]


class Line:
    """A TCP line to ARI that can be cut, or go dead without a word."""

    def __init__(self, access: AriAccess) -> None:
        target = urlsplit(access.url)
        self._target = (target.hostname, target.port)
        self._pairs: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._alive = asyncio.Event()
        self._alive.set()

    @asynccontextmanager
    async def open(self, access: AriAccess) -> AsyncIterator[AriAccess]:
        """The same access over this line."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield replace(access, url=f"http://127.0.0.1:{port}")
        finally:
            self._alive.set()
            server.close()
            self.cut()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._pairs:
            writer.transport.abort()
        self._pairs.clear()

    def die(self) -> None:
        """Carry nothing any more, in either direction."""
        self._alive.clear()

    def revive(self) -> None:
        self._alive.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._pairs += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._alive.wait()
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.transport.abort()


@asynccontextmanager
async def opened(
    access: AriAccess, limit_s: float = 5.0, ping_s: float = 6.0
) -> AsyncIterator[tuple[AsteriskSwitch, Watch]]:
    switch = AsteriskSwitch(access, limit_s=limit_s, ping_s=ping_s)
    await switch.open()
    try:
        async with Watch(switch) as watch:
            yield switch, watch
    finally:
        await switch.close()


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_ari", ROOT / "tools/generate_ari.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_generating_the_client_anew_changes_nothing(asterisk: RunningAsterisk) -> None:
    made = generator()
    access = asterisk.access
    described = await asyncio.to_thread(made.read, f"{access.url}/ari", access.user, access.password)
    files = made.generate(described)
    folder = ROOT / "ccaas/asterisk/api"
    assert {path.name: path.read_text() for path in folder.glob("*.py")} == files


async def failure(access: AriAccess, app: str = "ccaas") -> str:
    """What opening says when it cannot."""
    with pytest.raises(AriError) as caught:
        await AsteriskSwitch(access, app=app).open()
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


async def test_a_wrong_password_is_one_line(asterisk: RunningAsterisk) -> None:
    text = await failure(replace(asterisk.access, password="secret"))
    assert "refused ARI user 'ccaas'" in text
    assert "password" in text


async def test_no_asterisk_is_one_line() -> None:
    text = await failure(AriAccess("http://127.0.0.1:9", "ccaas", "secret"))
    assert "http://127.0.0.1:9 cannot be reached (Connection refused): start it" in text


async def test_no_ari_is_one_line(asterisk: RunningAsterisk) -> None:
    assert "has no ARI" in await failure(replace(asterisk.access, url=f"{asterisk.access.url}/elsewhere"))


@pytest.mark.parametrize("app", ["", "two words", "a,b"])
async def test_a_bad_application_name_is_one_line(asterisk: RunningAsterisk, app: str) -> None:
    assert f"the ARI application {app!r} was refused" in await failure(asterisk.access, app)


async def test_a_refusal_is_typed_with_what_ari_said(asterisk: RunningAsterisk) -> None:
    async with opened(asterisk.access) as (switch, _):
        with pytest.raises(AriError) as caught:
            await switch.client.bridges.add_channel(bridge_id="none", channel=["x"])
    error = caught.value
    assert (error.status, error.method, error.path) == (404, "POST", "/bridges/none/addChannel")
    assert error.said == "Bridge not found"


async def test_an_endpoint_that_does_not_exist_is_one_line(asterisk: RunningAsterisk) -> None:
    async with opened(asterisk.access) as (switch, _):
        with pytest.raises(AriError, match="no way to 'PJSIP/nobody'"):
            await switch.originate(
                "ccaas-no-way", "PJSIP/nobody", caller_id="", timeout_s=1, codec=Codec.ULAW, variables={}
            )


async def test_a_command_that_is_not_answered_is_an_error_after_its_limit(asterisk: RunningAsterisk) -> None:
    line = Line(asterisk.access)
    async with line.open(asterisk.access) as access, opened(access, limit_s=0.3) as (switch, _):
        line.die()
        with pytest.raises(AriError, match=r"did not answer POST /channels/x/answer within 0\.3 s") as caught:
            await switch.answer("x")
        assert (caught.value.status, caught.value.path) == (0, "/channels/x/answer")
        line.revive()


async def test_a_dead_peer_is_noticed(asterisk: RunningAsterisk) -> None:
    line = Line(asterisk.access)
    async with line.open(asterisk.access) as access, opened(access, ping_s=0.2, limit_s=0.5) as (_, watch):
        line.die()
        await watch.next(Disconnected)
        line.revive()
        await watch.next(Connected, count=2)


def test_the_ping_notices_within_ten_seconds() -> None:
    # aiohttp waits half the interval for the answer to its ping.
    ping_s: float = inspect.signature(AsteriskSwitch).parameters["ping_s"].default
    assert ping_s * 1.5 <= 10


async def test_another_controller_in_our_place_is_told(asterisk: RunningAsterisk) -> None:
    first = AsteriskSwitch(asterisk.access)
    await first.open()
    async with opened(asterisk.access):
        with pytest.raises(AriError, match="another controller took the ARI application 'ccaas'"):
            async for _ in first.events():
                pass
        await first.close()


async def test_a_filter_that_somebody_left_behind_is_reset(asterisk: RunningAsterisk) -> None:
    async with opened(asterisk.access) as (switch, _):
        await switch.client.applications.filter(
            application_name="ccaas", filter={"disallowed": [{"type": "StasisStart"}]}
        )
    async with opened(asterisk.access) as (switch, _):
        application = await switch.client.applications.get(application_name="ccaas")
    assert application.events_disallowed == ()
    assert {"type": "StasisStart"} in application.events_allowed


@pytest.fixture
async def loopback(tmp_path: Path) -> AsyncIterator[RunningAsterisk]:
    """An Asterisk of the test's own, to call and to kill."""
    async with loopback_asterisk(tmp_path) as running:
        yield running


async def answered(network: Loopback, switch: AsteriskSwitch, watch: Watch) -> str:
    count = len(watch.of(Offered)) + 1
    await network.call_in("1000", "100", Codec.ALAW)
    offered = await watch.next(Offered, count=count)
    await switch.answer(offered.leg_id)
    await watch.next(Answered, offered.leg_id)
    return offered.leg_id


async def test_calls_outlive_a_broken_line_and_what_ended_in_the_gap_is_told(loopback: RunningAsterisk) -> None:
    line = Line(loopback.access)
    async with (
        line.open(loopback.access) as access,
        Loopback(loopback, app="ccaas-unused") as network,
        opened(access) as (switch, watch),
    ):
        stays = await answered(network, switch, watch)
        goes = await answered(network, switch, watch)
        line.die()
        line.cut()
        await watch.next(Disconnected)
        await network.switch.client.channels.hangup(channel_id=goes)
        line.revive()
        await watch.next(Connected, count=2)
        assert [type(event) for event in watch.ends(goes)] == [Ended]
        assert watch.seen.index(watch.ends(goes)[0]) < len(watch.seen) - 1
        assert watch.ends(stays) == []
        await network.parties[0].press("7")
        assert (await watch.next(KeyPressed, stays)).digit == "7"
        await switch.hang_up(stays, EndReason.DISMISSED, 16)
        await watch.next(Ended, stays)


async def test_a_new_controller_finds_the_calls_of_the_last_one(loopback: RunningAsterisk) -> None:
    async with Loopback(loopback, app="ccaas-unused") as network:
        async with opened(loopback.access) as (switch, watch):
            leg_id = await answered(network, switch, watch)
            await switch.bridge("ccaas-kept-bridge")
            await switch.join("ccaas-kept-bridge", leg_id)
        async with opened(loopback.access) as (switch, watch):
            (leg,) = await switch.legs()
            assert (leg.leg_id, leg.bridge_id, leg.up, leg.ours) == (leg_id, "ccaas-kept-bridge", True, True)
            assert (leg.codec, leg.ani, leg.arguments) == (Codec.ALAW, "100", ("inbound", "1000"))
            assert "ccaas-kept-bridge" in await switch.bridges()
            await network.parties[0].press("3")
            assert (await watch.next(KeyPressed, leg_id)).digit == "3"
            await switch.hang_up(leg_id, EndReason.DISMISSED, 16)
            assert (await watch.next(Ended, leg_id)).reason is EndReason.DISMISSED


async def test_an_asterisk_that_dies_ends_its_calls_and_is_found_again(loopback: RunningAsterisk) -> None:
    async with opened(loopback.access) as (switch, watch):
        await switch.originate(
            "ccaas-dies", "PJSIP/echo@loop-ulaw", caller_id="", timeout_s=5, codec=Codec.ULAW, variables={}
        )
        await watch.next(Answered, "ccaas-dies")
        stream = await switch.open_media("dies", "ccaas-dies-media", Codec.ULAW)
        lost: list[bool] = []
        stream.listen(lambda _: None, lambda: lost.append(True))
        os.kill(loopback.process.pid, signal.SIGKILL)
        await watch.next(Disconnected)
        await watch.next(Connected, count=2, timeout=30)
        assert [type(event) for event in watch.ends("ccaas-dies")] == [Ended]
        assert lost == [True]
        assert await switch.legs() == ()
        await switch.originate(
            "ccaas-again", "PJSIP/echo@loop-ulaw", caller_id="", timeout_s=5, codec=Codec.ULAW, variables={}
        )
        await watch.next(Answered, "ccaas-again")
