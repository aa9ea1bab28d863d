"""The tables of campaigns.sqlite. A change is a new entry at the end of `MIGRATIONS`, never an edit of an old one."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE campaigns (
        name TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        since REAL NOT NULL,
        note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        campaign TEXT NOT NULL,
        key TEXT NOT NULL,
        data TEXT NOT NULL,
        priority INTEGER NOT NULL,
        state TEXT NOT NULL,
        due REAL NOT NULL,
        tries INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        agent TEXT NOT NULL,
        at REAL NOT NULL,
        UNIQUE (campaign, key)
    ) STRICT;
    CREATE INDEX records_in_order ON records (campaign, state, priority DESC, due);
    CREATE INDEX records_due ON records (campaign, state, due);
    CREATE TABLE numbers (
        record_id INTEGER NOT NULL,
        place INTEGER NOT NULL,
        number TEXT NOT NULL,
        tries INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        PRIMARY KEY (record_id, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE attempts (
        call_id TEXT PRIMARY KEY,
        campaign TEXT NOT NULL,
        record_id INTEGER NOT NULL,
        number TEXT NOT NULL,
        at REAL NOT NULL,
        answered REAL,
        met TEXT NOT NULL,
        ended REAL,
        disposition TEXT NOT NULL,
        words TEXT NOT NULL
    ) STRICT;
    CREATE INDEX attempts_of_campaign ON attempts (campaign, at);
    CREATE INDEX attempts_of_record ON attempts (record_id, at);
    CREATE INDEX attempts_open ON attempts (campaign) WHERE ended IS NULL;
    CREATE INDEX attempts_met ON attempts (campaign, at) WHERE met <> '';
    """,
)
