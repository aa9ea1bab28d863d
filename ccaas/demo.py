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

from ccaas.config.document import Document
from ccaas.errors import SetupError
from ccaas.testing.caller import Call, SipCaller
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
    """
    script = Document.read(file.absolute()).validate(Script)
    home = file.absolute().parent
    for recording in script.say:
        if not (home / recording).is_file():
            raise SetupError(f"{home / recording} is missing; it is part of the repository, check it out again")
    return asyncio.run(_play(script, home, console or Console(highlight=False)))


async def _play(script: Script, home: Path, console: Console) -> int:
    example = home / script.installation
    folder = (home / "../../var/demo").resolve()
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
        recordings = sorted(site.recordings.glob("*.wav"))
    _report(console, story, before, after, recordings[-1] if recordings else None, folder / "caller.wav")
    if before == after:
        console.print(f"\n[red]The call changed nothing in {script.watch.database}; see {folder / 'up.log'}.[/red]")
        return 1
    return 0


async def _talk(call: Call, script: Script, home: Path, story: Story, answered: float, console: Console) -> None:
    first = await call.hear_start(since=answered)
    console.print(f"[dim]{(first - answered) * 1000:7.0f} ms from the answer to the first word[/dim]")
    heard = await call.hear(since=answered)
    for recording in script.say:
        await asyncio.sleep(_THOUGHT_S)
        said = await call.say(home / recording)
        ended = said.finished.result()
        start = await call.hear_start(since=ended)
        story.waits_ms.append((start - ended) * 1000)
        console.print(f"[dim]{story.waits_ms[-1]:7.0f} ms from the end of the caller's words to the agent's[/dim]")
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
                    console.print(f"[bold]{who:>10}[/bold]  {text.removeprefix(known).strip()}")
        await asyncio.sleep(_POLL_S)


async def _settled(site: Installation) -> None:
    while (await site.health()).get("calls"):
        await asyncio.sleep(_POLL_S)


def _report(
    console: Console,
    story: Story,
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    ours: Path | None,
    theirs: Path,
) -> None:
    table = Table(title="What the call changed", title_justify="left")
    columns = list((before or after)[0])
    table.add_column("")
    for column in columns:
        table.add_column(column)
    for name, rows in (("before", before), ("after", after)):
        for row in rows:
            table.add_row(name, *(str(row[column]) for column in columns))
    console.print()
    console.print(table)
    if ours is not None:
        console.print(f"Recording (caller left, agent right): {ours}")
    console.print(f"What the caller's phone sent and heard:  {theirs}")
    if story.waits_ms:
        p50, p95 = np.percentile(story.waits_ms, [50, 95])
        console.print(f"Caller's last sound → agent's first, at the caller: p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    sys.exit(demo(Path(sys.argv[1])))
