"""The life of a call: its table, and the drawing of both machines."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from ccaas.errors import TransitionError
from ccaas.telephony.state import TRANSITIONS, CallState, Step, after

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("state", list(CallState))
@pytest.mark.parametrize("step", list(Step))
def test_a_step_leads_where_the_table_says_or_nowhere(state: CallState, step: Step) -> None:
    if (state, step) in TRANSITIONS:
        assert after(state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(TransitionError, match=f"a call that is {state.value} cannot take the step '{step.value}'"):
            after(state, step)


def test_every_call_can_end_and_an_ended_one_stays_so() -> None:
    for state in set(CallState) - {CallState.ENDED}:
        assert after(state, Step.ENDED) is CallState.ENDED
    assert not any(state is CallState.ENDED for state, _ in TRANSITIONS)


def test_every_state_and_step_is_used() -> None:
    assert {step for _, step in TRANSITIONS} == set(Step)
    begins = {CallState.OFFERED, CallState.DIALLING}
    assert set(TRANSITIONS.values()) == set(CallState) - begins


def test_the_drawing_is_what_the_tables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["draw_machines.py", "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "tools" / "draw_machines.py"), run_name="__main__")
    assert ended.value.code == 0, "run python tools/draw_machines.py"
