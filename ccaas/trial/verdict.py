"""Whether a conversation was as its scenario says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.ports.reasoning import Ending
from ccaas.trial.house import Said
from ccaas.trial.scenario import ScenarioShape, TurnShape

_OURS = frozenset({"write_keys", "migrations", "sqlite_sequence"})
"""Tables that say how something was done, not what is."""
_BOOKS = frozenset({"actions.sqlite", "journal.sqlite"})


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of the conversation."""

    who: str
    """ "customer" or "agent"."""
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one scenario went."""

    name: str
    journey: str
    channel: str
    faults: tuple[str, ...]
    """What was not as it should be; empty: passed."""
    lines: tuple[Line, ...]
    tools: tuple[str, ...]
    """Runs, each as `tool outcome`."""
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all was as it should be."""
        return not self.faults


def of_turn(number: int, turn: TurnShape, said: Said) -> Iterator[str]:
    """What is wrong with one answer."""
    heard = said.text.lower()
    for wanted in turn.hears:
        if not any(one.lower() in heard for one in wanted.split("|")):
            yield f"turn {number}: {wanted!r} is not in {said.text!r}"
    yield from _forbidden(f"turn {number}", turn.never, said)


def of_talk(scenario: ScenarioShape, answers: Sequence[Said], runs: Sequence[ToolRun]) -> Iterator[str]:
    """What is wrong with the whole."""
    for number, said in enumerate(answers):
        yield from _forbidden(f"answer {number}", scenario.never, said)
    last = answers[-1]
    ends = {None: "open", Ending.HANG_UP: "hang_up", Ending.TRANSFER: "transfer"}[last.ending]
    if ends != scenario.ends:
        yield f"it ends {ends}, not {scenario.ends}"
    if scenario.destination and last.destination != scenario.destination:
        yield f"it goes to {last.destination or 'nobody'}, not to {scenario.destination}"
    done = iter([run.tool for run in runs if run.outcome is Outcome.DONE])
    missing = [tool for tool in scenario.tools if tool not in done]
    if missing:
        yield f"{missing[0]} did not run in its place: {', '.join(tools_of(runs)) or 'none did'}"
    for what, outcome, wanted in (
        ("was not refused", Outcome.REFUSED, scenario.refused),
        ("was not asked for", Outcome.PREPARED, scenario.asks_for),
    ):
        found = {run.tool for run in runs if run.outcome is outcome}
        yield from (f"{tool} {what}" for tool in wanted if tool not in found)


def of_state(scenario: ScenarioShape, state: Path) -> Iterator[str]:
    """What is wrong with the databases."""
    for wanted in scenario.state:
        file = state / wanted.database
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
                rows = [list(row) for row in db.execute(wanted.query)]
        except sqlite3.Error as error:
            yield f"{wanted.database}: {error}"
            continue
        if rows != wanted.rows:
            yield f"{wanted.database}: {wanted.query} gives {rows}, not {wanted.rows}"


def tools_of(runs: Sequence[ToolRun]) -> tuple[str, ...]:
    """Each run in two words."""
    return tuple(f"{run.tool} {run.outcome.value}" for run in runs)


def content(state: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all databases of a state folder, by file and table."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for file in sorted(state.glob("*.db")) + sorted(state.glob("*.sqlite")):
        if file.name in _BOOKS:
            continue
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in sorted(set(tables) - _OURS):
                found[f"{file.name}: {table}"] = sorted(db.execute(f"SELECT * FROM {table}"), key=repr)
    return found


def _forbidden(where: str, words: Sequence[str], said: Said) -> Iterator[str]:
    for word in words:
        if word.lower() in said.text.lower():
            yield f"{where}: {word!r} is in {said.text!r}"
