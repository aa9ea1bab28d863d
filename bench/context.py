"""`make bench-context [OUT=file.json] [ARGS=…]`: how fast the one brain answers and remembers.

100,000 customers with 5 million facts are made once for each store, into var/bench/context (5 GB in all; minutes), and
used again. Then twenty writers append for a while, each waiting for its fact to be on the disk before the next:

- as fast as they can: `append_per_s` facts a second, one fact an append;
- 5,000 facts a second in all: meanwhile `context` is asked for random customers, one after the other, every 2 ms.

Everything is in one process and one event loop, as in the controller. What `context` takes while the writers are as
fast as they can is under `flat_out`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.journey_world import World, load_postgres, load_sqlite
from bench.system import ROOT, environment
from ccaas.errors import JourneyError, SetupError
from ccaas.journey.database import Database
from ccaas.journey.postgres import PostgresDatabase
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import Fact, FactKind, Journey
from ccaas.testing.postgres import RunningPostgres

STORES = ("sqlite", "postgresql")
WRITERS = 20
LOAD = 5_000
"""Facts a second while contexts are measured."""
ASK_S = 0.002
WARM_S = 3.0
POSTGRES = ("shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min")
READY = "ready.json"


@dataclass(slots=True)
class Measured:
    """What one phase has shown; milliseconds."""

    seconds: float
    facts: int = 0
    appends_ms: list[float] = field(default_factory=list)
    contexts_ms: list[float] = field(default_factory=list)

    def contexts(self) -> dict[str, float]:
        """p50 and p99."""
        return {f"context_p{p}_ms": round(float(np.percentile(self.contexts_ms, p)), 3) for p in (50, 99)}

    def appends(self) -> dict[str, float]:
        """p50 and p99."""
        return {f"append_p{p}_ms": round(float(np.percentile(self.appends_ms, p)), 2) for p in (50, 99)}


class Bench:
    """One store under writers and a reader."""

    def __init__(self, journey: Journey, world: World, mark: str) -> None:
        """`mark`: makes the new facts' ids their own."""
        self._journey = journey
        self._world = world
        self._mark = mark
        self._phase = 0

    async def run(self, seconds: float, per_s: float | None) -> Measured:
        """Write, at `per_s` facts a second in all or as fast as it goes, and read meanwhile."""
        self._phase += 1
        measured = Measured(seconds)
        until = time.perf_counter() + seconds
        await asyncio.gather(
            *(self._write(number, until, per_s and per_s / WRITERS, measured) for number in range(WRITERS)),
            self._ask(until, measured),
        )
        return measured

    async def _write(self, number: int, until: float, per_s: float | None, measured: Measured) -> None:
        chance = random.Random(number)
        began = time.perf_counter() + chance.random() / (per_s or 1e9)
        count = 0
        while (now := time.perf_counter()) < until:
            if per_s is not None and (wait := began + count / per_s - now) > 0:
                await asyncio.sleep(wait)
            customer = self._world.id(chance.randrange(self._world.customers))
            kind = FactKind.CONTACTED if count % 10 == 0 else FactKind.SAID
            id_ = f"{self._mark}-{self._phase}-{number}-{count}"
            text = "the second one, and could you put my bag on it as well"
            fact = Fact(id_, customer, time.time(), kind, "voice", text, "customer", id_, id_)
            asked = time.perf_counter()
            await self._journey.append(fact)
            measured.appends_ms.append((time.perf_counter() - asked) * 1e3)
            measured.facts += 1
            count += 1

    async def _ask(self, until: float, measured: Measured) -> None:
        chance = random.Random(1)
        while (asked := time.perf_counter()) < until:
            context = await self._journey.context(self._world.id(chance.randrange(self._world.customers)))
            measured.contexts_ms.append((time.perf_counter() - asked) * 1e3)
            assert context is not None
            await asyncio.sleep(ASK_S)


