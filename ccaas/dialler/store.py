"""campaigns.sqlite as the event loop and the command line see it. What is done inside is in `records` and `attempts`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from ccaas.dialler.schema import MIGRATIONS
from ccaas.errors import CcaasError
from ccaas.sqlite import SqliteFile, Store

FILE = "campaigns.sqlite"
"""Name within the state folder."""


class CampaignError(CcaasError):
    """The store of campaigns could not be opened, read or written, or what was asked of a campaign cannot be."""

    exit_code = 2


class CampaignStore(Store):
    """Open with `await CampaignStore.open(path)`. Everything raises CampaignError."""

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the file."""
        return await cls.of(SqliteFile(path, "store of campaigns", MIGRATIONS, CampaignError, ("secure_delete = ON",)))
