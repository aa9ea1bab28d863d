"""One call on the fake switch, from its offer to its end: whatever happens, nothing of it is left."""

from __future__ import annotations

import pytest
from office import Boom, Clerk, Office

from ccaas.asterisk.errors import AriError, LegGone
from ccaas.errors import MediaError
from ccaas.telephony.call import FALLBACK_CONTEXT
from ccaas.telephony.desk import HangUp, TransferTo
from ccaas.telephony.events import Answered, EndReason, Left, Offered
from ccaas.telephony.state import CallState
from ccaas.testing.fakes.switch import FakeLeg, FakePhone

pytestmark = pytest.mark.looptime


def target_leg(office: Office) -> FakeLeg:
    return [leg for leg in office.switch.all_legs.values() if "-to" in leg.id][-1]


def returned(leg: FakeLeg) -> bool:
    return leg.transferred_to == f"{FALLBACK_CONTEXT},1000,1"


async def over(office: Office, clerk: Clerk) -> tuple[EndReason, int]:
    await office.until(lambda: clerk.finished, "the attendant has finished")
    ((call_id, reason, cause),) = [row for row in office.over if row[0] == clerk.call_id]
    assert clerk.finished == [(reason, cause)]
    assert call_id == clerk.call_id
    return reason, cause


async def test_a_call_is_accepted_talks_and_is_hung_up() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        assert clerk.offer is not None
        assert (clerk.offer.ani, clerk.offer.dnis, clerk.attended) == ("+15550111", "1000", [""])
        assert office.the_call(clerk).state is CallState.TALKING
        assert office.hears(caller, clerk)
        clerk.decide.put_nowait(HangUp())
        assert await over(office, clerk) == (EndReason.DISMISSED, 16)
        assert caller.end is not None
        kinds = [type(event).__name__ for call_id, event in office.events if call_id == clerk.call_id]
        assert kinds[0] == "Offered"
        assert kinds[1] == "Answered"
        assert "Ended" in kinds


async def test_keys_and_hold_reach_the_attendant() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        caller.press("12#")
        caller.hold()
        caller.unhold()
        await office.until(lambda: len(clerk.holds) == 2, "held and back")
        assert (clerk.keys, clerk.holds) == ("12#", [True, False])
        caller.hang_up()


async def test_the_caller_hangs_up_while_talking() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        caller.hang_up(31)
        assert await over(office, clerk) == (EndReason.HUNG_UP, 31)


async def test_the_caller_hangs_up_before_anybody_was_found() -> None:
    async with Office() as office:
        office.welcome_s = 0.5
        caller = office.switch.call_in("1000")
        await office.until(lambda: office.supervisor.connected, "connected")
        caller.hang_up()
        await office.until(lambda: office.clerks and office.clerks[0].finished, "closed")
        assert await over(office, office.clerks[0]) == (EndReason.HUNG_UP, 16)
        assert office.clerks[0].attended == []
        assert not [command for command in office.switch.commands if command[0] == "answer"]


async def test_the_caller_hangs_up_as_we_answer() -> None:
    async with Office() as office:
        caller = office.switch.call_in("1000")
        office.switch.failing["answer"] = LegGone("there is no leg")
        await office.until(lambda: office.clerks, "found")
        caller.hang_up()
        assert await over(office, office.clerks[0]) == (EndReason.HUNG_UP, 16)


@pytest.mark.parametrize("command", ["open_media", "join", "bridge"])
async def test_the_caller_hangs_up_as_the_audio_is_opened(command: str) -> None:
    async with Office() as office:
        office.switch.failing[command] = LegGone("there is no leg")
        caller = office.switch.call_in("1000")
        await office.until(lambda: command not in office.switch.failing, "refused")
        caller.hang_up()
        await office.until(lambda: office.clerks[0].finished, "finished")
        assert await over(office, office.clerks[0]) == (EndReason.HUNG_UP, 16)
        assert not returned(caller)


@pytest.mark.parametrize(
    "error", [MediaError("no audio within 2 s"), AriError("Asterisk answered 500"), Boom("something else")]
)
async def test_a_caller_without_audio_goes_to_the_dialplan(error: Exception) -> None:
    async with Office() as office:
        office.switch.failing["open_media"] = error
        caller = office.switch.call_in("1000")
        await office.until(lambda: returned(caller), "given back")
        assert await over(office, office.clerks[0]) == (EndReason.RETURNED, 0)
        caller.hang_up()


