"""Callers in queues on the fake switch: who rings when, what the caller hears, and that nobody is ever lost."""

from __future__ import annotations

import asyncio

import pytest
from queueing import QUEUES, Floor

from ccaas.contact.handoff import Handoff
from ccaas.contact.settings import Hours, Overflow, QueueSettings, Way
from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState, BoardChanged, CallChanged
from ccaas.telephony.desk import HangUp
from ccaas.telephony.events import Answered
from ccaas.telephony.state import CallState
from ccaas.testing.fakes.switch import FakeLeg, FakePhone

pytestmark = pytest.mark.looptime


def legs_to(floor: Floor) -> list[FakeLeg]:
    return [leg for leg in floor.office.switch.all_legs.values() if "-to" in leg.id]


def together(*legs: FakeLeg) -> bool:
    return len({leg.bridge_id for leg in legs}) == 1 and bool(legs[0].bridge_id) and not any(leg.music for leg in legs)


async def test_the_bundle_is_shown_before_the_phone_rings_and_the_two_talk() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, _ = await floor.wait_in("senior", score=0.8)
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "she answered")
        (agent,) = legs_to(floor)
        await floor.office.until(lambda: together(caller, agent), "joined")
        assert floor.rung() == ["PJSIP/sue"], "only the senior rings"
        assert len(floor.desks["sue"].shown) == 1
        assert floor.desks["ann"].shown == []
        shown = floor.desks["sue"].shown[0]
        assert (shown.queue, shown.why) == ("senior", "upset")
        order = [command[0] for command in floor.office.switch.commands]
        assert floor.desks["sue"].rung_before == [0], "shown before anything rang"
        assert order.index("hold") < order.index("originate"), "music before anything rings"
        agent.hang_up()
        await floor.office.until(lambda: caller.end is not None, "the caller is hung up on")
        assert floor.state("sue") is AgentState.WRAP_UP
        await floor.centre.wrap_up("sue", shown.conversation_id, "solved", "")
        assert floor.state("sue") is AgentState.AVAILABLE
        states = [news.state for news in floor.news if isinstance(news, CallChanged)]
        assert states == ["ringing", "talking", "ended"]


async def test_the_agent_is_briefed_alone_while_the_caller_hears_music() -> None:
    async with Floor() as floor:
        await floor.ready("sue")
        caller, clerk = await floor.wait_in("senior", score=0.8)
        await floor.office.until(lambda: clerk.announced, "the briefing begins")
        (agent,) = legs_to(floor)
        assert caller.music
        assert agent.bridge_id
        assert agent.bridge_id != caller.bridge_id
        assert "upset" in clerk.announced[0]
        await floor.office.until(lambda: together(caller, agent), "joined after it")
        caller.hang_up()
        await floor.office.until(lambda: agent.end is not None, "the agent's leg ends with the caller's")


@pytest.mark.parametrize("how", ["hangs up", "signs out", "is let go"])
async def test_a_briefing_ends_with_its_reason(how: str) -> None:
    """The agent goes, or there is nobody to be briefed for any more: nobody listens to the rest of it."""
    async with Floor() as floor:
        await floor.ready("sue")
        caller, clerk = await floor.wait_in("senior", score=0.8)
        clerk.announcing_s = 60.0
        await floor.office.until(lambda: clerk.announced, "the briefing begins")
        began = asyncio.get_running_loop().time()
        (agent,) = legs_to(floor)
        if how == "hangs up":
            agent.hang_up()
        elif how == "signs out":
            await floor.centre.sign_out("sue", floor.desks["sue"])
        else:
            caller.hang_up()
        await floor.office.until(lambda: agent.end is not None, "the agent's phone is free")
        assert asyncio.get_running_loop().time() - began < 5
        await floor.office.until(lambda: floor.state("sue") is not AgentState.RINGING, "sue does not ring any more")
        if how != "is let go":
            assert caller.end is None
            caller.hang_up()


