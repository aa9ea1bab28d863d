"""The journey in PostgreSQL, in the schema `journey` of the database that the URL names.

Commits wait for the server's disk (synchronous_commit=on, whatever the server's default is): what is acknowledged
outlives a power cut, as far as the server's own disk does.
"""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
import msgspec

from ccaas.errors import JourneyError
from ccaas.journey.database import StoreDown
from ccaas.journey.schema import for_postgres
from ccaas.journey.statements import Again, Many, One, Rows, Steps, Work

T = TypeVar("T")
Connection = Any
"""asyncpg ships no types for what a connection answers."""

CONNECT_S = 3.0
COMMAND_S = 10.0
SCOUR_S = 600.0
QUICK = 2
"""Connections for what calls are waiting for."""
TRIES = 5
"""How often work is done again when somebody else was quicker."""

_SETTINGS = {"application_name": "ccaas", "search_path": "journey", "synchronous_commit": "on", "jit": "off"}
_AGAIN = (Again, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.ForeignKeyViolationError)
_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
_FAULTS = (asyncpg.PostgresError, msgspec.MsgspecError, ValueError, TypeError, KeyError, OverflowError)


class _Lane:
    """One connection, made again when it was lost; used by one piece of work at a time."""

    def __init__(self, url: str, password: str | None) -> None:
        self._url = url
        self._password = password
        self._connection: Connection = None
        self._free = asyncio.Lock()

    async def __aenter__(self) -> Connection:
        await self._free.acquire()
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._url,
                    password=self._password,
                    timeout=CONNECT_S,
                    command_timeout=COMMAND_S,
                    server_settings=_SETTINGS,
                )
        except BaseException:
            self._free.release()
            raise
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        self._free.release()

    @property
    def busy(self) -> bool:
        """Whether somebody is using it."""
        return self._free.locked()

    async def close(self) -> None:
        """Close the connection when its user is done."""
        async with self._free:
            if self._connection is not None and not self._connection.is_closed():
                try:
                    await self._connection.close(timeout=CONNECT_S)
                except _DOWN:
                    self._connection.terminate()


class PostgresDatabase:
    """A `Database`; made by `await PostgresDatabase.open(url, password)`."""

    def __init__(self, url: str, password: str | None) -> None:
        """`url` without a password; None leaves the password to PGPASSWORD and the password file of libpq."""
        self._url, self._password = url, password
        self._where = url.partition("?")[0]
        self._writer, self._reader, *self._quick = (_Lane(url, password) for _ in range(2 + QUICK))
        self._closed = False

    @classmethod
    async def open(cls, url: str, password: str | None = None) -> PostgresDatabase:
        """Connect, and make or update the tables. Raises JourneyError."""
        database = cls(url, password)
        try:
            async with database._writer as connection:
                await _migrate(connection, database._where)
        except (*_DOWN, *_FAULTS) as error:
            await database.close()
            raise database._explained(error) from error
        except JourneyError:
            await database.close()
            raise
        return database

    async def read(self, work: Work[T], *, quick: bool = False) -> T:
        lane = next((lane for lane in self._quick if not lane.busy), self._quick[0]) if quick else self._reader
        return await self._run(lane, work, writes=False)

    async def write(self, work: Work[T]) -> T:
        return await self._run(self._writer, work, writes=True)

    async def scour(self) -> None:
        # A connection of its own: it may take minutes, and nobody's timeline waits for it.
        lane = _Lane(self._url, self._password)
        try:
            async with lane as connection:
                for table in ("facts", "threads", "cases", "consents", "identities", "customers", "audit"):
                    await connection.execute(f"VACUUM {table}", timeout=SCOUR_S)
        except (*_DOWN, *_FAULTS) as error:
            raise self._explained(error) from error
        finally:
            await lane.close()

    async def close(self) -> None:
        self._closed = True
        for lane in (self._writer, self._reader, *self._quick):
            await lane.close()

    async def _run(self, lane: _Lane, work: Work[T], *, writes: bool) -> T:
        if self._closed:
            raise JourneyError("the journey is closed; nothing more can be asked of it")
        for tried in range(1, TRIES + 1):
            try:
                async with lane as connection:
                    if not writes:
                        return await _drive(connection, work())
                    async with connection.transaction():
                        return await _drive(connection, work())
            except _AGAIN as error:
                if tried == TRIES:
                    raise JourneyError(f"{self._where}: others keep changing the same customer; do it again") from error
            except (*_DOWN, *_FAULTS) as error:
                raise self._explained(error) from error
        raise AssertionError

    def _explained(self, error: BaseException) -> JourneyError:
        """One sentence, without the password."""
        where, text = self._where, " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
            return StoreDown(
                f"{where}: PostgreSQL refuses the user or the password ({text}); set CCAAS_JOURNEY_PASSWORD or"
                " journey.password_file"
            )
        if isinstance(error, asyncpg.InvalidCatalogNameError):
            return StoreDown(f"{where}: there is no such database; make it with createdb")
        if isinstance(error, asyncpg.InsufficientPrivilegeError):
            return StoreDown(f"{where}: the user may not do this ({text}); let them create the schema journey")
        if isinstance(error, asyncpg.InsufficientResourcesError):
            return StoreDown(f"{where}: PostgreSQL has run out of something ({text}); give it more")
        if isinstance(error, _DOWN):
            return StoreDown(f"{where}: PostgreSQL cannot be reached ({text}); start it, or mend journey.store")
        return JourneyError(f"{where}: the journey failed ({text}); nothing was changed")


