"""One whole installation for all scenarios: starting one takes seconds, and calls do not disturb each other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from callers import CHANGES, EXAMPLE, PHONES, Bookings, Listener, listening

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The airline and more, see `CHANGES`."""
    async with Installation(tmp_path_factory.mktemp("site"), EXAMPLE, CHANGES, phones=PHONES) as running:
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
