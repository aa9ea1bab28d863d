"""What happened in every call, on disk before anybody relies on it (SQLite)."""

from ccaas.journal.entries import (
    CallBegan,
    CallEnded,
    CallIdentified,
    Entry,
    Snapshot,
    Transition,
    Turn,
)
from ccaas.journal.journal import Journal, JournalError
from ccaas.journal.recovery import OpenCall

__all__ = [
    "CallBegan",
    "CallEnded",
    "CallIdentified",
    "Entry",
    "Journal",
    "JournalError",
    "OpenCall",
    "Snapshot",
    "Transition",
    "Turn",
]
