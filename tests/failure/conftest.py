"""An installation for the tests that break it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from callers import CHANGES, EXAMPLE, PHONES, Bookings, Listener, listening

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The airline and more, see `CHANGES`."""
    async with Installation(tmp_path_factory.mktemp("broken"), EXAMPLE, CHANGES, phones=PHONES) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def site(installation: Installation) -> Installation:
    """The installation, started again where the test before has ended it."""
    if not await installation.health():
        await installation.stop()
        await installation.start()
    return installation


@pytest_asyncio.fixture(loop_scope="session")
async def ua(site: Installation) -> AsyncIterator[SipCaller]:
    """A SIP phone beside the installation."""
    async with SipCaller("127.0.0.1", site.sip_port) as phone:
        yield phone


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def listener(installation: Installation) -> AsyncIterator[Listener]:
    """The real recogniser, for what callers heard."""
    async with listening(installation) as one:
        yield one


@pytest.fixture(scope="session")
def all_bookings(installation: Installation) -> Bookings:
    """The airline's database as the installation made it."""
    return Bookings(installation)


@pytest.fixture
def bookings(all_bookings: Bookings) -> Bookings:
    """The airline's database, put back to what it was at first."""
    all_bookings.put_back()
    return all_bookings
