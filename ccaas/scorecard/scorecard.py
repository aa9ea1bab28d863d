"""The scorecard of a span of days: figures by SQL over the stores, read beside a controller that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ccaas.scorecard.incidents.ledger import FILE as LEDGER
from ccaas.scorecard.measures import BY_NAME, MEASURES, By, Measure
from ccaas.scorecard.schema import FROM_JOURNAL, FROM_LEDGER, NO_LEDGER, PARAMETERS
from ccaas.scorecard.settings import ScorecardError, ScorecardSettings

LONGEST_DAYS = 366
LONGEST_LIST = 500
"""Most rows of one list."""
ALL = ""
"""The key of the row that sums a table up."""

_ORDER = {"interactions": "began", "latencies": "ms", "waits": "since", "incidents": "at"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    key: str
    """The day, the queue or the intent; empty for the whole span, and for conversations without one."""
    figures: Mapping[str, float | None]
    """By the measure's name; None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Card:
    """One table."""

    since: date
    till: date
    """The last day, which counts."""
    by: By
    total: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Where the figures come from, and what the YAML says about them."""

    state_dir: Path
    timezone: str
    settings: ScorecardSettings
    promised: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each queue's service level."""

    def card(self, since: date, till: date, by: By) -> Card:
        """The figures of these days, both included. Blocks: SQL over the stores.

        Raises:
            ScorecardError: there is no journal, or the span is none.
        """
        with self._opened(since, till) as db:
            total = Row(ALL, {measure.name: _figure(db, measure) for measure in MEASURES})
            rows: dict[str, dict[str, float | None]] = {key: {} for key in self._keys(db, since, till, by)}
            for measure in MEASURES:
                for key, figure in _by_key(db, measure, by):
                    rows.setdefault(key, {})[measure.name] = figure
            ordered = sorted(rows) if by is By.DAY else sorted(rows, key=lambda key: (key == ALL, key))
            return Card(since, till, by, total, tuple(Row(key, rows[key]) for key in ordered))

    def behind(self, measure: str, since: date, till: date, by: By, key: str | None) -> list[dict[str, object]]:
        """The rows that a figure counts, newest first, at most 500; `key` None for the whole span.

        Raises:
            ScorecardError: there is no such measure, no journal, or the span is none.
        """
        found = BY_NAME.get(measure)
        if found is None:
            raise ScorecardError(f"there is no measure {measure}; there are {', '.join(BY_NAME)}")
        if key is not None and not _has(found, by):
            return []
        with self._opened(since, till) as db:
            if found.source == "latencies":
                _slow(db, by, key)
            where, values = (f" AND {_column(found, by)} = ?", (key,)) if key is not None else ("", ())
            rows = db.execute(
                f"SELECT * FROM temp.{found.source} AS {found.source} WHERE ({found.behind}){where}"
                f" ORDER BY {_ORDER[found.source]} DESC LIMIT {LONGEST_LIST}",
                values,
            )
            return [dict(row) for row in rows]

    def _keys(self, db: sqlite3.Connection, since: date, till: date, by: By) -> list[str]:
        if by is By.DAY:
            return [(since + timedelta(days=n)).isoformat() for n in range((till - since).days + 1)]
        found = db.execute(f"SELECT DISTINCT {by.value} FROM temp.interactions")
        return [row[0] for row in found]

    @contextmanager
    def _opened(self, since: date, till: date) -> Iterator[sqlite3.Connection]:
        """The stores for reading, and the scorecard's own tables beside them."""
        if till < since:
            raise ScorecardError(f"{till} is before {since}; give the first day first")
        if (till - since).days >= LONGEST_DAYS:
            raise ScorecardError(f"{since} to {till} is more than {LONGEST_DAYS} days; ask for less")
        journal, ledger = self.state_dir / "journal.sqlite", self.state_dir / LEDGER
        if not journal.exists():
            raise ScorecardError(f"there is no journal at {journal}; take a call with `ccaas up` first")
        try:
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5.0)) as db:
                db.row_factory = sqlite3.Row
                self._prepare(db, since, till)
                db.executescript(FROM_JOURNAL)
                if ledger.exists():
                    db.execute("ATTACH ? AS ledger", (f"file:{ledger}?mode=ro",))
                db.executescript(FROM_LEDGER if ledger.exists() else NO_LEDGER)
                yield db
        except sqlite3.Error as error:
            raise ScorecardError(
                f"{journal} cannot be read: {error}; start this version of ccaas with it once"
            ) from None

    def _prepare(self, db: sqlite3.Connection, since: date, till: date) -> None:
        db.executescript(PARAMETERS)
        zone = ZoneInfo(self.timezone)
        starts = [
            datetime.combine(since + timedelta(days=n), time(), zone).timestamp()
            for n in range((till - since).days + 2)
        ]
        days = [(since + timedelta(days=n)).isoformat() for n in range(len(starts) - 1)]
        db.executemany("INSERT INTO days VALUES (?, ?, ?)", list(zip(days, starts, starts[1:], strict=False)))
        db.executemany("INSERT INTO worth VALUES (?, ?)", self.settings.values.items())
        db.executemany("INSERT INTO promised VALUES (?, ?)", self.promised.items())
        db.executemany(
            "INSERT INTO not_counted VALUES (?)", [(tool,) for tool in dict.fromkeys(self.settings.not_counted)]
        )
        db.execute("INSERT INTO span VALUES (?, ?, ?)", (starts[0], starts[-1], self.settings.default_value))


