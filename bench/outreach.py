"""One event that affects thousands of customers: how soon the first is written to, and when all are.

`python -m bench.outreach [--out FILE] [--customers 10000]`
`python -m bench.outreach --kills 50 --plays 200 [--seed 1]`: killed at random points, see `bench/outreach_kills.py`
`python -m bench.outreach --ring 20`: POST to the callee's phone, see `bench/outreach_ring.py`

Gate, journey, journal, outbox, workflows and incident ledger are the real ones on the disk of this machine, and the event comes by
a signed POST; the booking system is a SQLite file with held seats, and the SMS channel only takes the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bench import outreach_kills, outreach_ring
from bench.outreach_parts import SECRET, stand
from ccaas.outreach.events import signature
from ccaas.ports.messaging import ChannelCapabilities, OutboundMessage, Surroundings
from ccaas.testing.asterisk import free_port

SINGLE = 100
"""Events with one customer each, for the time from the POST to the text."""


class Handset:
    """An SMS channel that writes down when it was handed what."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    @property
    def capabilities(self) -> ChannelCapabilities:
        """SMS."""
        return ChannelCapabilities("sms", longest=1_600, can_begin=True, keywords=True)

    async def start(self, around: Surroundings) -> None:
        """Nothing comes in."""

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()

    async def send(self, message: OutboundMessage) -> None:
        """Take it."""
        assert message.id not in self.at, "twice"
        self.at[message.id] = time.monotonic()

    async def typing(self, address: str, on: bool) -> None:
        """Nothing."""

    async def conceal(self, address: str, message_id: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing."""


async def measure(folder: Path, customers: int) -> dict[str, Any]:
    """All figures."""
    async with AsyncExitStack() as stack:
        handset, port = Handset(), free_port()
        standing = await stand(folder, handset, port, stack)
        bookings = standing.bookings
        client = await stack.enter_async_context(aiohttp.ClientSession())

        async def post(name: str, count: int) -> float:
            body = json.dumps({"id": name, "type": "cancelled", "data": {"flight": name, "count": count}}).encode()
            stamp, began = str(int(time.time())), time.monotonic()
            headers = {"X-Ccaas-Timestamp": stamp, "X-Ccaas-Signature": signature(SECRET, stamp, body)}
            async with client.post(f"http://127.0.0.1:{port}/events/bench", data=body, headers=headers) as answer:
                assert answer.status == 202, await answer.text()
            return began

        async def until(count: int) -> None:
            while len(handset.at) < count:
                await asyncio.sleep(0.002)

        single = []
        for number in range(SINGLE):
            began = await post(f"one{number}", 1)
            await until(number + 1)
            single.append(handset.at[f"offer-one{number}:0-sms"] - began)
        handset.at.clear()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        used = time.process_time()
        began = await post("all", customers)
        await until(customers)
        order = [int(name.removeprefix("offer-all:").removesuffix("-sms")) for name in handset.at]
        golden = customers - customers * 4 // 5
        times = [at - began for at in handset.at.values()]
        return {
            "customers": customers,
            "post_to_sms_ms_p50": round(statistics.median(single) * 1000, 1),
            "post_to_sms_ms_p95": round(sorted(single)[int(SINGLE * 0.95) - 1] * 1000, 1),
            "first_contact_s": round(times[0], 3),
            "all_contacts_s": round(max(times), 2),
            "contacts_before_the_last_of_the_highest_tier": max(
                place for place, number in enumerate(order) if number < golden
            )
            + 1
            - golden,
            "held": bookings.held() - SINGLE,
            "cpu_s": round(time.process_time() - used, 1),
            "memory_mb_before": round(before),
            "memory_mb_after": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0, help="kill a controller so often instead, at random points")
    parser.add_argument("--plays", type=int, default=200, help="of so many plays")
    parser.add_argument("--seed", type=int, default=1, help="of the points and of what customers answer")
    parser.add_argument("--ring", type=int, default=0, help="ring so many phones instead, by a real Asterisk")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.kills:
            work = outreach_kills.measure(folder, arguments.kills, arguments.plays, arguments.seed)
        elif arguments.ring:
            work = outreach_ring.measure(folder, arguments.ring)
        else:
            work = measure(folder, arguments.customers)
        figures = asyncio.run(work)
    for name, value in figures.items():
        print(f"{name:48} {value}")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return int(any(figures.get(name) for name in outreach_kills.WRONG))


if __name__ == "__main__":
    sys.exit(main())
