"""What the journey has acknowledged outlives kill -9: of the process that writes, and of PostgreSQL itself."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from storming_journey import site_of

from ccaas.journey import opening
from ccaas.journey.opening import ControllersJourney, open_journey
from ccaas.journey.settings import PASSWORD_ENV, JourneySettings
from ccaas.ports.journey import Fact, FactKind, Identity, IdentityKind, Journey
from ccaas.testing.postgres import RunningPostgres

CHILD = Path(__file__).with_name("storming_journey.py")
ENOUGH = 2_000
"""Facts that are told before the child is killed."""

_numbers = itertools.count()


async def database(postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(PASSWORD_ENV, postgres.password)
    return await postgres.database(f"killed{next(_numbers)}")


async def storm(store: str, folder: Path, then: object = None) -> set[str]:
    """Ids that a child has told before it, and before that perhaps its server, was killed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        store,
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert child.stdout is not None
    told: set[str] = set()
    async with asyncio.timeout(120):
        while len(told) < ENOUGH:
            line = await child.stdout.readline()
            assert line, "the child died by itself"
            told.add(line.decode().strip())
    if callable(then):
        await asyncio.to_thread(then)
    if child.returncode is None:
        child.kill()
    told |= {line for line in (await child.stdout.read()).decode().split("\n")[:-1] if line}
    await child.wait()
    return told


async def stored(journey: Journey) -> tuple[set[str], list[str]]:
    """Ids of all facts of the seven customers, and what their briefs are wrong about."""
    found: set[str] = set()
    wrong = []
    for number in range(7):
        facts = await journey.timeline(f"customer-{number}", 10**9)
        context = await journey.context(f"customer-{number}")
        assert context is not None
        found |= {fact.id for fact in facts}
        contacts = [fact.at for fact in facts if fact.kind is FactKind.CONTACTED]
        promised = {fact.id for fact in facts if fact.kind is FactKind.PROMISED}
        if context.last_contact_at != max(contacts) or {promise.id for promise in context.promises} != promised:
            wrong.append(context.profile.id)
    return found, wrong


async def test_sqlite_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    told = await storm("journey.sqlite", tmp_path)
    journey = await open_journey(JourneySettings(), site_of(tmp_path))
    found, wrong = await stored(journey)
    assert (told - found, wrong) == (set(), [])
    await journey.close()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("server_too", [False, True], ids=["the writer is killed", "the server is killed"])
async def test_postgresql_loses_nothing_that_was_acknowledged(
    tmp_path: Path, postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch, *, server_too: bool
) -> None:
    store = await database(postgres, monkeypatch)
    told = await storm(store, tmp_path, postgres.kill if server_too else None)
    if server_too:
        postgres.start()
    journey = await open_journey(JourneySettings(store=store), site_of(tmp_path))
    found, wrong = await stored(journey)
    assert (told - found, wrong) == (set(), [])
    await journey.close()


async def test_calls_get_their_journey_back_when_the_server_returns(
    tmp_path: Path, postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "RETRY_S", 0.05)
    store = await database(postgres, monkeypatch)
    phone = Identity(IdentityKind.PHONE, "+16145550109")
    postgres.kill()
    journey = ControllersJourney(JourneySettings(store=store), site_of(tmp_path))
    await journey.start()
    with pytest.raises(opening.JourneyError, match="PostgreSQL cannot be reached"):
        await journey.find(phone)
    postgres.start()
    customer = await again(lambda: journey.recognise(phone))
    # And once more, with connections that were good before.
    postgres.kill()
    postgres.start()
    await again(lambda: journey.append(Fact("f", customer, 1.0, FactKind.SAID, "sms", "", "customer")))
    assert [fact.id for fact in await again(lambda: journey.timeline(customer))] == ["f"]
    await journey.close()


async def again(ask):
    """What is answered in the end."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ask()
            except opening.JourneyError:
                await asyncio.sleep(0.02)


async def test_an_import_that_was_killed_is_made_again_without_doubles(tmp_path: Path) -> None:
    count = 20_000
    customers = tmp_path / "customers.csv"
    lines = [f"+1614{5_550_000 + number},p{number}@example.com,Person {number}" for number in range(count)]
    customers.write_text("\n".join(["phone,email,first_name", *lines]))
    yaml = tmp_path / "ccaas.yaml"
    yaml.write_text(
        "name: A\ntimezone: UTC\nstate: .\nplugins: []\nreasoners: {a: {use: b}}\n"
        "entries: {a: {numbers: ['*'], reasoner: a}}\n"
        "speech: {recognizer: {use: a}, voice: {use: a}, turn: {use: a}, synthesizer: {use: a}}\n"
    )
    command = [sys.executable, "-m", "ccaas.cli", "journey", "import", str(customers), str(yaml)]
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(120):
        while imported(tmp_path) < 1_000:
            await asyncio.sleep(0.01)
    child.kill()
    assert await child.wait() == -9, "it was through already: too quick to be killed in the middle"
    assert 1_000 <= imported(tmp_path) < count
    assert halves(tmp_path) == 0
    for _ in range(2):
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
        assert (child.returncode, out.decode()) == (0, f"customers imported: {count}\n")
        assert (imported(tmp_path), halves(tmp_path)) == (count, 0)


def imported(folder: Path) -> int:
    return ask(folder, "SELECT count(*) FROM customers")


def halves(folder: Path) -> int:
    """Customers who do not have both their identities."""
    return ask(
        folder,
        "SELECT count(*) FROM customers c WHERE (SELECT count(*) FROM identities i WHERE i.customer_id = c.id) <> 2",
    )


def ask(folder: Path, query: str) -> int:
    file = folder / "journey.sqlite"
    if not file.exists() or file.stat().st_size == 0:
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        try:
            (number,) = db.execute(query).fetchone()
        except sqlite3.OperationalError:  # its tables are being made
            return 0
    return int(number)
