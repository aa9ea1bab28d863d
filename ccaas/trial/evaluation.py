"""Scripted customers against an installation, each on a fresh copy of its databases."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from ccaas.config.configuration import Configuration, load
from ccaas.config.document import Document, raise_all
from ccaas.errors import CcaasError, ConfigError
from ccaas.trial.house import Caller, House
from ccaas.trial.scenario import ScenariosFile, ScenarioShape
from ccaas.trial.verdict import Line, Verdict, content, of_state, of_talk, of_turn, tools_of


@dataclass(frozen=True, slots=True)
class Scenarios:
    """One or more files of one installation."""

    installation: Configuration
    scenarios: tuple[ScenarioShape, ...]


def read(files: Sequence[Path]) -> Scenarios:
    """Read and check scenario files, or folders of them.

    Raises:
        ConfigError: with file, line, key and mend.
        CcaasError: they are of several installations, or there are none.
    """
    found = [one for file in files for one in (sorted(file.glob("*.yaml")) if file.is_dir() else [file])]
    documents = [(document, document.validate(ScenariosFile)) for document in map(Document.read, found)]
    places = {(document.file.parent / shape.installation).resolve() for document, shape in documents}
    if len(places) != 1:
        raise CcaasError("the scenarios are of no installation, or of several; name files of one")
    raise_all(_twice(documents))
    return Scenarios(load(places.pop()), tuple(one for _, shape in documents for one in shape.scenarios))


def _twice(documents: Sequence[tuple[Document, ScenariosFile]]) -> Iterator[ConfigError]:
    seen = set[str]()
    for document, shape in documents:
        for number, one in enumerate(shape.scenarios):
            if one.name in seen:
                yield document.error(
                    ("scenarios", number, "name"), f"two scenarios are called {one.name}", "rename one"
                )
            seen.add(one.name)


class Evaluation:
    """Runs scenarios one after the other; models and reasoners are loaded once."""

    def __init__(self, house: House, prepared: Path, folder: Path) -> None:
        """`prepared`: a state folder as an installation begins with; `folder`: for the copies."""
        self.house = house
        self._prepared = prepared
        self._folder = folder

    @classmethod
    async def open(cls, installation: Configuration, stack: AsyncExitStack) -> Evaluation:
        """Load everything, and make the databases once. Raises CcaasError."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccaas-eval-")))
        house = await House.open(installation, stack)
        prepared = folder / "prepared"
        prepared.mkdir()
        async with house.floor(prepared):
            pass
        return cls(house, prepared, folder)

    async def run(self, scenario: ScenarioShape) -> Verdict:
        """One customer. Raises CcaasError when it cannot be run at all."""
        began = time.monotonic()
        state = self._folder / scenario.name
        shutil.copytree(self._prepared, state)
        caller = Caller(scenario.caller, scenario.channel, scenario.entry, scenario.dial, scenario.verified)
        faults: list[str] = []
        lines: list[Line] = []
        async with self.house.floor(state) as floor:
            before = content(state) if scenario.unchanged else {}
            async with floor.talk(caller, scenario.name) as talk:
                answers = [await talk.open()]
                lines.append(Line("agent", answers[0].text))
                for number, turn in enumerate(scenario.turns, start=1):
                    if answers[-1].ending is not None:
                        faults.append(f"turn {number}: the conversation is over")
                        break
                    answers.append(await talk.say(turn.say, turn.keys))
                    lines += [Line("customer", turn.say or turn.keys), Line("agent", answers[-1].text)]
                    faults += of_turn(number, turn, answers[-1])
            runs = talk.audit.runs
            faults += of_talk(scenario, answers, runs)
            faults += of_state(scenario, state)
            if scenario.unchanged:
                after = content(state)
                faults += [f"{table} has changed" for table in after if after[table] != before.get(table)]
        shutil.rmtree(state)
        took = time.monotonic() - began
        return Verdict(
            scenario.name, scenario.journey, scenario.channel, tuple(faults), tuple(lines), tools_of(runs), took
        )


async def evaluate(scenarios: Scenarios, only: Sequence[str] = ()) -> AsyncIterator[Verdict]:
    """All of them, or those of these names, in order. Raises CcaasError."""
    wanted = [one for one in scenarios.scenarios if not only or one.name in only]
    if missing := set(only) - {one.name for one in wanted}:
        raise CcaasError(f"there is no scenario {min(missing)}")
    async with AsyncExitStack() as stack:
        evaluation = await Evaluation.open(scenarios.installation, stack)
        for scenario in wanted:
            yield await evaluation.run(scenario)
