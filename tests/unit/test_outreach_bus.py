"""Events from a real NATS server: stored before they are acknowledged, once, and through outages of either side."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import nkeys
import pytest
from outreach_world import Record, World, settings
from pydantic import ValidationError
from structlog.testing import capture_logs

from ccaas.errors import SetupError
from ccaas.outreach import bus as bus_module
from ccaas.outreach.bus import NatsBus
from ccaas.outreach.refusals import refused
from ccaas.outreach.store import OutreachError
from ccaas.ports.site import Site
from ccaas.testing.nats import RunningNats

STREAM = {
    "servers": ["nats://127.0.0.1:1"],
    "stream": "FLIGHTS",
    "subject": "flights.>",
    "types": ["flight.cancelled"],
    "user": "ccaas",
    "password_file": "password",
}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(bus_module, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(bus_module, "AGAIN_S", 0.1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningNats]:
    with RunningNats(tmp_path / "nats") as running:
        yield running


def event(name: str, **more: Any) -> bytes:
    return json.dumps({"id": name, "type": "flight.cancelled", "data": {"flight": "HAT170"}} | more).encode()


async def publish(server: RunningNats, *bodies: bytes, make: bool = False) -> None:
    client = await nats.connect(server.url, user=server.user, password=server.password)
    stream = client.jetstream()
    if make:
        await stream.add_stream(name="FLIGHTS", subjects=["flights.>"])
    for body in bodies:
        await stream.publish("flights.cancelled", body)
    await client.close()


async def unfinished(server: RunningNats) -> tuple[int, int]:
    """How many messages the consumer has not had, and how many it has not acknowledged."""
    client = await nats.connect(server.url, user=server.user, password=server.password)
    info = await client.jetstream().consumer_info("FLIGHTS", "ccaas")
    await client.close()
    return info.num_pending or 0, info.num_ack_pending or 0


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(world: World, server: RunningNats, **more: Any) -> AsyncIterator[None]:
    chosen = settings(nats={"operations": STREAM | {"servers": [server.url]} | more})
    (world.folder / "password").write_text(server.password + "\n")
    site = Site(world.folder, world.folder, world.folder, world.folder)
    bus = NatsBus("operations", chosen.nats["operations"], world.book, world.store, site)
    running = asyncio.create_task(bus.run())
    try:
        yield
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def offered(world: World, *names: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return [await world.states(name) for name in names] == [["offered"]] * len(names)

    return ask


async def test_an_event_of_the_bus_begins_its_play_once_however_often_it_comes(
    tmp_path: Path, server: RunningNats
) -> None:
    await publish(server, event("e-1"), event("e-1"), event("e-2"), make=True)
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        async with listening(world, server):
            await until(offered(world, "e-1", "e-2"))

            async def acknowledged() -> bool:
                return await unfinished(server) == (0, 0)

            await until(acknowledged)
        async with listening(world, server):  # the next controller finds the same consumer
            await publish(server, event("e-2"), event("e-3"))
            await until(offered(world, "e-3"))
            await until(acknowledged)
        assert sorted(one.message.data["play"] for one in world.reach.sent) == ["e-1", "e-2", "e-3"]


async def test_what_could_not_be_stored_is_delivered_again(tmp_path: Path, server: RunningNats) -> None:
    await publish(server, event("e-1"), make=True)
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        take, failures = world.book.take, [OutreachError("the disk is full")] * 2

        async def failing(*arguments: Any) -> tuple[str, bool]:
            if failures:
                raise failures.pop()
            return await take(*arguments)

        world.book.take = failing  # type: ignore[method-assign]
        async with listening(world, server):
            await until(offered(world, "e-1"))
        assert failures == []
        assert len(world.reach.sent) == 1


async def test_what_is_no_event_is_ended_and_kept_with_the_reason(tmp_path: Path, server: RunningNats) -> None:
    wrong = [b"{", event("e-2", type="flight.born"), event("e-3", data={}), event("e-1", data={"flight": "HAT171"})]
    await publish(server, event("e-1"), *wrong, make=True)
    async with World(tmp_path, Record({"ann": "gold"})) as world, listening(world, server):

        async def all_kept() -> bool:
            return len(await world.store.read(refused(10))) == 4 and await unfinished(server) == (0, 0)

        await until(all_kept)
        kept = {one.message: one for one in await world.store.read(refused(10))}
        assert [kept[f"FLIGHTS {number}"].event_id for number in (2, 3, 4, 5)] == ["", "e-2", "e-3", "e-1"]
        reasons = [kept[f"FLIGHTS {number}"].why for number in (2, 3, 4, 5)]
        for word, why in zip(("JSON", "flight.born", "required", "another event before"), reasons, strict=True):
            assert word in why
        await until(offered(world, "e-1"))


async def test_the_server_may_be_away_at_the_start_and_die_in_the_middle(tmp_path: Path, server: RunningNats) -> None:
    await publish(server, event("e-1"), make=True)
    server.kill()
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        with capture_logs() as lines:

            def told(words: str) -> int:
                return sum(words in line["event"] for line in lines)

            async def away(times: int) -> bool:
                return told("the bus is away") == times

            async with listening(world, server):
                await until(lambda: away(1))
                server.start()
                await until(offered(world, "e-1"))
                server.kill()
                await until(lambda: away(2))
                server.start()
                await publish(server, event("e-2"))
                await until(offered(world, "e-2"))
        assert (told("the bus is away"), told("the bus is back")) == (2, 2), "one line each time"


async def test_a_stream_that_is_not_there_is_waited_for(tmp_path: Path, server: RunningNats) -> None:
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        with capture_logs() as lines:
            async with listening(world, server):

                async def told() -> bool:
                    return any("no stream FLIGHTS" in line.get("why", "") for line in lines)

                await until(told)
                await publish(server, event("e-1"), make=True)
                await until(offered(world, "e-1"))


async def test_a_wrong_password_is_told_once_and_stops_nothing_else(tmp_path: Path, server: RunningNats) -> None:
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        with capture_logs() as lines:
            async with listening(world, server, user="somebody"):

                async def told() -> bool:
                    return any("Authorization" in line.get("why", "") for line in lines)

                await until(told)
                assert await world.happens()


class Signed:
    """An operator, an account and a user of NATS's own kind: signed tokens instead of passwords."""

    def __init__(self) -> None:
        account_kind = nkeys.PREFIX_BYTE_ACCOUNT
        kinds = (nkeys.PREFIX_BYTE_OPERATOR, account_kind, nkeys.PREFIX_BYTE_USER, account_kind)
        seeds = [bytes(nkeys.encode_seed(os.urandom(32), kind)) for kind in kinds]
        operator, account, user, system = (nkeys.from_seed(bytearray(seed)) for seed in seeds)
        limits = dict.fromkeys(("subs", "conn", "leaf", "imports", "exports", "data", "payload"), -1)
        limits |= {"wildcards": True, **dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)}
        self.account = account.public_key.decode()
        self.operator_token = self._token(operator, operator, {"type": "operator"})
        self.account_token = self._token(operator, account, {"type": "account", "limits": limits})
        self.system = system.public_key.decode()
        self.system_token = self._token(operator, system, {"type": "account"})
        unlimited = dict.fromkeys(("subs", "data", "payload"), -1)
        token = self._token(account, user, {"type": "user", "pub": {}, "sub": {}, **unlimited})
        self.credentials = (
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{seeds[2].decode()}\n------END USER NKEY SEED------\n"
        )

    @staticmethod
    def _token(by: nkeys.KeyPair, whose: nkeys.KeyPair, content: dict[str, Any]) -> str:
        def packed(part: bytes) -> str:
            return base64.urlsafe_b64encode(part).decode().rstrip("=")

        claims = {
            "iat": int(time.time()),
            "iss": by.public_key.decode(),
            "sub": whose.public_key.decode(),
            "name": content["type"],
            "nats": content | {"version": 2},
        }
        claims["jti"] = hashlib.sha256(json.dumps(claims).encode()).hexdigest()
        head = packed(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        body = f"{head}.{packed(json.dumps(claims).encode())}"
        return f"{body}.{packed(by.sign(body.encode()))}"

    @property
    def configuration(self) -> str:
        return (
            f'operator: "{self.operator_token}"\nresolver: MEMORY\nsystem_account: {self.system}\n'
            f'resolver_preload {{ {self.account}: "{self.account_token}", {self.system}: "{self.system_token}" }}\n'
        )


async def test_a_credentials_file_opens_a_server_that_knows_no_passwords(tmp_path: Path) -> None:
    signed = Signed()
    file = tmp_path / "operations.creds"
    file.write_text(signed.credentials)
    with RunningNats(tmp_path / "nats", authorization=signed.configuration) as server:
        client = await nats.connect(server.url, user_credentials=str(file))
        stream = client.jetstream()
        await stream.add_stream(name="FLIGHTS", subjects=["flights.>"])
        await stream.publish("flights.cancelled", event("e-1"))
        await client.close()
        async with World(tmp_path, Record({"ann": "gold"})) as world:
            who = {"user": "", "password_file": "", "credentials_file": "operations.creds"}
            async with listening(world, server, **who):
                await until(offered(world, "e-1"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"servers": []},
        {"servers": ["nats://user:secret@host:4222"]},
        {"types": ["none"]},
        {"password_file": ""},
        {"credentials_file": "x.creds"},
        {"stream": "TWO WORDS"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(nats={"operations": STREAM | wrong})


@pytest.mark.parametrize("which", ["password_file", "credentials_file", "ca_file"])
async def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path, which: str) -> None:
    more = {"user": "", "password_file": ""} if which == "credentials_file" else {}
    (tmp_path / "password").write_text("x")
    async with World(tmp_path, Record({})) as world:
        chosen = settings(nats={"operations": STREAM | more | {which: "nowhere"}})
        site = Site(tmp_path, tmp_path, tmp_path, tmp_path)
        with pytest.raises(SetupError, match=rf"nowhere: proactive\.nats\.operations\.{which}"):
            NatsBus("operations", chosen.nats["operations"], world.book, world.store, site)
