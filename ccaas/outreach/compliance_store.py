"""What the gate keeps: each decision with its reason, and whom nobody may contact. All functions run inside a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ccaas.errors import ConfigError, Place
from ccaas.outreach.compliance import CONTACT, DAY_S, Clear, Facts, Past, Verdict, judge
from ccaas.outreach.settings import OutreachSettings
from ccaas.ports.outreach import Approach, Later


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it is kept."""

    contact_id: str
    at: float
    customer_id: str
    channel: str
    address: str
    purpose: str
    decision: str
    """"allowed", "refused" or "later"."""
    rule: str
    words: str
    until: float | None
    conversation_id: str
    play: str


def spelled(address: str) -> str:
    """An address as lists keep it."""
    return address.strip().casefold()


def deciding(approach: Approach, facts: Facts, settings: OutreachSettings) -> Callable[[sqlite3.Connection], Verdict]:
    """Decide and keep it, in one transaction: of two contacts at once the second knows of the first."""

    def work(db: sqlite3.Connection) -> Verdict:
        longest = max((cap.days for cap in settings.caps), default=0.0)
        since = facts.now.timestamp() - longest * DAY_S
        listed = facts.listed or _listed(db, approach, facts)
        verdict = judge(approach, replace(facts, listed=listed, past=_past(db, approach, since)), settings)
        keep(db, approach, verdict, facts.now.timestamp())
        return verdict

    return work


def keep(db: sqlite3.Connection, approach: Approach, verdict: Verdict, at: float) -> None:
    """Store a decision; the same again is stored once."""
    decision = {Clear: "allowed", Later: "later"}.get(type(verdict), "refused")
    words = "" if isinstance(verdict, Clear) else verdict.words
    db.execute(
        "INSERT INTO contacts (contact_id, at, customer_id, channel, address, purpose, decision, rule, words, until,"
        " conversation_id, play) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (contact_id, decision, rule) DO UPDATE SET until = excluded.until, words = excluded.words",
        (
            approach.id,
            at,
            approach.customer_id,
            approach.channel,
            spelled(approach.address),
            approach.purpose.value,
            decision,
            verdict.rule,
            words,
            verdict.until if isinstance(verdict, Later) else None,
            approach.conversation_id,
            approach.play,
        ),
    )


def _past(db: sqlite3.Connection, approach: Approach, since: float) -> tuple[Past, ...]:
    whose, key = (
        ("customer_id", approach.customer_id) if approach.customer_id else ("address", spelled(approach.address))
    )
    rows = db.execute(
        f"SELECT channel, purpose, at FROM contacts WHERE {whose} = ? AND at > ? AND decision = 'allowed' AND rule = ?"
        " AND contact_id <> ?",
        (key, since, CONTACT, approach.id),
    )
    return tuple(Past(row["channel"], row["purpose"], row["at"]) for row in rows)


def _listed(db: sqlite3.Connection, approach: Approach, facts: Facts) -> str:
    addresses = {spelled(approach.address), *(spelled(one.value) for one in facts.identities)}
    for address in addresses:
        row = db.execute("SELECT why FROM do_not_contact WHERE address = ?", (address,)).fetchone()
        if row is not None:
            return f"of this installation ({row['why']})"
    return ""


def block(addresses: Iterable[str], why: str, by: str) -> Callable[[sqlite3.Connection], None]:
    """Put addresses on this installation's own list."""
    rows = [(spelled(address), why, by, time.time()) for address in addresses]

    def work(db: sqlite3.Connection) -> None:
        db.executemany("INSERT INTO do_not_contact VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)

    return work


def unblock(address: str) -> Callable[[sqlite3.Connection], bool]:
    """Take an address from it. False: it was not on it."""

    def work(db: sqlite3.Connection) -> bool:
        return db.execute("DELETE FROM do_not_contact WHERE address = ?", (spelled(address),)).rowcount > 0

    return work


def kept(limit: int, address: str = "") -> Callable[[sqlite3.Connection], tuple[Kept, ...]]:
    """The newest decisions, oldest of them first; of one address where it is given."""

    def ask(db: sqlite3.Connection) -> tuple[Kept, ...]:
        columns = ", ".join(Kept.__slots__)
        where, values = ("WHERE address = ? ", (spelled(address),)) if address else ("", ())
        rows = db.execute(
            f"SELECT {columns} FROM contacts {where}ORDER BY id DESC LIMIT ?", (*values, limit)
        ).fetchall()
        return tuple(Kept(**dict(row)) for row in reversed(rows))

    return ask


def read_lists(files: Sequence[Path]) -> dict[str, str]:
    """Addresses of the YAML's do-not-contact files → the file's name. Raises ConfigError."""
    found: dict[str, str] = {}
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigError(Place(file), "outreach.do_not_contact", f"cannot be read ({why})", "mend it") from None
        for line in lines:
            address = line.partition("#")[0].strip()
            if address:
                found.setdefault(spelled(address), file.name)
    return found
