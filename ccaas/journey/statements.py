"""What the store asks of a database, as plain values: no step knows which database answers.

A piece of work is a generator that yields statements and is sent their rows, so that one and the same piece runs in
SQLite's thread and on an asynchronous PostgreSQL connection. Statements are written with `?` for values, and with
`/*lock*/` where rows that are read are about to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ccaas.errors import JourneyError

Row = Sequence[Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class One:
    """A statement; answered by its rows, none for what returns none."""

    sql: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A statement for each tuple of values; answered by all their rows, one after the other."""

    sql: str
    values: Sequence[tuple[object, ...]]
    types: tuple[str, ...] = ()
    """For many rows that are inserted at once: PostgreSQL's names of the columns' types."""


T = TypeVar("T")
Steps = Generator[One | Many, Rows, T]
Work = Callable[[], Steps[T]]
"""Makes the steps anew: work may be done again when a neighbour in its transaction fails."""


class Again(JourneyError):
    """What was read has changed meanwhile: do the work again from its beginning."""
