"""What the controller itself wrote down of a call: its turns, from the journal."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""A `ccaas.conversation.events.TurnRecord` as JSON; times are monotonic seconds, the same as the caller's."""

_LIMIT_S = 10.0
_REPLY_LIMIT_S = 3.0


async def turns_of(state: Path, ani: str) -> list[Record]:
    """All turns of the ended call from `ani`, in order. Raises TimeoutError when its end is not journalled in time."""
    deadline = time.monotonic() + _LIMIT_S
    while (turns := await asyncio.to_thread(_read, state / "journal.sqlite", ani)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the journal does not say that the call from {ani} has ended")
        await asyncio.sleep(0.05)
    return turns


async def replied(state: Path, ani: str, since: float) -> Record | None:
    """The last turn of the call that goes on, taken at monotonic second `since` or later, when its reply has ended; None when
    there is none in time."""
    deadline = time.monotonic() + _REPLY_LIMIT_S
    while time.monotonic() < deadline:
        records = await asyncio.to_thread(_read, state / "journal.sqlite", ani, ended=False)
        if records and records[-1].get("over") and (records[-1]["times"]["committed"] or 0.0) >= since:
            return records[-1]
        await asyncio.sleep(0.05)
    return None


def _read(journal: Path, ani: str, ended: bool = True) -> list[Record] | None:
    end = " AND ended IS NOT NULL" if ended else ""
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as database:
        found = database.execute(f"SELECT call_id FROM calls WHERE ani = ?{end}", (ani,)).fetchone()
        if found is None:
            return None
        rows = database.execute("SELECT record FROM turns WHERE call_id = ? ORDER BY id", found).fetchall()
    database.close()
    return [json.loads(record) for (record,) in rows]
