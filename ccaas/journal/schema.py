"""The journal's tables. A change is a new entry at the end of `MIGRATIONS`, never an edit of an old one."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE calls (
        call_id TEXT PRIMARY KEY,
        ani TEXT NOT NULL,
        dnis TEXT NOT NULL,
        entry TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,
        end_reason TEXT,
        cause INTEGER
    ) STRICT;
    CREATE INDEX open_calls ON calls (began) WHERE ended IS NULL;
    CREATE TABLE transitions (
        call_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        event TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (call_id, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE turns (
        id INTEGER PRIMARY KEY,
        call_id TEXT NOT NULL,
        turn_id TEXT NOT NULL,
        record TEXT NOT NULL,
        at REAL NOT NULL,
        UNIQUE (call_id, turn_id)
    ) STRICT;
    CREATE TABLE tool_runs (
        id INTEGER PRIMARY KEY,
        key TEXT,
        call_id TEXT NOT NULL,
        turn_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        tool TEXT NOT NULL,
        effect TEXT NOT NULL,
        arguments TEXT NOT NULL,
        confirmed_by TEXT NOT NULL,
        outcome TEXT NOT NULL,
        at REAL NOT NULL,
        took_ms REAL NOT NULL,
        result TEXT,
        error TEXT NOT NULL,
        before TEXT,
        after TEXT
    ) STRICT;
    CREATE UNIQUE INDEX tool_runs_by_key ON tool_runs (key) WHERE key IS NOT NULL;
    CREATE INDEX tool_runs_by_call ON tool_runs (call_id, id);
    CREATE TABLE snapshots (
        call_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        last_run INTEGER NOT NULL,
        at REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
"""`snapshots.last_run` is the newest tool run when the snapshot was taken: later ones are unknown to the dialogue."""
