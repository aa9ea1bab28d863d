"""The books of actions count what was counted before they kept totals, and give back what came to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccaas.actions import books
from ccaas.actions.books import Books
from ccaas.actions.phase import Quota

TWICE = (Quota("per_day:pay", 2),)
DAY = "2024-05-15"


async def test_a_file_from_before_the_totals_goes_on_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "actions.sqlite"
    with monkeypatch.context() as before:
        before.setattr(books, "MIGRATIONS", books.MIGRATIONS[:3])
        old = await Books.open(file)
        await old.run(
            lambda db: db.execute(f"INSERT INTO quotas VALUES ('per_day:pay', 'ann', '{DAY}', 'a')"), writes=True
        )
        await old.close()
    new = await Books.open(file)
    try:
        assert await new.take("ann", DAY, "a", TWICE) == ""  # the same write again
        assert await new.take("ann", DAY, "b", TWICE) == ""
        assert await new.take("ann", DAY, "c", TWICE) == "per_day:pay"
        assert await new.take("ann", "2024-05-16", "c", TWICE) == ""
        await new.give_back("b")
        await new.give_back("b")
        assert await new.take("ann", DAY, "d", TWICE) == ""
        assert await new.take("ann", DAY, "b", TWICE) == "per_day:pay"
        await new.forget(["ann"], [])
        assert [await new.take("ann", DAY, key, TWICE) for key in "efg"] == ["", "", "per_day:pay"]
    finally:
        await new.close()


async def test_of_several_limits_all_or_none_are_counted(tmp_path: Path) -> None:
    kept = await Books.open(tmp_path / "actions.sqlite")
    try:
        both = (Quota("wide", 5), Quota("narrow", 1))
        assert await kept.take("ann", DAY, "a", both) == ""
        assert await kept.take("ann", DAY, "b", both) == "narrow"
        assert [await kept.take("ann", DAY, key, both[:1]) for key in "cdefg"] == ["", "", "", "", "wide"]
    finally:
        await kept.close()
