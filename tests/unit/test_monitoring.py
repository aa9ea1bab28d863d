"""Supervisors who take part in calls, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ccaas.errors import CcaasError
from ccaas.ports.contact import Supervision
from ccaas.ports.media import Codec
from ccaas.telephony.events import EndReason
from ccaas.telephony.legs import Legs
from ccaas.telephony.monitoring import Monitors
from ccaas.testing.fakes.switch import FakeLeg, FakePhone, FakeSwitch
from ccaas.testing.watch import until

CALL = "20261125120000" + "0" * 8
BOSS = "PJSIP/boss"


class Room:
    """A call between a caller and a colleague, and what reaches the supervisors."""

    def __init__(self) -> None:
        self.switch = FakeSwitch()
        self.monitors = Monitors(self.switch)
        self.caller = self.switch.call_in("1000")
        self.legs = Legs(CALL, self.caller.id, Codec.ULAW)
        self.colleague: FakeLeg

    async def open(self) -> None:
        await self.switch.answer(self.caller.id)
        colleague = self.legs.next_target()
        await self.switch.originate(
            colleague, "PJSIP/colleague", caller_id="", timeout_s=9, codec=Codec.ULAW, variables={}
        )
        self.colleague = self.switch.all_legs[colleague]
        await self.switch.bridge(self.legs.next_bridge())
        await self.switch.join(self.legs.bridge, self.caller.id, colleague)
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        await self.monitors.close()
        await self.switch.close()
        await self._reader

    async def _read(self) -> None:
        async for event in self.switch.events():
            if hasattr(event, "leg_id"):
                self.monitors.handle(event)

    async def supervise(self, mode: Supervision | None) -> None:
        await self.monitors.supervise(self.legs, BOSS, mode)

    async def boss(self) -> FakeLeg:
        """The supervisor's phone, once it takes part."""
        found: list[FakeLeg] = []

        def takes_part() -> bool:
            phones = [leg for leg in self.switch.all_legs.values() if leg.dnis == BOSS and leg.end is None]
            bridges = {leg.bridge_id for leg in self.switch.all_legs.values() if leg.snooped and leg.end is None}
            found[:] = [leg for leg in phones if leg.bridge_id and leg.bridge_id in bridges]
            return bool(found)

        await until(takes_part, "the supervisor takes part")
        return found[0]

    def left(self) -> list[str]:
        """What supervisors have in the switch."""
        legs = [leg.id for leg in self.switch.all_legs.values() if leg.end is None]
        return [name for name in legs if "-phone" in name or "-spy" in name]


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    await room.open()
    yield room
    await room.close()


@pytest.mark.parametrize(
    ("mode", "colleague", "caller"),
    [(Supervision.LISTEN, [], []), (Supervision.WHISPER, [b"boss"], []), (Supervision.BARGE, [b"boss"], [b"boss"])],
)
async def test_who_hears_whom(room: Room, mode: Supervision, colleague: list[bytes], caller: list[bytes]) -> None:
    await room.supervise(mode)
    boss = await room.boss()
    boss.say(b"boss")
    assert (room.colleague.heard, room.caller.heard) == (colleague, caller)
    room.caller.say(b"caller")
    room.colleague.say(b"colleague")
    assert [frame for frame in boss.heard if frame != b"boss"] == [b"caller", b"colleague"]


async def test_a_mode_is_changed_without_ringing_again(room: Room) -> None:
    await room.supervise(Supervision.LISTEN)
    boss = await room.boss()
    await room.supervise(Supervision.BARGE)
    assert await room.boss() is boss
    boss.say(b"boss")
    assert room.caller.heard == [b"boss"]
    await room.supervise(None)
    await until(lambda: room.left() == [], "nothing is left")
    assert room.colleague.end is None
    assert await room.switch.bridges() == (room.legs.bridge,)


@pytest.mark.parametrize("who", ["supervisor", "colleague", "call"])
async def test_whoever_leaves_the_rest_of_it_ends(room: Room, who: str) -> None:
    await room.supervise(Supervision.WHISPER)
    boss = await room.boss()
    if who == "call":
        room.monitors.call_ended(CALL)
    else:
        (boss if who == "supervisor" else room.colleague).hang_up()
    await until(lambda: room.left() == [], "nothing is left")
    await until(lambda: room.monitors.names == frozenset(), "nobody takes part")
    assert room.caller.end is None


async def test_a_supervisor_who_does_not_answer_is_given_up(room: Room) -> None:
    room.switch.phones[BOSS] = FakePhone(refuses=17)
    await room.supervise(Supervision.LISTEN)
    await until(lambda: room.monitors.names == frozenset(), "nobody takes part")
    assert room.left() == []
    assert "snoop" not in {name for name, *_ in room.switch.commands}


async def test_with_the_ai_alone_a_caller_is_heard_and_nobody_is_whispered_to(room: Room) -> None:
    await room.switch.hang_up(room.colleague.id, EndReason.DISMISSED, 16)
    await room.supervise(Supervision.LISTEN)
    boss = await room.boss()
    room.caller.say(b"caller")
    assert boss.heard == [b"caller"]
    with pytest.raises(CcaasError, match="nobody in the call"):
        await room.supervise(Supervision.WHISPER)
    room.caller.say(b"still")
    assert (await room.boss()).heard == [b"caller", b"still"]


async def test_a_supervisor_takes_part_in_one_call_at_a_time(room: Room) -> None:
    await room.supervise(Supervision.LISTEN)
    first = await room.boss()
    other = Legs("20261125120001" + "0" * 8, room.caller.id, Codec.ULAW)
    await room.monitors.supervise(other, BOSS, Supervision.LISTEN)
    assert first.end is not None
    assert (await room.boss()).id.startswith("ccaas-20261125120001")
