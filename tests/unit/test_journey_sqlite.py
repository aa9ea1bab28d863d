"""The journey's SQLite file: its schema goes forward, what is erased is gone from the disk, and files go with facts."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from ccaas.errors import JourneyError
from ccaas.journey import schema
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.ports.journey import Case, Consent, Fact, FactKind, Identity, IdentityKind, Profile, Thread, ThreadState

PHONE = Identity(IdentityKind.PHONE, "+16145550109")


async def opened(folder: Path) -> StoredJourney:
    return StoredJourney(await SqliteDatabase.open(folder / "journey.sqlite"), folder)


@pytest.fixture
async def journey(tmp_path: Path) -> AsyncIterator[StoredJourney]:
    store = await opened(tmp_path)
    yield store
    await store.close()


def fact(id_: str, customer: str, at: float = 1.0, **more: str) -> Fact:
    return Fact(id_, customer, at, FactKind.SAID, "voice", more.pop("text", "hello"), "customer", **more)


async def test_everything_is_still_there_after_reopening(tmp_path: Path, journey: StoredJourney) -> None:
    customer = await journey.register(Profile("mia", "Mia"), [PHONE])
    await journey.append(fact("f", customer))
    before = await journey.context(customer), await journey.timeline(customer)
    await journey.close()
    again = await opened(tmp_path)
    assert (await again.context(customer), await again.timeline(customer)) == before
    await again.close()


async def test_a_file_of_the_first_schema_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its first version wrote it, with rows; a later version adds a column, which then serves."""
    (first, *_) = schema.for_sqlite()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        db.executescript(f"{first}; CREATE TABLE migrations (version INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;")
        db.execute("INSERT INTO migrations VALUES (1, 0)")
        brief = '{"profile":{"id":"c-1","first_name":"Mia"},"last_channel":"sms"}'
        db.execute(
            "INSERT INTO customers VALUES ('c-1', '', 'c-1', '{\"id\":\"c-1\",\"first_name\":\"Mia\"}', ?)", [brief]
        )
        db.execute("INSERT INTO identities VALUES ('phone', ?, 'c-1')", [PHONE.value])
        db.execute(
            "INSERT INTO facts VALUES (7, 'f', 'c-1', 1.5, 'said', 'sms', 'hi', 'customer', '', '', '', '', '', '', '')"
        )
        db.commit()
    newer = (
        *schema.MIGRATIONS,
        "ALTER TABLE audit ADD COLUMN ticket TEXT NOT NULL DEFAULT ''; CREATE INDEX x ON audit (ticket)",
    )
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    journey = await opened(tmp_path)
    assert await journey.find(PHONE) == "c-1"
    context = await journey.context("c-1")
    assert context is not None
    assert (context.profile.first_name, context.last_channel) == ("Mia", "sms")
    assert [one.text for one in await journey.timeline("c-1")] == ["hi"]
    await journey.append(fact("g", "c-1", 2.0))
    assert len(await journey.timeline("c-1")) == 2
    await journey.close()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        assert [row[0] for row in db.execute("SELECT version FROM migrations ORDER BY version")] == [1, len(newer)]
        assert db.execute("SELECT count(*) FROM pragma_table_info('audit') WHERE name = 'ticket'").fetchone() == (1,)


