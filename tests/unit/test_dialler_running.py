"""Campaigns while they run: pace, gate, retries and restarts, with a real store and a switchboard that only tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest_asyncio
from ccaas_outbound.pacing import Preview, Progressive
from ccaas_outbound.settings import ProgressiveSettings

from ccaas.dialler import attempts, records
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.records import Row
from ccaas.dialler.running import CampaignCall, Dialler, Running
from ccaas.dialler.settings import CampaignSettings, Retry
from ccaas.dialler.state import CampaignStep
from ccaas.dialler.store import CampaignStore
from ccaas.errors import AsteriskError
from ccaas.outreach.settings import Abandonment
from ccaas.ports.contact import AgentState, AgentView, Board, QueueView
from ccaas.ports.dialling import Pacer
from ccaas.ports.outreach import Allowed, Decision, Later, Permit, Purpose, Refused
from ccaas.ports.site import Site
from ccaas.telephony.events import EndReason

SITE = Site(Path(), Path(), Path(), Path())
ROWS = [Row(f"c{number}", (f"+1212555010{number}",)) for number in range(6)]


def board(*states: AgentState) -> Board:
    agents = tuple(AgentView(f"a{n}", f"A{n}", state, time.time(), queues=("sales",)) for n, state in enumerate(states))
    queue = QueueView("sales", open=True, waiting=(), available=0, expected_wait_s=None, answered=0, abandoned=0, within_target=0, service_level=None)  # fmt: skip
    return Board(0.0, agents, (queue,), ())


class Outside:
    """The gate and the calls."""

    def __init__(self) -> None:
        self.decisions: dict[str, Decision] = {}
        self.asked: list[tuple[str, bool]] = []
        self.calls: list[CampaignCall] = []
        self.taken_back: list[str] = []
        self.no_way = False
        self.shown = board()
        self.why_not = ""
        self.news = asyncio.Event()

    async def decide_call(
        self, call_id: str, endpoint: str, purpose: Purpose, play: str = "", *, ahead: bool = False
    ) -> Decision:
        self.asked.append((endpoint, ahead))
        return self.decisions.get(endpoint, Allowed("contact", "", Permit(call_id, "voice", endpoint)))

    def seconds_until(self, moment: float) -> float:
        return moment - time.time()

    def refusal(self) -> str:
        return self.why_not

    async def begin(self, call: CampaignCall) -> None:
        self.calls.append(call)
        self.news.set()
        if self.no_way:
            call.attempt.has_ended(EndReason.UNREACHABLE, 20)
            raise AsteriskError("no way there")

    async def take_back(self, call_id: str) -> None:
        self.taken_back.append(call_id)
        self.call(call_id).attempt.has_ended(EndReason.DISMISSED, 16)

    def board(self) -> Board:
        return self.shown

    def call(self, call_id: str) -> CampaignCall:
        return next(one for one in self.calls if one.attempt.call_id == call_id)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[CampaignStore]:
    opened = await CampaignStore.open(tmp_path / "campaigns.sqlite")
    await opened.write(records.taking_in("spring", ROWS, time.time()))
    await opened.write(records.stepping("spring", CampaignStep.RESUME, time.time()))
    yield opened
    await opened.close()


@asynccontextmanager
async def dialling(
    store: CampaignStore, outside: Outside, pacer: Pacer | None = None, **changes: Any
) -> AsyncIterator[Dialler]:
    settings = CampaignSettings(entry="sales", lines=2, **changes)
    numbers = count()
    running = Running("spring", settings, "PJSIP/{number}@carrier", pacer or Progressive(ProgressiveSettings(), SITE))
    dialler = Dialler([running], Abandonment(), store, outside, outside, lambda: f"call{next(numbers)}")
    task = asyncio.create_task(dialler.run())
    try:
        yield dialler
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def until_kept(store: CampaignStore, true: Callable[[records.Figures], Any]) -> records.Figures:
    async with asyncio.timeout(30):
        while not true(found := (await store.read(records.figures(0.0)))[0]):
            await asyncio.sleep(0.01)
    return found


async def test_no_more_calls_are_up_than_lines_and_each_that_ends_makes_room(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside):
        await until(lambda: len(outside.calls) == 2)
        first = outside.calls[0].attempt
        first.has_answered()
        first.has_met(abandoned=False)
        await until_kept(store, lambda one: one.answered == 1)
        assert len(outside.calls) == 2
        first.has_ended(EndReason.DISMISSED, 16)
        await until(lambda: len(outside.calls) == 3)
        found = await until_kept(store, lambda one: one.outcomes)
    assert found.outcomes == {"answered": 1}
    assert not any(ahead for _, ahead in outside.asked)


async def test_a_machine_that_seemed_a_person_is_no_person_who_was_called(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside) as dialler:
        await until(lambda: len(outside.calls) == 2)
        one = outside.calls[0].attempt
        one.has_answered()
        one.has_met(abandoned=False)
        await until_kept(store, lambda figures: figures.answered == 1)
        assert (await dialler.met("campaign:spring")).answered == 1
        one.is_nobody(Disposition.MACHINE)
        await until_kept(store, lambda figures: figures.answered == 0)
        assert (await dialler.met("campaign:spring")).answered == 0
        assert len(outside.calls) == 2, "its line is not free before it has ended"
        one.has_left("Call us.")
        one.has_ended(EndReason.DISMISSED, 16)
        await until(lambda: len(outside.calls) == 3)
        found = await until_kept(store, lambda figures: figures.outcomes)
        (kept,) = [row for row in await store.read(records.listed("spring", 9)) if row["disposition"]]
    assert (kept["disposition"], kept["words"]) == ("message_left", "Call us.")
    assert found.outcomes == {"message_left": 1}


async def test_after_a_pause_no_further_phone_rings(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside):
        await until(lambda: len(outside.calls) == 2)
        await store.write(records.stepping("spring", CampaignStep.PAUSE, time.time()))
        for call in outside.calls[:2]:
            call.attempt.has_ended(EndReason.BUSY, 17)
        await until_kept(store, lambda one: one.states.get("dialling", 0) == 0)
        assert len(outside.calls) == 2
        await store.write(records.stepping("spring", CampaignStep.RESUME, time.time()))
        await until(lambda: len(outside.calls) == 4)


async def test_a_stop_takes_back_what_rings_and_leaves_those_who_talk(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside):
        await until(lambda: len(outside.calls) == 2)
        outside.calls[0].attempt.has_answered()
        outside.calls[0].attempt.has_met(abandoned=False)
        await store.write(records.stepping("spring", CampaignStep.STOP, time.time()))
        await until(lambda: outside.taken_back)
        assert outside.taken_back == [outside.calls[1].attempt.call_id]
        found = await until_kept(store, lambda one: one.states.get("dialling") == 1)
    assert found.states["waiting"] == 5


async def test_the_gate_s_word_is_final_or_a_time(store: CampaignStore) -> None:
    outside = Outside()
    outside.decisions = {
        "PJSIP/+12125550100@carrier": Refused("listed", "they are on the list"),
        "PJSIP/+12125550101@carrier": Later("hours", "it is night there", time.time() + 3600),
        "PJSIP/+12125550102@carrier": Refused("frequency", "enough"),
    }
    async with dialling(store, outside):
        await until(lambda: len(outside.calls) == 2)
        found = await until_kept(store, lambda one: one.outcomes)
    assert found.outcomes == {"refused:listed": 1}
    assert {call.claim.key for call in outside.calls} == {"c3", "c4"}
    said = [one["words"] for one in await store.read(records.listed("spring", 10)) if one["disposition"] == "later"]
    assert sorted(said) == ["frequency: enough", "hours: it is night there"]


async def test_a_phone_that_is_not_there_is_tried_again_later(store: CampaignStore) -> None:
    outside = Outside()
    outside.no_way = True
    async with dialling(store, outside):
        await until(lambda: len(outside.calls) == len(ROWS))
        found = await until_kept(store, lambda one: one.states.get("waiting") == len(ROWS))
    assert found.attempts == len(ROWS)


async def test_a_retry_is_a_new_attempt_at_its_time(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside, retries={"busy": Retry(after_min=0, most=1)}):
        async with asyncio.timeout(30):
            while (await until_kept(store, lambda _: True)).outcomes != {"busy": len(ROWS)}:
                for call in outside.calls:
                    call.attempt.has_ended(EndReason.BUSY, 17)
                await asyncio.sleep(0.01)
    assert len(outside.calls) == 2 * len(ROWS)
    assert len({call.attempt.call_id for call in outside.calls}) == 2 * len(ROWS)


async def test_people_are_called_for_as_many_as_are_free(store: CampaignStore) -> None:
    outside = Outside()
    outside.shown = board(AgentState.AVAILABLE, AgentState.ON_CALL, AgentState.AVAILABLE, AgentState.AWAY)
    async with dialling(store, outside, queue="sales"):
        await until(lambda: len(outside.calls) == 2)
        outside.calls[0].attempt.has_answered()
        # Who answered takes the agent who is free.
        await asyncio.sleep(0)
        assert len(outside.calls) == 2


class Eager(Progressive):
    """Wants five calls, whatever stands."""

    def wanted(self, standing: Any, at: float) -> int:
        return 5 - len(standing.ringing)


async def test_calls_ahead_of_agents_are_named_to_the_gate_and_its_refusal_leaves_the_record(
    store: CampaignStore,
) -> None:
    outside = Outside()
    async with dialling(store, outside, Eager(ProgressiveSettings(), SITE)):
        await until(lambda: len(outside.asked) >= 5)
    assert [ahead for _, ahead in outside.asked[:5]] == [False, False, True, True, True]


async def test_abandoned_calls_are_counted_at_once_and_the_campaign_says_so(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside) as dialler:
        await until(lambda: len(outside.calls) == 2)
        for call, abandoned in zip(outside.calls[:2], (True, False), strict=True):
            call.attempt.has_answered()
            call.attempt.has_met(abandoned=abandoned)
        met = await dialler.met("campaign:spring")
        assert (met.answered, met.abandoned) == (2, 1)
        found = await until_kept(store, lambda one: one.note)
    assert found.note == "one call per free agent: 50.0% were abandoned"
    assert (found.answered, found.abandoned) == (2, 1)


async def test_in_preview_nobody_is_called_who_was_not_released(store: CampaignStore) -> None:
    outside = Outside()
    async with dialling(store, outside, Preview(ProgressiveSettings(), SITE)):
        shown = await store.write(records.showing("spring", "ann", time.time(), time.time() + 300))
        assert shown is not None
        assert outside.calls == []
        await store.write(records.deciding("spring", shown.record_id, records.RecordStep.RELEASE, time.time()))
        await until(lambda: outside.calls)
    assert [call.claim.agent for call in outside.calls] == ["ann"]


async def test_while_no_call_can_be_begun_none_is_claimed(store: CampaignStore) -> None:
    outside = Outside()
    outside.why_not = "draining"
    async with dialling(store, outside):
        await asyncio.sleep(0)
        assert (await until_kept(store, lambda _: True)).states == {"waiting": len(ROWS)}


async def test_a_restart_goes_on_where_it_stood(store: CampaignStore) -> None:
    settings = CampaignSettings(entry="sales")
    for call_id in ("lost", "over", "talks", "unseen"):
        await store.write(attempts.claiming("spring", call_id, settings, time.time(), released=False))
    for call_id in ("over", "talks"):
        await store.write(attempts.answering(call_id, time.time()))
        await store.write(attempts.meeting(call_id, abandoned=False))
    await store.write(records.stepping("spring", CampaignStep.PAUSE, time.time()))
    unended = await store.read(attempts.unended)
    async with dialling(store, Outside()) as dialler:
        talks = dialler.attempt("talks", "spring", next(one for one in unended if one.call_id == "talks"))
        ends = {"over": (EndReason.HUNG_UP, 16), "unseen": (EndReason.BUSY, 17)}
        dialler.resume(unended, ends, {"talks": talks})
        await until_kept(store, lambda one: one.states.get("dialling") == 1)
        talks.has_ended(EndReason.DISMISSED, 16)
        found = await until_kept(store, lambda one: one.states.get("dialling", 0) == 0)
    came_to = {one["call_id"]: one["disposition"] for one in await store.read(records.listed("spring", 10))}
    assert came_to == {"lost": "unknown", "over": "answered", "talks": "answered", "unseen": "busy"}
    assert found.states["waiting"] == 4
