"""From utterances and turn records to the report."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bench.journal import turns_of
from bench.latency import main, spread
from bench.report import Judged, percentiles, report, share, stage_table, table
from bench.ruler import Measured
from bench.scoring import Understood, belonging, score
from bench.speechset import LONG, QUESTIONS, Utterance, noises, read_set

ROOT = Path(__file__).parents[2]


def utterance(kind: str = "statement", text: str = "Yes.", intent: str = "affirm", **slots: str) -> Utterance:
    return Utterance("u", kind, text, intent, slots, 0.1, 0.9, (), np.zeros(8000, dtype=np.int16))


def record(text: str, committed: float | None = 10.0, **more: Any) -> dict[str, Any]:
    times = {"committed": committed, "speech_end": 9.9, "first_audio": 10.2}
    return {"caller_text": text, "keys": "", "intent": "affirm", "slots": {}, "retaken": False, "times": times, **more}


def test_the_projects_set_can_be_read_and_every_utterance_has_a_question() -> None:
    utterances = read_set(ROOT / "bench/speech")
    assert len(utterances) == 172
    assert {u.question for u in utterances} <= set(QUESTIONS)
    assert all(u.question == LONG for u in [*utterances, *noises()] if u.kind in ("bargein", "backchannel", "noise"))
    first = utterances[0]
    assert first.speech_end_s < len(first.pcm) / 8000


def test_a_line_that_is_not_of_the_format_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(800, dtype=np.int16), 16_000)
    (tmp_path / "set.jsonl").write_text('\n{"id": "a", "file": "a.wav"}\n')
    with pytest.raises(ValueError, match=r"set\.jsonl:2: .*not mono at 8000 Hz"):
        read_set(tmp_path)
    assert main(["--set", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    assert main(["--set", str(tmp_path / "none"), "--out", str(tmp_path / "out.json")]) == 2
    assert main(["--set", str(tmp_path), "--out", str(tmp_path / "out.json"), "--calls", "0"]) == 2
    assert "set.jsonl" in capsys.readouterr().out


def test_calls_hold_one_sort_of_question_after_the_other() -> None:
    utterances = [*read_set(ROOT / "bench/speech"), *noises()]
    by_default = spread(utterances, None)
    assert sum(map(len, by_default)) == len(utterances)
    for call in by_default:
        assert len({u.question == LONG for u in call}) == 1
    for count in (1, 7, 1000):
        calls = spread(utterances, count)
        assert len(calls) == min(count, len(utterances))
        assert [u.id for call in calls for u in call] == [u.id for call in by_default for u in call]


def test_noises_are_the_same_every_time_and_end_where_they_say() -> None:
    first, again = noises(), noises()
    assert all((a.pcm == b.pcm).all() for a, b in zip(first, again, strict=True))
    assert all(0.1 < noise.speech_end_s < 1 for noise in first)


def test_turns_belong_to_the_utterance_in_which_they_were_taken() -> None:
    records = [
        record("before", 4.9),
        record("mine", 5.0),
        record("", 5.5),
        record("keys", 5.6, keys="1"),
        record("x", None),
    ]
    assert [r["caller_text"] for r in belonging(records, 5.0, 6.0)] == ["mine"]


def test_what_was_understood_is_scored_in_words_codes_intents_and_slots() -> None:
    said = utterance("code", "K Q seven four two Z", "give_code", code="KQ742Z", name="Ada")
    taken = [
        record("K Q 7", retaken=True),
        record("Kq7 42z", intent="give_code", slots={"code": "kq742z", "name": "Eda"}, times=record("")["times"]),
    ]
    understood = score(said, taken, speech_end=9.8)
    assert understood.code_exact
    assert (understood.word_errors, understood.words) == (0, 6)
    assert understood.intent_right
    assert (understood.slots_right, understood.slots, understood.turns) == (1, 2, 2)
    assert understood.text == "Kq7 42z"
    assert understood.stages_ms["committed"] == pytest.approx(200)
    assert score(utterance(), [], 9.8).intent_right is False
    assert score(utterance(), [], 9.8).word_errors == 1
    assert score(utterance("backchannel", "uh-huh"), [], 9.8).word_errors is None


def judged(kind: str, understood: Understood | None = None, **measured: Any) -> Judged:
    return Judged(Measured("u", kind, **measured), understood or Understood(""))


def test_the_report_has_its_names_under_all_and_under_each_kind() -> None:
    found = report(
        [
            judged("statement", Understood("", 1, 10, None, True, 1, 2), voice_to_voice_ms=200.0, answered=True),
            judged("statement", Understood("", 0, 10, None, False), voice_to_voice_ms=400.0, answered=True),
            judged("hesitation", cut_off=True),
            judged("bargein", stop_ms=150.0, over_agent=True, answered=True, voice_to_voice_ms=300.0),
            judged("bargein", over_agent=True),
            judged("backchannel", over_agent=True, survived=True, went_on=True),
            judged("backchannel", over_agent=True, survived=False, went_on=True),
            judged("backchannel", over_agent=False),
            judged("noise", over_agent=True, survived=False, went_on=False),
        ]
    )
    assert list(found) == ["all", "statement", "hesitation", "bargein", "backchannel", "noise"]
    everything = found["all"]
    assert everything["voice_to_voice_ms"] == {"p50": 300.0, "p95": 390.0, "p99": 398.0, "n": 3}
    assert everything["cutoff_rate"] == 0.2
    assert everything["bargein_stop_ms"] == {"p50": 150.0, "p95": 150.0, "n": 1}
    assert everything["bargein_missed"] == 1
    assert everything["backchannel_survival"] == 0.5
    assert everything["false_alarm_resume_rate"] == pytest.approx(2 / 3, abs=1e-4)
    assert everything["wer"] == 0.05
    assert everything["intent_accuracy"] == 0.5
    assert everything["slot_accuracy"] == 0.5
    assert found["statement"]["bargein_stop_ms"] is None
    assert found["noise"]["cutoff_rate"] is None
    assert table(found).row_count == 6
    assert stage_table(everything).row_count == 7


def test_nothing_has_no_percentile_and_no_share() -> None:
    assert percentiles([None], 50) is None
    assert share([None]) is None


async def test_turns_are_read_from_the_journal_once_the_call_has_ended(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        database.execute("CREATE TABLE calls (call_id TEXT, ani TEXT, ended REAL)")
        database.execute("CREATE TABLE turns (id INTEGER PRIMARY KEY, call_id TEXT, record TEXT)")
        database.execute("INSERT INTO calls VALUES ('c', '+1', 2.0), ('d', '+2', 2.0)")
        rows = [("c", json.dumps(record("one"))), ("d", "{}"), ("c", json.dumps(record("two")))]
        database.executemany("INSERT INTO turns (call_id, record) VALUES (?, ?)", rows)
    database.close()
    assert [turn["caller_text"] for turn in await turns_of(tmp_path, "+1")] == ["one", "two"]
