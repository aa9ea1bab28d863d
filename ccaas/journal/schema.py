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
    """
    ALTER TABLE snapshots ADD COLUMN thread TEXT NOT NULL DEFAULT '';
    CREATE TABLE conversations (
        conversation_id TEXT PRIMARY KEY,
        channel TEXT NOT NULL,
        address TEXT NOT NULL,
        recipient TEXT NOT NULL,
        entry TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,
        end_reason TEXT
    ) STRICT;
    CREATE INDEX open_conversations ON conversations (began) WHERE ended IS NULL;
    CREATE TABLE messages_in (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        message_id TEXT NOT NULL,
        receipt TEXT NOT NULL,
        record TEXT NOT NULL,
        cut_from INTEGER NOT NULL,
        at REAL NOT NULL,
        turn TEXT,
        UNIQUE (channel, message_id)
    ) STRICT;
    CREATE INDEX messages_to_answer ON messages_in (id) WHERE turn IS NULL;
    CREATE INDEX messages_by_receipt ON messages_in (receipt);
    CREATE TABLE messages_out (
        id INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        keyword INTEGER NOT NULL,
        record TEXT NOT NULL,
        state TEXT NOT NULL,
        detail TEXT NOT NULL,
        at REAL NOT NULL
    ) STRICT;
    CREATE INDEX messages_to_send ON messages_out (id) WHERE state = 'waiting';
    CREATE TABLE opted_out (
        channel TEXT NOT NULL,
        address TEXT NOT NULL,
        proof TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (channel, address)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE chronicle (
        id INTEGER PRIMARY KEY,
        whose TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE calls ADD COLUMN address TEXT NOT NULL DEFAULT '';
    ALTER TABLE conversations ADD COLUMN message TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE tool_runs ADD COLUMN actor TEXT NOT NULL DEFAULT 'butler';
    ALTER TABLE tool_runs ADD COLUMN intent TEXT NOT NULL DEFAULT '';
    ALTER TABLE tool_runs ADD COLUMN rule TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE handoffs (
        handoff_id TEXT PRIMARY KEY,
        call_id TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE TABLE agents (
        login TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        since REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE agent_acts (
        id INTEGER PRIMARY KEY,
        by TEXT NOT NULL,
        did TEXT NOT NULL,
        about TEXT NOT NULL,
        detail TEXT NOT NULL,
        at REAL NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE past_handoffs (
        handoff_id TEXT PRIMARY KEY,
        call_id TEXT NOT NULL,
        queue TEXT NOT NULL,
        why TEXT NOT NULL,
        since REAL NOT NULL,
        answered_at REAL NOT NULL,
        agent TEXT NOT NULL,
        over REAL NOT NULL
    ) STRICT;
    CREATE INDEX past_handoffs_by_call ON past_handoffs (call_id, since);
    CREATE INDEX past_handoffs_by_time ON past_handoffs (since);
    CREATE INDEX calls_by_time ON calls (began);
    CREATE INDEX conversations_by_time ON conversations (began);
    """,
)
"""`snapshots.last_run` is the newest tool run when the snapshot was taken: later ones are unknown to the dialogue."""
