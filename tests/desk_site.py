"""A desk's site over queues without calls, with accounts; it can be stopped and started again on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ccaas.errors import CcaasError
from ccaas.ports.accounts import Role
from ccaas.ports.journey import Fact, FactKind
from ccaas.testing.fakes.contact import FakeContactCentre
from ccaas.web.accounts.book import FILE, AccountBook
from ccaas.web.desktop.pages import DeskPages
from ccaas.web.settings import DeskWeb
from ccaas.web.staff.server import StaffSite

PASSWORD = "a long enough one"
KEY = b"k" * 32


async def until(true: Callable[[], object], what: str, limit_s: float = 15.0) -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(limit_s):
            while not true():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {limit_s} s: {what}") from None


@cache
def accounts() -> Path:
    """A file of accounts: hashing takes its time, once."""
    folder = Path(mkdtemp(prefix="accounts-"))
    book = AccountBook(folder)
    for login, role in (("anna", Role.AGENT), ("sam", Role.AGENT), ("boss", Role.SUPERVISOR), ("root", Role.ADMIN)):
        book.add(login, role, PASSWORD)
    book.close()
    return folder / FILE


class Standing(Enum):
    DONE = "done"
    FAILED = "failed"
    DECLINED = "declined"


@dataclass
class Decided:
    standing: Standing
    result: dict[str, object] | None = None
    error: str = ""


@dataclass
class Deciding:
    """Approvals that are decided as a test says."""

    decisions: list[tuple[str, str, str]] = field(default_factory=list)
    fails: str = ""

    async def approve(self, request_id: str, by: str) -> Decided:
        self.decisions.append(("approve", request_id, by))
        return Decided(Standing.FAILED, error=f"not_allowed: {self.fails}") if self.fails else Decided(Standing.DONE)

    async def decline(self, request_id: str, by: str, why: str = "") -> Decided:
        self.decisions.append(("decline", request_id, by))
        return Decided(Standing.DECLINED)


class Facts:
    """As much of a journey as a desk reads."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    async def timeline(self, customer_id: str, limit: int = 200, before: float | None = None) -> tuple[Fact, ...]:
        if customer_id == "down":
            raise CcaasError("the store is down")
        mine = [one for one in self.facts if one.customer_id == customer_id and (before is None or one.at < before)]
        return tuple(mine[-limit:])

    def happened(self, at: float, text: str, channel: str = "sms", kind: FactKind = FactKind.SAID) -> None:
        self.facts.append(Fact(f"f{len(self.facts)}", "mia", at, kind, channel, text, "customer"))


class DeskServer:
    """A site behind a port."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        self.port = 0
        self.centre = FakeContactCentre.of("anna", "sam", "boss")
        self.approvals = Deciding()
        self.journey = Facts()
        self.numbers = True
        """Whether outside numbers may be called."""
        self.extra: Callable[[StaffSite], None] = lambda _: None
        """Adds routes of others before it starts."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        settings = DeskWeb(port=self.port or _free(), **self.settings)
        self.port = settings.port
        self.site = StaffSite(settings, "Acorn Air", self.folder, self.folder, KEY)
        self.pages = DeskPages(
            self.site,
            settings,
            self.centre,
            self.journey,
            self.approvals,
            ["front-desk"],  # type: ignore[arg-type]
            numbers=self.numbers,
        )
        self.extra(self.site)
        await self.site.start()
        self.pages.start()

    async def stop(self) -> None:
        await self.pages.close()
        await self.site.close()

    async def restart(self) -> None:
        """As after a crash: nobody is signed in at the queues."""
        await self.stop()
        self.centre = FakeContactCentre.of("anna", "sam", "boss")
        await self.start()


@contextlib.asynccontextmanager
async def desk_served(folder: Path, **settings: Any) -> AsyncIterator[DeskServer]:
    """Until the end of the block."""
    shutil.copy(accounts(), folder)
    server = DeskServer(folder, settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _free() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
