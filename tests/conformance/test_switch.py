"""The switch's conformance suite, on the fake and on Asterisk with both media paths."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ccaas.asterisk.media_legs import MediaChoice
from ccaas.ports.media import Codec
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.conformance.telephony import Network, SwitchConformance
from ccaas.testing.fakes.switch import FakeLeg, FakePhone, FakeSwitch
from ccaas.testing.loopback import Loopback, loopback_asterisk
from ccaas.testing.watch import Watch

pytestmark = pytest.mark.asyncio(loop_scope="module")


class FakeParty:
    def __init__(self, leg: FakeLeg) -> None:
        self._leg = leg

    async def press(self, digits: str) -> None:
        self._leg.press(digits)

    async def hang_up(self) -> None:
        self._leg.hang_up()

    def keys(self) -> str:
        return self._leg.keys


class FakeNetwork:
    busy, unanswered, unreachable, party = "busy", "unanswered", "unreachable", "party"
    dialplan = ("somewhere", "s")

    def __init__(self) -> None:
        self.switch = FakeSwitch()
        self.switch.phones = {
            "busy": FakePhone(refuses=17),
            "unanswered": FakePhone(answers=False),
            "unreachable": FakePhone(refuses=3),
            "echo": FakePhone(echo=True),
        }

    def echo(self, codec: Codec) -> str:
        return "echo"

    async def call_in(self, dnis: str, ani: str) -> FakeParty:
        return FakeParty(self.switch.call_in(dnis, ani))

    async def far_of(self, leg_id: str) -> FakeParty:
        return FakeParty(self.switch.all_legs[leg_id])


@pytest_asyncio.fixture(loop_scope="module")
async def watch(network: Network) -> AsyncIterator[Watch]:
    async with Watch(network.switch) as watch:
        yield watch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningAsterisk]:
    async with loopback_asterisk(tmp_path_factory.mktemp("loopback")) as asterisk:
        yield asterisk


class TestFakeSwitch(SwitchConformance):
    @pytest_asyncio.fixture(loop_scope="module")
    async def network(self) -> Network:
        return FakeNetwork()


class TestAsteriskOverWebSocket(SwitchConformance):
    @pytest_asyncio.fixture(loop_scope="module")
    async def network(self, asterisk: RunningAsterisk) -> AsyncIterator[Network]:
        async with Loopback(asterisk) as network:
            yield network


class TestAsteriskOverRtp(SwitchConformance):
    @pytest_asyncio.fixture(loop_scope="module")
    async def network(self, asterisk: RunningAsterisk) -> AsyncIterator[Network]:
        async with Loopback(asterisk, MediaChoice(transport="rtp")) as network:
            yield network
