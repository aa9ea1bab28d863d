"""What the demonstration tells at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ccaas.demo import Outcome, Story, report

BEFORE: list[dict[str, Any]] = [{"reservation": "CMPLX7", "date": "2024-05-19", "price": 1825}]
AFTER: list[dict[str, Any]] = [{"reservation": "CMPLX7", "date": "2024-05-16", "price": 447}]
WRITE = {
    "at": 0.0,
    "turn": "t3",
    "tool": "change_flight",
    "customer": "isabella_anderson_9894",
    "arguments": '{"date": "2024-05-16"}',
    "outcome": "done",
    "confirmed_by": "t3",
    "confirmed": "Yeah, that's [right].",
}


def told(tmp_path: Path, writes: list[dict[str, Any]], waits_ms: list[float]) -> list[str]:
    recordings = tmp_path / "var/recordings"
    recordings.mkdir(parents=True)
    (recordings / "call1.wav").touch()
    console = Console(record=True, width=80, highlight=False)
    outcome = Outcome(BEFORE, AFTER if writes else BEFORE, writes, ["call1"] if writes else [], recordings)
    report(console, Story(waits_ms), outcome, "airline.db", tmp_path / "ccaas.yaml")
    return console.export_text().splitlines()


def test_the_end_names_the_rows_the_audit_the_speed_and_the_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = told(tmp_path, [WRITE], [400.0, 420.0, 500.0])
    text = "\n".join(lines)
    assert "in airline.db:" in text
    (before,) = [line for line in lines if "before" in line]
    (after,) = [line for line in lines if "after" in line and "CMPLX7" in line]
    assert "2024-05-19" in before
    assert "2024-05-16" in after
    assert (
        '  change_flight: done, for isabella_anderson_9894, confirmed in turn t3 by "Yeah, that\'s [right]."' in lines
    ), "longer than the terminal is wide, and whole"
    assert '    with {"date": "2024-05-16"}' in lines
    assert "p50 420 ms, p95 492 ms of 3 answers" in text
    assert "  var/recordings/call1.wav" in lines
    assert "  .venv/bin/ccaas call show call1 ccaas.yaml" in lines


def test_a_call_that_did_nothing_says_so(tmp_path: Path) -> None:
    lines = told(tmp_path, [], [])
    assert "  nothing was written" in lines
    assert f"  {tmp_path}/var/recordings/call1.wav" in lines
    assert not any("call show" in line or "p50" in line for line in lines)
