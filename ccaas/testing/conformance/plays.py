"""What every step of a play must do. Subclass `PlayStepConformance` and give it the step and something to look at.

class TestMine(PlayStepConformance):
@pytest_asyncio.fixture
async def step(self) -> AsyncIterator[StepUnderTest]: ...
"""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import dataclass

from ccaas.ports.plays import PlayStep, ReadTool, Situation


@dataclass
class StepUnderTest:
    """A step, a situation in which it gives something, and the tools that it reads."""

    step: PlayStep
    situation: Situation
    read: ReadTool


class PlayStepConformance:
    """The suite."""

    async def test_it_gives_json_objects(self, step: StepUnderTest) -> None:
        items = list(await step.step.run(step.situation, step.read))
        assert items
        assert json.loads(json.dumps(items)) == items
        assert all(isinstance(item, dict) for item in items)

    async def test_it_gives_the_same_again_and_for_many_at_once(self, step: StepUnderTest) -> None:
        first = list(await step.step.run(step.situation, step.read))
        several = await asyncio.gather(*(step.step.run(step.situation, step.read) for _ in range(5)))
        assert [list(one) for one in several] == [first] * 5

    async def test_it_changes_nothing_of_what_it_is_told(self, step: StepUnderTest) -> None:
        before = copy.deepcopy(step.situation)
        await step.step.run(step.situation, step.read)
        assert step.situation == before