async def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await opened(tmp_path)).close()
    monkeypatch.setattr(
        schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE half (a TEXT); CREATE TABLE facts (b TEXT)")
    )
    with pytest.raises(JourneyError, match="already exists"):
        await opened(tmp_path)
    monkeypatch.undo()
    await (await opened(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path, journey: StoredJourney) -> None:
    await journey.close()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        db.execute("INSERT INTO migrations VALUES (99, 0)")
        db.commit()
    with pytest.raises(JourneyError, match=r"written by a newer version \(schema 99.*install that version again"):
        await opened(tmp_path)


async def test_nothing_of_who_is_forgotten_is_left_on_the_disk(tmp_path: Path, journey: StoredJourney) -> None:
    """Among others whose rows lie between, so that pages were split and merged with the person's rows on them."""
    secrets = ("Quintessa", "Zyxwright", "+16145559999", "quintessa@example.com", "my aunt's parrot", "lost-parrot")
    others = [
        await journey.register(Profile(f"other-{i:03}"), [Identity(IdentityKind.CHAT, f"s-{i}")]) for i in range(40)
    ]
    customer = await journey.register(
        Profile("", "Quintessa", "Zyxwright", preferences={"x": secrets[5]}),
        [Identity(IdentityKind.PHONE, secrets[2]), Identity(IdentityKind.EMAIL, secrets[3])],
        [Consent("sms", "marketing", granted=True, at=1.0, proof="Zyxwright said so")],
    )
    for round_ in range(60):
        facts = [fact(f"{round_}-{other}", other, float(round_), text="x" * (round_ * 7)) for other in others]
        mine = fact(f"{round_}-mine", customer, float(round_), text=f"{secrets[4]} {'y' * (round_ * 11)}")
        await journey.append(*facts[:20], mine, *facts[20:])
        await journey.thread(
            Thread(
                f"t-{round_}",
                customer,
                "x",
                secrets[5],
                ThreadState.OPEN,
                "voice",
                1.0,
                1.0,
                snapshot={"a": secrets[4]},
            )
        )
        await journey.thread(Thread(f"o-{round_}", others[round_ % 40], "x", "y", ThreadState.OPEN, "voice", 1.0, 1.0))
    await journey.case(Case("k", customer, secrets[4], "open", 1.0, 1.0))
    await journey.merge(customer, others[0], "Quintessa Zyxwright, twice")
    _ = [line async for line in journey.export(customer)]
    await journey.forget(customer, "Quintessa Zyxwright asked")
    for when in ("at once", "after closing"):
        for file in tmp_path.iterdir():
            content = file.read_bytes()
            assert [word for word in (*secrets, customer, others[0]) if word.encode() in content] == [], (
                when,
                file.name,
            )
        await journey.close()
    with closing(sqlite3.connect(tmp_path / "journey.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM facts").fetchone() == (39 * 60,)


def recording(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    return path


async def test_recordings_go_with_their_facts(tmp_path: Path, journey: StoredJourney) -> None:
    mine, others, outside = (
        recording(tmp_path, f"state/recordings/{n}.wav") for n in ("mine", "others", "../../outside")
    )
    store = StoredJourney(await SqliteDatabase.open(tmp_path / "state/j.sqlite"), tmp_path / "state")
    customer, other = await store.register(Profile("a")), await store.register(Profile("b"))
    await store.append(
        fact("1", customer, recording="recordings/mine.wav#t=3"),
        fact("2", customer, recording="recordings/never-there.wav"),
        fact("3", customer, recording="../outside.wav"),
        fact("4", other, recording="recordings/others.wav"),
    )
    erased = await store.forget(customer, "asked")
    assert erased.recordings == ("../outside.wav", "recordings/mine.wav", "recordings/never-there.wav")
    assert (mine.exists(), others.exists(), outside.exists()) == (False, True, True)
    await store.close()


async def test_a_recording_is_deleted_later_when_the_process_died_before(
    tmp_path: Path, journey: StoredJourney
) -> None:
    path = recording(tmp_path, "recordings/late.wav")
    path.parent.rename(tmp_path / "elsewhere")
    customer = await journey.register(Profile("a"))
    await journey.append(fact("1", customer, recording="recordings/late.wav"))
    await journey.forget(customer, "asked")
    (tmp_path / "elsewhere").rename(path.parent)
    await journey.close()
    again = await opened(tmp_path)
    await again.delete_files()
    assert not path.exists()
    await again.close()


async def test_two_processes_share_the_file(tmp_path: Path, journey: StoredJourney) -> None:
    customer = await journey.register(Profile("a"), [PHONE])
    other = await opened(tmp_path)
    await other.append(fact("1", customer))
    await journey.append(fact("2", customer, 2.0))
    assert [one.id for one in await other.timeline(customer)] == ["1", "2"]
    assert await other.find(PHONE) == customer
    await other.close()


async def test_a_locked_file_is_one_sentence_for_all_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccaas.sqlite.file.BUSY_S", 0.01)
    journey = await opened(tmp_path)
    customer = await journey.register(Profile("a"))
    with closing(sqlite3.connect(tmp_path / "journey.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JourneyError, match="the journey is locked by another process"):
            await journey.append(fact("1", customer))
        other.execute("ROLLBACK")
    await journey.append(fact("1", customer))
    await journey.close()


async def test_a_corrupt_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journey.sqlite").write_bytes(b"no database, but long enough to be looked at " * 20)
    with pytest.raises(JourneyError, match="the journey is corrupt"):
        await opened(tmp_path)