def _has(measure: Measure, by: By) -> bool:
    """Whether the measure's rows can be told apart so: incidents have no queue and no intent, waits have no intent."""
    return (
        by is By.DAY or measure.source in ("interactions", "latencies") or (measure.source, by) == ("waits", By.QUEUE)
    )


def _column(measure: Measure, by: By) -> str:
    if measure.source == "waits" and by is By.DAY:
        return "(SELECT day FROM days WHERE waits.since >= days.since AND waits.since < days.till)"
    return by.value


def _figure(db: sqlite3.Connection, measure: Measure) -> float | None:
    if measure.source == "latencies":
        _slow(db, By.DAY, None)
        figure: float | None = db.execute("SELECT p95 FROM slow").fetchone()[0]
        return figure
    (figure,) = db.execute(f"SELECT {measure.figure} FROM temp.{measure.source} AS {measure.source}").fetchone()
    return figure


def _by_key(db: sqlite3.Connection, measure: Measure, by: By) -> list[tuple[str, float | None]]:
    if not _has(measure, by):
        return []
    column = _column(measure, by)
    if measure.source == "latencies":
        rows = db.execute(
            f"SELECT {column}, min(ms) FROM (SELECT {column}, ms, cume_dist() OVER (PARTITION BY {column} ORDER BY ms) AS part"
            f" FROM temp.latencies) WHERE part >= 0.95 GROUP BY 1"
        )
    else:
        rows = db.execute(
            f"SELECT {column} AS k, {measure.figure} FROM temp.{measure.source} AS {measure.source} GROUP BY k"
        )
    return [(row[0], row[1]) for row in rows if row[0] is not None]


def _slow(db: sqlite3.Connection, by: By, key: str | None) -> None:
    """The table `slow`: the 95th percentile of all latencies, or of those of one key."""
    db.execute("DROP TABLE IF EXISTS temp.slow")
    where, values = (f"WHERE {by.value} = ?", (key,)) if key is not None else ("", ())
    db.execute(
        "CREATE TEMP TABLE slow AS SELECT min(ms) AS p95 FROM"
        f" (SELECT ms, cume_dist() OVER (ORDER BY ms) AS part FROM temp.latencies {where}) WHERE part >= 0.95",
        values,
    )
