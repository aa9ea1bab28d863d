"""A person is taken out of the journal, the recordings and the journey; everybody else stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ccaas.conversation.events import TurnRecord
from ccaas.dialler import records
from ccaas.dialler.store import FILE as CAMPAIGNS
from ccaas.dialler.store import CampaignStore
from ccaas.erasure import Erasure, ErasureError
from ccaas.errors import JourneyError
from ccaas.hooks import PluginHost
from ccaas.journal import CallBegan, CallEnded, Journal, Snapshot, Turn
from ccaas.journal.humans import AgentAct
from ccaas.outreach.store import FILE as CONTACTS
from ccaas.outreach.store import OutreachStore
from ccaas.ports.journey import Fact, FactKind, Identity, IdentityKind, Profile
from ccaas.ports.site import Site
from ccaas.scorecard.incidents import Attempt, Incident, SqliteIncidents
from ccaas.scorecard.incidents.ledger import FILE as INCIDENTS
from ccaas.telephony.events import EndReason
from ccaas.testing.fakes.journey import FakeJourney

MINE, YOURS = "+16145550109", "+16145550110"


def site_of(folder: Path) -> Site:
    return Site(config_dir=folder, state_dir=folder, models_dir=folder, cache_dir=folder)


def erasure(journey: FakeJourney, folder: Path) -> Erasure:
    return Erasure(journey, site_of(folder), PluginHost.of({}))


async def world(folder: Path) -> tuple[FakeJourney, Journal]:
    journal = await Journal.open(folder / "journal.sqlite")
    for call, ani, customer in (
        ("call1", MINE, "mia"),
        ("call10", YOURS, "ann"),
        ("call2", MINE, ""),
        ("call3", MINE, "mia"),
    ):
        await journal.append(
            CallBegan(call, ani, "1000", "airline", customer),
            Turn(call, TurnRecord("t", f"secret of {ani}", f"secret of {ani}", "x", {}, "a", "b")),
            Snapshot(call, {"heard": f"secret of {ani}"}),
            AgentAct("anna", "disposition", call, f"solved: secret of {ani}"),
        )
        if call != "call3":
            await journal.append(CallEnded(call, EndReason.HUNG_UP, 16))
    (folder / "recordings").mkdir()
    for name in ("call1.wav", "call1-2.wav", "call10.wav", "call2.wav"):
        (folder / "recordings" / name).write_bytes(b"RIFF")
    journey = FakeJourney()
    await journey.register(Profile("mia", "Mia"), [Identity(IdentityKind.PHONE, MINE)])
    await journey.register(Profile("ann", "Ann"), [Identity(IdentityKind.PHONE, YOURS)])
    await journey.append(Fact("f", "mia", 1.0, FactKind.CONTACTED, "voice", "", "customer", "call1"))
    return journey, journal


def left(folder: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as db:
        return [row[0] for row in db.execute(f"SELECT call_id FROM {table} ORDER BY call_id")]


async def test_calls_recordings_and_the_journey_go_together(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    erased = await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    assert erased.facts == 1
    assert await journey.context("mia") is None
    # What is going on belongs to a call that needs it; the next erasure takes it.
    for table in ("calls", "turns", "snapshots"):
        assert left(tmp_path, table) == ["call10", "call3"]
    assert [path.name for path in sorted((tmp_path / "recordings").iterdir())] == ["call10.wav"]
    assert [call.call_id for call in await journal.open_calls()] == ["call3"]
    await journal.close()


async def test_nothing_of_the_calls_is_left_in_the_file(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    await journal.append(CallEnded("call3", EndReason.HUNG_UP, 16))
    await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    for file in tmp_path.glob("journal.sqlite*"):
        content = file.read_bytes()
        assert MINE.encode() not in content, file.name
        assert b"mia" not in content, file.name
    await journal.close()
    assert YOURS.encode() in (tmp_path / "journal.sqlite").read_bytes()


async def test_a_machine_of_several_is_cleaned_before_the_journey(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    assert await erasure(journey, tmp_path).erase_here("mia") == 2
    assert await journey.context("mia") is not None
    assert await erasure(journey, tmp_path).erase_here("mia") == 1  # known by its fact, whatever the journal says
    await journal.close()


async def test_without_a_journal_there_is_nothing_to_take_out(tmp_path: Path) -> None:
    journey = FakeJourney()
    await journey.register(Profile("mia"))
    await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    assert not (tmp_path / "journal.sqlite").exists()
    with pytest.raises(JourneyError):
        await erasure(journey, tmp_path).erase("mia", "asked", "ann")


async def test_contacts_that_we_began_go_and_a_do_not_contact_stays(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    store = await OutreachStore.open(tmp_path / CONTACTS)
    row = "INSERT INTO contacts VALUES (NULL, ?, 1, ?, 'sms', ?, 'service', 'allowed', '', '', NULL, ?, '')"

    def fill(db: sqlite3.Connection) -> None:
        for who in (
            ("1", "mia", "x", "y"),
            ("2", "", MINE, "y"),
            ("3", "", "x", "call1"),
            ("4", "ann", YOURS, "call10"),
        ):
            db.execute(row, who)
        db.execute("INSERT INTO do_not_contact VALUES (?, 'asked', 'ann', 1)", (MINE,))

    await store.write(fill)
    await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    kept = await store.read(lambda db: [tuple(r) for r in db.execute("SELECT contact_id FROM contacts")])
    assert kept == [("4",)]
    assert await store.read(lambda db: db.execute("SELECT count(*) FROM do_not_contact").fetchone()[0]) == 1
    await store.close()
    await journal.close()


async def test_what_cannot_be_erased_stops_nothing_else_and_is_named(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "log/ccaas.log").mkdir()  # no file: it cannot be changed
    with pytest.raises(ErasureError, match=r"not everything is erased: .*ccaas\.log cannot be changed"):
        await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    assert left(tmp_path, "turns") == ["call10", "call3"]
    assert await journey.context("mia") is not None
    (tmp_path / "log/ccaas.log").rmdir()
    await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    assert await journey.context("mia") is None
    await journal.close()


async def test_campaigns_forget_the_person_by_each_of_their_numbers(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    await journal.close()
    store = await CampaignStore.open(tmp_path / CAMPAIGNS)
    rows = [records.Row("c1", ("+16145550199", MINE), {"first_name": "Mia"}), records.Row("c2", (YOURS,))]
    await store.write(records.taking_in("spring", rows, 0.0))
    await store.close()
    await erasure(journey, tmp_path).erase_here("mia")
    left = b"".join(path.read_bytes() for path in tmp_path.glob(f"{CAMPAIGNS}*"))
    assert b"Mia" not in left
    with closing(sqlite3.connect(tmp_path / CAMPAIGNS)) as db:
        assert db.execute("SELECT key FROM records").fetchall() == [("c2",)]


async def test_a_play_forgets_them_also_under_the_name_of_the_system_of_record(tmp_path: Path) -> None:
    journey, journal = await world(tmp_path)
    await journal.append(CallEnded("call3", EndReason.HUNG_UP, 16))
    await journal.close()
    store = await OutreachStore.open(tmp_path / CONTACTS)
    ledger = await SqliteIncidents.start(tmp_path / INCIDENTS)
    case = "INSERT INTO cases VALUES (?, 'e', ?, ?, ?, '', 'offered', ?, '', NULL, 'sms', '[]', '', 1)"
    step = "INSERT INTO case_steps VALUES (NULL, ?, 'offered by sms', ?, 1, 1)"

    def fill(db: sqlite3.Connection) -> None:
        for number, (record, customer) in enumerate([("mia_li_3668", "mia"), ("ann_lee_1", "ann")]):
            db.execute(case, (f"e:{number}", number, record, customer, f'{{"name": "{record}"}}'))
            db.execute(step, (f"e:{number}", f"told {record}"))

    await store.write(fill)
    for number, (record, call) in enumerate([("mia_li_3668", "call1"), ("ann_lee_1", "call10")]):
        await ledger.open(Incident(f"e:{number}", "flight_cancelled", record, 1.0))
        await ledger.attempted(Attempt(f"e:{number}:voice", f"e:{number}", "voice", 2.0, "answered", call))
        await ledger.contacted(f"e:{number}", call, "voice", 3.0)
    # Both are open, as beside a controller.
    await erasure(journey, tmp_path).erase("mia", "asked", "ann")
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"mia" not in kept
    assert MINE.encode() not in kept
    assert b"ann_lee_1" in kept
    await store.close()
    await ledger.shut()
    with closing(sqlite3.connect(tmp_path / INCIDENTS)) as db:
        assert db.execute("SELECT customer_id FROM incidents ORDER BY id").fetchall() == [("",), ("ann_lee_1",)]
        assert db.execute("SELECT conversation_id FROM attempts ORDER BY id").fetchall() == [("",), ("call10",)]
        assert db.execute("SELECT count(*) FROM inbound WHERE conversation_id LIKE 'call%'").fetchone() == (1,)
