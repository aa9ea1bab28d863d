"""The 50 published tasks of the airline, replayed through the gate and the tools.

Each task's published actions run on a copy of the database; it must end in the state that an independent reimplementation of
the published tools reaches. Beside it stands the floor: the tasks at whose end nothing has changed, which an agent that does
nothing would pass too.
"""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccaas_airline.build import build
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.errors import ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.site import Site
from ccaas.ports.tools import Caps, Effect, Party, Phase
from tests.app.airline_reference import apply, normal

MODELS = Path(__file__).parents[1] / ".cache" / "models"
DATA = MODELS / "tau2-airline"
Json = dict[str, Any]


class NoAudit:
    """Keeps nothing."""

    async def store(self, run: ToolRun) -> None: ...

    def note(self, run: ToolRun) -> None: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of all tasks."""

    actions: int
    tasks: int
    reached: int
    """Tasks that ended in the reference's state."""
    floor: int
    """Tasks at whose end nothing has changed."""
    refused: dict[str, list[str]]
    """Codes of refused actions, by task."""


def actions_of(task: Json) -> list[Json]:
    """The published solution."""
    return task["evaluation_criteria"].get("actions") or []


def reference(airline: Json, task: Json) -> Json:
    """The state after the published solution, by the reference."""
    state = _copy(airline, actions_of(task))
    for action in actions_of(task):
        apply(state, action["name"], copy.deepcopy(action["arguments"]))
    return state


async def desk_at(database: Path, folder: Path, policy: str = "enforced") -> Desk:
    """A desk over a copy of the database."""
    folder.mkdir(exist_ok=True)
    shutil.copy(database, folder / "airline.db")
    site = Site(config_dir=folder, state_dir=folder, models_dir=MODELS, cache_dir=folder)
    return await open_desk(AirlineSettings.model_validate({"policy": policy}), site)


async def replay(desk: Desk, airline: Json, task: Json) -> list[str]:
    """Run the task's actions; the codes of those that were refused.

    The published tasks begin when the agent has made sure who the customer is, so each one's customer is verified here; what
    only a colleague may do, a colleague does.
    """
    tools = Tools([replace(tool, caps=Caps()) for tool in tools_of(desk)])
    refused = []
    for place, action in enumerate(actions_of(task)):
        box = CallTools(
            tools,
            Limits(Phase.PROACTIVE),
            NoAudit(),
            call_id=f"task-{task['id']}",
            customer_id=_owner(airline, action["arguments"]),
            now=lambda: datetime(2024, 5, 15, 20, tzinfo=UTC),
            assurance=Assurance.VERIFIED,
            actor="butler" if Party.BUTLER in tools[action["name"]].callers else "human:gold",
        )
        turn = f"turn-{place}"
        try:
            if tools[action["name"]].effect is Effect.READ:
                await box.read(action["name"], action["arguments"], turn)
            else:
                await box.write(action["name"], action["arguments"], turn, confirmed_by=turn)
        except ToolError as error:
            refused.append(error.code)
    return refused


async def replay_all(database: Path, folder: Path, airline: Json, tasks: Sequence[Json], policy: str) -> Replayed:
    """All tasks, each on its own copy of `database` below `folder`."""
    actions = reached = floor = 0
    refused: dict[str, list[str]] = {}
    for task in tasks:
        wanted = reference(airline, task)
        desk = await desk_at(database, folder / task["id"], policy)
        if codes := await replay(desk, airline, task):
            refused[task["id"]] = codes
        state = await desk.store.read(dump)
        await desk.store.close()
        actions += len(actions_of(task))
        reached += state == wanted
        floor += wanted == airline
    return Replayed(actions, len(tasks), reached, floor, refused)


def published(name: str) -> Any:
    """The content of a published file. Raises FileNotFoundError where the set-up has not run."""
    content = json.loads((DATA / name).read_text())
    return normal(content) if name == "db.json" else content


def run() -> Replayed:
    """Replay everything, with the written policy left to the published solutions."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "airline.db"
        build(DATA, database)
        airline, tasks = published("db.json"), published("tasks.json")
        return asyncio.run(replay_all(database, Path(folder), airline, tasks, "left_to_agent"))


def _copy(airline: Json, actions: Sequence[Json]) -> Json:
    """A copy that the actions can change: deep only where they do, since the whole takes half a second."""
    state = {kind: dict(items) for kind, items in airline.items()}
    for action in actions:
        arguments = action["arguments"]
        owner = _owner(airline, arguments)
        touched = [("reservations", arguments.get("reservation_id")), ("users", owner)]
        touched += [("flights", flight["flight_number"]) for flight in arguments.get("flights", ())]
        for kind, name in touched:
            if name in airline[kind]:
                state[kind][name] = copy.deepcopy(airline[kind][name])
    return state


def _owner(airline: Json, arguments: Json) -> str:
    booking = airline["reservations"].get(arguments.get("reservation_id"))
    owner: str = arguments.get("user_id") or (booking["user_id"] if booking else "")
    return owner
