"""Queues and agents without any call: states, hours, order, choice, waiting time, offers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from ccaas.contact.best_action import next_best
from ccaas.contact.choice import Candidate, chosen, serves
from ccaas.contact.hours import is_open
from ccaas.contact.settings import AgentSettings, HandoffSettings, Hours, NextBest, Priority, QueueSettings
from ccaas.contact.state import TRANSITIONS, AgentStep, after
from ccaas.contact.waiting import Figures, Standing, expected_wait, ordered, priority
from ccaas.errors import TransitionError
from ccaas.ports.contact import AgentState


def agent(login: str, idle: float = 0.0, state: AgentState = AgentState.AVAILABLE, **skills: int) -> Candidate:
    return Candidate(login, state, skills, idle)


def test_what_is_not_in_the_table_raises() -> None:
    for state in AgentState:
        for step in AgentStep:
            if (state, step) in TRANSITIONS:
                assert after(state, step) is TRANSITIONS[state, step]
            else:
                with pytest.raises(TransitionError, match=state.value):
                    after(state, step)


def test_an_agent_comes_from_every_state_back_to_available() -> None:
    for state in AgentState:
        reached, new = {state}, {state}
        while new:
            new = {TRANSITIONS[one] for one in TRANSITIONS if one[0] in new} - reached
            reached |= new
        assert AgentState.AVAILABLE in reached
        assert AgentState.OFFLINE in reached


def test_nobody_on_a_call_is_offered_another_or_leaves_it_by_a_click() -> None:
    for step in (AgentStep.OFFERED, AgentStep.AWAY, AgentStep.SIGNED_OUT):
        assert (AgentState.ON_CALL, step) not in TRANSITIONS


def test_hours_hold_in_the_queues_own_time_zone() -> None:
    hours = Hours(timezone="America/New_York", days={"fri": ("09:00-12:30", "13:00-17:00")}, holidays=("2026-12-25",))
    open_at = datetime(2026, 12, 18, 14, 0, tzinfo=UTC)  # Friday, 9 in the morning in New York
    assert is_open(hours, open_at, "UTC")
    assert not is_open(hours, open_at.replace(hour=13, minute=59), "UTC")
    assert not is_open(hours, open_at.replace(hour=17, minute=30), "UTC"), "between the spans"
    assert not is_open(hours, open_at.replace(hour=22), "UTC"), "a span's end is closed"
    assert not is_open(hours, open_at.replace(day=19), "UTC"), "a day left out"
    assert not is_open(hours, open_at.replace(day=25), "UTC"), "a holiday"
    assert is_open(None, open_at, "UTC")
    local = Hours(days={"fri": ("09:00-17:00",)})
    assert is_open(local, open_at, "America/New_York")
    assert is_open(local, open_at, "Europe/Berlin")
    assert not is_open(local, open_at, "Asia/Tokyo")


@pytest.mark.parametrize("span", ["9:00-17:00", "09:00", "17:00-09:00", "09:00-25:00", "09:60-10:00", "09:00-09:00"])
def test_a_span_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(ValidationError, match="is no span of a day"):
        Hours(days={"mon": (span,)})


def test_tier_anger_and_waiting_time_make_the_order() -> None:
    weights = Priority(tiers={"gold": 5.0}, upset=10.0, minute=1.0)
    now = 10_000.0
    first = Standing("first", now - 240)
    gold = Standing("gold", now - 60, tier="gold")
    furious = Standing("furious", now - 6, score=1.0)
    pleased = Standing("pleased", now - 6, score=-1.0)
    assert [one.handoff_id for one in ordered((pleased, first, gold, furious), weights, now)] == [
        "furious",
        "gold",
        "first",
        "pleased",
    ]
    assert priority(furious, weights, now) == pytest.approx(10.1)
    assert priority(pleased, weights, now) == pytest.approx(0.1), "a good mood costs nothing"
    later = Standing("later", now - 239)
    assert ordered((later, first), Priority(minute=0.0), now)[0] is first, "who came first, where nothing else decides"


def test_only_who_is_able_and_free_rings() -> None:
    queue = QueueSettings(skills={"complaints": 5})
    able = agent("able", 50.0, complaints=5)
    assert chosen([agent("novice", 1.0, complaints=4), agent("other", 1.0, sales=9), able], queue) == able
    assert not serves({"complaints": 4}, queue)
    for state in set(AgentState) - {AgentState.AVAILABLE}:
        assert chosen([agent("busy", state=state, complaints=9)], queue) is None
    assert (
        chosen([Candidate("no desktop", AgentState.AVAILABLE, {"complaints": 9}, 0.0, reachable=False)], queue) is None
    )


def test_the_strategies() -> None:
    idle, skilled = agent("idle", 10.0, complaints=5), agent("skilled", 20.0, complaints=8)
    by_time = QueueSettings(skills={"complaints": 5})
    by_skill = QueueSettings(skills={"complaints": 5}, strategy="skills-first")
    assert chosen([skilled, idle], by_time) == idle
    assert chosen([skilled, idle], by_skill) == skilled
    longer = agent("longer", 5.0, complaints=8)
    assert chosen([skilled, longer], by_skill) == longer, "of equals, who has been free longest"


def test_a_waiting_time_is_told_only_where_it_is_known() -> None:
    assert expected_wait(1, agents=2, free=1, handled=()) == 0.0
    assert expected_wait(1, agents=2, free=0, handled=(100.0, 100.0)) is None, "too few calls"
    assert expected_wait(1, agents=0, free=0, handled=(100.0,) * 3) is None, "nobody is at work"
    assert expected_wait(1, agents=2, free=0, handled=(90.0, 100.0, 110.0)) == 50.0
    assert expected_wait(3, agents=2, free=1, handled=(100.0,) * 3) == 100.0


def test_figures_begin_anew_with_the_day() -> None:
    figures = Figures().on("2026-11-25")
    assert figures.service_level is None
    figures.answered, figures.abandoned, figures.within = 3, 1, 2
    figures.handled.append(60.0)
    assert figures.on("2026-11-25").service_level == 0.5
    assert figures.on("2026-11-26").service_level is None
    assert list(figures.handled) == [60.0]


def test_offers_by_value_and_case() -> None:
    table = (
        NextBest(title="Waive the fee", when={"intents": ("change_flight",), "value_from": 1000}, tool="waive_fee"),
        NextBest(title="Offer a voucher", when={"intents": ("change_flight",), "value_below": 1000}),
        NextBest(title="Apologise", when={"upset": True}),
    )
    high = next_best(table, intent="change_flight", tier="gold", value=5000.0, upset=False)
    low = next_best(table, intent="change_flight", tier="", value=20.0, upset=True)
    assert [one.title for one in high] == ["Waive the fee"]
    assert (high[0].tool, high[0].id) == ("waive_fee", "best-1")
    assert [one.title for one in low] == ["Offer a voucher", "Apologise"]
    assert next_best(table, intent="change_flight", tier="", value=None, upset=False) == ()
    assert next_best(table, intent="baggage", tier="", value=5000.0, upset=False) == ()


def test_where_an_agent_is_rung() -> None:
    assert AgentSettings(name="Ann").dial("ann") == "PJSIP/ann"
    assert AgentSettings(name="Ann").needs_desktop
    outside = AgentSettings(name="Bob", endpoint="PJSIP/+15550100@trunk")
    assert (outside.dial("bob"), outside.needs_desktop) == ("PJSIP/+15550100@trunk", False)


def test_sentences_come_in_the_nearest_language_and_can_be_made_before() -> None:
    handoff = HandoffSettings(sentences={"de": {"position": "Sie sind Nummer {position}."}})
    assert handoff.sentence("position", "de-AT", position=3) == "Sie sind Nummer 3."
    assert handoff.sentence("first", "de-AT") == "You are next in line."
    ready = set(handoff.phrases())
    assert {"Sie sind Nummer 9.", "You are number 2 in line.", "It should take about 20 minutes."} <= ready
