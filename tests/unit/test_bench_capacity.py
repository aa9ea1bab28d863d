"""From what a level was like to how many calls are held; from /proc to what a call costs."""

from __future__ import annotations

import argparse
import io
import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from bench import crowd
from bench.bridged import is_ours
from bench.capacity import (
    growth_mb_per_h,
    held,
    level_seconds,
    level_table,
    levels,
    main,
    noticed,
    part_table,
    plan,
    worse_than,
)
from bench.crowd import Pace, endless, turn_figures
from bench.lag import buckets, quantile_ms, refused
from bench.processes import EVENT_LOOP, Cost, Snapshot, cost, part_of, snapshot, spent, spent_by_threads
from bench.resting import greeting_figures, rest, rest_table
from bench.ruler import Measured
from bench.speechset import read_set

ROOT = Path(__file__).parents[2]

METRICS = """
# HELP ccaas_loop_lag_seconds How late the event loop woke its watchdog.
ccaas_loop_lag_seconds_bucket{le="0.001"} 90.0
ccaas_loop_lag_seconds_bucket{le="0.002"} 98.0
ccaas_loop_lag_seconds_bucket{le="0.005"} 100.0
ccaas_loop_lag_seconds_bucket{le="+Inf"} 100.0
ccaas_calls_refused_total{why="calls"} 2.0
ccaas_calls_refused_total{why="lag"} 1.0
"""


def level(calls: int = 4, **more: Any) -> dict[str, Any]:
    return {
        "calls": calls,
        "turns": 100,
        "voice_to_voice_ms": {"p50": 500.0, "p95": 700.0, "n": 95},
        "slow_rate": 0.02,
        "cutoff_rate": 0.05,
        "unanswered": 0,
        "refused": 0,
        "failed": 0,
        "talk_share": 0.4,
        "loop_lag_p99_ms": 1.5,
        **more,
    }


def at(second: float, *costs: Cost) -> Snapshot:
    return Snapshot(second, dict(enumerate(costs, 1)))


# — the ramp —


def test_levels_end_where_they_should() -> None:
    assert levels(17) == [1, 2, 4, 8, 12, 16]
    assert levels(1) == [1]
    assert levels(0) == []
    assert levels(12, least=4) == [4, 8, 12]


def test_few_calls_are_watched_for_longer() -> None:
    assert [level_seconds(calls, 45.0) for calls in (1, 2, 4, 40)] == [180.0, 90.0, 45.0, 45.0]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({}, ""),
        ({"voice_to_voice_ms": {"p50": 600.0, "p95": 801.0, "n": 60}, "slow_rate": 0.06}, ""),
        (
            {"voice_to_voice_ms": {"p50": 600.0, "p95": 900.0, "n": 60}, "slow_rate": 0.15},
            "p95 of voice-to-voice is 900 ms",
        ),
        ({"cutoff_rate": 0.18}, "18% of turns were cut off"),
        ({"unanswered": 5}, ""),
        ({"unanswered": 6}, "6 of 100 turns stayed unanswered"),
        ({"refused": 1, "failed": 1}, "2 calls were not taken"),
        ({"voice_to_voice_ms": None, "cutoff_rate": None}, "nothing was answered"),
    ],
)
def test_callers_notice(what: dict[str, Any], said: str) -> None:
    assert noticed(level(**what)) == said


@pytest.mark.parametrize(
    ("rate", "turns", "worse"),
    [(2 / 19, 19, False), (6 / 19, 19, True), (0.12, 100, False), (0.16, 100, True), (0.1, 9000, False)],
)
def test_a_few_turns_more_are_chance(rate: float, turns: int, worse: bool) -> None:
    assert worse_than(0.1, rate, turns) is worse


def test_the_last_level_before_callers_notice_is_held() -> None:
    good, bad = {"noticed": ""}, {"noticed": "late"}
    assert held([{"calls": 1} | good, {"calls": 2} | good, {"calls": 4} | bad]) == 2
    assert held([{"calls": 1} | bad, {"calls": 2} | good]) == 0
    assert held([]) == 0


