"""The flows that are measured: each sort of code is read back in words that the bench's caller hears, and may be corrected."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings

from bench.readback import answer, heard, known
from bench.speechset import QUESTIONS
from ccaas.ports.reasoning import DialogueContext
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import FakeToolbox
from tests.flows_parts import WordsOnly
from tests.unit.flow_talk import NOON, Talk

FLOWS = Path(__file__).parents[2] / "examples/bench"


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> FlowsReasoner:
    cache = tmp_path_factory.mktemp("intents")
    reasoner = FlowsReasoner(FlowsSettings(file="flows.yaml"), Site(FLOWS, cache, cache, cache), WordsOnly())
    asyncio.run(reasoner.start())
    return reasoner


async def bench_talk(reasoner: FlowsReasoner, question: str) -> Talk:
    context = DialogueContext("call", "voice", "+1", question, None, FakeToolbox({}), NOON)
    dialogue = reasoner.open(context)
    return Talk(dialogue, await dialogue.open())


SAID = [
    ("code", "code", "K Q seven four two C", "KQ742Z"),
    ("flight", "flight", "It's flight U K two three one eight", "UA2318"),
    ("phone", "phone", "six one seven five five nine oh one four two", "6175550142"),
    ("member", "frequent_flyer", "eight oh one three five nine nine two", "80135592"),
    ("card", "card_last4", "It ends in four zero zero five", "4006"),
    ("birth", "dob", "oh seven oh nine nineteen eighty five", "1984-07-09"),
    ("spelling", "name", "Kowalfki, K O W A L F K I", "Kowalski"),
]


@pytest.mark.parametrize(("question", "slot", "misheard", "value"), SAID)
async def test_what_is_misheard_is_read_back_and_repaired_in_one_correction(
    learnt: FlowsReasoner, question: str, slot: str, misheard: str, value: str
) -> None:
    truth = known({slot: value})
    for turn in range(4):
        talk = await bench_talk(learnt, question)
        first = heard(await talk.say(misheard))
        assert len(first) == len(truth)
        assert first != truth
        correction = answer(truth, first, turn).text
        assert heard(await talk.say(correction)) == truth, correction
        assert not heard(await talk.say("Yes, that's right."))
        assert not heard(await talk.say("", "*1#"))
        assert talk.last.text.endswith("Go ahead, please.")


async def test_a_read_back_that_stays_wrong_can_be_left_by_a_key(learnt: FlowsReasoner) -> None:
    talk = await bench_talk(learnt, "code")
    assert heard(await talk.say("K Q seven four two C")) == "KQ742C"
    assert await talk.say("", "2") == "What's the code?"
    assert await talk.say("What do you mean?") == "Sorry, once more, please. What's the code?"


async def test_every_question_can_be_asked_for_by_its_key(learnt: FlowsReasoner) -> None:
    talk = await bench_talk(learnt, "open")
    questions = {await talk.say("", f"*{number}#") for number in range(1, len(QUESTIONS) + 1)}
    assert len(questions) == len(QUESTIONS)


async def test_a_code_may_be_keyed(learnt: FlowsReasoner) -> None:
    talk = await bench_talk(learnt, "code")
    assert heard(await talk.say("", "482913")) == "482913"