async def _migrate(connection: Connection, where: str) -> None:
    known = for_postgres()
    async with connection.transaction():
        # Nodes that start together take turns.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('ccaas journey'))")
        # A user who may not make schemas is served too, where somebody else has made it.
        if not await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = 'journey'"):
            await connection.execute("CREATE SCHEMA journey")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL)"
        )
        version = await connection.fetchval("SELECT coalesce(max(version), 0) FROM migrations")
        if version > len(known):
            raise JourneyError(
                f"{where}: the journey was written by a newer version (schema {version}, this one knows {len(known)});"
                " install that version again"
            )
        for number, script in enumerate(known[version:], start=version + 1):
            await connection.execute(script)
            await connection.execute("INSERT INTO migrations VALUES ($1, $2)", number, time.time())


async def _drive(connection: Connection, steps: Steps[T]) -> T:
    try:
        ask = next(steps)
        while True:
            ask = steps.send(await _rows(connection, ask))
    except StopIteration as end:
        answer: T = end.value
        return answer


async def _rows(connection: Connection, ask: One | Many) -> Rows:
    sql = _numbered(ask.sql)
    rows: Rows = ()
    if isinstance(ask, One):
        rows = await connection.fetch(sql, *ask.values)
    elif ask.values and ask.types:
        rows = await connection.fetch(_at_once(ask.sql, ask.types), *map(list, zip(*ask.values, strict=True)))
    elif ask.values and ("RETURNING" in sql or sql.startswith("SELECT")):
        rows = await connection.fetchmany(sql, ask.values)
    elif ask.values:
        await connection.executemany(sql, ask.values)
    return rows


@lru_cache(maxsize=256)
def _numbered(sql: str) -> str:
    """`?` as `$1`, `$2`, …; rows that are about to be changed are locked."""
    first, *rest = sql.replace("/*lock*/", "FOR NO KEY UPDATE").split("?")
    return first + "".join(f"${number}{piece}" for number, piece in enumerate(rest, 1))


@lru_cache(maxsize=32)
def _at_once(sql: str, types: tuple[str, ...]) -> str:
    """An INSERT of one row as one of many, which come as an array for each column."""
    before, _, rest = sql.partition("VALUES (")
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    return f"{before}SELECT * FROM unnest({arrays}){rest.partition(')')[2]}"
