"""The suite of queues and agents, on the real ones and on those that desktops are tried with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from ccaas.contact.centre import Centre
from ccaas.contact.rules import Rules
from ccaas.contact.settings import AgentSettings, HandoffSettings, QueueSettings
from ccaas.ports.contact import ContactCentre
from ccaas.testing.conformance.contact import ContactConformance
from ccaas.testing.fakes.contact import FakeContactCentre


class Nothing:
    """No journal, no calls."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None

    def calls(self) -> tuple[()]:
        return ()

    def clock(self) -> datetime:
        return datetime.now(UTC)


class TestFake(ContactConformance):
    @pytest.fixture
    def centre(self) -> ContactCentre:
        return FakeContactCentre.of("ann", "sue")


class TestReal(ContactConformance):
    @pytest_asyncio.fixture
    async def centre(self) -> AsyncIterator[ContactCentre]:
        agents = {name: AgentSettings(name=name.capitalize(), skills={"general": 5}) for name in ("ann", "sue")}
        rules = Rules(agents, {"general": QueueSettings(skills={"general": 1})}, HandoffSettings(), {}, "UTC")
        centre = Centre(rules, Nothing(), asyncio.get_running_loop().time, [], [])  # type: ignore[arg-type]
        running = asyncio.create_task(centre.run())
        yield centre
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
