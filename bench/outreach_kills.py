"""Plays through kill -9 at random points: what is left undone, booked twice, sent twice, or held for ever.

`python -m bench.outreach --kills 50 --plays 200 [--seed 1] [--out FILE]`

A controller's own parts (journal, journey, gate, outbox, workflows, incident ledger) run in a process that is killed and started
again, also while it starts. Events come by signed POSTs, as often as their sender needs for a 202. Texts go over HTTP to a
gateway that knows a message by its id and delivers it once; customers answer what they were delivered: most yes, some of
them twice or no, others nothing. At the end the booking system, the gateway and the store of plays must agree.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bench.outreach_parts import SECRET, stand
from ccaas.errors import MessageFailed
from ccaas.outreach.events import signature
from ccaas.ports.messaging import ChannelCapabilities, OutboundMessage, Surroundings
from ccaas.testing.asterisk import free_port

READY = "ready"
WAIT_MINUTES = 0.5
"""How long an offer waits for its answer."""
LIVES_S = (0.3, 4.0)
"""A process is killed after a time between these, from its start."""
END_S = 600.0
ANSWERS = (("yes",), ("yes",), ("yes", "yes"), ("no",), ())
"""What a customer answers, one after the other; nothing: the wait runs out."""


class GatewayChannel:
    """SMS through a gateway of which we know only the address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10))

    @property
    def capabilities(self) -> ChannelCapabilities:
        """SMS."""
        return ChannelCapabilities("sms", longest=1_600, can_begin=True, keywords=True)

    async def start(self, around: Surroundings) -> None:
        """Nothing comes in this way."""

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()

    async def send(self, message: OutboundMessage) -> None:
        """Hand it over under its id."""
        body = {"id": message.id, "case": message.data["case"], "address": message.address}
        try:
            async with self._client.post(self._url, json=body) as answer:
                answer.raise_for_status()
        except aiohttp.ClientError as error:
            raise MessageFailed(f"the gateway is away: {error}", again=True) from error

    async def typing(self, address: str, on: bool) -> None:
        """Nothing."""

    async def conceal(self, address: str, message_id: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()


async def live(folder: Path, port: int, gateway: str) -> None:
    """The process that is killed."""
    async with AsyncExitStack() as stack:
        channel = GatewayChannel(gateway)
        stack.push_async_callback(channel.close)
        await stand(folder, channel, port, stack, WAIT_MINUTES)
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        # It ends with who started it, whatever ends that: the pipe closes.
        await asyncio.to_thread(sys.stdin.read)


class World:
    """What stays while controllers come and go: the sender of events, the gateway, and the customers."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self.port = free_port()
        self.handed: Counter[str] = Counter()
        """How often each message was handed to the gateway."""
        self.told: dict[str, list[str]] = {}
        """What customers were told of their answers, by case."""
        self.posts = 0
        self._busy: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()

    async def open(self, stack: AsyncExitStack) -> str:
        """Start the gateway; where it takes messages."""
        app = web.Application()
        app.router.add_post("/messages", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._client = await stack.enter_async_context(aiohttp.ClientSession())
        return f"http://127.0.0.1:{runner.addresses[0][1]}/messages"

    async def _take(self, request: web.Request) -> web.Response:
        message = await request.json()
        self.handed[message["id"]] += 1
        if self.handed[message["id"]] == 1:
            self._later(self._answer(message["case"], self._random.choice(ANSWERS)))
        return web.json_response({}, status=202)

    async def _answer(self, case: str, words: Sequence[str]) -> None:
        for word in words:
            await asyncio.sleep(self._random.uniform(0, 2))
            found = await self._post("answer", json.dumps({"case": case, "word": word}).encode(), 200)
            self.told.setdefault(case, []).append(found["state"])

    async def event(self, number: int) -> None:
        """One event, sent until it is taken."""
        data = {"flight": f"f{number}", "count": self._random.randint(1, 4)}
        await self._post("bench", json.dumps({"id": f"e{number}", "type": "cancelled", "data": data}).encode(), 202)

    async def _post(self, door: str, body: bytes, taken: int) -> dict[str, Any]:
        while True:
            await self._up.wait()
            stamp = str(int(time.time()))
            headers = {"X-Ccaas-Timestamp": stamp, "X-Ccaas-Signature": signature(SECRET, stamp, body)}
            self.posts += 1
            try:
                url = f"http://127.0.0.1:{self.port}/events/{door}"
                async with self._client.post(url, data=body, headers=headers) as answer:
                    if answer.status == taken:
                        found: dict[str, Any] = await answer.json()
                        return found
            except (aiohttp.ClientError, OSError):
                pass  # It was killed; who sends or answers does so again.
            await asyncio.sleep(0.1)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    def send(self, plays: int, within_s: float) -> None:
        """Send that many events, spread over a time."""

        async def one(number: int, after_s: float) -> None:
            await asyncio.sleep(after_s)
            await self.event(number)

        for number in range(plays):
            self._later(one(number, self._random.uniform(0, within_s)))

    async def life(self, gateway: str, kill: bool) -> asyncio.subprocess.Process:
        """Start a controller; with `kill` it is dead when this returns, else it is ready."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.outreach_kills", str(self._folder), str(self.port), gateway,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        reading = asyncio.create_task(self._ready(child))
        if kill:
            await asyncio.sleep(self._random.uniform(*LIVES_S))
            self._up.clear()
            child.send_signal(signal.SIGKILL)
            await child.wait()
        else:
            await reading
        await reading
        return child

    async def _ready(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        async for line in child.stdout:
            if line.strip() == READY.encode():
                self._up.set()
                return

    async def quiet(self) -> None:
        """Return when everybody has answered and every play has ended. Raises TimeoutError."""
        async with asyncio.timeout(END_S):
            while len(self._busy) + await asyncio.to_thread(_left, self._folder):
                await asyncio.sleep(0.2)


def _left(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'outreach.sqlite'}?mode=ro", uri=True) as db:
        events = db.execute("SELECT count(*) FROM events WHERE ended IS NULL").fetchone()[0]
        cases = db.execute("SELECT count(*) FROM cases WHERE state IN ('new', 'held', 'offered')").fetchone()[0]
    db.close()
    return int(events + cases)


async def measure(folder: Path, kills: int, plays: int, seed: int) -> dict[str, Any]:
    """Kill, start again, and count what is wrong at the end."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        world = World(folder, seed)
        gateway = await world.open(stack)
        world.send(plays, kills * sum(LIVES_S) / 2)
        for _ in range(kills):
            await world.life(gateway, kill=True)
        child = await world.life(gateway, kill=False)
        try:
            await world.quiet()
        finally:
            child.kill()
            await child.wait()
    return counted(folder, world) | {"kills": kills, "seconds": round(time.monotonic() - began)}


def counted(folder: Path, world: World) -> dict[str, Any]:
    """What booking system, gateway and store say."""
    with sqlite3.connect(folder / "outreach.sqlite") as db:
        states: dict[str, str] = dict(db.execute("SELECT case_id, state FROM cases").fetchall())
        holds: dict[str, str] = dict(db.execute("SELECT case_id, hold_id FROM cases").fetchall())
        ended = db.execute("SELECT count(*) FROM events WHERE ended IS NOT NULL").fetchone()[0]
    db.close()
    with sqlite3.connect(folder / "bookings.sqlite") as db:
        booked = Counter(hold for (hold,) in db.execute("SELECT hold_id FROM bookings"))
        seats = Counter(dict(db.execute("SELECT state, count(*) FROM holds GROUP BY state").fetchall()))
    db.close()
    with sqlite3.connect(folder / "journal.sqlite") as db:
        sent = {
            row[0]: f"{row[1]}: {row[2]}" for row in db.execute("SELECT message_id, state, detail FROM messages_out")
        }
    db.close()
    confirmed = {case for case, state in states.items() if state == "confirmed"}
    offered = Counter(message.rpartition("-")[0] for message in world.handed)
    return {
        "plays_ended": ended,
        "customers": len(states),
        "states": dict(sorted(Counter(states.values()).items())),
        "posts_and_answers": world.posts,
        "handed_over_again_under_the_same_id": sum(count - 1 for count in world.handed.values()),
        "customers_with_two_offers": sum(count > 1 for count in offered.values()),
        "customers_never_told": len(states) - len(offered),
        "why_never_told": dict(
            Counter(
                sent.get(f"offer-{case}-sms", f"{state}: no message")
                for case, state in states.items()
                if f"offer-{case}" not in offered
            )
        ),
        "told_and_taken_for_not_reached": sum(state in ("unreached", "nothing") for state in states.values()),
        "double_bookings": sum(count > 1 for count in booked.values()),
        "confirmed_and_not_booked": sum(booked[holds[case]] != 1 for case in confirmed),
        "booked_and_not_confirmed": sum(booked.values()) - len(confirmed),
        "told_confirmed_and_not_booked": sum(
            "confirmed" in told and case not in confirmed for case, told in world.told.items()
        ),
        "leaked_holds": seats["held"],
    }


WRONG = (
    "customers_with_two_offers",
    "customers_never_told",
    "told_and_taken_for_not_reached",
    "double_bookings",
    "confirmed_and_not_booked",
    "booked_and_not_confirmed",
    "told_confirmed_and_not_booked",
    "leaked_holds",
)
"""Figures that must be 0."""

if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
