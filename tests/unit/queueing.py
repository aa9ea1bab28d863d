"""Queues, agents and their desktops on the fake switch, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Self

from office import Clerk, Office

from ccaas.contact.bundle import Facts
from ccaas.contact.centre import Centre
from ccaas.contact.handoff import Handoff
from ccaas.contact.place import QueuePlace
from ccaas.contact.rules import Caller, Rules
from ccaas.contact.settings import AgentSettings, HandoffSettings, QueueSettings
from ccaas.ports.contact import AgentState, Bundle, CallView, News, Supervision
from ccaas.ports.journey import Assurance
from ccaas.telephony.desk import TransferTo
from ccaas.testing.fakes.switch import FakeLeg

START = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
AGENTS = {
    "ann": AgentSettings(name="Ann", skills={"general": 5}),
    "sue": AgentSettings(name="Sue", skills={"general": 5, "complaints": 8}),
    "bob": AgentSettings(name="Bob", skills={"phone": 5}, endpoint="PJSIP/6009"),
}
QUEUES = {
    "general": QueueSettings(skills={"general": 1}, callback_s=60),
    "senior": QueueSettings(skills={"complaints": 5}, brief=True, announce_s=0, callback_s=0),
    "phone": QueueSettings(skills={"phone": 1}),
}


class Desk:
    """A desktop that shows what it is offered, after `takes_s`."""

    def __init__(self) -> None:
        self.takes_s = 0.1
        self.shown: list[Bundle] = []
        self.rung_before: list[int] = []
        """How many phones had been rung in all when each was shown."""
        self.rung: Callable[[], list[str]] = list
        self.withdrawn: list[tuple[str, str]] = []

    async def offer(self, bundle: Bundle) -> bool:
        await asyncio.sleep(self.takes_s)
        self.shown.append(bundle)
        self.rung_before.append(len(self.rung()))
        return True

    def withdraw(self, handoff_id: str, why: str) -> None:
        self.withdrawn.append((handoff_id, why))

    def tell(self, news: News) -> None:
        pass


class Books:
    """What the queues need of the rest: the journal is a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.states: dict[str, tuple[AgentState, str, float]] = {}
        self.audited: list[tuple[str, str, str, str]] = []
        self.at = START
        self.called_back: list[Handoff] = []
        self.supervised: list[tuple[str, str, Supervision | None]] = []
        self.rules: Rules | None = None

    def keep(self, handoff: Handoff) -> None:
        self.kept[handoff.id] = handoff.record()

    def drop(self, handoff_id: str) -> None:
        self.kept.pop(handoff_id, None)

    def agent(self, login: str, state: AgentState, reason: str, since: float) -> None:
        self.states[login] = (state, reason, since)

    def audit(self, by: str, did: str, about: str, detail: str) -> None:
        self.audited.append((by, did, about, detail))

    def clock(self) -> datetime:
        return self.at

    def calls(self) -> Iterable[CallView]:
        return ()

    async def call_back(self, handoff: Handoff) -> str:
        self.called_back.append(handoff)
        return "again"

    async def supervise(self, conversation_id: str, endpoint: str, mode: Supervision | None) -> None:
        self.supervised.append((conversation_id, endpoint, mode))

    def load(self) -> Rules:
        assert self.rules is not None
        return self.rules


class Floor:
    """`async with Floor() as floor`: an office whose clerks know the queues."""

    def __init__(self, **queues: QueueSettings) -> None:
        self.office = Office()
        self.books = Books()
        self.queues = {**QUEUES, **queues}
        self.rules = Rules(
            AGENTS,
            self.queues,
            HandoffSettings(call_back="PJSIP/{number}@trunk"),
            {"desk": ("PJSIP/desk", 20.0)},
            "UTC",
        )
        self.desks: dict[str, Desk] = {}
        self.news: list[News] = []

    async def __aenter__(self) -> Self:
        await self.office.__aenter__()
        self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
        await self.office.__aexit__(*error)

    def open(self) -> None:
        """A centre with what is in the books."""
        states = [(login, *kept) for login, kept in self.books.states.items()]
        kept = [Handoff.of(record) for record in self.books.kept.values()]
        self.centre = Centre(self.rules, self.books, asyncio.get_running_loop().time, kept, states)
        self.centre.subscribe(self.news.append)
        self._running = asyncio.create_task(self.centre.run())

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def ready(self, *logins: str) -> None:
        """They sign in and are available."""
        for login in logins:
            if self.centre.rules.agents[login].needs_desktop:
                self.desks[login] = Desk()
                self.desks[login].rung = self.rung
                await self.centre.sign_in(login, self.desks[login])
            await self.centre.set_state(login, AgentState.AVAILABLE, by=login)

    async def wait_in(self, queue: str, score: float | None = None) -> tuple[FakeLeg, Clerk]:
        """Somebody calls and is sent to a queue."""
        caller, clerk = await self.office.call()
        self.send(clerk, queue, score)
        return caller, clerk

    def send(self, clerk: Clerk, queue: str, score: float | None = None) -> None:
        """The clerk sends their caller to a queue."""
        clerk.place_in = lambda name: self._place(clerk, name, score)
        clerk.decide.put_nowait(TransferTo(queue))

    def _place(self, clerk: Clerk, name: str, score: float | None) -> QueuePlace | None:
        one = self.centre.enqueue(self.caller(clerk), name, "upset" if score else "transfer", score)
        return QueuePlace(self.centre, one) if one is not None else None

    @staticmethod
    def caller(clerk: Clerk) -> Caller:
        async def facts() -> Facts:
            return Facts(clerk.call_id, "voice", None, Assurance.NONE, None)

        return Caller(clerk.call_id, "Isabella", "", "+15550111", "airline", "en-US", facts)

    def state(self, login: str) -> AgentState:
        return next(one.state for one in self.centre.people if one.login == login)

    def reason(self, login: str) -> str:
        return next(one.reason for one in self.centre.people if one.login == login)

    def rung(self) -> list[str]:
        """Endpoints that were called, in order."""
        return [command[2] for command in self.office.switch.commands if command[0] == "originate"]