async def test_who_waits_is_listened_to_where_that_is_wanted_and_on_in_the_talk() -> None:
    async with Floor() as floor:
        caller, clerk = await floor.office.call()
        clerk.wants_waiting = True
        await floor.ready("ann")
        floor.office.switch.phones["PJSIP/ann"] = FakePhone(answers=False)
        floor.send(clerk, "general")
        await floor.office.until(lambda: legs_to(floor), "her phone rings")
        await floor.office.until(lambda: caller.say(b"a" * 160) or clerk.heard_waiting, "they are heard")
        assert caller.music
        (agent,) = legs_to(floor)
        agent.up = True
        floor.office.switch.tell(Answered(agent.id, 0.0, agent.codec))
        await floor.office.until(lambda: together(caller, agent), "they talk")
        heard = len(clerk.heard_waiting)
        caller.say(b"b" * 160)
        await floor.office.until(lambda: len(clerk.heard_waiting) > heard, "they are heard on")
        clerk.heard_enough.set()
        spies = [leg for leg in floor.office.switch.all_legs.values() if leg.snooped is not None]
        await floor.office.until(lambda: [leg.end for leg in spies] != [None], "until that was enough")
        assert (len(spies), agent.end) == (1, None)
        caller.hang_up()


async def test_a_talk_is_listened_to_side_by_side_and_nothing_of_it_is_left() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.office.call()
        clerk.wants_talks = True
        floor.send(clerk, "general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        (ann,) = legs_to(floor)
        await floor.office.until(lambda: len(clerk.overheard) == 2, "both sides are listened to")
        caller.say(b"a" * 160)
        ann.say(b"b" * 160)
        await floor.office.until(lambda: all(clerk.overheard.values()), "both were heard")
        assert set(clerk.overheard["customer"]) == {b"a" * 160}
        assert set(clerk.overheard["agent"]) == {b"b" * 160}
        assert caller.heard[-1] == b"b" * 160
        ann.hold()
        ann.unhold()
        await floor.office.until(lambda: CallChanged(clerk.call_id, "held") in floor.news, "the desk knows")
        await floor.office.until(lambda: floor.news.count(CallChanged(clerk.call_id, "talking")) == 2, "she is back")
        await floor.centre.transfer(clerk.call_id, "senior", by="ann")
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "sue talks")
        sue = legs_to(floor)[-1]
        await floor.office.until(lambda: together(caller, sue), "joined")
        heard = len(clerk.overheard["agent"])
        await floor.office.until(
            lambda: sue.say(b"c" * 160) or len(clerk.overheard["agent"]) > heard, "and she is heard"
        )
        caller.hang_up()


async def test_no_answer_sets_away_and_the_next_one_rings() -> None:
    async with Floor() as floor:
        floor.office.switch.phones["PJSIP/ann"] = FakePhone(answers=False)
        await floor.ready("ann", "sue")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "the next one")
        assert floor.rung() == ["PJSIP/ann", "PJSIP/sue"]
        assert (floor.state("ann"), floor.reason("ann")) == (AgentState.AWAY, "did not answer")
        assert floor.desks["ann"].withdrawn
        caller.hang_up()


async def test_a_desktop_that_does_not_acknowledge_never_rings() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        floor.desks["ann"].takes_s = 60.0
        caller, _ = await floor.wait_in("general")
        began = asyncio.get_running_loop().time()
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "the next one")
        assert 2.0 <= asyncio.get_running_loop().time() - began < 3.0
        assert floor.rung() == ["PJSIP/sue"]
        assert floor.state("ann") is AgentState.AWAY
        caller.hang_up()


