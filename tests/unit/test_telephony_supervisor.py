"""All calls: admission, many at once, restarts of the controller, gaps in the event stream, and the end."""

from __future__ import annotations

import asyncio

import pytest
from office import Boom, Clerk, Office

from ccaas.asterisk.errors import AriError
from ccaas.errors import CcaasError
from ccaas.outreach.permits import ContactRefused
from ccaas.ports.contact import Supervision
from ccaas.ports.media import Codec
from ccaas.ports.outreach import Permit
from ccaas.ports.telephony import Connected
from ccaas.telephony.call import FALLBACK_CONTEXT
from ccaas.telephony.desk import HangUp, TransferTo
from ccaas.telephony.events import Answered, EndReason, Offered
from ccaas.telephony.legs import Legs, call_of, callee_name
from ccaas.telephony.monitoring import Monitors
from ccaas.telephony.state import CallState
from ccaas.telephony.supervisor import Remembered, new_call_id
from ccaas.testing.fakes.switch import FakeLeg, FakePhone, FakeSwitch

pytestmark = pytest.mark.looptime

A_CALL = "20260301120000deadbeef"


def test_names_tell_whose_they_are() -> None:
    call_id = new_call_id()
    legs = Legs(call_id, "1772366400.7", Codec.ULAW)
    for name in (legs.next_bridge(), legs.next_bridge(), legs.next_media(), legs.next_target(), callee_name(call_id)):
        assert call_of(name) == call_id
    assert legs.next_media() != legs.next_media()
    for name in ("1772366400.7", "ccaas-1772366400.7", "ccaas-x-media1", f"ccaas-{call_id}-media", f"ccaas-{call_id}"):
        assert call_of(name) == ""


def test_names_of_an_earlier_controller_are_not_given_again() -> None:
    legs = Legs(A_CALL, "1772366400.7", Codec.ULAW)
    legs.take_over([f"ccaas-{A_CALL}-media3", f"ccaas-{A_CALL}-to1", f"ccaas-{A_CALL}-media1"])
    legs.take_over_bridge(f"ccaas-{A_CALL}-bridge2")
    assert (legs.next_media(), legs.next_target(), legs.bridge) == (
        f"ccaas-{A_CALL}-media4",
        f"ccaas-{A_CALL}-to2",
        f"ccaas-{A_CALL}-bridge2",
    )
    legs.take_over_bridge("")
    legs.take_over_bridge("somebody-else's")
    assert legs.bridges == [f"ccaas-{A_CALL}-bridge2"]
    assert legs.next_bridge() == f"ccaas-{A_CALL}-bridge3"


