"""The 50 published tasks of the airline, replayed through the gate and the tools: the database ends as it should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ccaas_airline.build import build
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump

from bench.gold import DATA, Json, Replayed, desk_at, published, replay_all

AGAINST_POLICY = {"7", "9", "29", "37"}
"""Tasks whose published solution breaks the published policy: an upgrade followed by a cancellation that the new cabin
does not allow (7), the cancellation of a trip that has landed (9 and 37), a change of destination (29)."""


@pytest.fixture(scope="module")
def airline() -> Json:
    if not (DATA / "db.json").is_file():
        pytest.fail(f"{DATA} is missing: run `make setup`")
    found: Json = published("db.json")
    return found


@pytest.fixture(scope="module")
def tasks() -> list[Json]:
    found: list[Json] = published("tasks.json")
    return found


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("airline") / "airline.db"
    build(DATA, path)
    return path


@pytest.fixture
async def desk(database: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = await desk_at(database, tmp_path)
    yield desk
    await desk.store.close()


async def test_the_database_holds_the_published_data(desk: Desk, airline: Json) -> None:
    assert await desk.store.read(dump) == airline


async def test_every_gold_action_reaches_the_reference_state(
    database: Path, tmp_path: Path, airline: Json, tasks: list[Json]
) -> None:
    found = await replay_all(database, tmp_path, airline, tasks, "left_to_agent")
    assert found == Replayed(actions=148, tasks=50, reached=50, floor=20, refused={})


async def test_enforced_policy_refuses_only_the_solutions_that_break_it(
    database: Path, tmp_path: Path, airline: Json, tasks: list[Json]
) -> None:
    found = await replay_all(database, tmp_path, airline, tasks, "enforced")
    assert found.refused == {name: ["not_allowed"] for name in AGAINST_POLICY}
