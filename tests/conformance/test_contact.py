"""The suite of queues and agents, on the real ones and on those that desktops are tried with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from ccaas.contact.bundle import Facts
from ccaas.contact.centre import Centre
from ccaas.contact.rules import Caller, Rules
from ccaas.contact.settings import AgentSettings, HandoffSettings, QueueSettings
from ccaas.errors import ContactError
from ccaas.ports.contact import ContactCentre, Line
from ccaas.ports.journey import Assurance
from ccaas.testing.conformance.contact import ContactConformance
from ccaas.testing.fakes.contact import FakeContactCentre, bundle_of


class Nothing:
    """No journal, no calls."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None

    def calls(self) -> tuple[()]:
        return ()

    def clock(self) -> datetime:
        return datetime.now(UTC)

    async def facts(self, conversation_id: str) -> Facts | None:
        return None if conversation_id == "over" else Facts(conversation_id, "chat", None, Assurance.NONE, None)


class TestFake(ContactConformance):
    @pytest.fixture
    def centre(self) -> ContactCentre:
        return FakeContactCentre.of("ann", "sue")

    async def somebody_writes(self, centre: ContactCentre, login: str) -> None:
        assert isinstance(centre, FakeContactCentre)
        await centre.offer_text(login, bundle_of(channel="chat"))


class Side:
    """A written conversation whose words are told at once."""

    closed = ""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    async def write(self, text: str, by: str) -> None:
        if not text.strip():
            raise ContactError("there is nothing in it; write something")
        self._centre.said("c1", Line(1.0, by, text, "m1"))

    async def again(self, message_id: str, by: str) -> None:
        raise ContactError("that message need not be sent again")

    def typing(self, on: bool) -> None: ...

    def back(self, by: str) -> None: ...

    def finish(self, by: str, disposition: str, note: str) -> None: ...


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

    async def somebody_writes(self, centre: ContactCentre, login: str) -> None:
        assert isinstance(centre, Centre)

        async def facts() -> Facts:
            return Facts("c1", "chat", None, Assurance.NONE, None)

        caller = Caller("c1", "Mia", "", "a1", "front", "en-US", facts, "chat")
        one = centre.enqueue(caller, "general", "wish", None)
        assert one is not None
        centre.follow_text(one, Side(centre))
