"""Plays with their workflows in PostgreSQL: the tests of those in SQLite, and what only a server can do."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import pytest

from ccaas.errors import SetupError
from ccaas.outreach.play_settings import PASSWORD_ENV
from ccaas.testing.postgres import RunningPostgres

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

import outreach_world
from outreach_world import Record, World
from test_outreach_plays import *  # noqa: F403
from test_outreach_steps import (  # noqa: F401
    at_once,
    test_a_wait_that_could_not_be_ended_is_ended_later,
    test_an_answer_that_could_not_be_settled_is_settled_when_it_is_given_again,
)

_numbers = itertools.count()


@pytest.fixture(autouse=True)
async def url(postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database for each test, and all worlds in it."""
    made = await postgres.database(f"plays{next(_numbers)}")
    monkeypatch.setattr(outreach_world, "EVERYWHERE", {"store": made})
    monkeypatch.setenv(PASSWORD_ENV, postgres.password)
    return made


async def test_two_machines_with_one_database_begin_an_event_once_and_each_goes_on_with_its_own(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    async with World(first, Record({"ann": "gold"})) as world:
        await world.happens("e-1")
        assert len(world.reach.sent) == 1
    async with World(second, Record({"bob": "gold"})) as world:
        await world.happens("e-1")
        assert world.reach.sent == [], "the other machine has done it"
        await world.happens("e-2")
        assert [one.customer_id for one in world.reach.sent] == ["bob"]


async def test_a_database_that_cannot_be_opened_is_told_at_the_start_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: RunningPostgres
) -> None:
    monkeypatch.setenv(PASSWORD_ENV, "not-the-password")
    with pytest.raises(SetupError, match=r"proactive\.store: postgresql://.* cannot be opened") as raised:
        async with World(tmp_path, Record({})):
            pass
    assert "not-the-password" not in str(raised.value)
    monkeypatch.setenv(PASSWORD_ENV, postgres.password)
    async with World(tmp_path, Record({"ann": "gold"})) as world:
        await world.happens("e-1")
        assert len(world.reach.sent) == 1, "a start that failed leaves nothing behind"


async def test_a_database_that_dies_is_waited_for(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with RunningPostgres(tmp_path_factory.mktemp("own")) as server:
        store = await server.database("plays")
        (tmp_path / "password").write_text(server.password)
        settings = {"store": store, "password_file": "password"}
        outreach_world.EVERYWHERE.clear()
        async with World(tmp_path, Record({"ann": "gold"}), **settings) as world:
            server.kill()
            body = b'{"id": "e-1", "type": "flight.cancelled", "data": {"flight": "HAT170"}}'
            assert await world.book.take(body, "test") == ("e-1", True), "an event is taken all the same"
            server.start()
            async with asyncio.timeout(150):  # the library tries again at growing intervals, of a minute at most
                await world.durable.idle()
            assert len(world.reach.sent) == 1
