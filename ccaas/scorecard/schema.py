"""The scorecard's own tables: made anew for each question, beside the stores, of the interactions of its days alone.

Every measure is then a short SELECT over `interactions`, `latencies`, `waits` and `incidents`; and the list behind a figure
is the same rows, with the same condition.
"""

from __future__ import annotations

PARAMETERS = """
CREATE TEMP TABLE days (day TEXT PRIMARY KEY, since REAL NOT NULL, till REAL NOT NULL);
CREATE TEMP TABLE worth (intent TEXT PRIMARY KEY, value REAL NOT NULL);
CREATE TEMP TABLE promised (queue TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TEMP TABLE not_counted (tool TEXT PRIMARY KEY);
CREATE TEMP TABLE span (since REAL NOT NULL, till REAL NOT NULL, default_value REAL NOT NULL);
"""

FROM_JOURNAL = """
CREATE TEMP TABLE begun AS
    SELECT call_id AS id, 'voice' AS channel, began, ended, customer_id, coalesce(end_reason, '') AS end_reason
    FROM calls WHERE began >= (SELECT since FROM span) AND began < (SELECT till FROM span)
    UNION ALL
    SELECT conversation_id, channel, began, ended, '', coalesce(end_reason, '')
    FROM conversations WHERE began >= (SELECT since FROM span) AND began < (SELECT till FROM span);

CREATE TEMP TABLE said AS
    SELECT begun.id AS id, turns.id AS n,
        json_extract(record, '$.caller_text') || json_extract(record, '$.keys') AS words,
        coalesce(json_extract(record, '$.intent'), '') AS intent,
        json_extract(record, '$.sentiment') AS sentiment,
        1000 * (json_extract(record, '$.times.first_audio') - json_extract(record, '$.times.speech_end')) AS ms
    FROM begun JOIN turns ON turns.call_id = begun.id
    WHERE NOT coalesce(json_extract(record, '$.retaken'), 0);
CREATE INDEX temp.said_by_id ON said (id, n);

CREATE TEMP TABLE written AS
    SELECT run.call_id AS id, run.id AS n, run.intent AS intent, run.actor AS actor
    FROM begun JOIN tool_runs AS run ON run.call_id = begun.id
    WHERE run.effect = 'write' AND run.outcome = 'done' AND run.confirmed_by NOT LIKE 'undo:%'
        AND run.tool NOT IN (SELECT tool FROM not_counted)
        AND NOT EXISTS (
            SELECT 1 FROM tool_runs AS undo
            WHERE undo.call_id = run.call_id AND undo.confirmed_by = 'undo:' || run.key AND undo.outcome = 'done'
        );
CREATE INDEX temp.written_by_id ON written (id, n);

CREATE TEMP TABLE waits AS
    SELECT call_id AS id, queue, since, answered_at, coalesce(over, 0) AS over, handoff_id FROM past_handoffs
    WHERE since >= (SELECT since FROM span) AND since < (SELECT till FROM span);

CREATE TEMP TABLE people AS
    SELECT begun.id AS id FROM begun
    WHERE end_reason = 'transferred'
        OR EXISTS (SELECT 1 FROM past_handoffs WHERE call_id = begun.id AND answered_at > 0)
        OR EXISTS (SELECT 1 FROM written WHERE written.id = begun.id AND actor <> 'butler')
        OR EXISTS (
            SELECT 1 FROM transitions WHERE call_id = begun.id
                AND json_extract(event, '$.type') = 'Answered' AND json_extract(event, '$.leg_id') LIKE '%-to%'
        );

CREATE TEMP TABLE interactions AS
    SELECT begun.id AS id, channel, began, ended, customer_id,
        (SELECT day FROM days WHERE began >= days.since AND began < days.till) AS day,
        coalesce((SELECT queue FROM past_handoffs WHERE call_id = begun.id ORDER BY since DESC LIMIT 1), '') AS queue,
        coalesce(
            (SELECT intent FROM written WHERE written.id = begun.id AND intent <> '' ORDER BY n DESC LIMIT 1),
            (SELECT intent FROM said WHERE said.id = begun.id AND intent <> '' ORDER BY n DESC LIMIT 1), ''
        ) AS intent,
        EXISTS (SELECT 1 FROM written WHERE written.id = begun.id) AS completed,
        EXISTS (SELECT 1 FROM people WHERE people.id = begun.id) AS human,
        (SELECT sentiment FROM said WHERE said.id = begun.id AND sentiment IS NOT NULL ORDER BY n LIMIT 1) AS felt_first,
        (SELECT sentiment FROM said WHERE said.id = begun.id AND sentiment IS NOT NULL ORDER BY n DESC LIMIT 1) AS felt_last,
        0.0 AS value
    FROM begun
    WHERE EXISTS (SELECT 1 FROM said WHERE said.id = begun.id AND words <> '')
        OR EXISTS (SELECT 1 FROM people WHERE people.id = begun.id);
UPDATE interactions SET value = coalesce(
    (SELECT value FROM worth WHERE worth.intent = interactions.intent), (SELECT default_value FROM span)
) WHERE completed;
CREATE INDEX temp.interactions_by_id ON interactions (id);

CREATE TEMP TABLE latencies AS
    SELECT said.id AS id, one.day AS day, one.queue AS queue, one.intent AS intent, ms
    FROM said JOIN interactions AS one ON one.id = said.id
    WHERE one.channel = 'voice' AND ms > 0;
"""
"""`intent` of `latencies` is the interaction's, not the turn's: a table by intent has whole interactions in its rows."""

FROM_LEDGER = """
CREATE TEMP TABLE incidents AS
    SELECT incident.id AS id, kind, customer_id, at, coalesce(resolution, 'open') AS resolution,
        coalesce(by, '') AS by, closed,
        (SELECT day FROM days WHERE at >= days.since AND at < days.till) AS day,
        (SELECT count(*) FROM ledger.attempts WHERE incident_id = incident.id) AS attempts,
        (SELECT min(at) FROM ledger.inbound WHERE incident_id = incident.id) AS called_us,
        0 AS proactive
    FROM ledger.incidents AS incident
    WHERE at >= (SELECT since FROM span) AND at < (SELECT till FROM span);
UPDATE incidents SET proactive = 1
    WHERE resolution = 'resolved' AND by = 'butler' AND attempts > 0 AND (called_us IS NULL OR called_us > closed);
"""
"""Proactive: resolved by the AI, by a contact that we began, before the customer had to contact us."""

NO_LEDGER = """
CREATE TEMP TABLE incidents (
    id TEXT, kind TEXT, customer_id TEXT, at REAL, resolution TEXT, by TEXT, closed REAL, day TEXT, attempts INTEGER,
    called_us REAL, proactive INTEGER
);
"""
