"""`ccaas scorecard`: the figures of a span of days, in the terminal or as CSV."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

File = Annotated[
    Path, typer.Argument(envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml")
]
HERE = Path("ccaas.yaml")
DAYS = 7


class By(Enum):
    """What each column after the first is."""

    DAY = "day"
    QUEUE = "queue"
    INTENT = "intent"


def scorecard(
    file: File = HERE,
    since: Annotated[str, typer.Option("--from", help="The first day: 2026-11-19. Left out, a week ago.")] = "",
    till: Annotated[str, typer.Option("--to", help="The last day, which counts. Left out, today.")] = "",
    by: Annotated[By, typer.Option(help="One column for each.")] = By.DAY,
    csv: Annotated[bool, typer.Option("--csv", help="Lines for a spreadsheet instead of a table.")] = False,
    behind: Annotated[str, typer.Option(help="List what one figure counts instead: `jcr`, `prr`, …")] = "",
    key: Annotated[str | None, typer.Option(help="With --behind: one day, queue or intent alone.")] = None,
) -> None:
    """Show journeys completed, incidents resolved, value, service level, feelings and latency: docs/scorecard.md."""
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from ccaas.config.configuration import load
    from ccaas.scorecard import exporting, measures
    from ccaas.scorecard.opening import scorecard_of

    given = (_day(since, "--from"), _day(till, "--to"))
    found = scorecard_of(load(file))
    last = given[1] or datetime.now(UTC).astimezone(ZoneInfo(found.timezone)).date()
    first = given[0] or last - timedelta(days=DAYS - 1)
    wanted = measures.By(by.value)
    if behind:
        for row in found.behind(behind, first, last, wanted, key):
            typer.echo("  ".join(f"{name}={value}" for name, value in row.items() if value not in (None, "")))
        return
    card = found.card(first, last, wanted)
    if csv:
        exporting.write_csv(card, sys.stdout)
    else:
        Console(width=max(Console().width, 110)).print(exporting.table(card))


def _day(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no day; write one such as 2026-11-25", param_hint=option) from None
