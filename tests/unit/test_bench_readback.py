"""The bench's caller: what they hear of a read-back, what they answer, and how that is judged."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import latency
from bench.checking import CodeCheck
from bench.readback import answer, heard, known
from bench.scoring import Understood, checked
from bench.speechset import Utterance
from ccaas.ports.media import Pcm
from ccaas.spoken.corrections import correct
from ccaas.spoken.readback import digit_groups, nato

QUIET: Pcm = np.zeros(800, np.int16)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (f"All right. That's {nato('KX742Z')}. Is that right?", "KX742Z"),
        (f"All right. That's {digit_groups('6175550142')}. Is that right?", "6175550142"),
        (f"All right. Flight {nato('UA2318')}. Is that right?", "UA2318"),
        ("All right. That's Monday the ninth of July 1984. Is that right?", "1984-07-09"),
        ("All right. That's Monday the twenty third of July 1984. Is that right?", "1984-07-23"),
        ("That's Kilo. Is that right? Sorry? That's Kilo, two. Is that right?", "K2"),
        ("That's Kilo, what. Is that right?", "K?"),
        ("All right. That's Kilo, Que", ""),
        ("Sorry, once more, please. What's the code?", ""),
    ],
)
def test_a_caller_hears_what_was_read_back_to_its_end(said: str, understood: str) -> None:
    assert heard(said) == understood


def test_a_caller_knows_the_value_that_they_said() -> None:
    assert known({"name": "Kowalski"}) == "KOWALSKI"
    assert known({"dob": "1984-07-09"}) == "1984-07-09"


@pytest.mark.parametrize(
    ("truth", "understood", "said"),
    [
        ("BX91M", "DX91M", ("No, B as in boy.", "No, the first one is B as in boy.", "It's B as in boy, not D.")),
        ("BX91M", "BX51M", ("No, nine.", "No, the third one is a nine.", "It's nine, not five.")),
        ("BX98M", "BX9AM", ("No, eight.", "No, the fourth one is an eight.", "It's eight, not A.")),
        ("BN9MK", "BN9NK", ("No, the fourth one is M as in Mary.",) * 3),
        ("BX91M", "BX91N", ("No, M as in Mary.", "No, the last one is M as in Mary.", "It's M as in Mary, not N.")),
        ("6175550142", "6175590142", ("No, five.", "No, it's five five five.", "It's five, not nine.")),
    ],
)
def test_one_wrong_character_is_corrected_in_several_ways_and_each_way_repairs_it(
    truth: str, understood: str, said: tuple[str, ...]
) -> None:
    assert tuple(answer(truth, understood, turn).text for turn in range(3)) == said
    for turn in range(4):
        text = answer(truth, understood, turn).text
        assert correct(understood, text, digits_only=truth.isdigit()) == truth, text


@pytest.mark.parametrize(
    ("truth", "understood", "said"),
    [
        ("BX91M", "BX91", "No, it's Bravo, X-ray, nine, one, Mike."),
        ("BX91M", "DX91N", "No, it's Bravo, X-ray, nine, one, Mike."),
        ("BX91M", "", "It's Bravo, X-ray, nine, one, Mike."),
        ("80135592", "80135", "No, it's eight zero one, three five five nine two."),
        ("1984-07-09", "1985-07-09", "No, it's July ninth, nineteen eighty four."),
        ("2004-11-22", "", "It's November twenty second, two thousand and four."),
        ("1905-01-30", "", "It's January thirtieth, nineteen oh five."),
    ],
)
def test_what_is_wrong_in_more_than_one_place_is_said_once_more(truth: str, understood: str, said: str) -> None:
    for turn in range(4):
        assert answer(truth, understood, turn).text == said
        assert answer(truth, understood, turn).way == "whole"


class Agent:
    """A line on which every turn gets the next of these replies."""

    def __init__(self, folder: Path, *replies: str) -> None:
        self.keys = ""
        self._replies = iter(replies)
        self._clock = itertools.count(1)
        self._path = folder / "journal.sqlite"
        with sqlite3.connect(self._path) as database:
            database.execute("CREATE TABLE calls (call_id TEXT, ani TEXT, ended REAL)")
            database.execute("CREATE TABLE turns (id INTEGER PRIMARY KEY, call_id TEXT, record TEXT)")
            database.execute("INSERT INTO calls VALUES ('c', '+1', NULL)")
        database.close()

    def reply(self) -> float:
        at = float(next(self._clock))
        record: dict[str, Any] = {
            "heard_text": next(self._replies),
            "caller_text": "?",
            "over": True,
            "times": {"committed": at},
        }
        with sqlite3.connect(self._path) as database:
            database.execute("INSERT INTO turns (call_id, record) VALUES ('c', ?)", (json.dumps(record),))
        database.close()
        return at

    async def say(self, pcm: Pcm) -> float:
        assert pcm.size
        return self.reply()

    async def press(self, keys: str) -> None:
        self.keys += keys


async def checking(folder: Path, *replies: str) -> tuple[dict[str, Any], list[str], Agent]:
    agent = Agent(folder, *replies)
    spoken: list[str] = []

    async def speak(text: str, _: int) -> Pcm:
        spoken.append(text)
        return QUIET

    said = Utterance("u", "code", "B X nine one M", "give_code", {"code": "BX91M"}, 0.0, 0.1, (), QUIET)
    yes = Utterance("y", "short", "Yes.", "affirm", {}, 0.0, 0.1, (), QUIET)
    check = CodeCheck(folder, [yes], speak)
    found = await check.run(agent, "+1", said, agent.reply())
    return found.to_json(), spoken, agent


RIGHT = "All right. That's Bravo, X-ray, nine, one, Mike. Is that right?"
WRONG = "All right. That's Delta, X-ray, nine, one, Mike. Is that right?"
NEXT = "All right. What's the code?"


async def test_a_code_that_is_read_back_right_is_agreed_to(tmp_path: Path) -> None:
    found, spoken, agent = await checking(tmp_path, RIGHT, NEXT)
    assert (found["right"], found["way"], found["first"]) == (True, "", "BX91M")
    assert not spoken
    assert not agent.keys


async def test_a_wrong_one_is_corrected_once(tmp_path: Path) -> None:
    found, spoken, agent = await checking(tmp_path, WRONG, RIGHT, NEXT)
    assert (found["right"], found["way"], found["first"], found["last"]) == (True, "example", "DX91M", "BX91M")
    assert spoken == ["No, B as in boy."]
    assert not agent.keys


async def test_a_second_correction_is_not_made(tmp_path: Path) -> None:
    found, spoken, agent = await checking(tmp_path, WRONG, WRONG)
    assert (found["right"], found["last"]) == (False, "DX91M")
    assert len(spoken) == 1
    assert agent.keys == "2"


async def test_what_was_not_understood_at_all_is_said_again(tmp_path: Path) -> None:
    found, spoken, _ = await checking(tmp_path, "Sorry, once more, please. What's the code?", RIGHT, NEXT)
    assert (found["right"], found["way"], found["first"]) == (True, "whole", "")
    assert spoken == ["It's Bravo, X-ray, nine, one, Mike."]


async def test_a_yes_that_is_taken_for_a_correction_is_no_success(tmp_path: Path) -> None:
    found, _, agent = await checking(tmp_path, RIGHT, WRONG)
    assert (found["right"], found["last"]) == (False, "DX91M")
    assert agent.keys == "2"


def test_codes_alone_are_judged_and_without_a_read_back_they_are_wrong() -> None:
    code = Understood("", code_exact=False)
    assert checked(Understood(""), None).code_after_correction is None
    assert checked(code, None).code_after_correction is False
    after = checked(code, {"right": True, "way": "not"})
    assert (after.code_after_correction, after.code_corrected) == (True, True)
    assert checked(code, {"right": True, "way": ""}).code_corrected is False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_bench_that_is_told_to_stop_stops_the_system_and_says_so_in_one_line(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = []

    async def measure(_: latency.Bench) -> dict[str, Any]:
        os.kill(os.getpid(), number)
        try:
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), number)  # A second one does not break off the end
            await asyncio.sleep(0)
            stopped.append(True)
        raise AssertionError

    monkeypatch.setattr(latency, "measure", measure)
    assert latency.main(["--out", str(tmp_path / "out.json"), "--kinds", "code"]) == 2
    assert stopped
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()
