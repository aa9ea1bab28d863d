"""The bench of the journey: what it loads in bulk is what the store itself would have written, and its figures add up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import context
from bench.journey_world import World, load_sqlite
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import FactKind, Identity, IdentityKind, ThreadState


async def test_what_is_loaded_in_bulk_is_a_journey(tmp_path: Path) -> None:
    world = World(50, 4_000)
    told: list[int] = []
    await load_sqlite(world, tmp_path / "j.sqlite", told.append)
    assert abs(sum(told) - world.rows) < 10
    journey = StoredJourney(await SqliteDatabase.open(tmp_path / "j.sqlite"), tmp_path)
    facts = 0
    for number in range(50):
        brief = await journey.context(world.id(number))
        assert brief is not None
        timeline = await journey.timeline(world.id(number), 10**6)
        facts += len(timeline)
        contacts = [fact for fact in timeline if fact.kind is FactKind.CONTACTED]
        assert brief.last_contact_at == contacts[-1].at
        assert len([thread for thread in brief.threads if thread.state is ThreadState.OPEN]) == (number % 3 == 0)
        assert brief.last_outcome == "it was changed"
        assert await journey.find(Identity(IdentityKind.PHONE, f"+1{2_000_000_000 + number}")) == world.id(number)
        # A brief that the store makes anew says the same.
        await journey.describe(brief.profile)
        assert await journey.context(world.id(number)) == brief
    assert facts == world.facts
    await journey.close()


def test_the_bench_reports_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(context, "WARM_S", 0.05)
    small = ["--customers", "40", "--seconds", "0.2", "--stores", "sqlite", "--folder", str(tmp_path / "w")]
    for _ in range(2):
        assert context.main([*small, "--out", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["customers"], found["facts"], found["writers"]) == (40, 2_000, 20)
    row = found["sqlite"]
    assert 0 < row["context_p50_ms"] <= row["context_p99_ms"]
    assert row["append_per_s"] > 0
    assert row["load"]["contexts"] > 0
    assert "making 2,000 facts" in capsys.readouterr().out
