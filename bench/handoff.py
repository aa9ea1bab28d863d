"""Handoffs on a real Asterisk: whether the bundle is acknowledged before the phone rings, in each of them, and how long it takes.

python -m bench.handoff [--out file.json] [--count 200]

Callers and agents' phones are real SIP, calls and queues are the controller's own; the agents' desktops are in this process,
and acknowledge at once, so that what is measured is ours and not a browser's. In every tenth handoff the first desktop says
nothing: then its phone must not ring, and the next agent's must.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import percentiles
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.contact.bundle import Facts
from ccaas.contact.centre import Centre
from ccaas.contact.handoff import Handoff
from ccaas.contact.place import QueuePlace
from ccaas.contact.rules import Caller, Rules
from ccaas.contact.settings import AgentSettings, HandoffSettings, QueueSettings
from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState, Bundle, CallView, News, Supervision
from ccaas.ports.journey import Assurance
from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Place
from ccaas.telephony.desk import Next, Refused, Target, TransferTo
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent
from ccaas.telephony.supervisor import Supervisor
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.caller import Call, SipCaller

AGENTS = ("6001", "6002", "6003", "6004")
SILENT_EVERY = 10
QUEUE = "senior"
_LIMIT_S = 15.0
_WAITED_MS = 1000.0
"""An acknowledgement later than this was another desktop's than the first one."""


@dataclass(slots=True)
class Measured:
    """One handoff; monotonic seconds."""

    call_id: str
    escalated: float
    acknowledged: float | None = None
    login: str = ""
    rang: float | None = None
    joined: float | None = None


@dataclass(slots=True)
class Desktop:
    """One agent's; says at once that it shows what it is given, unless it is to be silent."""

    login: str
    bench: Handoffs
    silent: bool = False
    shown: str = ""
    """The call of the newest bundle that it acknowledged."""

    async def offer(self, bundle: Bundle) -> bool:
        if self.silent:
            await asyncio.Event().wait()
        self.shown = bundle.conversation_id
        one = self.bench.measured[bundle.conversation_id]
        one.acknowledged, one.login = time.monotonic(), self.login
        return True

    def withdraw(self, handoff_id: str, why: str) -> None:
        pass

    def tell(self, news: News) -> None:
        pass


@dataclass(slots=True)
class Attendant:
    """An AI that hands every caller over at once."""

    call_id: str
    bench: Handoffs

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        stream.listen(lambda _: None, lambda: None)
        self.bench.measured[self.call_id] = Measured(self.call_id, time.monotonic())
        return TransferTo(QUEUE)

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        return False

    @property
    def overhears(self) -> bool:
        return False

    async def overhear(self, stream: MediaStream, *, customer: bool) -> None:
        pass

    async def overhear_waiting(self, stream: MediaStream) -> None:
        pass

    @property
    def overhears_waiting(self) -> bool:
        return False

    def key(self, digit: str) -> None:
        pass

    def hold(self, held: bool) -> None:
        pass

    def target(self, name: str) -> Target | None:
        return None

    def place(self, name: str) -> Place | None:
        async def facts() -> Facts:
            return Facts(self.call_id, "voice", None, Assurance.NONE, None)

        caller = Caller(self.call_id, "Caller", "", "", "", "en-US", facts)
        one = self.bench.centre.enqueue(caller, name, "upset", 0.8)
        return QueuePlace(self.bench.centre, one) if one is not None else None

    def kept_place(self) -> Place | None:
        return None

    async def leave(self) -> None:
        pass

    async def finish(self, reason: EndReason, cause: int) -> None:
        pass


@dataclass(slots=True)
class Handoffs:
    """Front desk, journal and clock of this bench: the parts that are not measured."""

    centre: Centre = field(init=False)
    measured: dict[str, Measured] = field(default_factory=dict)

    def __post_init__(self) -> None:
        agents = {login: AgentSettings(name=login, endpoint=f"PJSIP/{login}") for login in AGENTS}
        queue = QueueSettings(announce_s=0, callback_s=0, wrap_up_s=0)
        rules = Rules(agents, {QUEUE: queue}, HandoffSettings(), {}, "UTC")
        self.centre = Centre(rules, self, time.time)

    async def welcome(self, call_id: str, offer: Offered) -> Attendant | Refused:
        return Attendant(call_id, self)

    def happened(self, call_id: str, event: TelephonyEvent) -> None:
        pass

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None:
        pass

    def keep(self, handoff: Handoff) -> None:
        pass

    def drop(self, handoff_id: str) -> None:
        pass

    def agent(self, login: str, state: AgentState, reason: str, since: float) -> None:
        pass

    def audit(self, by: str, did: str, about: str, detail: str) -> None:
        pass

    def clock(self) -> datetime:
        return datetime.now(UTC)

    def calls(self) -> Iterable[CallView]:
        return ()

    async def facts(self, conversation_id: str) -> Facts | None:
        return None

    async def call_back(self, handoff: Handoff) -> str:
        raise ContactError("nobody is called back here")

    async def supervise(self, conversation_id: str, endpoint: str, mode: Supervision | None) -> None:
        raise ContactError("nobody listens here")

    def load(self) -> Rules:
        return self.centre.rules


