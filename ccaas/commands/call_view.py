"""How calls look on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ccaas.conversation.events import TurnRecord
from ccaas.journal.reading import CallRecord, PastCall
from ccaas.ports.sentiment import Mood
from ccaas.ports.tools import Effect


def show_calls(console: Console, calls: Iterable[PastCall]) -> None:
    """Print the list."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("call", "began", "seconds", "from", "to", "customer", "turns", "writes", "ended"):
        table.add_column(column, justify="right" if column in ("seconds", "turns", "writes") else "left", no_wrap=True)
    for call in calls:
        table.add_row(
            call.call_id,
            _when(call.began),
            "" if call.ended is None else f"{call.ended - call.began:.0f}",
            call.ani or "withheld",
            call.dnis,
            call.customer_id,
            str(call.turns),
            str(call.writes),
            call.end_reason if call.ended is not None else "up",
        )
    console.print(table if table.row_count else "no calls yet")


def show_call(console: Console, record: CallRecord, recording: Path | None) -> None:
    """Print one call: who, what was said with the milliseconds between, what was done."""
    call = record.call
    console.print(
        f"[bold]{call.call_id}[/bold]  {_when(call.began)}  {call.ani or 'withheld'} → {call.dnis} ({call.entry})"
    )
    if call.customer_id:
        console.print(f"customer {call.customer_id}")
    for turn in record.turns:
        console.print(Group(*_turn(turn)))
        for run in record.runs:
            if run.turn_id == turn.turn_id:
                mark = "wrote" if run.effect is Effect.WRITE else "read"
                console.print(
                    Text(f"        {mark} {run.tool}: {run.outcome.value} in {run.took_ms:.0f} ms", style="cyan")
                )
    ended = "up" if call.ended is None else f"{call.end_reason} after {call.ended - call.began:.1f} s"
    console.print(f"{ended}; {len(record.transitions)} transitions, {len(record.turns)} turns, {call.writes} writes")
    if recording is not None:
        console.print(f"recording {recording}", soft_wrap=True)


def _turn(turn: TurnRecord) -> Iterable[RenderableType]:
    said = turn.caller_text or (f"keys {turn.keys}" if turn.keys else "")
    if said:
        line = Text(f"caller  {said}" + ("  (went on)" if turn.retaken else ""), style="bold")
        if turn.mood is not None:
            line.append(f"  {_mood(turn.mood)}", style="red" if turn.escalated else "yellow dim")
        yield line
    times = turn.times
    gap = ""
    if times.first_audio is not None and times.speech_end is not None:
        gap = f"  [{1000 * (times.first_audio - times.speech_end):.0f} ms]"
    if turn.agent_text:
        unheard = turn.agent_text.removeprefix(turn.heard_text) if times.interrupted is not None else ""
        heard = turn.heard_text if unheard else turn.agent_text
        yield Text.assemble("agent   ", heard, (unheard, "strike dim"), (gap, "green"))
    if turn.escalated:
        yield Text(f"        handed over to {turn.escalated}", style="red")


def _mood(mood: Mood) -> str:
    """ "upset +0.81 (words +0.74, voice +0.80, trend +0.62, wants a person)"."""
    parts = [f"words {mood.words:+.2f}"]
    if mood.prosody is not None:
        parts.append(f"voice {mood.prosody:+.2f}")
    parts.append(f"trend {mood.trend:+.2f}")
    if mood.wants_human:
        parts.append("wants a person")
    return f"{mood.word} {mood.score:+.2f} ({', '.join(parts)})"


def _when(unix_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s))
