"""`ccaas eval` and `ccaas try`: what a verdict finds wrong, and what a terminal shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from ccaas.actions import Outcome, ToolRun
from ccaas.cli import app
from ccaas.errors import CcaasError, ConfigError
from ccaas.ports.reasoning import Ending
from ccaas.ports.tools import Effect
from ccaas.trial.evaluation import read
from ccaas.trial.house import Said
from ccaas.trial.scenario import ScenarioShape, TurnShape
from ccaas.trial.verdict import content, of_state, of_talk, of_turn

ROOT = Path(__file__).parents[2]
RUN = ToolRun("k", "call", "t", "ann", "pay", Effect.WRITE, {}, "t", Outcome.DONE, 0.0)
TURN = {"say": "hi"}


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def scenario(**fields: object) -> ScenarioShape:
    return ScenarioShape.model_validate({"name": "one", "journey": "pay", "turns": [TURN], **fields})


def test_words_are_looked_for_in_any_case_and_one_of_several_is_enough() -> None:
    said = Said("Done. You PAID ten.", None, "")
    assert list(of_turn(1, TurnShape(hears=("done", "gave|paid")), said)) == []
    (fault,) = of_turn(2, TurnShape(hears=("gave|took",)), said)
    assert fault.startswith("turn 2: 'gave|took' is not in")
    (fault,) = of_turn(1, TurnShape(never=("TEN",)), said)
    assert "'TEN' is in" in fault


def test_what_a_talk_comes_to_is_judged() -> None:
    open_end, gone = [Said("Hello.", None, "")], [Said("Hello.", None, ""), Said("Bye.", Ending.TRANSFER, "agents")]
    assert list(of_talk(scenario(tools=["pay"]), open_end, [RUN])) == []
    assert list(of_talk(scenario(ends="transfer", destination="agents"), gone, [])) == []
    assert list(of_talk(scenario(), gone, [])) == ["it ends transfer, not open"]
    assert list(of_talk(scenario(ends="transfer", destination="boss"), gone, [])) == ["it goes to agents, not to boss"]
    assert "take did not run" in next(of_talk(scenario(tools=["pay", "take"]), open_end, [RUN]))
    assert "pay did not run" in next(
        of_talk(scenario(tools=["pay"]), open_end, [replace(RUN, outcome=Outcome.REFUSED)])
    )
    assert list(of_talk(scenario(refused=["pay"]), open_end, [RUN])) == ["pay was not refused"]
    assert list(of_talk(scenario(asks_for=["pay"]), open_end, [RUN])) == ["pay was not asked for"]
    assert "'hello' is in" in next(of_talk(scenario(never="hello"), open_end, []))


def test_databases_are_looked_into(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db")
    db.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1); CREATE TABLE write_keys (k)")
    before = content(tmp_path)
    db.executescript("INSERT INTO write_keys VALUES ('k')")
    assert content(tmp_path) == before == {"a.db: t": [(1,)]}
    db.executescript("UPDATE t SET x = 2")
    assert content(tmp_path) != before
    right = {"database": "a.db", "query": "SELECT x FROM t", "rows": [[2]]}
    assert list(of_state(scenario(state=[right]), tmp_path)) == []
    assert "gives [[2]], not [[3]]" in next(of_state(scenario(state=[right | {"rows": [[3]]}]), tmp_path))
    assert "no such table" in next(of_state(scenario(state=[right | {"query": "SELECT x FROM u"}]), tmp_path))
    db.close()


def test_a_file_s_mistakes_have_a_line(tmp_path: Path) -> None:
    one = "  - {name: a, journey: j, turns: [{say: hi}]}\n"
    (tmp_path / "two.yaml").write_text(f"installation: x.yaml\nscenarios:\n{one}{one}")
    with pytest.raises(ConfigError, match=r"two\.yaml:4: .*two scenarios are called a"):
        read([tmp_path])
    (tmp_path / "nothing").mkdir()
    with pytest.raises(CcaasError, match="no installation"):
        read([tmp_path / "nothing"])


INSTALLATION = ROOT / "examples/airline/ccaas.yaml"


def small(tmp_path: Path, hears: str) -> Path:
    """One scenario of the airline's."""
    (tmp_path / "s.yaml").write_text(
        f"installation: {INSTALLATION}\nscenarios:\n"
        f"  - {{name: insured, journey: question, turns: [{{say: what does the travel insurance cover, hears: {hears}}}]}}\n"
    )
    return tmp_path / "s.yaml"


def test_eval_tells_by_table_by_json_and_by_its_exit_code(tmp_path: Path) -> None:
    file = str(small(tmp_path, "thirty dollars"))
    good = CliRunner().invoke(app, ["eval", file])
    assert (good.exit_code, good.stdout.splitlines()[-1]) == (0, "1 passed, 0 failed")
    small(tmp_path, "forty dollars")
    bad = CliRunner().invoke(app, ["eval", file, "--json"])
    told = json.loads(bad.stdout)
    assert (bad.exit_code, told["passed"], told["failed"]) == (1, 0, 1)
    assert "forty dollars" in told["scenarios"][0]["faults"][0]


def test_try_talks_in_a_terminal_and_shows_the_tools() -> None:
    words = "is flight two oh five on time today\n/keys 0\n"
    shown = CliRunner().invoke(app, ["try", str(INSTALLATION), "--channel", "chat"], input=words)
    assert shown.exit_code == 0, shown.output
    assert "delayed" in shown.output
    assert "(transfer to agents)" in shown.output
    assert "flight_standing: done" in shown.output
