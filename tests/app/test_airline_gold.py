"""The 50 published tasks of the airline, replayed through the gate and the tools: the database ends as it should."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airline_reference import apply, normal
from ccaas_airline.build import build
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.errors import ToolError
from ccaas.ports.site import Site
from ccaas.ports.tools import Effect, Phase

MODELS = Path(__file__).parents[2] / ".cache" / "models"
DATA = MODELS / "tau2-airline"
Json = dict[str, Any]

AGAINST_POLICY = {"7", "9", "29", "37"}
"""Tasks whose published solution breaks the published policy: an upgrade followed by a cancellation that the new cabin
does not allow (7), the cancellation of a trip that has landed (9 and 37), a change of destination (29)."""


class NoAudit:
    async def store(self, run: ToolRun) -> None: ...

    def note(self, run: ToolRun) -> None: ...


@pytest.fixture(scope="module")
def airline() -> Json:
    return normal(json.loads(_data("db.json")))


@pytest.fixture(scope="module")
def tasks() -> list[Json]:
    found: list[Json] = json.loads(_data("tasks.json"))
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("airline") / "airline.db"
    build(DATA, path)
    return path


@pytest.fixture
async def desk(database: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = await _desk(database, tmp_path)
    yield desk
    await desk.store.close()


async def test_the_database_holds_the_published_data(desk: Desk, airline: Json) -> None:
    assert await desk.store.read(dump) == airline


async def test_every_gold_action_reaches_the_reference_state(
    database: Path, tmp_path: Path, airline: Json, tasks: list[Json]
) -> None:
    actions = reached = unchanged = 0
    for task in tasks:
        reference = _reference(airline, task)
        desk = await _desk(database, tmp_path / task["id"], "left_to_agent")
        refused = await _replay(desk, airline, task)
        state = await desk.store.read(dump)
        await desk.store.close()
        actions += len(_actions(task))
        reached += state == reference
        unchanged += reference == airline
        assert not refused, task["id"]
    assert (actions, reached, len(tasks), unchanged) == (148, 50, 50, 20)


async def test_enforced_policy_refuses_only_the_solutions_that_break_it(
    database: Path, tmp_path: Path, airline: Json, tasks: list[Json]
) -> None:
    refusals: dict[str, list[str]] = {}
    for task in tasks:
        desk = await _desk(database, tmp_path / task["id"], "enforced")
        if refused := await _replay(desk, airline, task):
            refusals[task["id"]] = refused
        await desk.store.close()
    assert refusals == {name: ["not_allowed"] for name in AGAINST_POLICY}


def _data(name: str) -> str:
    path = DATA / name
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make setup`")
    return path.read_text()


def _actions(task: Json) -> list[Json]:
    return task["evaluation_criteria"].get("actions") or []


def _copy(airline: Json, actions: list[Json]) -> Json:
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


def _reference(airline: Json, task: Json) -> Json:
    state = _copy(airline, _actions(task))
    for action in _actions(task):
        apply(state, action["name"], copy.deepcopy(action["arguments"]))
    return state


async def _desk(database: Path, folder: Path, policy: str = "enforced") -> Desk:
    folder.mkdir(exist_ok=True)
    shutil.copy(database, folder / "airline.db")
    site = Site(config_dir=folder, state_dir=folder, models_dir=MODELS, cache_dir=folder)
    return await open_desk(AirlineSettings.model_validate({"policy": policy}), site)


async def _replay(desk: Desk, airline: Json, task: Json) -> list[str]:
    """Run the task's actions; the codes of those that were refused."""
    tools = Tools(tools_of(desk))
    refused = []
    for place, action in enumerate(_actions(task)):
        box = CallTools(
            tools,
            Limits(Phase.PROACTIVE),
            NoAudit(),
            call_id=f"task-{task['id']}",
            customer_id=_owner(airline, action["arguments"]),
            now=lambda: datetime(2024, 5, 15, 20, tzinfo=UTC),
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


def _owner(airline: Json, arguments: Json) -> str:
    booking = airline["reservations"].get(arguments.get("reservation_id"))
    owner: str = arguments.get("user_id") or (booking["user_id"] if booking else "")
    return owner
