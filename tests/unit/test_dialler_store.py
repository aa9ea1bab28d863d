"""What campaigns keep: records, attempts, and that none is made twice. On a real file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccaas.dialler import attempts, records
from ccaas.dialler.attempts import Claim
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.records import Row
from ccaas.dialler.settings import CampaignSettings
from ccaas.dialler.state import CampaignState, CampaignStep, RecordState, RecordStep
from ccaas.dialler.store import CampaignError, CampaignStore

NOW = 1_800_000_000.0
SETTINGS = CampaignSettings(entry="sales")
ROWS = [Row(f"c{number}", (f"+1212555010{number}",), {"name": f"N{number}"}) for number in range(5)]


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[CampaignStore]:
    opened = await CampaignStore.open(tmp_path / "campaigns.sqlite")
    yield opened
    await opened.close()


async def running(store: CampaignStore, rows: list[Row]) -> None:
    await store.write(records.taking_in("spring", rows, NOW))
    await store.write(records.stepping("spring", CampaignStep.RESUME, NOW))


async def claim(store: CampaignStore, call_id: str, now: float = NOW, *, released: bool = False) -> Claim | None:
    return await store.write(attempts.claiming("spring", call_id, SETTINGS, now, released=released))


async def states(store: CampaignStore) -> dict[str, int]:
    return dict((await store.read(records.figures(0.0)))[0].states)


async def test_a_campaign_is_paused_until_it_is_resumed(store: CampaignStore) -> None:
    await store.write(records.taking_in("spring", ROWS, NOW))
    assert await claim(store, "a") is None
    await store.write(records.stepping("spring", CampaignStep.RESUME, NOW))
    assert (await claim(store, "a")) is not None
    await store.write(records.stepping("spring", CampaignStep.PAUSE, NOW))
    assert await claim(store, "b") is None


async def test_no_record_is_claimed_twice_by_however_many(store: CampaignStore, tmp_path: Path) -> None:
    await running(store, ROWS)
    other = await CampaignStore.open(tmp_path / "campaigns.sqlite")
    claims = await asyncio.gather(*(claim(one, f"{one is other}{n}") for n in range(6) for one in (store, other)))
    await other.close()
    keys = [one.key for one in claims if one is not None]
    assert sorted(keys) == ["c0", "c1", "c2", "c3", "c4"]


async def test_the_higher_priority_is_called_first(store: CampaignStore) -> None:
    await running(store, [*ROWS, Row("vip", ("+12125550199",), {}, 9)])
    assert (found := await claim(store, "a")) is not None
    assert found.key == "vip"


async def test_taken_in_again_nothing_is_there_twice(store: CampaignStore) -> None:
    assert await store.write(records.taking_in("spring", ROWS, NOW)) == []
    assert await store.write(records.taking_in("spring", [ROWS[0], Row("new", ("+12125550177",))], NOW)) == [0]
    assert await states(store) == {"waiting": 6}


async def test_an_import_that_breaks_off_leaves_nothing(store: CampaignStore) -> None:
    broken = Row("bad", ("+12125550188",), {"name": object()})  # type: ignore[dict-item]
    with pytest.raises(CampaignError):
        await store.write(records.taking_in("spring", [*ROWS, broken], NOW))
    assert await store.read(records.states) == {}


async def test_busy_comes_again_when_it_is_due_and_not_before(store: CampaignStore) -> None:
    await running(store, ROWS[:1])
    await claim(store, "a")
    await store.write(attempts.ending("a", Disposition.BUSY, SETTINGS, NOW))
    assert await claim(store, "b", NOW + 599) is None
    assert (await claim(store, "b", NOW + 600)) is not None


async def test_an_end_that_is_told_twice_counts_once(store: CampaignStore) -> None:
    await running(store, ROWS[:1])
    await claim(store, "a")
    assert (await store.write(attempts.ending("a", Disposition.ANSWERED, SETTINGS, NOW))) is not None
    assert (await store.write(attempts.ending("a", Disposition.BUSY, SETTINGS, NOW))) is None
    assert await states(store) == {"done": 1}


async def test_a_dead_number_gives_way_to_the_next(store: CampaignStore) -> None:
    await running(store, [Row("c", ("+12125550100", "+12125550101"))])
    await claim(store, "a")
    await store.write(attempts.ending("a", Disposition.INVALID, SETTINGS, NOW))
    assert (found := await claim(store, "b", NOW + 60)) is not None
    assert found.number == "+12125550101"


async def test_what_the_gate_forbids_is_no_attempt(store: CampaignStore) -> None:
    await running(store, ROWS[:2])
    await claim(store, "a")
    await store.write(attempts.not_making("a", Disposition.LATER, "hours: night", "", NOW + 3600, NOW))
    await claim(store, "b")
    await store.write(attempts.not_making("b", Disposition.REFUSED, "listed: …", "refused:listed", None, NOW))
    found = (await store.read(records.figures(0.0)))[0]
    assert (found.attempts, found.outcomes) == (0, {"refused:listed": 1})
    assert (later := await claim(store, "c", NOW + 3600)) is not None
    assert later.key == "c0"


async def test_people_and_abandoned_calls_are_counted(store: CampaignStore) -> None:
    await running(store, ROWS)
    for number, abandoned in enumerate([True, False, False]):
        await claim(store, str(number))
        await store.write(attempts.meeting(str(number), abandoned=abandoned))
    await claim(store, "rings")
    assert await store.read(records.met("spring", NOW - 1)) == (3, 1)
    assert await store.read(records.met("spring", NOW)) == (0, 0)


async def test_what_had_no_end_is_found_after_a_crash(store: CampaignStore, tmp_path: Path) -> None:
    await running(store, ROWS[:1])
    await claim(store, "a")
    await store.write(attempts.answering("a", NOW + 5))
    other = await CampaignStore.open(tmp_path / "campaigns.sqlite")
    (left,) = await other.read(attempts.unended)
    await other.close()
    assert (left.call_id, left.campaign, left.answered) == ("a", "spring", NOW + 5)
    assert await claim(store, "b", NOW + 10 * 86_400) is None


async def test_preview_shows_to_one_agent_and_calls_what_is_released(store: CampaignStore) -> None:
    await running(store, ROWS[:2])
    first = await store.write(records.showing("spring", "ann", NOW, NOW + 300))
    second = await store.write(records.showing("spring", "bob", NOW, NOW + 300))
    assert first is not None
    assert second is not None
    assert {first.numbers, second.numbers} == {("+12125550100",), ("+12125550101",)}
    assert await claim(store, "a", released=True) is None
    await store.write(records.deciding("spring", first.record_id, RecordStep.RELEASE, NOW))
    assert (found := await claim(store, "a", released=True)) is not None
    assert (found.record_id, found.agent) == (first.record_id, "ann")
    await store.write(records.deciding("spring", second.record_id, RecordStep.SKIP, NOW))
    with pytest.raises(CampaignError, match="is not shown"):
        await store.write(records.deciding("spring", second.record_id, RecordStep.RELEASE, NOW))


async def test_only_who_sees_a_record_decides_on_it(store: CampaignStore) -> None:
    await running(store, ROWS[:1])
    one = await store.write(records.showing("spring", "ann", NOW, NOW + 300))
    assert one is not None
    assert await store.read(records.shown_to("ann", NOW)) == [("spring", one)]
    assert await store.read(records.shown_to("bob", NOW)) == []
    assert await store.read(records.shown_to("ann", NOW + 300)) == []
    with pytest.raises(CampaignError, match="is not shown"):
        await store.write(records.deciding("spring", one.record_id, RecordStep.SKIP, NOW, "bob"))
    assert await store.read(records.came_to("spring", one.record_id, "bob")) is None
    await store.write(records.deciding("spring", one.record_id, RecordStep.RELEASE, NOW, "ann"))
    assert await store.read(records.came_to("spring", one.record_id, "ann")) == (RecordState.RELEASED, "", "")
    await claim(store, "a", released=True)
    await store.write(attempts.ending("a", Disposition.BUSY, SETTINGS, NOW))
    found = await store.read(records.came_to("spring", one.record_id, "ann"))
    assert found is not None
    assert (found[0], found[1]) == (RecordState.WAITING, "busy")


async def test_what_was_shown_for_too_long_goes_to_the_next_agent(store: CampaignStore) -> None:
    await running(store, ROWS[:1])
    await store.write(records.showing("spring", "ann", NOW, NOW + 300))
    assert await store.write(records.showing("spring", "bob", NOW + 299, NOW + 600)) is None
    assert await store.write(records.showing("spring", "bob", NOW + 300, NOW + 600)) is not None


async def test_recycling_begins_anew_what_was_not_reached(store: CampaignStore) -> None:
    await running(store, ROWS[:3])
    for call_id, outcome in (("a", Disposition.ANSWERED), ("b", Disposition.REJECTED), ("c", Disposition.INVALID)):
        await claim(store, call_id)
        await store.write(attempts.ending(call_id, outcome, SETTINGS, NOW))
    assert await store.write(records.recycling("spring", (), NOW)) == 1
    assert await store.write(records.recycling("spring", ("answered",), NOW)) == 1
    assert await states(store) == {"waiting": 2, "done": 1}


async def test_a_stopped_campaign_begins_again_by_recycling_only(store: CampaignStore) -> None:
    await running(store, ROWS)
    await store.write(records.stepping("spring", CampaignStep.STOP, NOW))
    with pytest.raises(CampaignError, match="recycle"):
        await store.write(records.stepping("spring", CampaignStep.RESUME, NOW))
    await store.write(records.recycling("spring", (), NOW))
    assert await store.read(records.states) == {"spring": CampaignState.PAUSED}


async def test_a_campaign_that_nothing_was_imported_into_is_told(store: CampaignStore) -> None:
    with pytest.raises(CampaignError, match="nothing was imported into spring"):
        await store.write(records.stepping("spring", CampaignStep.PAUSE, NOW))


async def test_a_person_is_forgotten_and_the_count_stays(store: CampaignStore) -> None:
    await running(store, ROWS[:2])
    first = await claim(store, "a")
    assert first is not None
    await store.write(attempts.meeting("a", abandoned=True))
    assert await store.write(lambda db: records.forget(db, [first.number])) == 1
    assert await states(store) == {"waiting": 1}
    assert await store.read(records.met("spring", NOW - 1)) == (1, 1)


async def test_ten_thousand_records_that_are_not_due_are_not_looked_at(store: CampaignStore) -> None:
    await running(store, ROWS[:1])
    many = [Row(f"m{number}", (f"+1305{number:07d}",), {}, 5) for number in range(10_000)]
    await store.write(records.taking_in("spring", many, NOW))
    await store.write(lambda db: db.execute("UPDATE records SET due = ? WHERE priority = 5", (NOW + 60,)) and None)

    def plan(db: sqlite3.Connection) -> str:
        asked = "SELECT 1 FROM records WHERE campaign = 'spring' AND state = 'waiting' AND due <= 1 LIMIT 1"
        return " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {asked}"))

    found = await store.read(plan)
    assert "records_due (campaign=? AND state=? AND due<?)" in found
    assert (first := await claim(store, "a")) is not None
    assert first.key == "c0"
    assert await claim(store, "b") is None
