"""What is said first in calls that we begin; everything else is the reasoner's own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ccaas.dialler.opening import Opened
from ccaas.outreach.disclosure import Disclosing
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Reasoner
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.tools import FakeToolbox

MACHINE = "This is an automated call."


@pytest.mark.parametrize(
    ("greeting", "disclosed"),
    [("Hello.", f"{MACHINE} Hello."), (f"Hi. {MACHINE}", f"Hi. {MACHINE}"), ("", MACHINE)],
)
async def test_that_a_machine_calls_is_said_first_and_once(greeting: str, disclosed: str) -> None:
    assert await said(Disclosing(FakeReasoner({}, greeting=greeting), MACHINE)) == disclosed


async def test_a_campaign_has_its_own_first_sentence_which_is_disclosed_too() -> None:
    reasoner = Opened(FakeReasoner({"yes": Line("Done.")}), "Hello Ann.")
    assert await said(reasoner) == "Hello Ann."
    assert await said(Disclosing(reasoner, MACHINE)) == f"{MACHINE} Hello Ann."
    assert "Done." in reasoner.phrases()


async def said(reasoner: Reasoner) -> str:
    """The first words; the answer to a yes must come through as it is."""
    await reasoner.start()
    context = DialogueContext("call", "voice", "+1", "1", None, FakeToolbox({}), datetime(2024, 5, 15, tzinfo=UTC))
    dialogue = reasoner.open(context)
    first = (await dialogue.open()).text
    draft = await dialogue.draft(CallerTurn("t1", "yes"))
    replies = [reply.text async for reply in dialogue.commit(draft)]
    assert replies and first not in replies
    again = reasoner.open(context, dialogue.snapshot())
    assert (again.snapshot(), again.topic(), again.expectation) == (
        dialogue.snapshot(),
        dialogue.topic(),
        dialogue.expectation,
    )
    await reasoner.close()
    return first
