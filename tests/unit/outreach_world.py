"""Plays with nobody real around them: a system of record with seats, a journey, and ways to reach people that only write down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from ccaas.errors import CcaasError, ToolError
from ccaas.journal.messages import MessageQueued
from ccaas.messaging.parts import Line
from ccaas.outreach import cases
from ccaas.outreach.cases import Case
from ccaas.outreach.durable import DurablePlays
from ccaas.outreach.events import EventBook
from ccaas.outreach.listing import PluginStep
from ccaas.outreach.play_settings import ProactiveSettings
from ccaas.outreach.plays import Plays
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Identity, IdentityKind
from ccaas.ports.site import Site
from ccaas.ports.tools import Toolbox
from ccaas.scorecard.incidents import SqliteIncidents
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeTextChannel
from ccaas.testing.fakes.reasoning import FakeReasoner

PLAY: dict[str, Any] = {
    "tiers": ["gold", "silver"],
    "query": {
        "tool": "affected",
        "with": {"flight": "{event.flight}"},
        "list": "bookings",
        "as": "booking",
        "customer": "{booking.customer}",
        "tier": "{booking.tier}",
        "phone": "{booking.phone}",
        "first_name": "{booking.name}",
    },
    "choose": [{"tool": "options", "with": {"customer": "{booking.customer}"}, "list": "options", "as": "option"}],
    "hold": {
        "tool": "hold",
        "with": {"customer": "{booking.customer}", "seat": "{option.seat}"},
        "confirm": "confirm",
        "release": "release",
    },
    "offer": {
        "text": "Seat {option.seat} is yours. Reply YES.",
        "said": "I hold seat {option.seat} for you. Shall I confirm it?",
        "goal": "take_seat",
        "title": "your seat",
    },
    "wait": {"minutes": 60, "confirmed": "You have seat {option.seat}.", "escalate": "agents"},
}
EVERYWHERE: dict[str, Any] = {}
"""Settings of all worlds: another store, where the tests run over that too."""
SCHEMA = {"type": "object", "required": ["flight"], "properties": {"flight": {"type": "string"}}}


def settings(**more: Any) -> ProactiveSettings:
    """One type of event and its play."""
    return ProactiveSettings.model_validate(
        {
            "events": {"flight.cancelled": {"play": "rebook", "schema": SCHEMA}},
            "plays": {"rebook": PLAY},
            "webhooks": {"crm": {"secret_file": "s", "types": ["flight.cancelled"]}},
            **more,
        }
    )


class Record:
    """The system of record: who has which booking, and its holds."""

    def __init__(self, people: Mapping[str, str]) -> None:
        """`people`: customer → tier."""
        self.people = dict(people)
        self.seats = dict.fromkeys(people, "1A")
        """What there is to choose from."""
        self.holds: dict[str, list[Any]] = {}
        """Hold → customer, state, until."""
        self.minutes = 60.0
        self.fails: dict[str, list[ToolError]] = {}
        """Raised by a tool, one after the other."""
        self.keys: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.done: list[tuple[str, str]] = []

    async def run(self, case: str, customer: str, name: str, arguments: Mapping[str, Any], turn: str) -> dict[str, Any]:
        if self.fails.get(name):
            raise self.fails[name].pop(0)
        if name == "affected":
            return {
                "bookings": [
                    {"customer": who, "tier": tier, "phone": f"+1617555{number:04d}", "name": who}
                    for number, (who, tier) in enumerate(self.people.items(), 100)
                ]
            }
        if name == "options":
            seat = self.seats.get(arguments["customer"])
            return {"options": [{"seat": seat}] if seat else []}
        key = (case, turn, name)
        if key not in self.keys:
            self.keys[key] = self._write(case, customer, name, arguments)
        return self.keys[key]

    def _write(self, case: str, customer: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if name == "hold":
            hold_id = f"h-{case}"
            self.holds[hold_id] = [customer, "held", time.time() + self.minutes * 60]
        else:
            hold_id = arguments["hold_id"]
            hold = self.holds[hold_id]
            if hold[1] == "held" and hold[2] <= time.time():
                hold[1] = "expired"
            if hold[1] == "held":
                hold[1] = {"confirm": "confirmed", "release": "released"}[name]
                self.done.append((name, hold_id))
        return {"hold_id": hold_id, "state": self.holds[hold_id][1], "until": self.holds[hold_id][2]}

    def states(self) -> list[str]:
        return [hold[1] for hold in self.holds.values()]

    def toolbox(self, case: str, customer: str) -> Toolbox:
        record = self

        class Box:
            async def read(self, name: str, arguments: Mapping[str, Any], turn: str) -> dict[str, Any]:
                return await record.run(case, customer, name, arguments, turn)

            async def write(
                self, name: str, arguments: Mapping[str, Any], turn: str, confirmed_by: str
            ) -> dict[str, Any]:
                return await record.run(case, customer, name, arguments, turn)

        return cast("Toolbox", Box())


class Reached:
    """Whom a play has reached, in order."""

    def __init__(self) -> None:
        sms = FakeTextChannel()
        self.lines = {"sms": Line("sms", sms, "front", "desk", FakeReasoner({}))}
        self.sent: list[MessageQueued] = []
        self.called: list[tuple[str, str]] = []
        self.taken_back: list[str] = []
        self.anew: list[str] = []
        self.refuses: CcaasError | None = None

    async def send(self, queued: MessageQueued, fact: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        if queued.message.id not in [one.message.id for one in self.sent]:
            self.sent.append(queued)

    async def call(self, call_id: str, number: str, purpose: str, play: str) -> None:
        if (call_id, number) not in self.called:
            self.called.append((call_id, number))

    async def hang_up(self, call_id: str) -> None:
        self.taken_back.append(call_id)

    def begin_anew(self, customer_id: str) -> None:
        self.anew.append(customer_id)


def spell(channel: str, address: str) -> Identity | None:
    return Identity(IdentityKind.PHONE, address)


class World:
    """One controller's events and plays; leaving it is a stop, and another may follow on the same folder."""

    def __init__(
        self,
        folder: Path,
        record: Record,
        journey: FakeJourney | None = None,
        steps: Mapping[str, PluginStep] | None = None,
        **more: Any,
    ) -> None:
        self.folder = folder
        self.steps = steps
        self.record = record
        self.journey = journey or FakeJourney()
        self.settings = settings(**EVERYWHERE, **more)
        self.reach = Reached()

    async def __aenter__(self) -> Self:
        site = Site(self.folder, self.folder, self.folder, self.folder)
        self.store = await OutreachStore.open(self.folder / "outreach.sqlite")
        self.incidents = await SqliteIncidents.start(self.folder / "incidents.sqlite")
        self.book = EventBook(self.settings, self.store)
        self.plays = Plays(
            self.settings,
            self.store,
            self.journey,
            self.reach,
            self.record.toolbox,
            self.incidents,
            time.time,
            spell,
            self.steps,
        )
        self.durable = DurablePlays(self.plays, self.store, self.settings, site)
        self.book.taken = self.durable.begin
        await self.durable.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.durable.close()
        await self.incidents.shut()
        await self.store.close()

    async def happens(self, name: str = "e-1", flight: str = "HAT170") -> bool:
        body = f'{{"id": "{name}", "type": "flight.cancelled", "data": {{"flight": "{flight}"}}}}'
        _, new = await self.book.take(body.encode(), "test")
        await self.durable.idle()
        return new

    async def case(self, number: int = 0, event: str = "e-1") -> Case:
        found = await self.store.read(cases.one(f"{event}:{number}"))
        assert found is not None
        return found

    async def states(self, event: str = "e-1") -> list[str]:
        return [case.state.value for case in await self.store.read(cases.batch(event, 0, 1000))]