async def test_position_is_told_a_call_back_keeps_the_place() -> None:
    async with Floor() as floor:
        await floor.ready("ann")
        first, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "the first one talks")
        second, clerk = await floor.wait_in("general")
        third, other = await floor.wait_in("general")
        await floor.office.until(lambda: clerk.announced and other.announced, "positions")
        assert clerk.announced[0] == "You are next in line. Thank you for waiting.", "no waiting time: it is not known"
        assert other.announced[0].startswith("You are number 2 in line.")
        await floor.office.until(lambda: any("call you back" in text for text in clerk.announced), "the offer")
        second.press("1")
        await floor.office.until(lambda: second.end is not None, "hung up, and called back later")
        assert "Goodbye" in clerk.announced[-1]
        board = floor.centre.board()
        general = next(queue for queue in board.queues if queue.name == "general")
        assert [(one.position, one.callback) for one in general.waiting] == [(1, True), (2, False)]
        assert general.abandoned == 0
        legs_to(floor)[0].hang_up()
        await floor.office.until(lambda: first.end is not None, "the first call is over")
        await floor.centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        await floor.office.until(lambda: floor.books.called_back, "called back before the third one's turn")
        assert floor.desks["ann"].shown[-1].handoff_id == floor.books.called_back[0].id, "offered to the agent first"
        assert floor.rung() == ["PJSIP/ann"], "nothing rings before the customer has answered"
        third.hang_up()


async def test_yes_to_the_offer_counts_as_the_key() -> None:
    async with Floor() as floor:
        await floor.ready("ann")
        await floor.centre.set_state("ann", AgentState.AWAY, "lunch", by="ann")
        caller, clerk = await floor.wait_in("general")
        clerk.wants = True
        await floor.office.until(lambda: caller.end is not None, "hung up")
        (kept,) = [Handoff.of(record) for record in floor.books.kept.values()]
        assert (kept.why, kept.stage.value) == ("callback", "callback")


async def test_who_hangs_up_while_waiting_or_ringing_has_abandoned() -> None:
    async with Floor() as floor:
        floor.office.switch.phones["PJSIP/ann"] = FakePhone(answers=False)
        await floor.ready("ann")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(floor.rung, "it rings")
        caller.hang_up()
        await floor.office.until(lambda: floor.state("ann") is AgentState.AVAILABLE, "not her fault")
        assert floor.desks["ann"].withdrawn
        general = next(queue for queue in floor.centre.board().queues if queue.name == "general")
        assert (general.abandoned, general.answered, general.service_level, general.waiting) == (1, 0, 0.0, ())
        assert floor.books.kept == {}


@pytest.mark.parametrize("reason", ["nobody", "closed"])
async def test_where_nobody_works_the_ai_takes_the_caller_back_and_says_so(reason: str) -> None:
    hours = Hours(days={"mon": ("09:00-17:00",)}) if reason == "closed" else None
    async with Floor(general=QueueSettings(skills={"general": 1}, hours=hours)) as floor:
        if reason == "closed":
            await floor.ready("ann")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: len(clerk.attended) == 2, "back with the AI")
        assert clerk.attended == ["", "queue"]
        assert floor.office.the_call(clerk).state is CallState.TALKING
        assert floor.office.hears(caller, clerk)
        assert floor.rung() == []
        assert floor.books.kept == {}
        clerk.decide.put_nowait(HangUp())


async def test_overflow_goes_to_another_queue_and_the_waiting_time_counts() -> None:
    queue = QUEUES["general"].model_copy(update={"overflow": Overflow(to="phone", after_s=30, say="One more moment.")})
    async with Floor(general=queue) as floor:
        await floor.ready("ann", "bob")
        await floor.centre.set_state("ann", AgentState.AWAY, "lunch", by="ann")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("bob") is AgentState.ON_CALL, "the other queue's agent")
        assert floor.rung() == ["PJSIP/6009"], "a phone needs no desktop"
        assert "One more moment." in clerk.announced
        (talk,) = floor.centre.handoffs
        assert talk.answered_at - talk.since >= 30
        caller.hang_up()


async def test_nobody_signed_in_leads_to_a_telephone_and_nothing_of_the_queue_is_left() -> None:
    queue = QueueSettings(skills={"general": 1}, nobody=Way(to="desk"))
    async with Floor(general=queue) as floor:
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: legs_to(floor), "it rings there")
        await floor.office.until(lambda: together(caller, legs_to(floor)[0]), "and they talk")
        assert (floor.rung(), clerk.announced) == (["PJSIP/desk"], [])
        assert floor.books.kept == {}
        assert floor.office.the_call(clerk).state is CallState.CONNECTED
        legs_to(floor)[0].hang_up()


