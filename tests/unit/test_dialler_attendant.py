"""Who answers a campaign's call: with an agent in time, or told so and let go; and what a pacer is shown of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from ccaas.dialler.attendant import CampaignAttendant
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.floor import Handled, of_lines, of_queue
from ccaas.dialler.live import Attempt
from ccaas.ports.contact import AgentState, AgentView, Board, QueueView, WaitingView
from ccaas.ports.media import MediaStream
from ccaas.ports.queueing import Announce, Dismiss, Order, StopRinging
from ccaas.telephony.desk import Attendant, HangUp, Next, TransferTo
from ccaas.telephony.events import EndReason

pytestmark = pytest.mark.looptime

STREAM = cast("MediaStream", None)
GONE = "Sorry, nobody is free."


class Place:
    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.tell: Callable[[Order], None] = lambda _: None

    def follow(self, tell: Callable[[Order], None]) -> None:
        self.tell = tell

    def answered(self) -> None:
        self.log.append("answered")

    def missed(self, why: str) -> None:
        self.log.append(f"missed {why}")

    def over(self, *, hung_up: bool) -> None:
        self.log.append("hung up" if hung_up else "over")


class Agent:
    """The call's own attendant."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.places: list[str] = []
        self.kept: Place | None = None

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        self.log.append(f"attends {reason}".strip())
        return HangUp()

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        self.log.append(text)
        return False

    def place(self, name: str) -> Place | None:
        self.places.append(name)
        return Place(self.log)

    def kept_place(self) -> Place | None:
        return self.kept

    async def finish(self, reason: EndReason, cause: int) -> None:
        self.log.append(reason.value)


def call(queue: str = "sales", agent: str = "") -> tuple[CampaignAttendant, Agent, Attempt, list[str]]:
    told: list[str] = []
    attempt = Attempt("call1", "spring", 0.0, lambda _, what: told.append(what))
    inner = Agent()
    return CampaignAttendant(cast("Attendant", inner), attempt, queue, agent, 2.0, GONE), inner, attempt, told


async def test_without_a_queue_the_ai_speaks_at_once() -> None:
    attendant, inner, attempt, told = call("")
    assert isinstance(await attendant.attend(STREAM), HangUp)
    await attendant.finish(EndReason.DISMISSED, 16)
    assert told == ["answered", "agent", "ended"]
    assert inner.log == ["attends", "dismissed"]
    assert attempt.disposition(0.0) is Disposition.ANSWERED


async def test_an_agent_in_time_has_the_call() -> None:
    attendant, inner, attempt, told = call()
    assert await attendant.attend(STREAM) == TransferTo("sales")
    place = attendant.place("sales")
    assert place is not None
    await asyncio.sleep(1.9)
    place.answered()
    await asyncio.sleep(10)
    assert told == ["answered", "agent"]
    assert inner.log == ["answered"]
    place.over(hung_up=True)
    await attendant.finish(EndReason.HUNG_UP, 16)
    assert attempt.disposition(0.0) is Disposition.ANSWERED


async def test_with_nobody_there_in_time_they_hear_why_and_are_let_go() -> None:
    attendant, inner, attempt, told = call()
    await attendant.attend(STREAM)
    place = attendant.place("sales")
    assert place is not None
    orders: list[Order] = []
    place.follow(orders.append)
    await asyncio.sleep(2.1)
    assert orders == [StopRinging(), Dismiss(GONE)]
    assert told == ["answered", "abandoned"]
    place.answered()  # too late: nobody is told
    place.missed("late")
    place.over(hung_up=False)
    assert inner.log == ["over"]
    await attendant.finish(EndReason.DISMISSED, 16)
    assert attempt.disposition(0.0) is Disposition.ABANDONED


async def test_the_queue_tells_nothing_more_to_who_is_let_go() -> None:
    attendant, _, _, _ = call()
    await attendant.attend(STREAM)
    place = attendant.place("sales")
    assert place is not None
    orders: list[Order] = []
    place.follow(orders.append)
    await asyncio.sleep(2.1)
    cast("Any", place)._inner.tell(Announce("You are next."))
    assert orders == [StopRinging(), Dismiss(GONE)]


async def test_a_second_queue_gives_no_second_time() -> None:
    attendant, _, _, told = call()
    await attendant.attend(STREAM)
    attendant.place("sales")
    await asyncio.sleep(1.5)
    attendant.place("service")
    await asyncio.sleep(0.6)
    assert told == ["answered", "abandoned"]


async def test_a_closed_queue_is_nobody_too() -> None:
    attendant, inner, _, told = call()
    await attendant.attend(STREAM)
    assert isinstance(await attendant.attend(STREAM, "queue"), HangUp)
    assert inner.log == [GONE]
    assert told == ["answered", "abandoned"]


