"""outreach.sqlite as the event loop sees it: decisions of the gate, lists, events, plays. Nothing here blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from ccaas.errors import CcaasError
from ccaas.outreach.schema import MIGRATIONS
from ccaas.sqlite import SqliteFile, Store

FILE = "outreach.sqlite"
"""Name within the state folder."""


class OutreachError(CcaasError):
    """The store of contacts could not be opened, read or written; nobody is contacted meanwhile."""

    exit_code = 2


def file_of(path: Path) -> SqliteFile:
    """The store's file."""
    return SqliteFile(path, "store of contacts", MIGRATIONS, OutreachError)


class OutreachStore(Store):
    """Open with `await OutreachStore.open(path)`. Everything raises OutreachError."""

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file."""
        return await cls.of(file_of(path))
