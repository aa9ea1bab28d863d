"""What `ccaas journey …` does: beside a running controller or without one."""

from __future__ import annotations

import getpass
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from rich.console import Console

from ccaas.commands.journey_view import show_audit, show_journey
from ccaas.config.configuration import Configuration
from ccaas.config.picks import load_plugins
from ccaas.erasure import Erasure
from ccaas.errors import CcaasError
from ccaas.journey.customers import Imported, rows, take_in
from ccaas.journey.identity import customer_of
from ccaas.journey.opening import open_journey
from ccaas.ports.journey import Journey
from ccaas.remote import ask
from ccaas.succession import left_controller

FORGET_S = 120.0
"""What a controller may take to erase somebody."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What an erasure comes to, for who asked."""

    receipt: str
    """Under this the audit knows it."""
    facts: int
    recordings: int


@dataclass(frozen=True, slots=True)
class JourneyCommands:
    """Operations on an installation's journey; each opens the store and closes it."""

    configuration: Configuration

    async def show(self, console: Console, who: str, limit: int) -> None:
        """Print a customer's journey."""
        async with self._open() as journey:
            customer = await self._customer(journey, who)
            context = await journey.context(customer)
            assert context is not None
            facts = await journey.timeline(customer, limit)
            show_journey(console, context, await journey.threads(customer), facts, self._zone)

    async def take_in(self, file: Path, progress: Callable[[int], None]) -> Imported:
        """Import customers from a CSV file."""
        async with self._open(new=True) as journey:
            return await take_in(journey, rows(file, self.configuration.settings.journey.region), progress)

    async def export(self, who: str, output: TextIO) -> int:
        """Write everything that is kept of a customer, one JSON object a line; how many."""
        count = 0
        async with self._open() as journey:
            async for line in journey.export(await self._customer(journey, who), _us()):
                output.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1
        return count

    async def export_to(self, who: str, file: Path) -> int:
        """The same into a file that only its owner may read. Nothing is written for somebody who is not known."""
        lines = io.StringIO()
        count = await self.export(who, lines)
        try:
            with os.fdopen(
                os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as output:
                output.write(lines.getvalue())
        except OSError as error:
            raise CcaasError(f"{file} cannot be written ({error.strerror}); name another file") from None
        return count

    async def name(self, who: str) -> str:
        """Whom `forget` would erase, for a question."""
        async with self._open() as journey:
            customer = await self._customer(journey, who)
            context = await journey.context(customer)
            assert context is not None
            called = f"{context.profile.first_name} {context.profile.last_name}".strip()
            addresses = ", ".join(identity.value for identity in context.identities)
            return " ".join(part for part in (called, f"({addresses})" if addresses else "", customer) if part)

    async def forget(self, who: str, why: str) -> Forgotten:
        """Erase a customer: by the controller that runs, which ends what is going on with them, or else without one."""
        async with self._open() as journey:
            customer = await self._customer(journey, who)
            if self._runs:
                return Forgotten(**self._ask_to_forget(customer, {"why": why, "by": _us()}))
            async with self._erasure(journey) as erasure:
                erased = await erasure.erase(customer, why, _us())
        return Forgotten(erased.receipt, erased.facts, len(erased.recordings))

    async def forget_here(self, who: str) -> int:
        """Erase what this machine alone keeps of a customer; how many calls and conversations."""
        async with self._open() as journey:
            customer = await self._customer(journey, who)
            if self._runs:
                return int(self._ask_to_forget(customer, {"here": "1"})["conversations"])
            async with self._erasure(journey) as erasure:
                return await erasure.erase_here(customer)

    async def merge(self, kept: str, gone: str, why: str) -> None:
        """Make two customers one."""
        async with self._open() as journey:
            await journey.merge(await self._customer(journey, kept), await self._customer(journey, gone), why, _us())

    async def unmerge(self, gone: str, why: str) -> None:
        """Undo a merge; `gone` is the id, since its identities lead to the other."""
        async with self._open() as journey:
            await journey.unmerge(gone, why, _us())

    async def audit(self, console: Console, limit: int) -> None:
        """Print who asked for what."""
        async with self._open() as journey:
            show_audit(console, await journey.audit(limit), self._zone)

    @property
    def _runs(self) -> bool:
        return bool(left_controller(self.configuration.site.state_dir))

    def _ask_to_forget(self, customer: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        path = f"/journey/{quote(customer, safe='')}?{urlencode(query)}"
        answer: Mapping[str, Any] = ask(self.configuration, "DELETE", path, timeout_s=FORGET_S)
        return answer

    @asynccontextmanager
    async def _erasure(self, journey: Journey) -> AsyncIterator[Erasure]:
        """With the plug-ins, since they may keep something too."""
        host = load_plugins(self.configuration)
        try:
            yield Erasure(journey, self.configuration.site, host, proactive=self.configuration.settings.proactive)
        finally:
            await host.close()

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.configuration.settings.timezone)

    async def _customer(self, journey: Journey, who: str) -> str:
        return await customer_of(journey, who, self.configuration.settings.journey.region)

    @asynccontextmanager
    async def _open(self, *, new: bool = False) -> AsyncIterator[Journey]:
        settings, site = self.configuration.settings.journey, self.configuration.site
        file = site.state_dir / settings.store
        if not (new or settings.is_postgres or file.exists()):
            raise CcaasError(f"there is no journey at {file}; take a call with `ccaas up`, or import customers, first")
        journey = await open_journey(settings, site)
        try:
            yield journey
        finally:
            await journey.close()


def _us() -> str:
    """Who runs the command."""
    try:
        return f"cli {getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
