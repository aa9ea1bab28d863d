"""What desktops cost and how fast words reach them: `python -m bench.desk [--out FILE]`.

At rest: the controller's CPU with as many desktops signed in and idle, each with its own socket, against none. In calls:
from the end of a caller's sentence, in the caller's own phone, until its words arrive at the agent's desktop (as a draft, which
the line may go beyond, or in the line) and until its line does; and of the line from the moment at which the controller knew it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.processes import snapshot, spent
from bench.report import percentiles
from bench.system import ROOT, System
from ccaas.ports.accounts import Role
from ccaas.testing.caller import SipCaller
from ccaas.web.accounts.book import AccountBook
from ccaas.web.accounts.passwords import generated
from ccaas.web.accounts.sessions import Sessions
from ccaas.web.staff.opening import KEY_FILE

AGENT = "anna"
PERSON = "dev-st-038.wav"
"""I'd like to speak to a person, please."""
SENTENCES = ("dev-st-001.wav", "dev-st-043.wav", "dev-st-046.wav", "dev-sh-002.wav")
ECHO = "Local/echo@ccaas-test"
"""The agent's phone: it answers at once and sends the caller's own voice back."""
LINE = "Of course. I'm putting you through."
_SETTLE_S = 3.0
_ANSWER_S = 20.0


def changes(desktops: int) -> dict[str, Any]:
    """As many agents with browsers, and one whose phone takes the calls."""
    agents: dict[str, Any] = {f"a{number:03d}": {"name": f"Agent {number}"} for number in range(desktops)}
    agents[AGENT] = {"name": "Anna", "skills": {"talks": 5}, "endpoint": ECHO}
    return {
        "plugins": ["moonshine", "turn", "piper", "flows", "sentiment"],
        "destinations": {},
        "sentiment": {"use": "sentiment", "escalation": {"destination": "senior", "lines": {"en": {"wish": LINE}}}},
        "agents": agents,
        "queues": {"agents": {"skills": {"talks": 1}}, "senior": {"skills": {"talks": 1}, "wrap_up_s": 0}},
    }


@dataclass(frozen=True, slots=True)
class Arrived:
    """A line at the desktop. Monotonic seconds, but `known_at`."""

    words_at: float
    """All its words were there."""
    line_at: float
    known_at: float
    """The controller knew it (Unix seconds)."""


