"""What the store needs of a database."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ccaas.errors import JourneyError
from ccaas.journey.statements import Work

T = TypeVar("T")


class StoreDown(JourneyError):
    """The database itself cannot be used now: what waits with the same request would fail too."""


class Database(Protocol):
    """Runs pieces of work. All methods raise JourneyError, with one sentence, when the database fails."""

    async def read(self, work: Work[T], *, quick: bool = False) -> T:
        """Run what only reads. `quick`: a call is waiting for it, nothing long may stand before it."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run in one transaction; it is on the disk when this returns."""
        ...

    async def scour(self) -> None:
        """Take what was deleted out of the database's files too."""
        ...

    async def close(self) -> None:
        """Safe to call twice."""
        ...