async def test_lost_audio_is_opened_again_and_the_third_loss_is_too_much() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        for times in (1, 2):
            clerk.streams[-1].lose()
            await office.until(lambda times=times: len(clerk.streams) == times + 1, "audio again")  # type: ignore[misc]
            assert office.hears(caller, clerk)
            assert len(await office.switch.bridges()) == 1
        assert clerk.attended == ["", "lost", "lost"]
        clerk.streams[-1].lose()
        await office.until(lambda: returned(caller), "given back")
        assert await over(office, clerk) == (EndReason.RETURNED, 0)
        caller.hang_up()


async def test_an_attendant_that_breaks_costs_the_caller_only_the_agent() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(Boom("broken"))
        await office.until(lambda: returned(caller), "given back")
        assert await over(office, clerk) == (EndReason.RETURNED, 0)
        assert caller.end is None
        caller.hang_up()


async def test_a_caller_who_cannot_be_rescued_is_hung_up() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        office.switch.failing["return_to_dialplan"] = AriError("Asterisk answered 500")
        clerk.decide.put_nowait(Boom("broken"))
        await office.until(lambda: caller.end, "hung up")
        assert (await over(office, clerk))[0] is EndReason.FAILED


async def test_an_attendant_that_breaks_on_a_key_costs_its_own_call_only() -> None:
    async with Office() as office:
        first, broken = await office.call()
        second, clerk = await office.call()
        broken.key_fails = Boom("broken")
        first.press("1")
        await office.until(lambda: returned(first), "given back")
        assert await over(office, broken) == (EndReason.RETURNED, 0)
        second.press("2")
        await office.until(lambda: clerk.keys == "2", "the other call goes on")
        first.hang_up()
        second.hang_up()


async def test_an_attendant_that_cannot_finish_is_finished_with() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.finish_fails = Boom("disk")
        caller.hang_up()
        await office.until(lambda: office.over, "the books are closed")
        assert office.over == [(clerk.call_id, EndReason.HUNG_UP, 16)]


async def test_an_answered_transfer_connects_two_people() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: office.the_call(clerk).state is CallState.CONNECTED, "connected")
        target = target_leg(office)
        assert (target.dnis, target.ani) == ("PJSIP/desk", "+15550100")
        assert caller.bridge_id == target.bridge_id != ""
        assert not caller.music
        assert clerk.streams[-1].closed
        assert office.ours() == [caller.id, target.id], "the audio stays inside the switch"
        caller.say(b"\x01" * 160)
        assert target.heard == [b"\x01" * 160]
        caller.press("1")
        target.hang_up()
        await office.until(lambda: caller.end, "the caller is hung up too")
        assert await over(office, clerk) == (EndReason.DISMISSED, 16)
        assert clerk.keys == ""


async def test_a_connected_caller_hangs_up() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: office.the_call(clerk).state is CallState.CONNECTED, "connected")
        caller.hang_up()
        assert await over(office, clerk) == (EndReason.HUNG_UP, 16)
        assert target_leg(office).end is not None


@pytest.mark.parametrize(
    "phone",
    [FakePhone(refuses=17), FakePhone(refuses=21), FakePhone(refuses=3), FakePhone(answers=False)],
    ids=["busy", "rejected", "unreachable", "unanswered"],
)
async def test_a_transfer_that_nobody_takes_brings_the_caller_back(phone: FakePhone) -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/desk"] = phone
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: len(clerk.attended) == 2, "back with the agent")
        assert clerk.attended == ["", "unanswered"]
        assert office.the_call(clerk).state is CallState.TALKING
        assert office.hears(caller, clerk)
        assert len(await office.switch.bridges()) == 1
        caller.hang_up()


async def test_a_caller_waits_with_music_and_may_give_up() -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/desk"] = FakePhone(answers=False)
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: caller.music, "on hold")
        assert office.the_call(clerk).state is CallState.TRANSFERRING
        caller.press("1")
        caller.hang_up()
        assert await over(office, clerk) == (EndReason.HUNG_UP, 16)
        assert target_leg(office).end is not None
        assert clerk.keys == ""


async def test_a_transfer_that_asterisk_refuses_brings_the_caller_back() -> None:
    async with Office() as office:
        office.switch.failing["originate"] = AriError("there is no such endpoint")
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: len(clerk.attended) == 2, "back with the agent")
        assert not caller.music
        caller.hang_up()


