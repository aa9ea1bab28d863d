"""Plays whose controller is killed again and again: each ends, nobody is written to or booked twice, and no seat stays held."""

from __future__ import annotations

from pathlib import Path

from bench import outreach_kills


async def test_plays_end_right_through_kills(tmp_path: Path) -> None:
    found = await outreach_kills.measure(tmp_path, kills=4, plays=12, seed=7)
    assert found["plays_ended"] == 12
    assert {name: found[name] for name in outreach_kills.WRONG} == dict.fromkeys(outreach_kills.WRONG, 0)
    assert found["states"]["confirmed"] > 0
