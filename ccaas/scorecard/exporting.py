"""The scorecard as lines: CSV for spreadsheets, a table for the terminal."""

from __future__ import annotations

import csv
from typing import TextIO

from rich.table import Table

from ccaas.scorecard.measures import MEASURES, Measure, Unit
from ccaas.scorecard.scorecard import Card, Row

TOTAL = "all"


def write_csv(card: Card, out: TextIO) -> None:
    """One line for each row and one for the whole span; plain numbers, empty where there is nothing to say."""
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow([card.by.value, *(measure.name for measure in MEASURES)])
    for name, row in ((TOTAL, card.total), *((row.key, row) for row in card.rows)):
        lines.writerow([_plain(name), *(_number(row.figures.get(measure.name)) for measure in MEASURES)])


def table(card: Card) -> Table:
    """Measures downwards, the span and its rows across."""
    shown = Table(title=f"{card.since} to {card.till}", header_style="bold")
    shown.add_column("")
    for name in (TOTAL, *(row.key or "(none)" for row in card.rows)):
        shown.add_column(name, justify="right")
    for measure in MEASURES:
        shown.add_row(measure.title, *(said(measure, row) for row in (card.total, *card.rows)))
    return shown


def said(measure: Measure, row: Row) -> str:
    """A figure for people."""
    figure = row.figures.get(measure.name)
    if figure is None:
        return "–"
    match measure.unit:
        case Unit.COUNT:
            return f"{figure:,.0f}"
        case Unit.SHARE:
            return f"{figure:.1%}"
        case Unit.MONEY:
            return f"{figure:,.2f}"
        case Unit.MS:
            return f"{figure:,.0f} ms"
        case Unit.SCORE:
            return f"{figure:+.2f}"


def _number(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.6g}" if isinstance(figure, float) else str(figure)


def _plain(name: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name
