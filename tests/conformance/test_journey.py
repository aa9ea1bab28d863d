"""The journey's conformance suite, on the one in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccaas.journey.postgres import PostgresDatabase
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import Journey
from ccaas.testing.conformance.journey import JourneyConformance
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.postgres import RunningPostgres


class TestFakeJourney(JourneyConformance):
    @pytest.fixture
    def journey(self) -> Journey:
        return FakeJourney()


class TestSqlite(JourneyConformance):
    @pytest.fixture
    async def journey(self, tmp_path: Path) -> AsyncIterator[Journey]:
        store = StoredJourney(await SqliteDatabase.open(tmp_path / "journey.sqlite"), tmp_path)
        yield store
        await store.close()


class TestPostgres(JourneyConformance):
    _numbers = itertools.count()

    @pytest.fixture
    async def journey(self, postgres: RunningPostgres, tmp_path: Path) -> AsyncIterator[Journey]:
        url = await postgres.database(f"conformance{next(self._numbers)}")
        store = StoredJourney(await PostgresDatabase.open(url, postgres.password), tmp_path)
        yield store
        await store.close()
