"""Opening the journey that a YAML names, also when its store is down: calls go on without it until it is there."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import structlog

from ccaas.errors import JourneyError
from ccaas.journey.database import Database, StoreDown
from ccaas.journey.postgres import PostgresDatabase
from ccaas.journey.settings import PASSWORD_ENV, JourneySettings
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.statements import Work
from ccaas.journey.store import StoredJourney
from ccaas.ports.site import Site

T = TypeVar("T")

_log = structlog.get_logger(__name__)

RETRY_S = 5.0
DAY_S = 86_400.0


async def open_journey(settings: JourneySettings, site: Site) -> StoredJourney:
    """The store, ready. Raises JourneyError."""
    return StoredJourney(await _database(settings, site), site.state_dir)


class LateDatabase:
    """A `Database` that is opened in the background, again and again, until it is there; till then it is down."""

    def __init__(self, settings: JourneySettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._database: Database | None = None
        self._error: JourneyError = StoreDown("the journey is being opened; ask again in a moment")
        self._closed = False
        self._trying = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether it has been opened."""
        return self._database is not None

    async def open(self) -> bool:
        """Try once. Logs one line when it fails in a new way, and one when it is there after all."""
        async with self._trying:
            if self._database is not None or self._closed:
                return self._database is not None
            try:
                self._database = await _database(self._settings, self._site)
            except JourneyError as error:
                if str(error) != str(self._error):
                    _log.error("calls go on without the journey", error=str(error))
                self._error = StoreDown(str(error))
                return False
            _log.info("journey open", store=self._settings.store)
            return True

    async def read(self, work: Work[T], *, quick: bool = False) -> T:
        return await self._there().read(work, quick=quick)

    async def write(self, work: Work[T]) -> T:
        return await self._there().write(work)

    async def scour(self) -> None:
        await self._there().scour()

    async def close(self) -> None:
        self._closed = True
        async with self._trying:
            if self._database is not None:
                await self._database.close()

    def _there(self) -> Database:
        if self._database is None:
            raise self._error
        return self._database


class ControllersJourney(StoredJourney):
    """The journey of a controller: opened when its store can be, and swept daily.

    `start` returns after the first try, whether or not it went well.
    """

    def __init__(self, settings: JourneySettings, site: Site) -> None:
        self._late = LateDatabase(settings, site)
        self._retention_days = settings.retention_days
        self._task: asyncio.Task[None] | None = None
        super().__init__(self._late, site.state_dir)

    async def start(self) -> None:
        """Open, or go on trying in the background. Never raises for a store that is down."""
        await self._late.open()
        self._task = asyncio.create_task(self._keep(), name="journey")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await super().close()

    async def _keep(self) -> None:
        while not await self._late.open():
            await asyncio.sleep(RETRY_S)
        while True:
            try:
                await self.delete_files()
                if self._retention_days is not None:
                    erased = await self.retain(time.time() - self._retention_days * DAY_S, "retention_days")
                    _log.info("journey swept", facts=erased.facts, recordings=len(erased.recordings))
            except JourneyError as error:
                _log.error("the journey could not be swept", error=str(error))
            await asyncio.sleep(DAY_S)


async def _database(settings: JourneySettings, site: Site) -> Database:
    if settings.is_postgres:
        return await PostgresDatabase.open(settings.store, _password(settings, site.config_dir))
    return await SqliteDatabase.open(site.state_dir / settings.store)


def _password(settings: JourneySettings, folder: Path) -> str | None:
    if settings.password_file is None:
        return os.environ.get(PASSWORD_ENV)
    file = folder / settings.password_file
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StoreDown(
            f"{file}: journey.password_file cannot be read ({reason}); mend it or its permissions"
        ) from None