def test_call_ids_sort_by_time_and_do_not_meet() -> None:
    ids = [new_call_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {len(call_id) for call_id in ids} == {22}


# — offers —


async def test_many_calls_at_once_keep_apart() -> None:
    async with Office() as office:
        pairs = [await office.call(f"+1555000{number:04}") for number in range(30)]
        for number, (caller, _) in enumerate(pairs):
            caller.press(str(number % 10))
        await office.until(lambda: all(clerk.keys for _, clerk in pairs), "all keys are there")
        for number, (caller, clerk) in enumerate(pairs):
            assert clerk.keys == str(number % 10)
            assert office.hears(caller, clerk)
        assert len(await office.switch.bridges()) == 30
        for number, (caller, clerk) in enumerate(pairs):
            if number % 2:
                caller.hang_up()
            else:
                clerk.decide.put_nowait(HangUp())
    assert len(office.over) == 30


async def test_an_offer_that_is_not_taken_goes_to_the_dialplan() -> None:
    async with Office() as office:
        office.refused = "full"
        caller = office.switch.call_in("1000")
        await office.until(lambda: caller.transferred_to, "given back")
        assert caller.transferred_to == f"{FALLBACK_CONTEXT},1000,1"
        assert not caller.up
        assert not office.events
        assert not office.over
        caller.hang_up()


async def test_an_offer_without_a_number_goes_to_the_start_of_the_fallback() -> None:
    async with Office() as office:
        office.refused = "number"
        caller = office.switch.call_in("")
        await office.until(lambda: caller.transferred_to == f"{FALLBACK_CONTEXT},s,1", "given back")
        caller.hang_up()


async def test_a_desk_that_breaks_leaves_nobody_ringing() -> None:
    async with Office() as office:
        office.welcome_fails = Boom("broken")
        caller = office.switch.call_in("1000")
        await office.until(lambda: caller.transferred_to, "given back")
        office.welcome_fails = None
        other, _ = await office.call()
        caller.hang_up()
        other.hang_up()


async def test_an_offer_seen_twice_is_one_call() -> None:
    async with Office() as office:
        office.welcome_s = 0.3
        caller = office.switch.call_in("1000")
        office.switch.disconnect()
        office.switch.reconnect()
        office.switch.tell(Offered(caller.id, 0.0, "", "1000", caller.codec))
        await office.until(lambda: office.clerks and office.clerks[0].attended, "taken")
        await asyncio.sleep(1.0)
        assert len(office.clerks) == 1
        caller.hang_up()


async def test_an_event_of_nobodys_leg_is_nothing() -> None:
    async with Office() as office:
        stranger = FakeLeg("stranger", office.switch, Codec.ULAW)
        office.switch.all_legs["stranger"] = stranger
        stranger.press("1")
        caller, clerk = await office.call()
        assert clerk.keys == ""
        del office.switch.all_legs["stranger"]
        caller.hang_up()


# — outbound —


async def test_an_outbound_call_talks_when_it_is_answered() -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/6001"] = FakePhone(answers=False)
        clerk, call_id = Clerk("x"), new_call_id()
        await office.supervisor.originate(
            "PJSIP/6001", "front", clerk, call_id, "+15550100", office.permit("PJSIP/6001")
        )
        leg = office.switch.all_legs[callee_name(call_id)]
        (call,) = office.supervisor.calls
        assert (call.state, call.dnis, leg.ani, clerk.attended) == (CallState.DIALLING, "front", "+15550100", [])
        leg.up = True
        office.switch.tell(Answered(leg.id, 0.0, leg.codec))
        await office.until(lambda: clerk.attended, "talking")
        assert office.hears(leg, clerk)
        leg.hang_up()
        await office.until(lambda: clerk.finished, "over")
        assert clerk.finished == [(EndReason.HUNG_UP, 16)]


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        (FakePhone(refuses=17), EndReason.BUSY),
        (FakePhone(answers=False), EndReason.NO_ANSWER),
        (FakePhone(refuses=3), EndReason.UNREACHABLE),
    ],
)
async def test_an_outbound_call_that_nobody_takes(phone: FakePhone, reason: EndReason) -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/6001"] = phone
        clerk = Clerk("x")
        await office.supervisor.originate("PJSIP/6001", "front", clerk, new_call_id(), "", office.permit("PJSIP/6001"))
        await office.until(lambda: clerk.finished, "over")
        assert clerk.finished[0][0] is reason
        assert clerk.attended == []


async def test_an_outbound_call_that_asterisk_refuses() -> None:
    async with Office() as office:
        office.switch.failing["originate"] = AriError("there is no such endpoint")
        clerk = Clerk("x")
        with pytest.raises(AriError):
            await office.supervisor.originate(
                "PJSIP/6001", "front", clerk, new_call_id(), "", office.permit("PJSIP/6001")
            )
        await office.until(lambda: clerk.finished, "over")
        assert clerk.finished == [(EndReason.UNREACHABLE, 0)]
        assert not [command for command in office.switch.commands if command[0] == "open_media"]


@pytest.mark.parametrize("forged", [None, Permit("x", "voice", "PJSIP/6001")])
async def test_nobody_is_called_without_the_gates_own_permit(forged: object) -> None:
    async with Office() as office:
        clerk = Clerk("x")
        used, other = office.permit("PJSIP/6001"), office.permit("PJSIP/6002")
        office.register.redeem(used, "voice", "PJSIP/6001")
        for permit in (forged, used, other):
            with pytest.raises(ContactRefused):
                await office.supervisor.originate("PJSIP/6001", "front", clerk, new_call_id(), "", permit)
        assert not [command for command in office.switch.commands if command[0] == "originate"]
        assert (office.supervisor.calls, clerk.finished) == ((), [(EndReason.FAILED, 0)] * 3)


