"""From a signed POST to the ringing of the callee's phone, on a real Asterisk and a real SIP phone.

`python -m bench.outreach --ring 20 [--out FILE]`

The whole installation of `examples/airline/proactive.yaml` runs, with its models and the airline's own booking system, and
customers are called first: each event is a cancelled flight with one passenger, whose seat is looked for and held, whose contact
passes the gate, and whose phone then gets an INVITE. The phone is busy, so that calls do not last.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from ccaas_airline.callers import on_board
from ccaas_airline.connecting import Connecting, ConnectingSettings
from ccaas_airline.holding import holding_tools
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from bench.outreach_parts import SECRET
from ccaas.outreach.events import signature
from ccaas.ports.plays import Situation
from ccaas.ports.site import Site
from ccaas.ports.tools import ToolContext
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/airline/proactive.yaml"
RING_S = 30.0
"""Longest wait for one call."""
_ALONE = """
SELECT flight_number, date FROM booked_flights JOIN reservations USING (reservation_id)
WHERE status IS NULL AND date > '2024-05-16' GROUP BY flight_number, date HAVING count(DISTINCT user_id) = 1
ORDER BY flight_number, date
"""


async def flights(folder: Path) -> list[tuple[str, str]]:
    """Flights with one passenger each, who can be called and for whom another flight can be had; no passenger twice."""
    site = Site(folder, folder, ROOT / ".cache/models", folder)
    desk = await open_desk(AirlineSettings(), site)
    tools = {tool.name: tool for tool in (*tools_of(desk), *holding_tools(desk))}
    fitting = Connecting(ConnectingSettings())

    async def read(customer: str, name: str, asked: Mapping[str, object]) -> dict[str, Any]:
        context = ToolContext("bench", "bench", customer, "", datetime.now(UTC))
        answer = await tools[name].run(tools[name].input.model_validate(dict(asked)), context)
        return answer.model_dump(mode="json")

    def find(db: sqlite3.Connection) -> list[tuple[str, str]]:
        return [(row["flight_number"], row["date"]) for row in db.execute(_ALONE)]

    found, passengers = [], set[str]()
    for flight, day in await desk.store.read(find):
        asked = {"flight_number": flight, "date": day}
        (booking, *more) = (await read("", "affected_bookings", asked))["bookings"]
        who = booking["customer_id"]
        if more or who in passengers or not booking["phone"] or await on_board(desk.store, who):
            continue
        asked["reservation_id"] = booking["reservation_id"]
        situation = Situation("bench", "flight.cancelled", {}, {}, asked, who)
        if await fitting.run(situation, partial(read, who)):
            passengers.add(who)
            found.append((flight, day))
    await desk.store.close()
    return found


def lead(site: Installation, port: int) -> None:
    """Make the phone at `port` the installation's carrier; customers are called, not written to."""
    document = site._document  # noqa: SLF001  (the trunk leads to a port that is known only now)
    trunk = {"name": "carrier", "host": f"127.0.0.1:{port}", "from_addresses": ["127.0.0.1/32"]}
    document["asterisk"]["trunks"] = [trunk]
    document["channels"]["sms"]["trunk_host"] = f"127.0.0.1:{port}"
    document["proactive"]["plays"]["rebook"]["offer"]["channels"] = ["voice"]


async def measure(folder: Path, count: int) -> dict[str, Any]:
    """Ring `count` phones, one after the other."""
    (folder / "airline").mkdir()
    chosen = (await flights(folder / "airline"))[: count + 1]
    took: list[float] = []
    (folder / "operations.secret").write_bytes(SECRET)
    site = Installation(folder, EXAMPLE, {"limits": {"lag_ms": 5000.0}}, phones=("6001",))
    async with SipCaller("127.0.0.1", site.sip_port) as phone:
        lead(site, phone.port)
        async with site, aiohttp.ClientSession() as client:
            for number, (flight, day) in enumerate(chosen):
                body = {
                    "id": f"ring-{number}",
                    "type": "flight.cancelled",
                    "data": {"flight_number": flight, "date": day},
                }
                content, stamp = json.dumps(body).encode(), str(int(time.time()))
                headers = {"X-Ccaas-Timestamp": stamp, "X-Ccaas-Signature": signature(SECRET, stamp, content)}
                url = f"http://127.0.0.1:{site.public_port}/events/operations"
                began = time.monotonic()
                async with client.post(url, data=content, headers=headers) as answer:
                    assert answer.status == 202, await answer.text()
                call = await phone.incoming(RING_S)
                took.append(time.monotonic() - began)
                call.refuse()
                await call.wait_ended()
                await asyncio.sleep(0.5)
    took = sorted(took[1:])  # the first one finds everything cold
    return {
        "rings": len(took),
        "post_to_ring_ms_p50": round(took[len(took) // 2] * 1000),
        "post_to_ring_ms_p95": round(took[max(0, -(-len(took) * 95 // 100) - 1)] * 1000),
        "post_to_ring_ms_max": round(took[-1] * 1000),
    }
