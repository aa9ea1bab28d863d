"""`make bench-dialler [OUT=file.json]`: a simulated week of a campaign, paced by the product's own code.

Ten, fifty and three hundred agents in two shifts that overlap at noon; people who answer, ring out, are busy, refuse, or have a
machine that answers. The answer rate moves with the hour. Everything but the time is as in the controller: the pacers of
`ccaas_outbound`, asked every second, and the brake of the compliance gate. A call that a person answers is abandoned when no agent
is there two seconds after their greeting.

Occupancy is talk and wrap-up, of the time in which agents are at work and not on a break.

With `--real` calls are made instead, on a real Asterisk: see `bench/dialler_calls.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccaas_outbound.pacing import Predictive, Progressive
from ccaas_outbound.settings import PredictiveSettings, ProgressiveSettings
from rich.console import Console
from rich.table import Table

from bench.system import ROOT, environment
from ccaas.outreach.abandonment import Met, may_go_ahead
from ccaas.ports.dialling import Pacer, Standing
from ccaas.ports.site import Site

MODES = ("preview", "progressive", "predictive")
AGENTS = (10, 50, 300)
RATES = (0.15, 0.30, 0.60)
DAYS = 5
OPEN_H, CLOSE_H = 8, 20
LIMIT = 0.03
GRACE_S = 2.0
"""After the greeting's end, until which an agent must be there."""
RING_S = 30.0
TALK_S, WRAP_S = 150.0, 25.0
BREAKS, BREAK_S = 0.02, 300.0
"""How often an agent takes a break after a call, and how long it is."""


@dataclass(slots=True)
class Agent:
    """Somebody at work."""

    begins_h: int
    ends_h: int
    free: bool = False
    here: bool = False
    since: float = 0.0
    """Of the state."""
    working_s: float = 0.0
    paid_s: float = 0.0
    """At work, breaks left out."""


@dataclass(slots=True)
class Week:
    """What a week came to."""

    attempts: int = 0
    answered: int = 0
    abandoned: int = 0
    hung_up: int = 0
    """By people before their greeting was over."""
    braked_s: int = 0
    """Seconds in which the brake forbade to go ahead."""
    worked_s: float = 0.0
    paid_s: float = 0.0


@dataclass(order=True, slots=True)
class Due:
    """What happens when."""

    at: float
    order: int
    kind: str = field(compare=False)
    what: Any = field(compare=False)