# — another controller —


class LeftBehind:
    """A switch as an earlier controller left it: the caller of `A_CALL`, and whatever else a test wants."""

    def __init__(self, *, up: bool = True) -> None:
        self.switch = FakeSwitch(lambda: asyncio.get_running_loop().time())
        self.caller = self.switch.call_in("1000", "+15550111", up=up)
        self.bridge = f"ccaas-{A_CALL}-bridge1"

    async def talking(self) -> None:
        await self.switch.bridge(self.bridge)
        await self.switch.open_media(A_CALL, f"ccaas-{A_CALL}-media1", Codec.ULAW)
        await self.switch.join(self.bridge, self.caller.id, f"ccaas-{A_CALL}-media1")

    async def connected(self) -> FakeLeg:
        await self.switch.bridge(self.bridge)
        target = await self.ringing(FakePhone())
        await self.switch.join(self.bridge, self.caller.id, target.id)
        return target

    async def ringing(self, phone: FakePhone) -> FakeLeg:
        self.switch.phones["PJSIP/desk"] = phone
        name = f"ccaas-{A_CALL}-to1"
        await self.switch.originate(name, "PJSIP/desk", caller_id="", timeout_s=20, codec=Codec.ULAW, variables={})
        return self.switch.all_legs[name]

    def remembered(self) -> tuple[dict[str, Remembered], Clerk]:
        """What the journal says; what the switch told the earlier controller is not told again."""
        self.switch._events = asyncio.Queue()
        self.switch._events.put_nowait(Connected())
        clerk = Clerk(A_CALL)
        return {self.caller.id: Remembered(A_CALL, self.caller.id, clerk)}, clerk


async def test_a_call_that_was_talking_goes_on_talking() -> None:
    before = LeftBehind()
    await before.talking()
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: clerk.attended, "picked up")
        assert clerk.attended == ["lost"]
        (call,) = office.supervisor.calls
        assert (call.id, call.ani, call.dnis, call.state) == (A_CALL, "+15550111", "1000", CallState.TALKING)
        assert office.hears(before.caller, clerk)
        assert office.ours() == [before.caller.id, f"ccaas-{A_CALL}-media2"], "nobody listens at the old media leg"
        assert await before.switch.bridges() == (f"ccaas-{A_CALL}-bridge2",)
        before.caller.press("5")
        await office.until(lambda: clerk.keys == "5", "keys arrive")
        clerk.decide.put_nowait(HangUp())
    assert clerk.finished == [(EndReason.DISMISSED, 16)]


async def test_a_caller_who_waited_with_music_talks_again() -> None:
    before = LeftBehind()
    await before.talking()
    target = await before.ringing(FakePhone(answers=False))
    await before.switch.hold(before.caller.id)
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: clerk.attended, "picked up")
        assert clerk.attended == ["unanswered"]
        assert office.hears(before.caller, clerk)
        assert target.end is not None, "the phone that rang rings no more"
        before.caller.hang_up()


async def test_two_people_who_were_connected_stay_so() -> None:
    before = LeftBehind()
    target = await before.connected()
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: office.supervisor.calls, "picked up")
        assert office.supervisor.calls[0].state is CallState.CONNECTED
        assert before.caller.bridge_id == target.bridge_id == before.bridge
        before.caller.say(b"\x01" * 160)
        assert target.heard == [b"\x01" * 160]
        target.hang_up()
        await office.until(lambda: before.caller.end, "the caller is hung up too")
    assert (clerk.attended, clerk.finished) == ([], [(EndReason.DISMISSED, 16)])