def test_what_callers_notice_is_counted() -> None:
    answered = Measured("a", "short", voice_to_voice_ms=400.0, answered=True)
    late = Measured("d", "short", voice_to_voice_ms=801.0, answered=True)
    cut = Measured("b", "hesitation", cut_off=True)
    silent = Measured("c", "statement")
    found = turn_figures([answered, answered, cut, silent, answered, late])
    assert found == {
        "turns": 6,
        "voice_to_voice_ms": {"p50": 400.0, "p95": 740.8, "n": 4},
        "slow_rate": 0.25,
        "cutoff_rate": 0.1667,
        "unanswered": 1,
    }


def test_a_caller_keeps_the_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(crowd.time, "monotonic", lambda: now[0])
    pace = Pace(until=130.0)
    assert pace(0.0) == 0.0
    now[0] = 105.0
    assert pace(4.0) == pytest.approx(5.0)
    now[0] = 120.0
    assert pace(6.0) == 0.0
    assert pace(12.0) is None


def test_callers_say_different_things_and_never_run_out() -> None:
    utterances = [u for u in read_set(ROOT / "bench/speech") if u.kind in crowd.KINDS]
    one, other = (list(itertools.islice(endless(utterances, seed), 70)) for seed in (1, 2))
    assert [u.id for u in one] != [u.id for u in other]
    assert [u.question for u in one[:7]] == ["open"] * 5 + ["yes_no"] * 2
    assert {u.kind for u in one} == set(crowd.KINDS)


# — what it costs —


def test_processes_are_known_by_their_command_lines() -> None:
    assert part_of("/x/python -m ccaas.cli up /x/ccaas.yaml") == "guard"
    assert part_of("/x/python -m ccaas.controller /x/ccaas.yaml") == "controller"
    assert part_of("/x/python -m ccaas_piper.worker /x/joe.onnx") == "voice worker"
    assert part_of("/x/ld-linux.so.2 --library-path /x /x/usr/sbin/asterisk -C /x/asterisk.conf") == "asterisk"
    assert part_of("/bin/cat") == "other"


def test_cost_is_what_was_spent_in_between_for_each_second_of_a_call() -> None:
    idle = at(0.0, Cost("controller", 1.0, 300.0), Cost("asterisk", 1.0, 50.0))
    before = at(10.0, Cost("controller", 2.0, 310.0, 0.0, {EVENT_LOOP: 1.0}), Cost("asterisk", 2.0, 51.0))
    after = at(
        20.0,
        Cost("controller", 7.0, 320.0, 0.0, {EVENT_LOOP: 3.0, "other threads": 3.0}),
        Cost("asterisk", 3.0, 54.0),
        Cost("voice worker", 0.5, 90.0),
    )
    assert spent(before, after) == {"controller": 5.0, "asterisk": 1.0, "voice worker": 0.5}
    assert spent_by_threads(before, after) == {EVENT_LOOP: 2.0, "other threads": 3.0}
    found = cost(idle, before, after, call_s=40.0, calls=4)
    assert found["parts"]["controller"] == {
        "cpu_s_per_call_s": 0.125,
        "cores": 0.5,
        "rss_mb": 320.0,
        "rss_growth_mb_per_call": 5.0,
    }
    assert found["controller_threads_cores"] == {EVENT_LOOP: 0.2, "other threads": 0.3}


def test_without_calls_nothing_is_divided_by_them() -> None:
    idle = at(0.0, Cost("controller", 1.0, 300.0))
    found = cost(idle, idle, at(10.0, Cost("controller", 1.2, 300.0)), 0.0, 0)["parts"]["controller"]
    assert found == {"cpu_s_per_call_s": None, "cores": 0.02, "rss_mb": 300.0, "rss_growth_mb_per_call": None}


