"""An installation of its own for each module: these tests break theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from callers import ENTRIES, EXAMPLE, PATIENT, REASONERS, Bookings, Listener, listening

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

CHANGES = {
    "reasoners": REASONERS,
    "entries": ENTRIES,
    "destinations": {"agents": {"endpoint": "PJSIP/6001", "timeout_s": 30}},
    "limits": PATIENT,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The airline, the bench's questions, and phone 6001, where callers are transferred."""
    async with Installation(tmp_path_factory.mktemp("site"), EXAMPLE, CHANGES, phones=("6001",)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ua(site: Installation) -> AsyncIterator[SipCaller]:
    """A SIP phone beside the installation."""
    async with SipCaller("127.0.0.1", site.sip_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def listener(site: Installation) -> AsyncIterator[Listener]:
    """The real recogniser, for what callers heard."""
    async with listening(site) as one:
        yield one


@pytest.fixture(scope="module")
def all_bookings(site: Installation) -> Bookings:
    """The airline's database as the installation made it."""
    return Bookings(site)


@pytest.fixture
def bookings(all_bookings: Bookings) -> Bookings:
    """The airline's database, put back to what it was at first."""
    all_bookings.put_back()
    return all_bookings