class Simulation:
    """One week of one mode."""

    def __init__(self, mode: str, agents: int, rate: float, seed: int) -> None:
        self._mode = mode
        self._rate = rate
        self._random = random.Random(seed)
        site = Site(Path(), Path(), Path(), Path())
        self._pacer: Pacer = (
            Predictive(PredictiveSettings(), site) if mode == "predictive" else Progressive(ProgressiveSettings(), site)
        )
        middle = (OPEN_H + CLOSE_H) // 2
        self._agents = [
            Agent(OPEN_H, middle + 2) if number % 2 else Agent(middle - 2, CLOSE_H) for number in range(agents)
        ]
        self._due: list[Due] = []
        self._count = itertools.count()
        self._ringing: dict[int, float] = {}
        self._talking: dict[int, float] = {}
        self._wrapping: dict[int, float] = {}
        self._free: deque[int] = deque()
        self._greeting = 0
        """People who have answered, and are still saying hello."""
        self._waiting: deque[tuple[float, float]] = deque()
        """People whose greeting is over: when, and when they are abandoned."""
        self.week = Week()

    def run(self) -> Week:
        """The week."""
        for day in range(DAYS):
            begin = (day * 24 + OPEN_H) * 3600
            for second in range(begin, (day * 24 + CLOSE_H) * 3600 + 900):
                self._tick(float(second), day)
        for agent in self._agents:
            self.week.worked_s += agent.working_s
            self.week.paid_s += agent.paid_s
        return self.week

    def _tick(self, now: float, day: int) -> None:
        while self._due and self._due[0].at <= now:
            due = heapq.heappop(self._due)
            getattr(self, f"_{due.kind}")(due.at, due.what)
        self._shifts(now, day)
        if self._mode == "preview":
            while self._free:
                self._look(now, self._free.popleft())
            return
        ahead = self._mode == "predictive" and may_go_ahead(Met(self.week.answered, self.week.abandoned), LIMIT)
        if self._mode == "predictive" and not ahead:
            self.week.braked_s += 1
        standing = Standing(
            len(self._free) - self._greeting - len(self._waiting),
            [now - since for since in self._talking.values()],
            [now - since for since in self._wrapping.values()],
            [now - since for since in self._ringing.values()],
            ahead,
            LIMIT,
        )
        for _ in range(self._pacer.wanted(standing, now)):
            self._dial(now, -1)

    def _shifts(self, now: float, day: int) -> None:
        if now % 60:
            return
        hour = now / 3600 - day * 24
        for number, agent in enumerate(self._agents):
            wanted = agent.begins_h <= hour < agent.ends_h
            if wanted and not agent.here:
                agent.here = agent.free = True
                agent.since = now
                self._free.append(number)
            elif not wanted and agent.here and agent.free:
                self._go(now, number)

    def _go(self, now: float, number: int) -> None:
        agent = self._agents[number]
        agent.here = agent.free = False
        agent.paid_s += now - agent.since
        if number in self._free:
            self._free.remove(number)

    def _look(self, now: float, number: int) -> None:
        """An agent reads who it is, and dials."""
        self._agents[number].free = False
        self._later(now + self._random.uniform(8, 25), "preview", number)

    def _preview(self, now: float, number: int) -> None:
        self._dial(now, number)

    # — a call —

    def _dial(self, now: float, number: int) -> None:
        self.week.attempts += 1
        call = next(self._count)
        self._ringing[call] = now
        chance = self._random.random()
        hour = now / 3600 % 24
        rate = self._rate * (1 + 0.25 * math.sin((hour - 8) / 12 * 2 * math.pi))
        if chance < rate:
            rings = min(2 + self._random.lognormvariate(1.7, 0.6), RING_S - 1)
            self._later(now + rings, "answer", (call, number))
            return
        other = self._random.random()
        if other < 0.15:  # busy, refused, no such number
            rings = self._random.uniform(1, 6)
        elif other < 0.55:  # a machine answers, and is recognised
            rings = self._random.uniform(14, 24) + 3
        else:
            rings = RING_S
        self._later(now + rings, "nothing", (call, number))

    def _nothing(self, now: float, what: tuple[int, int]) -> None:
        call, number = what
        self._pacer.rang(now - self._ringing.pop(call), now, answered=False)
        if number >= 0:
            self._freed(now, number)

    def _answer(self, now: float, what: tuple[int, int]) -> None:
        call, number = what
        self._pacer.rang(now - self._ringing.pop(call), now, answered=True)
        if self._random.random() < 0.02:
            self.week.hung_up += 1
            if number >= 0:
                self._freed(now, number)
            return
        self._greeting += number < 0
        self._later(now + self._random.uniform(0.8, 2.2), "greeted", number)

    def _greeted(self, now: float, number: int) -> None:
        self.week.answered += 1
        if number >= 0:
            self._talk(now, number)
            return
        self._greeting -= 1
        if self._free:
            self._found(now, self._free.popleft())
        else:
            self._waiting.append((now, now + GRACE_S))
            self._later(now + GRACE_S, "given_up", None)

    def _given_up(self, now: float, _: None) -> None:
        while self._waiting and self._waiting[0][1] <= now:
            self._waiting.popleft()
            self.week.abandoned += 1
            self._pacer.met(now, abandoned=True)

    def _found(self, now: float, number: int) -> None:
        self._pacer.met(now, abandoned=False)
        self._talk(now, number)

    def _talk(self, now: float, number: int) -> None:
        self._agents[number].free = False
        self._talking[number] = now
        talk = self._random.lognormvariate(math.log(TALK_S) - 0.32, 0.8)
        self._later(now + talk, "over", (number, talk))

    def _over(self, now: float, what: tuple[int, float]) -> None:
        number, talk = what
        del self._talking[number]
        self._wrapping[number] = now
        wrap = self._random.gammavariate(2, WRAP_S / 2)
        self._later(now + wrap, "wrapped", (number, talk, wrap))

    def _wrapped(self, now: float, what: tuple[int, float, float]) -> None:
        number, talk, wrap = what
        del self._wrapping[number]
        self._pacer.handled(talk, wrap, now)
        agent = self._agents[number]
        agent.working_s += talk + wrap
        if self._random.random() < BREAKS:
            agent.paid_s += now - agent.since
            self._later(now + BREAK_S, "back", number)
        else:
            self._freed(now, number)

    def _back(self, now: float, number: int) -> None:
        self._agents[number].since = now
        self._freed(now, number)

    def _freed(self, now: float, number: int) -> None:
        agent = self._agents[number]
        agent.free = True
        if not agent.begins_h <= now / 3600 % 24 < agent.ends_h:
            self._go(now, number)
        elif self._waiting:
            self._waiting.popleft()
            self._found(now, number)
        else:
            self._free.append(number)

    def _later(self, at: float, kind: str, what: Any) -> None:
        heapq.heappush(self._due, Due(at, next(self._count), kind, what))