def test_at_rest_parts_are_summed_without_the_callers() -> None:
    before = at(
        0.0, Cost("controller", 1.0, 300.0, 250.0), Cost("guard", 0.5, 60.0, 30.0), Cost("callers", 1.0, 90.0, 90.0)
    )
    after = at(
        10.0, Cost("controller", 1.05, 301.0, 251.0), Cost("guard", 0.51, 60.0, 30.0), Cost("callers", 9.0, 90.0, 90.0)
    )
    found = rest(before, after)
    assert found["parts"]["controller"] == {"cores": 0.005, "rss_mb": 301.0, "pss_mb": 251.0}
    assert found["sum"] == {"cores": 0.006, "rss_mb": 361.0, "pss_mb": 281.0}
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(rest_table(found))
    shown = console.export_text()
    assert "281" in shown
    assert "0.60" in shown
    assert greeting_figures([]) is None


def test_this_process_is_read_from_proc() -> None:
    here = snapshot([], pss=True).costs[os.getpid()]
    assert 1 < here.pss_mb <= here.rss_mb
    assert here.part == "callers"
    assert here.cpu_s > 0
    assert here.rss_mb > 1


def test_growth_is_read_after_the_warm_up() -> None:
    seconds = np.arange(0, 3600, 60.0)
    samples = [at(s, Cost("controller", 0.0, 400 + 3 * s / 3600 - (50 if s < 600 else 0))) for s in seconds]
    assert growth_mb_per_h(samples) == {"controller": 3.0}
    assert growth_mb_per_h(samples[:2]) == {}


def test_lag_is_read_between_two_readings() -> None:
    after = buckets(METRICS)
    assert quantile_ms({}, after, 0.99) == 3.5
    assert quantile_ms({}, after, 0.45) == 0.5
    assert quantile_ms({0.001: 90.0, 0.002: 90.0, 0.005: 90.0, float("inf"): 90.0}, after, 0.4) == 1.5
    assert quantile_ms(after, after, 0.99) is None
    assert quantile_ms({}, {0.001: 0.0, float("inf"): 5.0}, 0.99) == 1.0
    assert refused(METRICS) == 3
    assert refused("") == 0


def test_a_channel_to_the_controller_is_told_from_a_callers() -> None:
    assert is_ours("UnicastRTP/127.0.0.1:4000-0x1!ccaas!!1!Up!Stasis!ccaas")
    assert not is_ours("PJSIP/anonymous-00000001!ccaas!bridge!1!Up!Stasis!ccaas")
    assert not is_ours("Local/echo@ccaas-test-00000001;1!ccaas-test!echo!1!Up!Stasis!ccaas")


# — the command —


def test_tables_show_a_level_and_a_part() -> None:
    parts = cost(at(0.0), at(0.0), at(1.0, Cost("controller", 0.5, 300.0)), 4.0, 4)
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(level_table([level(**parts), level(voice_to_voice_ms=None, cutoff_rate=None, **parts)]))
    console.print(part_table("without calls", parts))
    text = console.export_text()
    assert "700" in text
    assert "0.1250" in text
    assert "50.0" in text


def options(**changes: Any) -> argparse.Namespace:
    given = {
        "most": 8,
        "least": 1,
        "seconds": 5.0,
        "idle": 1.0,
        "greetings": 2,
        "soak": 0.0,
        "soak_calls": 0,
        "bridged": 0,
    }
    return argparse.Namespace(set=ROOT / "bench/speech", **{**given, **changes})


def test_the_most_calls_at_once_decide_how_many_are_let_in() -> None:
    assert plan(options(), Console()).most == 8
    assert plan(options(most=0, bridged=30), Console()).most == 30


@pytest.mark.parametrize("wrong", [{"most": 1000}, {"seconds": 1.0}, {"soak": -1.0}, {"bridged": 5000}])
def test_a_run_is_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"--{next(iter(wrong))} is from"):
        plan(options(**wrong), Console())


def test_an_option_that_makes_no_sense_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--most", "9999"]) == 2
    assert "--most is from 0 to 240" in capsys.readouterr().out
