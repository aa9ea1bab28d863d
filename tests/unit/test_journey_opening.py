"""The journey of a controller: opened when it can be, swept daily, and its settings."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from pydantic import ValidationError

from ccaas.errors import JourneyError
from ccaas.journey import opening
from ccaas.journey.opening import ControllersJourney
from ccaas.journey.settings import JourneySettings
from ccaas.ports.journey import Fact, FactKind, Identity, IdentityKind, Profile
from ccaas.ports.site import Site
from ccaas.testing.asterisk import free_port

PHONE = Identity(IdentityKind.PHONE, "+16145550109")


def site_of(folder: Path) -> Site:
    return Site(config_dir=folder, state_dir=folder / "state", models_dir=folder, cache_dir=folder)


async def until(journey: ControllersJourney) -> str:
    """Wait until the store is there."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await journey.recognise(PHONE)
            except JourneyError:
                await asyncio.sleep(0.01)


async def test_it_is_open_after_the_start(tmp_path: Path) -> None:
    journey = ControllersJourney(JourneySettings(), site_of(tmp_path))
    with pytest.raises(JourneyError, match="is being opened"):
        await journey.recognise(PHONE)
    await journey.start()
    customer = await journey.recognise(PHONE)
    assert await journey.find(PHONE) == customer
    assert (tmp_path / "state/journey.sqlite").exists()
    await journey.close()
    await journey.close()


async def test_a_store_that_is_down_is_one_line_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "RETRY_S", 0.01)
    (tmp_path / "state").write_text("a file where a folder should be")
    with structlog.testing.capture_logs() as lines:
        journey = ControllersJourney(JourneySettings(), site_of(tmp_path))
        await journey.start()
        with pytest.raises(JourneyError, match=r"journey\.sqlite"):
            await journey.context("c-1")
        with pytest.raises(JourneyError, match=r"journey\.sqlite"):
            await journey.append(Fact("f", "c-1", 1.0, FactKind.SAID, "voice", "", "customer"))
        await asyncio.sleep(0.05)
        (tmp_path / "state").unlink()
        await until(journey)
    assert [line["event"] for line in lines] == ["calls go on without the journey", "journey open"]
    await journey.close()


async def test_a_server_that_is_not_there_does_not_hold_up_the_start_nor_show_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCAAS_JOURNEY_PASSWORD", "hunter2-secret")
    url = f"postgresql://ccaas@127.0.0.1:{free_port()}/ccaas"
    journey = ControllersJourney(JourneySettings(store=url), site_of(tmp_path))
    with structlog.testing.capture_logs() as lines:
        await journey.start()
    with pytest.raises(JourneyError, match="PostgreSQL cannot be reached") as down:
        await journey.find(PHONE)
    assert len(lines) == 1
    assert "hunter2" not in f"{lines} {down.value}"
    await journey.close()


async def test_a_password_file_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    settings = JourneySettings(store="postgresql://ccaas@127.0.0.1/ccaas", password_file=Path("none"))
    with pytest.raises(JourneyError, match=r"journey\.password_file cannot be read"):
        await opening.open_journey(settings, site_of(tmp_path))


async def test_what_is_old_is_swept(tmp_path: Path) -> None:
    journey = ControllersJourney(JourneySettings(), site_of(tmp_path))
    await journey.start()
    await journey.register(Profile("c"))
    day = 86_400.0
    facts = [Fact(f"f{age}", "c", time.time() - age * day, FactKind.SAID, "sms", "", "customer") for age in (40, 20)]
    await journey.append(*facts)
    await journey.close()
    swept = ControllersJourney(JourneySettings(retention_days=30), site_of(tmp_path))
    await swept.start()
    async with asyncio.timeout(20):
        while len(await swept.timeline("c")) != 1 or not await swept.audit():
            await asyncio.sleep(0.01)
    (row,) = await swept.audit()
    assert (row["what"], row["by"], row["facts"]) == ("retain", "retention_days", 1)
    await swept.close()
    with closing(sqlite3.connect(tmp_path / "state/journey.sqlite")) as db:
        assert db.execute("SELECT id FROM facts").fetchall() == [("f20",)]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        (
            {"store": "postgresql://ccaas:hunter2@db/ccaas"},
            "a password does not belong here; set CCAAS_JOURNEY_PASSWORD",
        ),
        ({"store": "postgresql://ccaas@db/ccaas?password=hunter2"}, "a password does not belong here"),
        ({"store": "mysql://db/ccaas"}, "mysql is no database of ours"),
        ({"store": " "}, "the store needs a name"),
        ({"region": "us"}, "there is no region us"),
        ({"retention_days": 0}, "greater than or equal to 1"),
    ],
)
def test_mistakes_in_the_settings(section: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        JourneySettings.model_validate(section)