async def measure(database: Database, world: World, folder: Path, seconds: float) -> dict[str, Any]:
    """All figures of one store."""
    journey = StoredJourney(database, folder)
    bench = Bench(journey, world, f"bench{time.time_ns()}")
    gc.collect()
    gc.freeze()
    await bench.run(WARM_S, None)
    flat_out = await bench.run(seconds, None)
    await bench.run(WARM_S, LOAD)
    steady = await bench.run(seconds, LOAD)
    gc.unfreeze()
    return {
        **steady.contexts(),
        "append_per_s": round(flat_out.facts / seconds),
        "load": {"facts_per_s": round(steady.facts / seconds), **steady.appends(), "contexts": len(steady.contexts_ms)},
        "flat_out": {**flat_out.contexts(), **flat_out.appends(), "contexts": len(flat_out.contexts_ms)},
    }


@asynccontextmanager
async def sqlite_store(world: World, folder: Path, console: Console) -> AsyncIterator[Database]:
    """The file, made when it is not there."""
    file = folder / "journey.sqlite"
    if _is_new(world, folder):
        with _progress(console, "sqlite", world) as progress:
            await load_sqlite(world, file, lambda more: progress.advance(progress.task_ids[0], more))
        _done(world, folder)
    database = await SqliteDatabase.open(file)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def postgres_store(world: World, folder: Path, console: Console) -> AsyncIterator[Database]:
    """A private server and its database, made when it is not there."""
    new = _is_new(world, folder)
    with RunningPostgres(folder / "server", POSTGRES) as server:
        if new:
            url = await server.database("bench")
            with _progress(console, "postgresql", world) as progress:
                await load_postgres(
                    world, url, server.password, lambda more: progress.advance(progress.task_ids[0], more)
                )
            _done(world, folder)
        database = await PostgresDatabase.open(server.url("bench"), server.password)
        try:
            yield database
        finally:
            await database.close()


def _is_new(world: World, folder: Path) -> bool:
    try:
        there = json.loads((folder / READY).read_text())
    except (FileNotFoundError, ValueError):
        there = None
    if there == [world.customers, world.facts]:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return True


def _done(world: World, folder: Path) -> None:
    (folder / READY).write_text(json.dumps([world.customers, world.facts]))


def _progress(console: Console, name: str, world: World) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console)
    progress.add_task(f"{name}: making {world.facts:,} facts", total=world.rows)
    return progress


async def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """The report."""
    world = World(options.customers, options.facts)
    found: dict[str, Any] = {"environment": environment(), "customers": world.customers, "facts": world.facts}
    found |= {"writers": WRITERS, "seconds": options.seconds}
    for store in STORES:
        if store in options.stores.split(","):
            folder = options.folder.absolute() / f"{store}-{world.customers}"
            opened = sqlite_store if store == "sqlite" else postgres_store
            async with opened(world, folder, console) as database:
                if not options.make:
                    found[store] = await measure(database, world, folder, options.seconds)
    found["environment"] = environment()
    return found


def table(found: dict[str, Any]) -> Table:
    """The report for people."""
    shown = Table(title=f"{found['customers']:,} customers, {found['facts']:,} facts, {WRITERS} writers")
    for name in ("store", "context p50", "p99 (ms)", "appends/s", "flat out: p50", "p99 (ms)"):
        shown.add_column(name, justify="left" if name == "store" else "right")
    for store in STORES:
        if row := found.get(store):
            busy = row["flat_out"]
            figures = (row["context_p50_ms"], row["context_p99_ms"], row["append_per_s"])
            shown.add_row(store, *map(str, figures), str(busy["context_p50_ms"]), str(busy["context_p99_ms"]))
    return shown


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.context", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var/bench/context.json", help="where the report goes")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--facts", type=int, default=None, help="in all (default: 50 a customer)")
    parser.add_argument("--stores", default=",".join(STORES), help="which ones, separated by commas")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each phase takes")
    parser.add_argument("--folder", type=Path, default=ROOT / "var/bench/context", help="where the stores are kept")
    parser.add_argument("--make", action="store_true", help="only make the stores, and measure nothing")
    options = parser.parse_args(arguments)
    options.facts = options.facts or 50 * options.customers
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when there is a report, 2 when a store cannot be used."""
    options = _options(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=120)
    try:
        found = uvloop.run(run(options, console))
    except (OSError, SetupError, JourneyError) as error:
        console.print(str(error), style="red", highlight=False)
        return 2
    if not options.make:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=1) + "\n")
        console.print(table(found))
        console.print(f"report: {options.out}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
