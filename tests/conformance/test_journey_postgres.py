"""The journey's PostgreSQL beyond the suite: its schema goes forward, and several machines share it."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from ccaas.errors import JourneyError
from ccaas.journey import schema
from ccaas.journey.opening import open_journey
from ccaas.journey.postgres import PostgresDatabase
from ccaas.journey.settings import PASSWORD_ENV, JourneySettings
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import Fact, FactKind, Identity, IdentityKind, Profile
from ccaas.ports.site import Site
from ccaas.testing.postgres import RunningPostgres

PHONE = Identity(IdentityKind.PHONE, "+16145550109")
_numbers = itertools.count()


@pytest.fixture
async def url(postgres: RunningPostgres) -> str:
    return await postgres.database(f"postgres{next(_numbers)}")


@pytest.fixture
async def nodes(postgres: RunningPostgres, url: str, tmp_path: Path) -> AsyncIterator[list[StoredJourney]]:
    """Three machines on one database; they open it at the same time."""
    opened = await asyncio.gather(*(PostgresDatabase.open(url, postgres.password) for _ in range(3)))
    stores = [StoredJourney(database, tmp_path) for database in opened]
    yield stores
    for store in stores:
        await store.close()


def fact(id_: str, customer: str, kind: FactKind = FactKind.SAID, at: float = 1.0) -> Fact:
    return Fact(id_, customer, at, kind, "sms", "hello", "customer")


async def test_a_database_of_the_first_schema_opens(
    postgres: RunningPostgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its first version wrote it, with rows; a later version adds a column."""
    connection = await asyncpg.connect(url, password=postgres.password, server_settings={"search_path": "journey"})
    await connection.execute(
        f"CREATE SCHEMA journey; {schema.for_postgres()[0]};"
        "CREATE TABLE migrations (version BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL);"
        "INSERT INTO migrations VALUES (1, 0);"
        """INSERT INTO customers VALUES ('c-1', '', 'c-1', '{"id":"c-1"}', '{"profile":{"id":"c-1"},"last_channel":"sms"}');"""
        "INSERT INTO identities VALUES ('phone', '+16145550109', 'c-1');"
        "INSERT INTO facts VALUES (7, 'f', 'c-1', 1.5, 'said', 'sms', 'hi', 'customer', '', '', '', '', '', '', '')"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE audit ADD COLUMN ticket TEXT"))
    journey = StoredJourney(await PostgresDatabase.open(url, postgres.password), tmp_path)
    assert await journey.find(PHONE) == "c-1"
    assert [one.text for one in await journey.timeline("c-1")] == ["hi"]
    await journey.close()
    versions = await connection.fetch("SELECT version FROM migrations ORDER BY version")
    assert [row[0] for row in versions] == [1, len(schema.MIGRATIONS)]
    await connection.execute("INSERT INTO migrations VALUES (99, 0)")
    await connection.close()
    with pytest.raises(JourneyError, match=r"written by a newer version \(schema 99.*install that version again"):
        await PostgresDatabase.open(url, postgres.password)


async def test_machines_that_meet_one_caller_at_once_make_one_customer(nodes: list[StoredJourney]) -> None:
    for number in range(30):
        identity = Identity(IdentityKind.PHONE, f"+1614555{number:04}")
        found = await asyncio.gather(*(node.recognise(identity) for node in nodes for _ in range(3)))
        assert len(set(found)) == 1


async def test_briefs_are_right_whoever_writes(nodes: list[StoredJourney]) -> None:
    """Promises made and kept on three machines, while customers are merged and come apart."""
    customers = [await nodes[0].recognise(Identity(IdentityKind.CHAT, f"s-{number}")) for number in range(4)]

    async def promise(node: int) -> None:
        for count in range(40):
            id_ = f"{node}-{count}"
            await nodes[node].append(*(fact(f"{id_}-{c}", c, FactKind.PROMISED, float(count)) for c in customers))
            if count % 2:
                deeds = [
                    Fact(f"{id_}-{c}-d", c, 9.0, FactKind.DONE, "", "", "agent", data={"promise": f"{id_}-{c}"})
                    for c in reversed(customers)
                ]
                await nodes[node].append(*deeds)

    async def move() -> None:
        for _ in range(15):
            await nodes[0].merge(customers[0], customers[1], "one")
            await nodes[1].merge(customers[2], customers[0], "one")
            await nodes[2].unmerge(customers[0], "two")
            await nodes[0].unmerge(customers[1], "two")

    await asyncio.gather(*(promise(node) for node in range(3)), move())
    owed = 0
    for customer in customers:
        context = await nodes[1].context(customer)
        assert context is not None
        facts = await nodes[2].timeline(customer, 10**9)
        kept = {one.data.get("promise") for one in facts} | {
            one.data.get("promise") for other in customers for one in await nodes[0].timeline(other, 10**9)
        }
        expected = {one.id for one in facts if one.kind is FactKind.PROMISED} - kept
        assert {one.id for one in context.promises} == expected
        owed += len(expected)
    assert owed == 3 * 20 * 4


async def test_who_is_forgotten_on_one_machine_cannot_be_written_to_by_another(nodes: list[StoredJourney]) -> None:
    customer = await nodes[0].recognise(PHONE)
    writes = [asyncio.create_task(nodes[1].append(fact(f"f{number}", customer))) for number in range(50)]
    await nodes[0].forget(customer, "asked")
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), JourneyError}
    with pytest.raises(JourneyError, match="no customer"):
        await nodes[2].append(fact("late", customer))


