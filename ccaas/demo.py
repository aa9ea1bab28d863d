"""`ccaas demo`: a SIP caller rings a whole installation of its own, and the terminal shows what happens.

Needs the test extra (the caller is PJSIP, in a process of its own).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ccaas.config.document import Document
from ccaas.errors import CcaasError, SetupError
from ccaas.testing.caller import Call, CallFailed, SipCaller
from ccaas.testing.installation import Installation

_POLL_S = 0.05
_THOUGHT_S = 0.6
"""A caller answers this long after the agent has finished (s)."""


class Watched(BaseModel):
    """Rows that are shown before and after the call."""

    model_config = ConfigDict(extra="forbid")

    database: str
    query: str


class Script(BaseModel):
    """What the demonstration does."""

    model_config = ConfigDict(extra="forbid")

    installation: Path
    dial: str
    caller: str = Field(alias="from")
    say: tuple[Path, ...]
    watch: Watched


_WRITES = """
SELECT tool_runs.at, tool_runs.turn_id AS turn, tool, customer_id AS customer, arguments, outcome, confirmed_by,
json_extract(record, '$.caller_text') AS confirmed
FROM tool_runs LEFT JOIN turns ON turns.call_id = tool_runs.call_id AND turns.turn_id = confirmed_by
WHERE effect = 'write' ORDER BY tool_runs.id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left of the call when it is over."""

    before: list[dict[str, Any]]
    """The watched rows."""
    after: list[dict[str, Any]]
    writes: list[dict[str, Any]]
    """The audit's rows of what changed something."""
    calls: list[str]
    """Ids, the newest last."""
    recordings: Path


@dataclass(slots=True)
class Story:
    """What was seen of the call so far."""

    waits_ms: list[float] = field(default_factory=list)
    """End of each of the caller's recordings → first sound of the answer."""
    shown: set[tuple[str, str]] = field(default_factory=set)


def demo(file: Path, console: Console | None = None) -> int:
    """Play a script; 0 when the watched rows were changed by the call, 1 when not.

    Raises:
        ConfigError: the script has a fault.
        SetupError: the recordings or the caller are missing.
        CcaasError: the call was not answered, or the agent not heard.
    """
    script = Document.read(file.absolute()).validate(Script)
    home = file.absolute().parent
    for recording in script.say:
        if not (home / recording).is_file():
            raise SetupError(f"{home / recording} is missing; it is part of the repository, check it out again")
    try:
        return asyncio.run(_play(script, home, console or Console(highlight=False)))
    except (CallFailed, TimeoutError) as error:
        log = _near(_folder(home) / "up.log")
        raise CcaasError(
            f"the call went wrong ({error}); look into {log}, and try again when this machine rests"
        ) from None


async def _play(script: Script, home: Path, console: Console) -> int:
    example = home / script.installation
    folder = _folder(home)
    shutil.rmtree(folder, ignore_errors=True)
    console.print("Starting Asterisk and ccaas …")
    began = time.monotonic()
    async with Installation(folder, example) as site:
        console.print(f"Ready for calls after {time.monotonic() - began:.1f} s. {script.caller} dials {script.dial}.\n")
        before = site.rows(script.watch.query, file=script.watch.database)
        story = Story()
        async with SipCaller("127.0.0.1", site.sip_port) as phone:
            call = await phone.dial(script.dial, from_number=script.caller)
            answered = await call.answered()
            showing = asyncio.create_task(_show(site, story, console))
            try:
                await _talk(call, script, home, story, answered, console)
            finally:
                await asyncio.sleep(_POLL_S * 4)
                showing.cancel()
            call.stereo().save(folder / "caller.wav")
        after = site.rows(script.watch.query, file=script.watch.database)
        await _settled(site)
        calls = [row["call_id"] for row in site.rows("SELECT call_id FROM calls ORDER BY began")]
        outcome = Outcome(before, after, site.rows(_WRITES), calls, site.recordings)
    report(console, story, outcome, script.watch.database, site.file)
    if before == after:
        console.print(
            f"\n[red]The call changed nothing in {script.watch.database}; see {_near(site.log)}.[/red]", soft_wrap=True
        )
        return 1
    return 0


