"""The journal: what comes back, what is durable, and what happens when the disk is the problem."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from ccaas.actions import Outcome, ToolRun
from ccaas.conversation.events import TurnRecord, TurnTimes
from ccaas.journal import (
    CallBegan,
    CallEnded,
    CallIdentified,
    Journal,
    JournalError,
    Snapshot,
    Transition,
    Turn,
)
from ccaas.journal import journal as journal_module
from ccaas.ports.media import Codec
from ccaas.ports.tools import Effect
from ccaas.telephony.events import (
    Answered,
    Ended,
    EndReason,
    Held,
    Joined,
    KeyPressed,
    Left,
    Offered,
    Ringing,
    TelephonyEvent,
    Unheld,
    Unjoined,
)

EVENTS: tuple[TelephonyEvent, ...] = (
    Offered("leg", 1.5, "+16145550109", "100", Codec.ULAW, ("airline",), {"a": "b"}),
    Ringing("leg", 2.0),
    Answered("leg", 2.5, Codec.G722),
    KeyPressed("leg", 3.0, "#", 120),
    Held("leg", 4.0),
    Unheld("leg", 5.0),
    Joined("leg", 6.0),
    Unjoined("leg", 7.0),
    Left("leg", 8.0),
    Ended("leg", 9.0, EndReason.HUNG_UP, 16),
)


def run(key: str, outcome: Outcome = Outcome.INTENDED, call: str = "c1") -> ToolRun:
    return ToolRun(key, call, "t1", "who", "pay", Effect.WRITE, {"amount": 5}, "t1", outcome, 1.0)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(tmp_path / "state" / "journal.db")
    yield journal
    await journal.close()


async def test_an_open_call_comes_back_whole(journal: Journal) -> None:
    assert {type(event) for event in EVENTS} == set(get_args(TelephonyEvent))
    record = TurnRecord("t1", "to Seattle", "", "change", {"to": "SEA"}, "Done.", "Do", TurnTimes(1.0, 2.0), 3, 0.9)
    await journal.append(CallBegan("c1", "+16145550109", "100", "airline", at=5.0))
    for seq, event in enumerate(EVENTS):
        await journal.append(Transition("c1", seq, event))
    await journal.append(Turn("c1", TurnRecord("t1", "to", "", "")), Turn("c1", record))
    await journal.append(CallIdentified("c1", "isabella"))
    await journal.append(run("before"))
    await journal.append(Snapshot("c1", {"step": 1}))
    await journal.append(Snapshot("c1", {"step": 2, "slots": {"to": "SEA"}}))
    await journal.append(run("after"))
    await journal.append(run("", Outcome.REFUSED))
    (call,) = await journal.open_calls()
    assert (call.ani, call.dnis, call.entry, call.customer_id, call.began) == (
        "+16145550109",
        "100",
        "airline",
        "isabella",
        5.0,
    )
    assert call.transitions == EVENTS
    assert call.next_seq == len(EVENTS)
    assert call.turns == (record,)
    assert call.snapshot == {"step": 2, "slots": {"to": "SEA"}}
    assert call.writes == (run("after"),)


async def test_an_ended_call_is_closed(journal: Journal) -> None:
    await journal.append(CallBegan("c1", "", "100", "airline"), CallBegan("c2", "", "100", "airline"))
    await journal.append(CallEnded("c1", EndReason.HUNG_UP, 16))
    assert [call.call_id for call in await journal.open_calls()] == ["c2"]


async def test_everything_is_still_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first = await Journal.open(path)
    await first.append(CallBegan("c1", "", "100", "airline"), run("k"))
    first.post(Snapshot("c1", {"n": 1}))
    await first.close()
    await first.close()
    second = await Journal.open(path)
    (call,) = await second.open_calls()
    assert call.snapshot == {"n": 1}
    await second.close()
    with pytest.raises(JournalError, match="closed"):
        await second.append(run("late"))
    assert not second.post(run("late"))


async def test_a_write_is_one_row_from_intended_to_done(journal: Journal) -> None:
    await journal.append(run("k"))
    done = ToolRun(
        **{
            **{name: getattr(run("k"), name) for name in ToolRun.__slots__},
            "outcome": Outcome.DONE,
            "took_ms": 4.0,
            "result": {"ok": True},
            "before": {"balance": 1},
            "after": {"balance": 6},
        }
    )
    await journal.append(done)
    assert await journal.tool_runs("c1") == (done,)


async def test_no_card_number_is_on_the_disk(tmp_path: Path) -> None:
    path, card = tmp_path / "journal.db", "4111111111111111"
    journal = await Journal.open(path)
    await journal.append(
        CallBegan("c1", card, card, "airline"),
        Turn("c1", TurnRecord("t1", f"card {card}", card, "pay", {"card": card}, card, card)),
        Snapshot("c1", {"slots": {"card": card}, "heard": [card]}),
        Transition("c1", 0, Offered("leg", 1.0, card, card, Codec.ULAW, (card,), {"x": card})),
        ToolRun(
            "k",
            "c1",
            "t1",
            "",
            "pay",
            Effect.WRITE,
            {"card": card},
            "",
            Outcome.FAULT,
            1.0,
            1.0,
            {"c": card},
            card,
            card,
        ),
    )
    await journal.close()
    for file in tmp_path.iterdir():
        assert card.encode() not in file.read_bytes(), file


async def test_many_appends_at_once_share_transactions_and_keep_their_order(journal: Journal) -> None:
    await journal.append(CallBegan("c1", "", "100", "airline"))
    await asyncio.gather(*(journal.append(Transition("c1", seq, Held("leg", float(seq)))) for seq in range(500)))
    (call,) = await journal.open_calls()
    assert [event.at for event in call.transitions] == [float(seq) for seq in range(500)]


async def test_one_bad_row_does_not_take_its_neighbours_with_it(journal: Journal) -> None:
    bad = Snapshot("c\ud800", {})
    results = await asyncio.gather(
        journal.append(CallBegan("c1", "", "1", "e")),
        journal.append(bad),
        journal.append(CallBegan("c2", "", "1", "e")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), JournalError, type(None)]
    assert len(await journal.open_calls()) == 2


async def test_fire_and_forget_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "NOTES", 10)
    assert [journal.post(run("", Outcome.REFUSED)) for _ in range(12)] == [True] * 10 + [False] * 2
    assert journal.dropped == 2
    assert len(await journal.tool_runs("c1")) == 10
    assert journal.post(run("", Outcome.REFUSED))


@pytest.mark.parametrize("path", ["state/journal.db", "state/deeper/journal.db"])
async def test_a_file_where_its_folder_should_be_is_one_sentence(tmp_path: Path, path: str) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalError) as none:
        await Journal.open(tmp_path / path)
    assert (
        str(none.value)
        == f"{tmp_path / path}: the journal cannot be made, since its folder is none; name another folder"
    )


async def test_a_full_disk_is_one_sentence_and_the_journal_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    await journal.append(CallBegan("c1", "", "1", "e"))

    def limit(db: sqlite3.Connection, pages: int) -> None:
        db.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await journal._submit((), False, lambda db: limit(db, 1))
    with pytest.raises(JournalError) as full:
        await journal.append(Snapshot("c1", {"text": "x" * 100_000}))
    assert str(full.value) == f"{path}: the disk is full, so the journal cannot be written; free some space"
    assert journal.post(Snapshot("c1", {"text": "x" * 100_000}))
    await journal._submit((), False, lambda db: limit(db, 1_000_000))
    await journal.append(Snapshot("c1", {"text": "x" * 100_000}))
    assert journal.dropped == 1
    await journal.close()


async def test_a_locked_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccaas.sqlite.file.BUSY_S", 0.01)
    path = tmp_path / "journal.db"
    journal = await Journal.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match="locked by another process"):
        await journal.append(CallBegan("c1", "", "1", "e"))
    other.execute("ROLLBACK")
    other.close()
    await journal.append(CallBegan("c1", "", "1", "e"))
    await journal.close()


@pytest.mark.parametrize("content", [b"this is no database at all, but long enough to be looked at" * 20])
async def test_a_corrupt_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalError) as error:
        await Journal.open(path)
    assert str(error.value).startswith(f"{path}: the journal is corrupt; stop, move the file away")
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content


async def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await (await Journal.open(path)).close()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO migrations VALUES (99, 0)")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="newer version"):
        await Journal.open(path)


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"journal\.db: "):
        await Journal.open(tmp_path / "file" / "journal.db")


async def test_a_cancelled_append_is_stored_all_the_same(journal: Journal) -> None:
    append = asyncio.create_task(journal.append(CallBegan("c1", "", "1", "e")))
    await asyncio.sleep(0)
    append.cancel()
    await asyncio.wait({append})
    assert [call.call_id for call in await journal.open_calls()] == ["c1"]


async def test_the_event_loop_never_touches_the_file(journal: Journal) -> None:
    names: set[str] = set()
    await journal._submit((), False, lambda db: names.add(threading.current_thread().name))
    assert names == {"journal"}
