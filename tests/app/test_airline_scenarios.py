"""The scenarios that ship with the airline: scripted customers on every journey, each on fresh databases."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from ccaas.config.configuration import load
from ccaas.trial.evaluation import Evaluation, read
from ccaas.trial.house import Caller, House
from ccaas.trial.speaking import Speaking

FOLDER = Path(__file__).parents[2] / "examples/airline/scenarios"


async def test_every_customer_is_served_as_the_scenario_says() -> None:
    scenarios = read([FOLDER])
    assert len(scenarios.scenarios) >= 40
    assert len({one.journey for one in scenarios.scenarios}) >= 12
    async with AsyncExitStack() as stack:
        evaluation = await Evaluation.open(scenarios.installation, stack)
        verdicts = [await evaluation.run(one) for one in scenarios.scenarios]
    failed = {
        one.name: (one.faults, [f"{line.who}: {line.text}" for line in one.lines]) for one in verdicts if not one.passed
    }
    assert failed == {}


async def test_recordings_are_heard_and_answers_spoken(tmp_path: Path) -> None:
    """What `ccaas try --wav --out` does: the installation's own recogniser and voice, there and back."""
    async with AsyncExitStack() as stack:
        house = await House.open(load(FOLDER.parent / "ccaas.yaml"), stack)
        speaking = await Speaking.open(house, stack, listens=True, speaks=True)
        floor = await stack.enter_async_context(house.floor(tmp_path))
        talk = await stack.enter_async_context(floor.talk(Caller("+16145550109")))
        await talk.open()
        for wav in ("bench/speech/dev-st-001.wav", "examples/airline/date-of-birth.wav"):
            said = await talk.say(await speaking.hear(FOLDER.parents[2] / wav, talk.dialogue.expectation))
        assert said.text.startswith("Okay, Boston to Seattle")
        await speaking.say(said.text)
        speaking.write(tmp_path / "said.wav")
        heard = (await speaking.hear(tmp_path / "said.wav", talk.dialogue.expectation)).lower()
        assert "boston" in heard
        assert "seattle" in heard
