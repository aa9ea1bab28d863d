"""Campaigns: dispositions, retries, caps and states. Pure."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.dialler.dispositions import Disposition, unanswered
from ccaas.dialler.opening import filled
from ccaas.dialler.retries import DAY_S, History, Next, Number, caller_id_for, next_after, next_number
from ccaas.dialler.settings import CampaignSettings, Retry
from ccaas.dialler.state import (
    CAMPAIGN,
    RECORD,
    CampaignState,
    CampaignStep,
    RecordState,
    RecordStep,
    campaign_after,
    record_after,
)
from ccaas.errors import TransitionError
from ccaas.telephony.events import EndReason

SETTINGS = CampaignSettings(entry="sales")
NOW = 1_800_000_000.0


def history(tries: int = 1, same: int = 1, *numbers: Number, today: tuple[float, ...] = ()) -> History:
    return History(numbers or (Number("+12125550100", tries, dead=False),), tries, same, today)


@pytest.mark.parametrize(
    ("reason", "cause", "disposition"),
    [
        (EndReason.BUSY, 17, Disposition.BUSY),
        (EndReason.NO_ANSWER, 19, Disposition.NO_ANSWER),
        (EndReason.REJECTED, 21, Disposition.REJECTED),
        (EndReason.UNREACHABLE, 1, Disposition.INVALID),
        (EndReason.UNREACHABLE, 28, Disposition.INVALID),
        (EndReason.UNREACHABLE, 34, Disposition.CONGESTION),
        (EndReason.UNREACHABLE, 20, Disposition.UNREACHABLE),
        (EndReason.DISMISSED, 16, Disposition.TAKEN_BACK),
        (EndReason.HUNG_UP, 0, Disposition.UNKNOWN),
        (EndReason.FAILED, 0, Disposition.FAILED),
    ],
)
def test_how_a_call_ended_says_what_came_of_it(reason: EndReason, cause: int, disposition: Disposition) -> None:
    assert unanswered(reason, cause) is disposition


def test_a_busy_line_is_tried_again_soon_and_so_often() -> None:
    assert next_after(Disposition.BUSY, history(), SETTINGS, NOW) == Next(NOW + 600, "busy")
    assert next_after(Disposition.BUSY, history(4, 4), SETTINGS, NOW) == Next(None, "busy")


@pytest.mark.parametrize(
    "disposition", [Disposition.ANSWERED, Disposition.REJECTED, Disposition.HUNG_UP, Disposition.MESSAGE_LEFT]
)
def test_who_was_reached_is_left_alone(disposition: Disposition) -> None:
    assert next_after(disposition, history(), SETTINGS, NOW).due is None


def test_after_a_number_that_is_none_the_next_one_is_tried() -> None:
    two = (Number("+12125550100", 1, dead=True), Number("+12125550101", 0, dead=False))
    assert next_after(Disposition.INVALID, history(1, 1, *two), SETTINGS, NOW).due == NOW + 60
    assert next_after(Disposition.INVALID, history(1, 1, two[0]), SETTINGS, NOW).due is None


def test_what_the_yaml_leaves_out_of_a_retry_is_as_before() -> None:
    once = SETTINGS.model_copy(update={"retries": {"busy": Retry(most=1)}})
    assert once.retry(Disposition.BUSY) == (10, 1)
    assert once.retry(Disposition.FAX) is None


def test_who_got_a_message_is_called_again_where_the_yaml_says_so() -> None:
    later = SETTINGS.model_copy(update={"retries": {"message_left": Retry(after_min=60, most=1)}})
    assert next_after(Disposition.MESSAGE_LEFT, history(), later, NOW) == Next(NOW + 3600, "message_left")
    again = history(2, 2)
    assert next_after(Disposition.MESSAGE_LEFT, again, later, NOW).due is None


def test_caps_hold_whatever_the_retries_say() -> None:
    often = SETTINGS.model_copy(update={"retries": {"busy": Retry(after_min=1, most=50)}, "most_per_number": 50})
    assert next_after(Disposition.BUSY, history(6, 1), often, NOW).due is None
    three = (NOW - 7200, NOW - 3600, NOW)
    assert next_after(Disposition.BUSY, history(3, 1, today=three), often, NOW).due == NOW - 7200 + DAY_S
    few = often.model_copy(update={"most_per_number": 2})
    assert next_after(Disposition.BUSY, history(2, 1), few, NOW).due is None


def test_the_number_that_was_tried_least_is_next() -> None:
    numbers = [Number("a", 1, dead=False), Number("b", 0, dead=True), Number("c", 0, dead=False)]
    assert next_number(numbers, 4) == "c"
    assert next_number(numbers[:2], 1) is None


@given(st.lists(st.sampled_from([one for one in Disposition if one is not Disposition.ANSWERED]), max_size=40))
def test_no_record_is_tried_more_often_than_its_cap(outcomes: list[Disposition]) -> None:
    tries, now, due = 0, NOW, NOW
    counts: dict[Disposition, int] = {}
    times: list[float] = []
    for outcome in outcomes:
        tries, now = tries + 1, due
        counts[outcome] = counts.get(outcome, 0) + 1
        times = [at for at in [*times, now] if at > now - DAY_S]
        following = next_after(outcome, history(tries, counts[outcome], today=tuple(times)), SETTINGS, now)
        assert len(times) <= SETTINGS.most_per_day
        if following.due is None:
            break
        assert following.due >= now
        due = following.due
    assert tries <= SETTINGS.most_attempts


def test_the_longest_beginning_chooses_the_caller_id() -> None:
    ids = {"+1": "+18005550100", "+1212": "+12125550100"}
    assert caller_id_for("+12125550199", ids, "x") == "+12125550100"
    assert caller_id_for("+13055550199", ids, "x") == "+18005550100"
    assert caller_id_for("+442071234567", ids, "x") == "x"


def test_what_the_tables_do_not_list_changes_nothing() -> None:
    for state, step in itertools.product(RecordState, RecordStep):
        if (state, step) not in RECORD:
            with pytest.raises(TransitionError):
                record_after(state, step)
    for campaign, wish in itertools.product(CampaignState, CampaignStep):
        if (campaign, wish) not in CAMPAIGN:
            with pytest.raises(TransitionError):
                campaign_after(campaign, wish)


def test_from_every_state_a_record_comes_to_its_end_and_back() -> None:
    for begin in RecordState:
        reached = {begin}
        while more := {to for (state, _), to in RECORD.items() if state in reached} - reached:
            reached |= more
        assert reached == set(RecordState)


def test_an_opening_is_filled_from_the_record() -> None:
    words = "Hello {first_name}, this is {airline}."
    assert filled(words, {"first_name": "Ann", "airline": "Hat Air"}) == "Hello Ann, this is Hat Air."
    assert filled(words, {"airline": "Hat Air"}) == "Hello, this is Hat Air."