async def measure(count: int) -> dict[str, Any]:
    """`count` handoffs, one after the other; the figures."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ccaas-handoff-")))
        asterisk = await stack.enter_async_context(RunningAsterisk(folder / "asterisk", phones=AGENTS))
        switch = AsteriskSwitch(asterisk.access)
        await switch.open()
        stack.push_async_callback(switch.close)
        bench = Handoffs()
        tasks = [asyncio.create_task(bench.centre.run()), asyncio.create_task(Supervisor(switch, bench, {}).run())]
        stack.push_async_callback(_end, tasks)
        where = asterisk.settings.bind, asterisk.settings.sip.udp
        phones: dict[str, SipCaller] = {}
        desktops = {login: Desktop(login, bench) for login in AGENTS}
        for login in AGENTS:
            phones[login] = await stack.enter_async_context(SipCaller(*where))
            await phones[login].register(login, asterisk.password(login))
            await bench.centre.sign_in(login, desktops[login])
        ua = await stack.enter_async_context(SipCaller(*where))
        rang_silent = 0
        waiting = {login: asyncio.create_task(phones[login].incoming(3600.0)) for login in AGENTS}
        try:
            for number in range(count):
                await _ready(bench, AGENTS)
                silent = _first(bench) if number % SILENT_EVERY == SILENT_EVERY - 1 else ""
                if silent:
                    desktops[silent].silent = True
                call = await ua.dial("1000", codec="PCMU")
                await call.answered()
                login, ringing = await _rung(waiting)
                rang = time.monotonic()
                rang_silent += login == silent
                one = bench.measured[list(bench.measured)[-1]]
                one.rang = rang
                await _talk(bench, one, call, ringing)
                waiting[login] = asyncio.create_task(phones[login].incoming(3600.0))
                if silent:
                    desktops[silent].silent = False
        finally:
            for task in waiting.values():
                task.cancel()
            await asyncio.gather(*waiting.values(), return_exceptions=True)
        return _figures(list(bench.measured.values()), rang_silent)


def _first(bench: Handoffs) -> str:
    """Who will be offered the next one."""
    return min(bench.centre.people, key=lambda person: (person.idle_since, person.login)).login


async def _ready(bench: Handoffs, logins: Iterable[str]) -> None:
    async with asyncio.timeout(_LIMIT_S):
        for login in logins:
            person = next(one for one in bench.centre.people if one.login == login)
            while person.state is not AgentState.AVAILABLE:
                if person.state is AgentState.AWAY:
                    await bench.centre.set_state(login, AgentState.AVAILABLE, by="bench")
                await asyncio.sleep(0.005)


async def _rung(waiting: dict[str, asyncio.Task[Call]]) -> tuple[str, Call]:
    done, _ = await asyncio.wait(waiting.values(), timeout=_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
    task = done.pop()
    return next(login for login, one in waiting.items() if one is task), task.result()


async def _talk(bench: Handoffs, one: Measured, call: Call, ringing: Call) -> None:
    await ringing.answer()
    async with asyncio.timeout(_LIMIT_S):
        while not any(person.state is AgentState.ON_CALL for person in bench.centre.people):
            await asyncio.sleep(0.001)
    one.joined = time.monotonic()
    await ringing.hang_up()
    await call.wait_ended()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _figures(measured: list[Measured], rang_silent: int) -> dict[str, Any]:
    times = [
        (one.escalated, one.acknowledged, one.rang)
        for one in measured
        if one.acknowledged is not None and one.rang is not None
    ]
    shown = [1000 * (acknowledged - escalated) for escalated, acknowledged, _ in times]
    return {
        "handoffs": len(measured),
        "bundle acknowledged before the ring": sum(acknowledged < rang for _, acknowledged, rang in times),
        "silent desktops": len(measured) // SILENT_EVERY,
        "silent desktops whose phone rang": rang_silent,
        "escalation to acknowledgement, ms": percentiles((ms for ms in shown if ms < _WAITED_MS), 50, 95, 100),
        "the same, first desktop silent, ms": percentiles((ms for ms in shown if ms >= _WAITED_MS), 50, 100),
        "acknowledgement to ring, ms": percentiles(
            (1000 * (rang - acknowledged) for _, acknowledged, rang in times), 50, 95, 100
        ),
    }


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    found = asyncio.run(measure(options.count))
    print(json.dumps(found, indent=2))
    if options.out is not None:
        options.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