class Desktop:
    """A desktop's socket, as its page would use it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0
        self.talking = asyncio.Event()
        """They have answered."""
        self.said: asyncio.Queue[Arrived] = asyncio.Queue()
        """Lines of the customer."""
        self._drafted: tuple[float, str] = (0.0, "")

    async def run(self) -> None:
        """Read until it is closed; acknowledge bundles at once."""
        async for message in self._socket:
            frame = json.loads(message.data)
            if frame["type"] == "offer":
                await self._socket.send_json({"type": "shown", "handoff": frame["work"]["bundle"]["handoff_id"]})
            if frame["type"] == "call" and frame["state"] == "talking":
                self.talking.set()
            now = time.monotonic()
            if frame["type"] == "drafted" and frame["who"] == "customer" and frame["text"] != self._drafted[1]:
                self._drafted = now, frame["text"]
            if frame["type"] == "said" and frame["line"]["who"] == "customer":
                at, words = self._drafted
                self.said.put_nowait(Arrived(at if words == frame["line"]["text"] else now, now, frame["line"]["at"]))
                self._drafted = 0.0, ""

    async def available(self) -> None:
        """Be available."""
        self._count += 1
        await self._socket.send_json({"type": "state", "id": self._count, "state": "available"})


@asynccontextmanager
async def desktops(system: System, logins: Sequence[str]) -> AsyncIterator[list[Desktop]]:
    """One for each login, signed in and available; gone when the block ends."""
    book = AccountBook(system.state)
    sessions = Sessions(book, bytes.fromhex((system.state / KEY_FILE).read_text().strip()), 1)
    origin = f"http://127.0.0.1:{system.site.desk_port}"
    opened: list[Desktop] = []
    tasks: list[asyncio.Task[None]] = []
    async with aiohttp.ClientSession() as http:
        for login in logins:
            account = book.find(login) or book.add(login, Role.AGENT, generated())
            cookie = await sessions.begin(account, "bench")
            session = await sessions.of(cookie)
            assert session is not None
            headers = {"Origin": origin, "Cookie": f"ccaas={cookie}"}
            socket = await http.ws_connect(f"{origin}/desk/socket", headers=headers)
            await socket.send_json({"type": "hello", "csrf": session.csrf})
            await socket.receive()
            opened.append(Desktop(socket))
            tasks.append(asyncio.create_task(opened[-1].run()))
            await opened[-1].available()
        yield opened
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    book.close()


async def resting(system: System, seconds: float) -> float:
    """Cores of the controller, from now on."""
    await asyncio.sleep(_SETTLE_S)
    before = snapshot([system.controller])
    await asyncio.sleep(seconds)
    after = snapshot([system.controller])
    return spent(before, after)["controller"] / (after.at - before.at)


async def talking(system: System, calls: int) -> dict[str, Any]:
    """From the end of a sentence until the desktop has its words and its line, and from when that was known (ms)."""
    words: list[float | None] = []
    spoken: list[float | None] = []
    known: list[float | None] = []
    async with (
        desktops(system, [AGENT]) as (anna,),
        SipCaller(system.sip_host, system.sip_port) as ua,
    ):
        for _ in range(calls):
            call = await ua.dial("open", codec="PCMU")
            await call.hear(await call.answered())
            asked = await call.say(ROOT / "bench/speech" / PERSON)
            await asked.finished
            async with asyncio.timeout(_ANSWER_S):
                await anna.talking.wait()
            await asyncio.sleep(1.0)
            while not anna.said.empty():
                anna.said.get_nowait()
            for sentence in SENTENCES:
                said = await call.say(ROOT / "bench/speech" / sentence)
                finished = await said.finished
                try:
                    async with asyncio.timeout(_ANSWER_S / 2):
                        line = await anna.said.get()
                except TimeoutError:
                    words.append(None)
                    spoken.append(None)
                    continue
                words.append(1000 * (line.words_at - finished))
                spoken.append(1000 * (line.line_at - finished))
                known.append(1000 * (line.line_at - line.known_at + time.time() - time.monotonic()))
                await asyncio.sleep(0.5)
            await call.hang_up()
            anna.talking.clear()
            await anna.available()
    lines = {"lines": len(spoken), "missed": sum(one is None for one in spoken)}
    return {
        **lines,
        "words_to_desktop_ms": percentiles(words, 50, 95),
        "spoken_to_desktop_ms": percentiles(spoken, 50, 95),
        "known_to_desktop_ms": percentiles(known, 50, 95),
    }


async def measure(count: int, seconds: float, calls: int) -> dict[str, Any]:
    """All figures."""
    async with System(ROOT / "var/bench-desk", changes(count)) as system:
        alone = await resting(system, seconds)
        async with desktops(system, [f"a{number:03d}" for number in range(count)]):
            together = await resting(system, seconds)
        return {
            "idle": {
                "desktops": count,
                "seconds": seconds,
                "cores_without": round(alone, 4),
                "cores_with": round(together, 4),
                "cores_of_desktops": round(together - alone, 4),
            },
            "transcript": await talking(system, calls) if calls else None,
        }


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the figures as JSON")
    parser.add_argument("--desktops", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each rest is watched")
    parser.add_argument("--calls", type=int, default=5)
    given = parser.parse_args()
    figures = asyncio.run(measure(given.desktops, given.seconds, given.calls))
    table = Table("figure", "value")
    for part, rows in figures.items():
        for name, value in (rows or {}).items():
            table.add_row(f"{part}: {name.replace('_', ' ')}", str(value))
    Console().print(table)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