async def _talk(call: Call, script: Script, home: Path, story: Story, answered: float, console: Console) -> None:
    first = await call.hear_start(since=answered)
    console.print(f"[dim]            first sound {(first - answered) * 1000:.0f} ms after the call was answered[/dim]")
    heard = await call.hear(since=answered)
    for recording in script.say:
        await asyncio.sleep(_THOUGHT_S)
        said = await call.say(home / recording)
        ended = said.finished.result()
        start = await call.hear_start(since=ended)
        story.waits_ms.append((start - ended) * 1000)
        console.print(f"[dim]            answered {story.waits_ms[-1]:.0f} ms after the caller's last sound[/dim]")
        heard = await call.hear(since=start, quiet_s=1.0)
    await call.wait_ended(max(10.0, 10.0 + heard.end - time.monotonic()))


async def _show(site: Installation, story: Story, console: Console) -> None:
    """Print who says what, as the journal learns it."""
    while True:
        try:
            rows = site.rows("SELECT record FROM turns ORDER BY id")
        except sqlite3.OperationalError:
            rows = []
        for row in rows:
            turn = json.loads(row["record"])
            for who, text in (("caller", turn["caller_text"]), ("agent", turn["agent_text"])):
                known = next((said for key, said in story.shown if key == f"{turn['turn_id']} {who}"), "")
                if text and text != known:
                    story.shown.discard((f"{turn['turn_id']} {who}", known))
                    story.shown.add((f"{turn['turn_id']} {who}", text))
                    line = Table.grid(padding=(0, 2, 0, 0))
                    line.add_column(justify="right", width=10)
                    line.add_row(Text(who, "bold"), Text(text.removeprefix(known).strip()))
                    console.print(line)
        await asyncio.sleep(_POLL_S)


async def _settled(site: Installation) -> None:
    while (await site.health()).get("calls"):
        await asyncio.sleep(_POLL_S)


def report(console: Console, story: Story, outcome: Outcome, database: str, file: Path) -> None:
    """Print what the call has changed, by whose word, how fast it was, and where to look further."""
    rows = [("before", row) for row in outcome.before] + [("after", row) for row in outcome.after]
    console.print()
    console.print(f"[bold]What the call changed[/bold], in {database}:")
    if rows:
        table = Table("", *rows[0][1])
        for name, row in rows:
            table.add_row(name, *map(str, row.values()))
        console.print(table)
    console.print("[bold]By whose word[/bold], in the audit of journal.sqlite:")
    for row in outcome.writes:
        line = f"{row['tool']}: {row['outcome']}, for {row['customer'] or 'somebody unknown'}"
        if row["confirmed_by"]:
            line += f', confirmed in turn {row["confirmed_by"]} by "{row["confirmed"]}"'
        console.print(Text(f"  {line}\n    with {row['arguments']}"), soft_wrap=True)
    if not outcome.writes:
        console.print("  nothing was written")
    if story.waits_ms:
        p50, p95 = np.percentile(story.waits_ms, [50, 95])
        console.print(
            f"[bold]How fast[/bold], from the caller's last sound to the agent's first, on the caller's own audio: "
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms of {len(story.waits_ms)} answers",
            soft_wrap=True,
        )
    console.print("[bold]To listen to[/bold] (caller left, agent right):")
    for recording in sorted(outcome.recordings.glob("*.wav")):
        console.print(f"  {_near(recording)}", soft_wrap=True)
    console.print(f"  {_near(file.parent / 'caller.wav')}, as the caller's phone sent and heard it", soft_wrap=True)
    if outcome.calls:
        console.print("[bold]To read[/bold], and to ring yourself:")
        console.print(f"  .venv/bin/ccaas call show {outcome.calls[-1]} {_near(file)}", soft_wrap=True)
        console.print("  make up")


def _folder(home: Path) -> Path:
    return (home / "../../var/demo").resolve()


def _near(path: Path) -> Path:
    """As it is written from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(demo(Path(sys.argv[1])))