def simulated(agents: Sequence[int], rates: Sequence[float], seed: int, console: Console) -> list[dict[str, Any]]:
    """Every mode with every number of agents and every answer rate; a row each."""
    rows = []
    for number, rate, mode in itertools.product(agents, rates, MODES):
        began = time.monotonic()
        week = Simulation(mode, number, rate, seed).run()
        hours = week.paid_s / 3600
        rows.append(
            {
                "agents": number,
                "answer_rate": rate,
                "mode": mode,
                "occupancy": round(week.worked_s / week.paid_s, 4),
                "abandoned": round(Met(week.answered, week.abandoned).share, 4),
                "attempts_per_hour": round(week.attempts / (DAYS * (CLOSE_H - OPEN_H)), 1),
                "attempts_per_agent_hour": round(week.attempts / hours, 2),
                "conversations_per_agent_hour": round((week.answered - week.abandoned) / hours, 2),
                "attempts": week.attempts,
                "answered": week.answered,
                "braked_s": week.braked_s,
            }
        )
        console.print(
            f"{number} agents, {rate:.0%} answered, {mode}: {rows[-1]['occupancy']:.1%} occupied,"
            f" {rows[-1]['abandoned']:.2%} abandoned ({time.monotonic() - began:.1f} s)"
        )
    return rows


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows for people, each mode beside progressive."""
    shown = Table("agents", "answered", "mode", "occupancy", "abandoned", "attempts/h", "talks/agent h", "against progressive", title="a simulated week")  # fmt: skip
    base = {(row["agents"], row["answer_rate"]): row for row in rows if row["mode"] == "progressive"}
    for row in rows:
        than = base[row["agents"], row["answer_rate"]]["conversations_per_agent_hour"]
        shown.add_row(
            str(row["agents"]),
            f"{row['answer_rate']:.0%}",
            row["mode"],
            f"{row['occupancy']:.1%}",
            f"{row['abandoned']:.2%}",
            f"{row['attempts_per_hour']:.0f}",
            f"{row['conversations_per_agent_hour']:.1f}",
            f"{row['conversations_per_agent_hour'] / than:.2f} ×",
        )
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """The bench."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    parser.add_argument("--agents", type=int, nargs="+", default=AGENTS)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--real", action="store_true", help="real calls on a real Asterisk instead")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the real calls")
    parser.add_argument("--lines", type=int, default=3, help="conversations with the AI at once, of the real calls")
    parser.add_argument("--mode", choices=MODES[1:], default="progressive", help="of the real calls")
    asked = parser.parse_args(arguments)
    console = Console()
    if asked.real:
        return _real(asked, console)
    rows = simulated(asked.agents, asked.rates, asked.seed, console)
    console.print(table(rows))
    _write(asked.out, {"environment": environment(), "seed": asked.seed, "limit": LIMIT, "weeks": rows})
    worst = max(row["abandoned"] for row in rows)
    console.print(f"at most {worst:.2%} abandoned in any week")
    return 0 if worst <= LIMIT else 1


def _real(asked: argparse.Namespace, console: Console) -> int:
    # Asterisk and speech are for those who ask for calls.
    from bench.dialler_calls import measured  # noqa: PLC0415

    folder = ROOT / "var/bench/dialler"
    found = asyncio.run(measured(folder, asked.minutes, asked.lines, asked.mode, asked.seed, console))
    _write(asked.out, found)
    console.print_json(data=found)
    wrong = len(found["wrong_dispositions"]) + found["calls_without_an_attempt"] + found["attempts_without_a_call"]
    return 1 if wrong or found["begun_after_pause"] or found["abandoned"] > LIMIT else 0


def _write(out: Path | None, found: dict[str, Any]) -> None:
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