async def test_somebody_who_answers_and_hangs_up_at_once_brings_the_caller_back() -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/desk"] = FakePhone(answers=False)
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: caller.music, "on hold")
        target = target_leg(office)
        office.switch.phones["PJSIP/desk"] = FakePhone()
        target.up = True
        office.switch.tell(Answered(target.id, 0.0, target.codec))
        target.hang_up()
        await office.until(lambda: len(clerk.attended) == 2, "back with the agent")
        assert office.hears(caller, clerk)
        caller.hang_up()


async def test_somebody_who_leaves_the_bridge_leaves_nobody_in_silence() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: office.the_call(clerk).state is CallState.CONNECTED, "connected")
        target = target_leg(office)
        office.switch.tell(Left(target.id, 0.0))
        await office.until(lambda: caller.end, "hung up")
        assert await over(office, clerk) == (EndReason.DISMISSED, 16)
        office.switch.end(target, EndReason.HUNG_UP, 16)


async def test_two_transfers_in_one_call() -> None:
    async with Office() as office:
        office.switch.phones["PJSIP/desk"] = FakePhone(refuses=17)
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: len(clerk.attended) == 2, "back with the agent")
        office.switch.phones["PJSIP/desk"] = FakePhone()
        clerk.decide.put_nowait(TransferTo("desk"))
        await office.until(lambda: office.the_call(clerk).state is CallState.CONNECTED, "connected")
        caller.hang_up()


async def test_a_destination_that_is_not_there_brings_the_caller_back() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("nowhere"))
        await office.until(lambda: len(clerk.attended) == 2, "back with the agent")
        assert clerk.attended[1] == "unanswered"
        assert not caller.music
        caller.hang_up()


async def test_who_comes_back_from_a_blind_transfer_is_taken_again_however_soon() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.settles.clear()
        clerk.decide.put_nowait(TransferTo("away"))
        await office.until(lambda: caller.transferred_to, "sent away")
        caller.come_back()
        await office.until(lambda: len(office.clerks) == 2 and office.clerks[1].attended, "taken again")
        again = office.clerks[1]
        assert again.offer is not None
        assert again.offer.dnis == "1000"
        clerk.settles.set()
        assert await over(office, clerk) == (EndReason.TRANSFERRED, 0)
        assert office.hears(caller, again)
        caller.hang_up()
        assert await over(office, again) == (EndReason.HUNG_UP, 16)


async def test_a_blind_transfer_lets_the_caller_go() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("away"))
        assert await over(office, clerk) == (EndReason.TRANSFERRED, 0)
        assert caller.transferred_to == "PJSIP/away"
        assert caller.end is None
        caller.hang_up()


async def test_a_caller_who_comes_back_from_a_blind_transfer_is_taken_again() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("away"))
        await over(office, clerk)
        caller.ours = True
        office.switch.offer_again(caller)
        await office.until(lambda: len(office.clerks) == 2 and office.clerks[1].attended, "taken again")
        offer = office.clerks[1].offer
        assert isinstance(offer, Offered)
        assert offer.dnis == "1000"
        assert office.clerks[1].call_id != clerk.call_id
        caller.hang_up()


async def test_a_blind_transfer_that_asterisk_refuses_ends_in_the_dialplan() -> None:
    async with Office() as office:
        office.switch.failing["redirect"] = AriError("Asterisk answered 500")
        caller, clerk = await office.call()
        clerk.decide.put_nowait(TransferTo("away"))
        await office.until(lambda: returned(caller), "given back")
        assert await over(office, clerk) == (EndReason.RETURNED, 0)
        caller.hang_up()


async def test_a_blind_transfer_that_never_happens_ends_in_the_dialplan(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Office() as office:
        caller, clerk = await office.call()

        async def nothing(leg_id: str, endpoint: str) -> None:
            """A phone that ignores the REFER."""

        monkeypatch.setattr(office.switch, "redirect", nothing)
        clerk.decide.put_nowait(TransferTo("away"))
        await office.until(lambda: returned(caller), "given back")
        await over(office, clerk)
        caller.hang_up()


async def test_a_call_taken_away_by_somebody_else_is_over_for_us() -> None:
    async with Office() as office:
        caller, clerk = await office.call()
        caller.ours = False
        office.switch.tell(Left(caller.id, 0.0))
        assert await over(office, clerk) == (EndReason.RETURNED, 0)
        caller.hang_up()