async def test_a_supervisor_whom_the_earlier_controller_let_in_is_let_go_and_may_come_again() -> None:
    before = LeftBehind()
    target = await before.connected()
    old = Monitors(before.switch)
    legs = Legs(A_CALL, before.caller.id, Codec.ULAW, [f"ccaas-{A_CALL}-bridge1"])
    await old.supervise(legs, "PJSIP/boss", Supervision.LISTEN)
    await asyncio.sleep(0.01)
    (rung,) = (leg for leg in before.switch.all_legs.values() if leg.dnis == "PJSIP/boss")
    old.handle(Answered(rung.id, 0.0, Codec.ULAW))
    phone = await _boss(before.switch)
    remembered, _ = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: phone.end is not None, "the phone is hung up")
        await office.until(lambda: len(office.ours()) == 2, "caller and colleague are left")
        assert target.end is None
        await office.supervisor.supervise(A_CALL, "PJSIP/boss", Supervision.BARGE)
        again = await _boss(before.switch)
        again.say(b"\x02" * 160)
        assert before.caller.heard[-1:] == target.heard[-1:] == [b"\x02" * 160]
        with pytest.raises(CcaasError, match="not up"):
            await office.supervisor.supervise("20260301120000" + "0" * 8, "PJSIP/boss", Supervision.LISTEN)
        target.hang_up()
        await office.until(lambda: again.end, "the supervisor is let go with the call")
    await old.close()
    assert await before.switch.bridges() == ()


async def _boss(switch: FakeSwitch) -> FakeLeg:
    """The supervisor's phone, once it hears something."""
    async with asyncio.timeout(10):
        while True:
            ears = {leg.bridge_id for leg in switch.all_legs.values() if leg.snooped and leg.end is None}
            for leg in switch.all_legs.values():
                if leg.dnis == "PJSIP/boss" and leg.end is None and leg.bridge_id in ears - {""}:
                    return leg
            await asyncio.sleep(0.01)


async def test_a_call_that_was_not_answered_is_answered() -> None:
    before = LeftBehind(up=False)
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: clerk.attended, "picked up")
        assert before.caller.up
        assert clerk.attended == [""]
        before.caller.hang_up()


async def test_an_outbound_call_that_was_ringing_talks_when_it_is_answered() -> None:
    switch = FakeSwitch(lambda: asyncio.get_running_loop().time())
    switch.phones["PJSIP/6001"] = FakePhone(answers=False)
    name = callee_name(A_CALL)
    await switch.originate(name, "PJSIP/6001", caller_id="", timeout_s=60, codec=Codec.ULAW, variables={})
    switch._events = asyncio.Queue()
    switch._events.put_nowait(Connected())
    clerk, leg = Clerk(A_CALL), switch.all_legs[name]
    async with Office(switch, {name: Remembered(A_CALL, name, clerk)}) as office:
        await office.until(lambda: office.supervisor.calls, "picked up")
        assert office.supervisor.calls[0].state is CallState.DIALLING
        leg.up = True
        switch.tell(Answered(name, 0.0, Codec.ULAW))
        await office.until(lambda: clerk.attended == [""], "talking")
        leg.hang_up()


async def test_a_call_that_ended_meanwhile_is_closed() -> None:
    before = LeftBehind()
    await before.talking()
    before.caller.hang_up()
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: clerk.finished, "closed")
        assert clerk.finished == [(EndReason.HUNG_UP, 0)]
        assert office.over == [(A_CALL, EndReason.HUNG_UP, 0)]


async def test_a_call_that_the_dialplan_has_meanwhile_is_closed_and_left_alone() -> None:
    before = LeftBehind()
    await before.switch.return_to_dialplan(before.caller.id, FALLBACK_CONTEXT, "1000")
    remembered, clerk = before.remembered()
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: clerk.finished, "closed")
        assert before.caller.end is None
        before.caller.hang_up()


async def test_a_caller_whom_nobody_remembers_is_taken_as_new() -> None:
    before = LeftBehind()
    before.remembered()
    async with Office(before.switch) as office:
        await office.until(lambda: office.clerks and office.clerks[0].attended, "taken")
        offer = office.clerks[0].offer
        assert offer is not None
        assert (offer.leg_id, offer.ani, offer.dnis) == (before.caller.id, "+15550111", "1000")
        before.caller.hang_up()


