"""One whole installation for all scenarios: starting one takes seconds, and calls do not disturb each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from callers import ENTRIES, EXAMPLE, PATIENT, REASONERS, Bookings, Listener, listening

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

PHONES = ("6001", "6002")
DESTINATIONS = {
    "agents": {"endpoint": "PJSIP/6001", "timeout_s": 5},
    "front": {"endpoint": "PJSIP/6002", "blind": True},
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The airline, the bench's questions, and phones 6001 (where callers are transferred) and 6002."""
    front = {"use": "flows", "file": str(Path(__file__).with_name("front.yaml"))}
    changes = {
        "reasoners": REASONERS | {"front": front},
        "entries": ENTRIES | {"front": {"reasoner": "front", "numbers": ["front"]}},
        "destinations": DESTINATIONS,
        "limits": PATIENT,
    }
    async with Installation(tmp_path_factory.mktemp("site"), EXAMPLE, changes, phones=PHONES) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ua(site: Installation) -> AsyncIterator[SipCaller]:
    """A SIP phone beside the installation."""
    async with SipCaller("127.0.0.1", site.sip_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def listener(site: Installation) -> AsyncIterator[Listener]:
    """The real recogniser, for what callers heard."""
    async with listening(site) as one:
        yield one


@pytest.fixture(scope="session")
def all_bookings(site: Installation) -> Bookings:
    """The airline's database as the installation made it."""
    return Bookings(site)


@pytest.fixture
def bookings(all_bookings: Bookings) -> Bookings:
    """The airline's database, put back to what it was at first."""
    all_bookings.put_back()
    return all_bookings