@pytest.mark.parametrize("answers", [True, False])
async def test_an_agent_sends_the_caller_to_a_telephone(answers: bool) -> None:
    async with Floor() as floor:
        await floor.ready("ann")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        floor.office.switch.phones["PJSIP/desk"] = FakePhone(answers=answers)
        await floor.centre.transfer(clerk.call_id, "desk", by="ann")
        await floor.office.until(lambda: floor.state("ann") is AgentState.WRAP_UP, "ann has finished")
        if answers:
            await floor.office.until(lambda: together(caller, legs_to(floor)[1]), "they talk")
        else:
            await floor.office.until(lambda: len(clerk.attended) == 2, "nobody there: the AI has them")
            assert clerk.attended[-1] == "unanswered"
            assert floor.office.hears(caller, clerk)
        caller.hang_up()


async def test_to_one_agent_alone_and_to_nobody_else_first() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        with pytest.raises(ContactError, match="Bob is offline"):
            await floor.centre.transfer(clerk.call_id, "bob", by="ann")
        await floor.ready("bob")
        await floor.centre.transfer(clerk.call_id, "bob", by="ann")
        await floor.office.until(lambda: floor.state("bob") is AgentState.ON_CALL, "bob, whatever his skills are")
        assert floor.rung() == ["PJSIP/ann", "PJSIP/6009"]
        caller.hang_up()


async def test_queues_that_send_round_in_circles_end_with_the_ai() -> None:
    first = QueueSettings(skills={"general": 1}, nobody=Way(to="phone"))
    second = QueueSettings(skills={"phone": 1}, nobody=Way(to="general"))
    async with Floor(general=first, phone=second) as floor:
        _, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: len(clerk.attended) == 2, "back with the AI")
        clerk.decide.put_nowait(HangUp())


async def test_transfers_blind_to_a_queue_and_back_to_the_ai() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        await floor.centre.transfer(clerk.call_id, "senior", by="ann")
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "sue talks")
        assert floor.state("ann") is AgentState.WRAP_UP
        await floor.office.until(lambda: together(caller, legs_to(floor)[-1]), "joined")
        await floor.centre.transfer(clerk.call_id, "butler", by="sue")
        await floor.office.until(lambda: len(clerk.attended) == 2, "the AI has them again")
        assert floor.state("sue") is AgentState.WRAP_UP
        assert floor.office.hears(caller, clerk)
        with pytest.raises(ContactError, match="nobody has it"):
            await floor.centre.transfer(clerk.call_id, "senior", by="sue")
        caller.hang_up()


async def test_consult_then_conference_then_the_agent_leaves() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        ann = legs_to(floor)[0]
        await floor.centre.consult(clerk.call_id, "sue", by="ann")
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "sue is consulted")
        sue = legs_to(floor)[1]
        await floor.office.until(lambda: together(ann, sue), "the two talk")
        assert caller.music
        desk = floor.desks["sue"]
        assert [one.conversation_id for one in desk.shown] == [clerk.call_id]
        assert desk.rung_before == [1], "shown to sue when only ann's phone had rung"
        assert desk.withdrawn == []
        await floor.centre.drop_consulted(clerk.call_id, by="ann")
        await floor.office.until(lambda: together(caller, ann) and sue.end is not None, "back to the caller")
        assert desk.withdrawn == [(desk.shown[0].handoff_id, "you are consulted no longer")]
        await floor.centre.set_state("sue", AgentState.AVAILABLE, by="sue")
        await floor.centre.consult(clerk.call_id, "sue", by="ann")
        await floor.office.until(lambda: len(legs_to(floor)) == 3 and together(ann, legs_to(floor)[2]), "again")
        await floor.centre.join_consulted(clerk.call_id, leave=False, by="ann")
        await floor.office.until(lambda: together(caller, ann, legs_to(floor)[2]), "all three")
        ann.hang_up()
        await floor.office.until(lambda: floor.state("ann") is AgentState.WRAP_UP, "ann has finished")
        assert together(caller, legs_to(floor)[2])
        assert floor.centre.handoffs[0].agent == "sue"
        caller.hang_up()
        await floor.office.until(lambda: floor.state("sue") is AgentState.WRAP_UP, "sue has finished")


