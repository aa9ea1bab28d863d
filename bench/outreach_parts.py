"""What the benches of plays run: journal, journey, gate, outbox, workflows and incident ledger as a controller has them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from aiohttp import web

from ccaas.config.settings import CcaasSettings, PublicWeb
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.journal.messages import MessageQueued
from ccaas.journey.identity import identity
from ccaas.journey.opening import open_journey
from ccaas.media.clock import SystemClock
from ccaas.messaging.correspondence import Correspondence
from ccaas.messaging.outbox import Outbox
from ccaas.messaging.parts import Line
from ccaas.outreach.durable import DurablePlays
from ccaas.outreach.events import EventBook, WebhookDoor
from ccaas.outreach.opening import open_gate
from ccaas.outreach.play_settings import ProactiveSettings
from ccaas.outreach.plays import Plays
from ccaas.outreach.reach import CoreReach
from ccaas.ports.messaging import TextChannel
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.site import Site
from ccaas.ports.tools import Toolbox
from ccaas.scorecard.incidents import SqliteIncidents
from ccaas.textdesk import open_brain
from ccaas.web.public import PublicServer

SECRET = b"a secret of the bench's own airline"
TIERS = ("gold", "silver", "regular")
PLAY: dict[str, Any] = {
    "tiers": TIERS,
    "query": {
        "tool": "affected",
        "with": {"flight": "{event.flight}", "count": "{event.count}"},
        "list": "bookings",
        "as": "booking",
        "customer": "{booking.customer}",
        "tier": "{booking.tier}",
        "phone": "{booking.phone}",
    },
    "hold": {"tool": "hold", "with": {"customer": "{booking.customer}"}, "confirm": "confirm", "release": "release"},
    "offer": {
        "channels": ["sms"],
        "text": "Your flight is cancelled. We hold another seat for you. Reply YES.",
        "said": "I hold another seat for you. Shall I confirm it?",
        "goal": "rebooking",
        "title": "your cancelled flight",
    },
    "wait": {"minutes": 120, "confirmed": "Done."},
}
SCHEMA = {"type": "object", "required": ["flight", "count"]}


class Bookings:
    """The booking system: holds and bookings are rows, durable before they are answered. A second booking of one hold would be a
    second row."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS holds (hold_id TEXT PRIMARY KEY, customer TEXT, state TEXT, until REAL);"
            "CREATE TABLE IF NOT EXISTS bookings (customer TEXT, hold_id TEXT)"
        )

    def toolbox(self, case: str, customer: str) -> Toolbox:
        """Tools of one case, without the core's gate for tools: it is measured in its own benches."""
        bookings = self

        class Box:
            async def read(self, name: str, arguments: Mapping[str, Any], turn: str) -> dict[str, Any]:
                flight, count = arguments["flight"], int(arguments["count"])
                return {"bookings": [_booking(flight, number, count) for number in range(count)]}

            async def write(self, name: str, arguments: Mapping[str, Any], turn: str, yes: str) -> dict[str, Any]:
                if name == "hold":
                    return await asyncio.to_thread(bookings.hold, case, str(arguments["customer"]))
                state = {"confirm": "confirmed", "release": "released"}[name]
                return await asyncio.to_thread(bookings.settle, str(arguments["hold_id"]), state)

        return cast("Toolbox", Box())

    def hold(self, case: str, customer: str) -> dict[str, Any]:
        """Hold a seat, once for each case. It is not given back by itself while a bench runs."""
        hold_id, until = hashlib.sha256(case.encode()).hexdigest()[:16], time.time() + 7_200
        self._db.execute(
            "INSERT INTO holds VALUES (?, ?, 'held', ?) ON CONFLICT DO NOTHING", (hold_id, customer, until)
        )
        return {"hold_id": hold_id, "state": "held", "until": until}

    def settle(self, hold_id: str, state: str) -> dict[str, Any]:
        """Confirm or release it, whichever comes first; what it is then."""
        self._db.execute("BEGIN IMMEDIATE")
        changed = self._db.execute(
            "UPDATE holds SET state = ? WHERE hold_id = ? AND state = 'held'", (state, hold_id)
        ).rowcount
        customer, now, until = self._db.execute(
            "SELECT customer, state, until FROM holds WHERE hold_id = ?", (hold_id,)
        ).fetchone()
        if changed and state == "confirmed":
            self._db.execute("INSERT INTO bookings VALUES (?, ?)", (customer, hold_id))
        self._db.execute("COMMIT")
        return {"hold_id": hold_id, "state": now, "until": until}

    def held(self) -> int:
        """Seats that are held."""
        return int(self._db.execute("SELECT count(*) FROM holds WHERE state = 'held'").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _booking(flight: str, number: int, count: int) -> dict[str, str]:
    serial = int(hashlib.sha256(f"{flight} {number}".encode()).hexdigest()[:8], 16) % 10_000_000
    tier = TIERS[2 if number < count // 2 else 1 if number < count * 4 // 5 else 0]  # the highest come last
    return {"customer": f"{flight}-{number}", "tier": tier, "phone": f"+1617{2_000_000 + serial % 7_000_000:07d}"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What runs."""

    durable: DurablePlays
    bookings: Bookings
    outbox: Outbox


async def stand(
    folder: Path, channel: TextChannel, port: int, stack: AsyncExitStack, wait_minutes: float = 120.0
) -> Standing:
    """Open everything below `folder`; events are taken at `/events/bench` on `port`, signed with `SECRET`, and answers of
    customers at `/events/answer`: `{"case": …, "word": …}`."""
    use = {"use": "x"}
    settings = CcaasSettings.model_validate(
        {
            "name": "Bench",
            "timezone": "America/New_York",
            "plugins": [],
            "speech": dict.fromkeys(("recognizer", "voice", "turn", "synthesizer"), use),
            "reasoners": {"desk": use},
            "entries": {"front": {"numbers": ["*"], "reasoner": "desk"}},
            "outreach": {"hours": "00:00-24:00", "caps": [{"most": 6, "days": 1}]},
        }
    )
    play = PLAY | {"wait": {"minutes": wait_minutes, "confirmed": "Done."}}
    proactive = ProactiveSettings.model_validate(
        {
            "events": {"cancelled": {"play": "rebook", "schema": SCHEMA}},
            "plays": {"rebook": play},
            "webhooks": {"bench": {"secret_file": "none", "types": ["cancelled"]}},
        }
    )
    site = Site(folder, folder, folder, folder)
    host = PluginHost.of({})
    stack.push_async_callback(host.close)
    clock = SystemClock(ZoneInfo(settings.timezone))
    journal = await Journal.open(folder / "journal.sqlite")
    stack.push_async_callback(journal.close)
    journey = await open_journey(settings.journey, site)
    stack.push_async_callback(journey.close)
    spell = partial(identity, region="US")
    brain = await open_brain(journal, journey, host, clock, spell, stack)
    gate = await open_gate(settings, site, journey, journal, host, clock, stack)
    lines = {"sms": Line("sms", channel, "front", "desk", cast("Reasoner", None))}
    outbox = Outbox(lines, journal, brain.chronicle, gate, 3_600)
    stack.push_async_callback(outbox.close)
    correspondence = Correspondence(lines, journal, outbox, cast("Any", None))
    bookings = Bookings(folder / "bookings.sqlite")
    stack.callback(bookings.close)
    incidents = await SqliteIncidents.start(folder / "incidents.sqlite")
    stack.push_async_callback(incidents.shut)
    wall = lambda: clock.wall().timestamp()  # noqa: E731
    nobody = cast("Any", None)
    reach = CoreReach(lines, outbox, correspondence, journal, brain.chronicle, None, nobody, nobody, wall)
    plays = Plays(proactive, gate.store, journey, reach, bookings.toolbox, incidents, wall, spell)
    durable = DurablePlays(plays, gate.store, proactive, site)
    stack.push_async_callback(durable.close)
    book = EventBook(proactive, gate.store)
    book.taken = durable.begin

    async def wanted(queued: MessageQueued) -> bool:
        return await plays.still_wanted(queued.message.data["case"])

    async def answer(request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        answered = await durable.answer(asked["case"], asked["word"])
        return web.json_response({"state": answered.state.value, "words": answered.words})

    outbox.wanted = wanted
    await outbox.resume()
    await durable.start()
    door = WebhookDoor("bench", proactive.webhooks["bench"], SECRET, book)
    server = PublicServer(PublicWeb(port=port), {}, {"bench": door.post, "answer": answer})
    await server.start()
    stack.push_async_callback(server.close)
    return Standing(durable, bookings, outbox)
