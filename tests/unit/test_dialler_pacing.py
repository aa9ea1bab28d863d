"""How fast campaigns dial: the pacers, and the brake on abandoned calls. Pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ccaas_outbound.pacing import Predictive, Progressive
from ccaas_outbound.settings import PredictiveSettings, ProgressiveSettings
from rich.console import Console

from bench import dialler
from ccaas.outreach.abandonment import Met, may_go_ahead
from ccaas.ports.dialling import Standing
from ccaas.ports.site import Site

SITE = Site(Path(), Path(), Path(), Path())
IDLE = Standing(free=10, talking=(), wrapping=(), ringing=(), ahead=True, target=0.03)


def predictive(rate: float = 0.2, calls: int = 400) -> Predictive:
    """One that has seen a day: answers after eight seconds at this rate, and three minutes of talk."""
    pacer = Predictive(PredictiveSettings(), SITE)
    for number in range(calls):
        answered = (number * rate) % 1 + rate >= 1
        pacer.rang(8.0 if answered else 25.0, 100.0, answered=answered)
        pacer.handled(150.0, 30.0, 100.0)
    return pacer


def test_progressive_begins_one_call_for_each_free_agent() -> None:
    pacer = Progressive(ProgressiveSettings(), SITE)
    assert pacer.wanted(IDLE, 0.0) == 10
    assert pacer.wanted(replace(IDLE, ringing=(1.0,) * 7), 0.0) == 3
    assert pacer.wanted(replace(IDLE, free=-2), 0.0) == 0


def test_predictive_goes_ahead_and_the_less_the_more_people_answer() -> None:
    few, many = predictive(0.15).wanted(IDLE, 200.0), predictive(0.9).wanted(IDLE, 200.0)
    assert few > many >= 10


def test_predictive_is_progressive_while_it_may_not_go_ahead() -> None:
    assert predictive(0.15).wanted(replace(IDLE, ahead=False), 200.0) == 10


def test_what_rings_already_counts() -> None:
    pacer = predictive(0.2)
    ringing = replace(IDLE, ringing=(4.0,) * pacer.wanted(IDLE, 200.0))
    assert pacer.wanted(ringing, 200.0) <= 1


def test_agents_who_will_soon_be_free_are_dialled_for() -> None:
    busy = replace(IDLE, free=0, talking=(20.0,) * 50)
    soon = replace(IDLE, free=0, talking=(), wrapping=(29.0,) * 50)
    assert predictive(0.2).wanted(soon, 200.0) > predictive(0.2).wanted(busy, 200.0)


def test_abandoned_calls_make_it_careful_and_good_ones_bold_again() -> None:
    pacer = predictive(0.2)
    before = pacer.wanted(IDLE, 200.0)
    for _ in range(10):
        pacer.met(200.0, abandoned=True)
    careful = pacer.wanted(IDLE, 200.0)
    for _ in range(2000):
        pacer.met(200.0, abandoned=False)
    assert careful < before < pacer.wanted(IDLE, 200.0)


def test_nothing_is_learnt_from_calls_that_nothing_was_risked_with() -> None:
    pacer, other = predictive(0.2), predictive(0.2)
    pacer.wanted(replace(IDLE, ahead=False), 200.0)
    for _ in range(1000):
        pacer.met(200.0, abandoned=False)
    assert pacer.wanted(IDLE, 200.0) == other.wanted(IDLE, 200.0)


def test_without_agents_nobody_is_called() -> None:
    assert predictive().wanted(replace(IDLE, free=0), 200.0) == 0


@pytest.mark.parametrize(
    ("answered", "abandoned", "ahead"),
    [(0, 0, False), (32, 0, False), (33, 0, True), (65, 1, False), (1000, 28, True), (1000, 30, False)],
)
def test_the_brake_leaves_room_for_one_more(answered: int, abandoned: int, ahead: bool) -> None:
    assert may_go_ahead(Met(answered, abandoned), 0.03) is ahead


def test_a_simulated_week_keeps_to_the_limit_and_beats_progressive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialler, "DAYS", 1)
    monkeypatch.setattr(dialler, "CLOSE_H", 13)
    rows = dialler.simulated([20], [0.3], 7, Console(quiet=True))
    preview, progressive, predicted = (row["occupancy"] for row in rows)
    assert preview < progressive < predicted
    assert max(row["abandoned"] for row in rows) <= dialler.LIMIT
    assert dialler.table(rows).row_count == 3