async def test_who_is_consulted_does_not_answer() -> None:
    async with Floor() as floor:
        floor.office.switch.phones["PJSIP/sue"] = FakePhone(answers=False)
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        await floor.centre.consult(clerk.call_id, "sue", by="ann")
        await floor.office.until(lambda: floor.state("sue") is AgentState.AWAY, "rang out")
        await floor.office.until(lambda: together(caller, legs_to(floor)[0]), "ann and the caller again")
        assert floor.desks["sue"].withdrawn[-1][1] == "did not answer"
        caller.hang_up()


async def test_who_is_consulted_has_a_desktop_that_does_not_answer() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        floor.desks["sue"].takes_s = 60.0
        with pytest.raises(ContactError, match="the desktop of Sue does not answer"):
            await floor.centre.consult(clerk.call_id, "sue", by="ann")
        assert (floor.state("sue"), floor.rung()) == (AgentState.AWAY, ["PJSIP/ann"])
        assert together(caller, legs_to(floor)[0]), "ann has the caller all the while"
        caller.hang_up()


async def test_a_caller_who_hangs_up_while_a_colleague_is_shown_the_bundle() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        floor.desks["sue"].takes_s = 1.0
        asked = asyncio.create_task(floor.centre.consult(clerk.call_id, "sue", by="ann"))
        await floor.office.until(lambda: floor.state("sue") is AgentState.RINGING, "sue is shown it")
        caller.hang_up()
        with pytest.raises(ContactError, match="that call is over"):
            await asked
        assert (floor.state("sue"), floor.rung()) == (AgentState.AVAILABLE, ["PJSIP/ann"])
        assert floor.desks["sue"].withdrawn


async def test_a_desktop_that_goes_while_it_rings_or_talks_loses_nobody() -> None:
    async with Floor() as floor:
        floor.office.switch.phones["PJSIP/ann"] = FakePhone(answers=False)
        await floor.ready("ann", "sue")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(floor.rung, "ann's rings")
        await floor.centre.sign_out("ann", floor.desks["ann"])
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "sue's")
        assert floor.state("ann") is AgentState.OFFLINE
        await floor.centre.sign_out("sue", floor.desks["sue"])
        assert floor.state("sue") is AgentState.ON_CALL, "the call goes on"
        assert together(caller, legs_to(floor)[-1])
        caller.hang_up()
        await floor.office.until(lambda: floor.state("sue") is AgentState.OFFLINE, "after its wrap-up", 200)


async def test_a_supervisor_reroutes_and_the_board_says_so() -> None:
    async with Floor() as floor:
        await floor.ready("ann", "sue")
        await floor.centre.set_state("ann", AgentState.AWAY, "lunch", by="boss")
        await floor.centre.set_state("sue", AgentState.AWAY, "lunch", by="boss")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.centre.handoffs, "waits")
        (one,) = floor.centre.handoffs
        since = one.since
        await floor.centre.reroute(one.id, "senior", by="boss")
        await floor.office.until(
            lambda: any(
                waiting.queue == "senior" and waiting.since == since
                for news in floor.news
                if isinstance(news, BoardChanged)
                for queue in news.board.queues
                for waiting in queue.waiting
            ),
            "the board has it",
        )
        await floor.centre.set_state("sue", AgentState.AVAILABLE, by="sue")
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "taken there")
        assert ("boss", "reroute", one.id, "senior") in floor.books.audited
        caller.hang_up()