async def test_no_row_of_who_is_forgotten_is_left(
    nodes: list[StoredJourney], postgres: RunningPostgres, url: str
) -> None:
    customer = await nodes[0].register(Profile("", "Quintessa"), [PHONE])
    await nodes[0].append(*(fact(f"f{number}", customer) for number in range(100)))
    await nodes[0].forget(customer, "Quintessa asked")
    connection = await asyncpg.connect(url, password=postgres.password)
    tables = [row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'journey'")]
    assert len(tables) == 9
    for table in tables:
        rows = str(await connection.fetch(f"SELECT * FROM journey.{table}"))
        assert [word for word in ("Quintessa", PHONE.value, customer) if word in rows] == [], table
    dead = "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE relname = 'facts'"
    async with asyncio.timeout(20):
        while await connection.fetchval(dead):
            await asyncio.sleep(0.05)
    await connection.close()


@pytest.mark.parametrize(
    ("password", "name", "problem"),
    [
        ("hunter2-wrong", "", "PostgreSQL refuses the user or the password"),
        (None, "no_such_database", "there is no such database; make it with createdb"),
    ],
)
async def test_a_server_that_refuses_is_one_sentence_without_the_password(
    postgres: RunningPostgres, url: str, caplog: pytest.LogCaptureFixture, password: str | None, name: str, problem: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(JourneyError, match=problem) as refused:
        await PostgresDatabase.open(postgres.url(name) if name else url, password or postgres.password)
    for secret in ("hunter2", postgres.password):
        assert secret not in f"{refused.value} {caplog.text}"


async def test_a_user_who_may_not_make_the_schema_is_told_so(postgres: RunningPostgres, url: str) -> None:
    connection = await asyncpg.connect(url, password=postgres.password)
    await connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    weak = url.replace("postgres@", "weak@")
    with pytest.raises(JourneyError, match="let them create the schema journey"):
        await PostgresDatabase.open(weak, "weak")
    await connection.execute("CREATE SCHEMA journey AUTHORIZATION weak")
    await connection.close()
    await (await PostgresDatabase.open(weak, "weak")).close()


async def test_the_password_comes_from_the_environment_or_a_file(
    postgres: RunningPostgres, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(config_dir=tmp_path, state_dir=tmp_path, models_dir=tmp_path, cache_dir=tmp_path)
    monkeypatch.setenv(PASSWORD_ENV, postgres.password)
    await (await open_journey(JourneySettings(store=url), site)).close()
    monkeypatch.delenv(PASSWORD_ENV)
    (tmp_path / "secret").write_text(f"{postgres.password}\n")
    await (await open_journey(JourneySettings(store=url, password_file=Path("secret")), site)).close()
