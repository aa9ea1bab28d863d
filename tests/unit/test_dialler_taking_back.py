"""A machine that seemed a person at first keeps no agent, on the fake switch: while it waits, while a phone rings, in the talk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from office import Clerk
from queueing import Floor

from ccaas.dialler.answering import Hearing
from ccaas.dialler.attendant import CampaignAttendant
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.live import Attempt
from ccaas.ports.answering import AnsweredBy, AnsweringDetector, GreetingOver, Verdict
from ccaas.ports.contact import AgentState
from ccaas.ports.media import Pcm
from ccaas.telephony.events import EndReason
from ccaas.telephony.legs import callee_name
from ccaas.telephony.supervisor import new_call_id
from ccaas.testing.fakes.switch import FakeLeg, FakePhone

pytestmark = pytest.mark.looptime

TEXT = "Your flight is late."
SORRY = "Sorry, nobody is free."
BEEP = GreetingOver(0.0, True)


def by(who: AnsweredBy) -> Verdict:
    return Verdict(who, 0.0, "said so")


@dataclass
class Told:
    """A detector that says what the test says, with the next frame; `over` when the test says so."""

    says: list[Verdict | GreetingOver] = field(default_factory=lambda: [by(AnsweredBy.HUMAN)])
    frames: int = 0
    over: bool = False
    voice: bool = False

    def push(self, _: Pcm) -> Verdict | GreetingOver | None:
        self.frames += 1
        return self.says.pop(0) if self.says else None

    def hear(self, _: str) -> None:
        return None


@dataclass
class Dialled:
    """One call of a campaign whose calls go to people."""

    floor: Floor
    clerk: Clerk
    attempt: Attempt
    callee: FakeLeg
    told: list[str]
    detectors: list[Told]
    other: FakeLeg | None

    @property
    def caller(self) -> FakeLeg:
        """Who else is there."""
        assert self.other is not None
        return self.other

    @property
    def detector(self) -> Told:
        return self.detectors[-1]

    async def until(self, state: AgentState) -> None:
        await self.floor.office.until(lambda: self.floor.state("ann") is state, f"ann is {state.value}")

    async def over(self) -> Disposition:
        await self.floor.office.until(lambda: self.clerk.finished, "the call is over")
        return self.attempt.disposition(0.0)

    @property
    def agents(self) -> list[FakeLeg]:
        return [leg for leg in self.floor.office.switch.all_legs.values() if "-to" in leg.id]

    @property
    def spies(self) -> list[FakeLeg]:
        legs = self.floor.office.switch.all_legs.values()
        return [leg for leg in legs if leg.snooped is not None and leg.end is None]


@asynccontextmanager
async def dialled(
    *, text: str = TEXT, busy: bool = False, answers: bool = True, grace_s: float = 30.0
) -> AsyncIterator[Dialled]:
    """`busy`: ann, the only one at work, has somebody else; `answers`: whether her phone is answered."""
    async with Floor() as floor:
        floor.office.switch.phones["PJSIP/ann"] = FakePhone(answers=answers)
        await floor.ready("ann")
        caller = (await floor.wait_in("general"))[0] if busy else None
        if busy:
            await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "she has somebody else")
        call_id, told, detectors = new_call_id(), list[str](), list[Told]()
        clerk = Clerk(call_id)
        clerk.place_in = lambda name: floor._place(clerk, name, None)
        attempt = Attempt(call_id, "spring", 0.0, lambda _, what: told.append(what))

        def detector(_: int) -> AnsweringDetector:
            detectors.append(Told() if not detectors else Told([]))
            return cast("AnsweringDetector", detectors[-1])

        attendant = CampaignAttendant(
            clerk, attempt, "general", "", grace_s, SORRY, lambda stream: Hearing(stream, detector, None), text
        )
        permit = floor.office.permit("PJSIP/callee")
        await floor.office.supervisor.originate("PJSIP/callee", "front", attendant, call_id, "", permit)
        callee = floor.office.switch.all_legs[callee_name(call_id)]
        speaking = asyncio.create_task(_speak(callee))
        try:
            yield Dialled(floor, clerk, attempt, callee, told, detectors, caller)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


async def _speak(leg: FakeLeg) -> None:
    while leg.end is None:
        leg.say(b"\xff" * 160)
        await asyncio.sleep(0.02)


async def test_the_message_is_left_by_a_machine_that_rang_an_agent() -> None:
    async with dialled(answers=False) as call:
        await call.until(AgentState.RINGING)
        await call.floor.office.until(lambda: call.agents, "her phone rings")
        assert call.attempt.waits
        call.detector.says = [by(AnsweredBy.MACHINE)]
        await call.until(AgentState.AVAILABLE)
        await call.floor.office.until(lambda: call.agents[0].end is not None, "it rings no longer")
        assert [why for _, why in call.floor.desks["ann"].withdrawn] == ["it was an answering machine"]
        assert call.attempt.leaves
        await asyncio.sleep(1.0)
        call.detector.says = [BEEP]
        assert await call.over() is Disposition.MESSAGE_LEFT
        assert call.clerk.announced == [TEXT]
        assert call.told == ["answered", "ended"], "nobody was met, and nobody was abandoned"
        assert len(call.agents) == 1
        assert call.floor.state("ann") is AgentState.AVAILABLE


async def test_a_machine_that_an_agent_has_is_taken_away_and_was_no_talk() -> None:
    async with dialled() as call:
        await call.until(AgentState.ON_CALL)
        await asyncio.sleep(1.0)
        assert call.told == ["answered", "agent"]
        call.detector.says = [by(AnsweredBy.MACHINE), BEEP]
        await call.until(AgentState.AVAILABLE)
        assert await call.over() is Disposition.MESSAGE_LEFT
        assert call.told == ["answered", "agent", "machine", "ended"]
        assert [why for _, why in call.floor.desks["ann"].withdrawn] == ["it was an answering machine"]
        assert call.agents[0].end is not None
        (queue,) = [one for one in call.floor.centre.board().queues if one.name == "general"]
        assert (queue.answered, queue.within_target, queue.abandoned) == (0, 0, 0)
        assert all(state is not AgentState.WRAP_UP for state, _, _ in call.floor.books.states.values())
        assert call.clerk.announced == [TEXT]


async def test_one_that_waits_while_all_are_busy_is_taken_back() -> None:
    async with dialled(busy=True, text="") as call:
        await call.floor.office.until(lambda: len(call.floor.centre.handoffs) == 2, "it waits")
        await call.floor.office.until(lambda: call.spies, "it is heard")
        assert call.callee.music
        call.detector.says = [by(AnsweredBy.MACHINE)]
        assert await call.over() is Disposition.MACHINE
        assert call.clerk.finished == [(EndReason.DISMISSED, 16)]
        assert (call.clerk.announced, call.told) == ([], ["answered", "ended"])
        assert len(call.floor.centre.handoffs) == 1
        assert call.floor.desks["ann"].withdrawn == []
        call.caller.hang_up()


async def test_without_a_message_it_is_hung_up_on() -> None:
    async with dialled(text="", answers=False) as call:
        await call.until(AgentState.RINGING)
        call.detector.says = [by(AnsweredBy.MACHINE)]
        assert await call.over() is Disposition.MACHINE
        assert call.clerk.finished == [(EndReason.DISMISSED, 16)]
        assert (call.clerk.announced, call.told) == ([], ["answered", "ended"])


async def test_a_fax_is_taken_back_and_told_nothing() -> None:
    async with dialled() as call:
        await call.until(AgentState.ON_CALL)
        call.detector.says = [by(AnsweredBy.FAX)]
        assert await call.over() is Disposition.FAX
        assert call.clerk.announced == []
        assert [why for _, why in call.floor.desks["ann"].withdrawn] == ["it was a fax"]


async def test_a_person_stays_one_and_is_not_heard_for_longer_than_needed() -> None:
    async with dialled() as call:
        await call.until(AgentState.ON_CALL)
        await call.floor.office.until(lambda: call.spies, "they are heard on")
        before = call.detector.frames
        await asyncio.sleep(2.0)
        assert call.detector.frames > before + 90
        call.detector.over = True
        await call.floor.office.until(lambda: not call.spies, "until all is known")
        await asyncio.sleep(5.0)
        assert call.floor.state("ann") is AgentState.ON_CALL
        call.callee.hang_up()
        assert await call.over() is Disposition.ANSWERED
        assert call.told == ["answered", "agent", "ended"]
        assert call.floor.state("ann") is AgentState.WRAP_UP


async def test_who_picks_up_during_the_message_is_with_an_agent_after_all() -> None:
    async with dialled() as call:
        await call.until(AgentState.ON_CALL)
        call.detector.says = [by(AnsweredBy.MACHINE), BEEP]
        await call.until(AgentState.AVAILABLE)
        await call.floor.office.until(lambda: call.clerk.announced, "the message begins")
        call.detector.says = [by(AnsweredBy.HUMAN)]
        await call.until(AgentState.ON_CALL)
        await asyncio.sleep(3.0)
        call.callee.hang_up()
        assert await call.over() is Disposition.ANSWERED
        assert call.told == ["answered", "agent", "machine", "agent", "ended"]


async def test_who_waited_too_long_is_not_taken_back_on_the_way_out() -> None:
    async with dialled(answers=False, grace_s=2.0) as call:
        await call.floor.office.until(lambda: call.clerk.announced, "they hear why")
        call.detector.says = [by(AnsweredBy.MACHINE), BEEP]
        assert await call.over() is Disposition.ABANDONED
        assert call.clerk.announced == [SORRY]
