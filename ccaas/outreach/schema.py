"""The tables of outreach.sqlite. A change is a new entry at the end of `MIGRATIONS`, never an edit of an old one."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE contacts (
        id INTEGER PRIMARY KEY,
        contact_id TEXT NOT NULL,
        at REAL NOT NULL,
        customer_id TEXT NOT NULL,
        channel TEXT NOT NULL,
        address TEXT NOT NULL,
        purpose TEXT NOT NULL,
        decision TEXT NOT NULL CHECK (decision IN ('allowed', 'refused', 'later')),
        rule TEXT NOT NULL,
        words TEXT NOT NULL,
        until REAL,
        conversation_id TEXT NOT NULL,
        play TEXT NOT NULL,
        UNIQUE (contact_id, decision, rule)
    ) STRICT;
    CREATE INDEX contacts_of_customer ON contacts (customer_id, at) WHERE decision = 'allowed';
    CREATE INDEX contacts_of_address ON contacts (address, at) WHERE decision = 'allowed';
    CREATE TABLE do_not_contact (
        address TEXT PRIMARY KEY,
        why TEXT NOT NULL,
        by TEXT NOT NULL,
        at REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE events (
        event_id TEXT PRIMARY KEY,
        type TEXT NOT NULL,
        play TEXT NOT NULL,
        body TEXT NOT NULL,
        source TEXT NOT NULL,
        at REAL NOT NULL,
        begun REAL,
        ended REAL
    ) STRICT;
    CREATE INDEX events_to_do ON events (at) WHERE ended IS NULL;
    CREATE TABLE cases (
        case_id TEXT PRIMARY KEY,
        event_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        record_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        tier TEXT NOT NULL,
        state TEXT NOT NULL,
        facts TEXT NOT NULL,
        hold_id TEXT NOT NULL,
        due REAL,
        channel TEXT NOT NULL,
        tried TEXT NOT NULL,
        outcome TEXT NOT NULL,
        at REAL NOT NULL,
        UNIQUE (event_id, number)
    ) STRICT;
    CREATE INDEX cases_due ON cases (due) WHERE due IS NOT NULL;
    CREATE INDEX cases_of_customer ON cases (customer_id);
    CREATE TABLE case_steps (
        id INTEGER PRIMARY KEY,
        case_id TEXT NOT NULL,
        step TEXT NOT NULL,
        words TEXT NOT NULL,
        at REAL NOT NULL,
        took_ms REAL NOT NULL,
        UNIQUE (case_id, step)
    ) STRICT;
    """,
    """
    CREATE TABLE refused_events (
        source TEXT NOT NULL,
        message TEXT NOT NULL,
        subject TEXT NOT NULL,
        event_id TEXT NOT NULL,
        why TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (source, message)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE machine (name TEXT NOT NULL) STRICT;
    INSERT INTO machine VALUES (lower(hex(randomblob(8))));
    """,
)