async def test_who_hangs_up_while_waiting_was_not_abandoned() -> None:
    attendant, _, attempt, told = call()
    await attendant.attend(STREAM)
    place = attendant.place("sales")
    assert place is not None
    place.over(hung_up=True)
    await attendant.finish(EndReason.HUNG_UP, 16)
    await asyncio.sleep(5)
    assert told == ["answered", "ended"]
    assert attempt.disposition(0.0) is Disposition.HUNG_UP


async def test_the_agent_who_released_it_gets_it() -> None:
    attendant, inner, _, _ = call(agent="ann")
    await attendant.attend(STREAM)
    attendant.place("sales")
    assert inner.places == ["sales", "ann"]


async def test_the_place_that_an_earlier_controller_gave_goes_on() -> None:
    attendant, inner, _, told = call()
    inner.kept = Place(inner.log)
    assert attendant.kept_place() is not None
    assert told == ["answered"]


async def test_who_hangs_up_at_once_was_not_talked_with() -> None:
    attendant, _, attempt, _ = call("")
    await attendant.attend(STREAM)
    await attendant.finish(EndReason.HUNG_UP, 16)
    assert attempt.disposition(60.0) is Disposition.HUNG_UP


async def test_who_answers_and_meets_a_fault_of_ours_has_found_nobody() -> None:
    attendant, _, attempt, told = call("")
    assert attendant.kept_place() is None  # what the call asks first, once it is answered
    await attendant.finish(EndReason.RETURNED, 0)
    assert told == ["answered", "abandoned", "ended"]
    assert attempt.disposition(0.0) is Disposition.ABANDONED


# — what a pacer is shown —


def attempts(**states: int) -> list[Attempt]:
    found = []
    for state, number in states.items():
        for index in range(number):
            one = Attempt(f"{state}{index}", "spring", 100.0, lambda *_: None)
            if state != "ringing":
                one.answered = 105.0
            if state == "talking":
                one.met, one.met_at = "agent", 106.0
            found.append(one)
    return found


def agent(login: str, state: AgentState, queues: tuple[str, ...] = ("sales",)) -> AgentView:
    return AgentView(login, login, state, 90.0, queues=queues)


def test_ai_lines_are_free_without_a_conversation() -> None:
    found = of_lines(5, attempts(ringing=2, waiting=1, talking=3), 110.0, ahead=True, target=0.03)
    assert (found.free, len(found.ringing), found.talking) == (1, 2, [4.0, 4.0, 4.0])


def test_people_are_free_but_for_those_whom_somebody_waits_for() -> None:
    rung = WaitingView("h1", "waiting0", "sales", 1, 0.0, 0.0, "x", ringing="bob")
    caller = WaitingView("h2", "inbound", "sales", 2, 0.0, 0.0, "y")
    queue = QueueView("sales", open=True, waiting=(rung, caller), available=3, expected_wait_s=None, answered=0, abandoned=0, within_target=0, service_level=None)  # fmt: skip
    people = (
        *(agent(f"a{n}", AgentState.AVAILABLE) for n in range(4)),
        agent("bob", AgentState.RINGING),
        agent("cy", AgentState.ON_CALL),
        agent("di", AgentState.WRAP_UP),
        agent("ed", AgentState.AVAILABLE, ("other",)),
        agent("fi", AgentState.AWAY),
    )
    board = Board(0.0, people, (queue,), ())
    found = of_queue("sales", board, attempts(ringing=1, waiting=2), 110.0, ahead=False, target=0.03)
    # Four are free; the caller who rang in and the one of ours who rings at nobody wait for two of them.
    assert (found.free, found.talking, found.wrapping, found.ringing) == (2, [0.0, 20.0], [20.0], [10.0])


def test_talk_and_wrap_up_are_told_when_both_are_over() -> None:
    told: list[tuple[float, float]] = []
    handled = Handled("sales", lambda talk, wrap: told.append((talk, wrap)))
    for state, since in (
        (AgentState.AVAILABLE, 0.0),
        (AgentState.ON_CALL, 10.0),
        (AgentState.ON_CALL, 10.0),
        (AgentState.WRAP_UP, 130.0),
        (AgentState.AVAILABLE, 150.0),
        (AgentState.ON_CALL, 160.0),
        (AgentState.AWAY, 200.0),
    ):
        view = AgentView("ann", "Ann", state, since, queues=("sales",))
        handled.look(Board(0.0, (view,), (), ()))
    assert told == [(120.0, 20.0), (40.0, 0.0)]