async def test_a_reload_changes_queues_and_agents_under_a_call() -> None:
    async with Floor() as floor:
        await floor.ready("ann")
        caller, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        rules = floor.centre.rules
        agents = {"ann": rules.agents["ann"], "zoe": rules.agents["sue"]}
        queues = {**rules.queues, "night": QueueSettings()}
        floor.books.rules = type(rules)(agents, queues, rules.handoff, rules.destinations, "UTC")
        lines = await floor.centre.reload()
        assert set(lines) == {"agent zoe added", "agent sue removed", "agent bob removed", "queue night added"}
        assert together(caller, legs_to(floor)[0])
        assert [person.login for person in floor.centre.people] == ["ann", "zoe"]
        floor.books.rules = type(rules)(agents, {"night": QueueSettings()}, rules.handoff, {}, "UTC")
        with pytest.raises(ContactError, match="somebody waits in general"):
            await floor.centre.reload()
        assert "general" in floor.centre.rules.queues
        caller.hang_up()


async def test_an_earlier_controllers_waiting_and_talking_are_taken_up() -> None:
    async with Floor() as floor:
        await floor.ready("sue", "bob")
        waiting, clerk = await floor.wait_in("general", score=0.9)
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "she talks")
        before = floor.centre.handoffs[0]
        await floor.close()
        floor.open()
        assert floor.state("sue") is AgentState.ON_CALL
        assert floor.state("bob") is AgentState.AVAILABLE, "a phone needs nobody to sign in again"
        again = floor.centre.kept(floor.caller(clerk))
        assert again is not None
        assert (again.since, again.agent, again.score) == (before.since, "sue", 0.9)
        assert floor.centre.board().agents[1].conversation_id == clerk.call_id
        waiting.hang_up()
        await floor.office.until(lambda: not floor.office.supervisor.calls, "over")
        floor.centre.left(clerk.call_id)
        assert floor.state("sue") is AgentState.WRAP_UP
        assert floor.books.kept == {}


@pytest.mark.parametrize("first", ["call", "page"])
async def test_after_a_restart_whoever_talks_has_the_bundle_again(first: str) -> None:
    async with Floor() as floor:
        await floor.ready("sue", "bob")
        waiting, clerk = await floor.wait_in("general", score=0.9)
        await floor.office.until(lambda: floor.state("sue") is AgentState.ON_CALL, "she talks")
        await floor.close()
        floor.open()
        floor.news.clear()
        again = floor.centre.kept(floor.caller(clerk))
        assert again is not None

        orders: list[object] = []
        if first == "call":
            floor.centre.follow(again, orders.append)
        await floor.ready("sue")
        if first == "page":
            assert floor.desks["sue"].shown == []
            floor.centre.follow(again, orders.append)
        await floor.office.until(lambda: len(floor.desks["sue"].shown) == 1, "the bundle is on her desk")
        assert floor.desks["sue"].shown[0].conversation_id == clerk.call_id
        await asyncio.sleep(1)
        assert [news.state for news in floor.news if isinstance(news, CallChanged)] == ["talking"]
        assert (floor.state("sue"), orders) == (AgentState.ON_CALL, []), "nothing rings, nothing is said"

        await floor.centre.sign_out("sue", floor.desks["sue"])
        await floor.ready("sue")
        await floor.office.until(lambda: bool(floor.desks["sue"].shown), "a page that comes later has it too")
        assert floor.state("sue") is AgentState.ON_CALL
        waiting.hang_up()
        await floor.office.until(lambda: not floor.office.supervisor.calls, "over")
        floor.centre.left(clerk.call_id)


async def test_what_cannot_be_done_is_said_in_a_line() -> None:
    async with Floor() as floor:
        with pytest.raises(ContactError, match='there is no agent anm; did you mean "ann"'):
            await floor.centre.set_state("anm", AgentState.AVAILABLE, by="boss")
        with pytest.raises(ContactError, match="sign in with it first"):
            await floor.centre.set_state("ann", AgentState.AVAILABLE, by="boss")
        with pytest.raises(ContactError, match="nobody can be set on call"):
            await floor.centre.set_state("bob", AgentState.ON_CALL, by="boss")
        with pytest.raises(ContactError, match="do not wait any more"):
            await floor.centre.reroute("h-1", "general", by="boss")