async def test_what_belongs_to_nobody_is_cleared_away() -> None:
    before = LeftBehind()
    await before.talking()
    await before.ringing(FakePhone(answers=False))
    await before.switch.bridge("ccaas-20260301115959deadbeef-bridge3")
    before.caller.hang_up()
    before.remembered()
    async with Office(before.switch) as office:
        await office.until(lambda: not office.ours(), "the legs are gone")
    assert await before.switch.bridges() == ()


async def test_an_asterisk_that_does_not_say_what_exists_is_asked_at_the_next_connection() -> None:
    before = LeftBehind()
    await before.talking()
    remembered, clerk = before.remembered()
    before.switch.failing["legs"] = AriError("Asterisk answered 500")
    async with Office(before.switch, remembered) as office:
        await office.until(lambda: office.supervisor.connected, "connected")
        await asyncio.sleep(1.0)
        assert clerk.attended == []
        before.switch.disconnect()
        before.switch.reconnect()
        await office.until(lambda: clerk.attended, "picked up")
        before.caller.hang_up()


# — gaps —


async def test_calls_go_on_through_a_gap_in_the_events() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        gone, lost = await office.call()
        office.switch.disconnect()
        await office.until(lambda: not office.supervisor.connected, "the gap is noticed")
        gone.hang_up()
        missed = office.switch.call_in("1000")
        assert office.hears(caller, clerk)
        office.switch.reconnect()
        await office.until(lambda: office.supervisor.connected, "connected")
        await office.until(lambda: lost.finished, "the call that went in the gap is over")
        await office.until(lambda: len(office.clerks) == 3 and office.clerks[2].attended, "the missed call is taken")
        assert office.hears(caller, clerk)
        assert clerk.attended == [""]
        missed.hang_up()
        caller.hang_up()


# — the end —


async def test_a_controller_that_goes_leaves_its_calls_up() -> None:
    office = Office()
    await office.__aenter__()
    caller, clerk = await office.call()
    other, connected = await office.call()
    connected.decide.put_nowait(TransferTo("desk"))
    await office.until(lambda: office.the_call(connected).state is CallState.CONNECTED, "connected")
    await office.close()
    assert (clerk.left, clerk.finished, connected.left, office.over) == (1, [], 1, [])
    assert caller.end is None
    assert caller.bridge_id
    assert other.bridge_id
    assert other.end is None
    target = next(leg for leg in office.switch.all_legs.values() if "-to" in leg.id)
    assert target.bridge_id == other.bridge_id


async def test_a_controller_that_ends_gives_its_calls_to_the_dialplan() -> None:
    async with Office() as office:
        pairs = [await office.call() for _ in range(3)]
        await office.supervisor.release()
        assert not office.supervisor.calls
        for caller, clerk in pairs:
            assert caller.transferred_to == f"{FALLBACK_CONTEXT},1000,1"
            assert clerk.finished == [(EndReason.RETURNED, 0)]
            caller.hang_up()
        assert len(office.over) == 3


async def test_a_call_that_cannot_be_given_away_does_not_hold_up_the_end() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        office.switch.failing["return_to_dialplan"] = AriError("Asterisk answered 500")
        await office.supervisor.release()
        assert clerk.finished == []
        caller.hang_up()


async def test_idle_waits_for_the_last_write() -> None:
    async with Office() as office:
        await office.supervisor.idle()
        first, writing = await office.call()
        second, _ = await office.call()
        writing.settles.clear()
        first.hang_up()
        second.hang_up()
        await office.until(lambda: len(office.over) == 1, "the other call is over")
        idle = asyncio.create_task(office.supervisor.idle())
        await asyncio.sleep(5.0)
        assert not idle.done()
        writing.settles.set()
        await idle
        assert writing.finished


async def test_a_closed_switch_ends_the_supervisor() -> None:
    office = Office()
    await office.__aenter__()
    caller, clerk = await office.call()
    await office.switch.close()
    await asyncio.wait({office.running})
    assert office.running.exception() is None
    assert clerk.left == 1
    assert caller.end is None
