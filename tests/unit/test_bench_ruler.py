"""The ruler on signals whose answer is known."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.ruler import Measured, Planted, Ruler, Run, main, measure_call, runs

RATE = 8000
SPEECH = np.random.default_rng(3).normal(0, 0.1, 60 * RATE)
"""A minute that is the same wherever it is cut from: the agent's one long text."""


def line(*spoken: tuple[float, float], length: float = 20.0, read_from: float | None = None) -> NDArray[np.float64]:
    """A channel with speech in these intervals (s); the text runs on from `read_from`, or anew in each interval."""
    channel = np.zeros(round(length * RATE))
    at = 0 if read_from is None else round(read_from * RATE)
    for start, end in spoken:
        first, count = round(start * RATE), round(end * RATE) - round(start * RATE)
        source = at if read_from is not None else first
        channel[first : first + count] = SPEECH[source : source + count]
        at += count
    return channel


def turn(kind: str = "statement", start: float = 2.0, end: float = 4.0, *committed: float) -> Planted:
    return Planted("u", kind, start, end, 12.0, committed)


def measured(channel: NDArray[np.float64], said: Planted, long_answer: Run | None = None) -> Measured:
    return Ruler(channel, RATE, long_answer).measure(said)


def test_the_first_frame_of_a_run_counts() -> None:
    assert measured(line((4.3, 6.0)), turn()).voice_to_voice_ms == pytest.approx(300, abs=5)


def test_a_click_is_no_answer_and_gaps_are_bridged() -> None:
    channel = line((4.1, 4.15), (4.5, 4.56), (4.62, 4.7), (5.0, 6.0))
    assert [(round(r.start, 3), round(r.end, 3)) for r in runs(channel, RATE)] == [(4.5, 4.7), (5.0, 6.0)]
    assert measured(channel, turn()).voice_to_voice_ms == pytest.approx(500, abs=5)


def test_a_faint_floor_is_no_speech() -> None:
    floor = np.random.default_rng(1).normal(0, 0.0005, 20 * RATE)
    assert measured(line((4.2, 6.0)) + floor, turn()).voice_to_voice_ms == pytest.approx(200, abs=5)


def test_starting_inside_the_utterance_is_a_cut_off_and_no_latency() -> None:
    said = measured(line((3.0, 3.5), (4.3, 6.0)), turn())
    assert said.cut_off
    assert said.voice_to_voice_ms is None


def test_taking_the_turn_inside_the_utterance_is_a_cut_off_too() -> None:
    assert measured(line((4.3, 6.0)), turn("statement", 2.0, 4.0, 3.9)).cut_off
    assert not measured(line((4.3, 6.0)), turn("statement", 2.0, 4.0, 4.1)).cut_off


def test_no_answer_is_no_figure() -> None:
    said = measured(line((0.5, 1.5), (13.0, 14.0)), turn())
    assert (said.answered, said.voice_to_voice_ms, said.cut_off) == (False, None, False)


def test_a_barge_in_stops_the_agent_and_is_answered() -> None:
    said = measured(line((0.5, 2.18), (4.25, 7.0)), turn("bargein"))
    assert said.stop_ms == pytest.approx(180, abs=5)
    assert said.voice_to_voice_ms == pytest.approx(250, abs=5)
    assert said.over_agent
    assert not said.cut_off


def test_the_agents_own_pause_is_no_stop() -> None:
    said = measured(line((0.5, 2.1), (2.35, 3.0), (4.4, 7.0)), turn("bargein"))
    assert said.stop_ms == pytest.approx(1000, abs=5)


def test_an_agent_that_talks_through_a_barge_in_did_not_stop() -> None:
    said = measured(line((0.5, 9.0)), turn("bargein"))
    assert (said.stop_ms, said.voice_to_voice_ms) == (None, None)


def test_an_agent_that_starts_again_inside_a_barge_in_cuts_it_off() -> None:
    assert measured(line((0.5, 2.2), (3.2, 7.0)), turn("bargein")).cut_off


def test_a_barge_in_over_silence_is_none() -> None:
    assert not measured(line((0.2, 0.6), (4.5, 7.0)), turn("bargein")).over_agent


def test_a_back_channel_survives_when_the_agent_speaks_on() -> None:
    said = measured(line((0.5, 9.0)), turn("backchannel", 2.0, 2.6))
    assert (said.survived, said.went_on) == (True, True)


ANSWER = Run(0.5, 12.5)


def disturbed(*spoken: tuple[float, float], read_from: float) -> NDArray[np.float64]:
    """The long answer whole, and from 20 s on again, disturbed."""
    channel = line((0.5, 12.5), length=40, read_from=0.0)
    return channel + line(*spoken, length=40, read_from=read_from)


def false_alarm(channel: NDArray[np.float64], *committed: float) -> Measured:
    return Ruler(channel, RATE, ANSWER).measure(Planted("u", "backchannel", 25.0, 25.6, 36.0, committed))


def test_an_answer_that_goes_on_after_a_break_was_resumed() -> None:
    said = false_alarm(disturbed((20.0, 25.3), (26.5, 33.0), read_from=0.0))
    assert (said.survived, said.went_on) == (False, True)


@pytest.mark.parametrize("shift_s", [0.002, -0.002])
def test_an_answer_that_goes_on_a_little_off_and_softer_has_gone_on(shift_s: float) -> None:
    channel = disturbed((20.0, 33.0), read_from=0.0)
    whole, shift = channel.copy(), round(shift_s * RATE)
    for start, end, off in ((26.2, 26.4, shift), (26.4, 26.6, 0), (26.6, 30.0, -shift)):
        first, last = round(start * RATE), round(end * RATE)
        channel[first:last] = whole[first + off : last + off]
    channel[round(25.2 * RATE) : round(26.3 * RATE)] *= 0.25
    said = false_alarm(channel)
    assert (said.survived, said.went_on) == (True, True)


def test_an_answer_that_is_dropped_was_not_resumed() -> None:
    said = false_alarm(disturbed((20.0, 25.3), read_from=0.0))
    assert (said.survived, said.went_on) == (False, False)


def test_an_answer_that_begins_again_was_not_resumed() -> None:
    channel = disturbed((20.0, 25.3), read_from=0.0) + line((26.5, 36.0), length=40, read_from=0.0)
    assert false_alarm(channel).went_on is False


def test_other_words_without_a_break_are_no_survival() -> None:
    channel = disturbed((20.0, 25.3), read_from=0.0) + line((25.35, 33.0), length=40, read_from=40.0)
    said = false_alarm(channel)
    assert (said.survived, said.went_on) == (False, False)


def test_a_recording_is_measured_from_its_side_car(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = (line((4.3, 6.0), length=8) * 32767).astype("<i2")
    stereo = np.stack((np.zeros_like(right), right), axis=1)
    with wave.open(str(tmp_path / "call.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(stereo.tobytes())
    said = {"id": "a", "kind": "short", "speech_start_s": 3.0, "speech_end_s": 4.0, "until_s": 8.0, "text": "Yes."}
    side_car = {"wav": "call.wav", "turns": [said]}
    (tmp_path / "call.json").write_text(json.dumps(side_car))
    assert measure_call(side_car, tmp_path)[0].voice_to_voice_ms == pytest.approx(300, abs=5)
    assert main([str(tmp_path / "call.json")]) == 0
    assert '"id": "a"' in capsys.readouterr().out


def test_an_empty_channel_has_no_runs() -> None:
    assert runs(np.zeros(3), RATE) == []
    assert runs(np.zeros(8000), RATE) == []
