"""`guard` in the YAML: what is not talked about, what is not promised, and that a reasoner is told no card number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ccaas_redaction.finding import Finder
from ccaas_redaction.settings import RedactionSettings
from prometheus_client import REGISTRY

from ccaas.guarding.reasoner import Guarded
from ccaas.guarding.settings import GuardSettings
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Draft, Expectation, ExpectationKind, Reply
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.tools import FakeToolbox

KIND = "That's for a colleague to say."
GUARDS = [
    GuardSettings(name="politics", asked=("election", "the president"), instead="I'd rather talk about your trip."),
    GuardSettings(name="promises", said=("I guarantee", "you will * get money"), instead=KIND),
]


def dialogue(lines: dict[str, Any]) -> tuple[Dialogue, FakeReasoner]:
    reasoner = FakeReasoner(lines)
    context = DialogueContext("c", "voice", "+1", "1", None, FakeToolbox({}), datetime(2024, 5, 15, tzinfo=UTC))
    return Guarded(reasoner, GUARDS).open(context), reasoner


def test_dialogues_are_given_what_finds_private_data() -> None:
    seen: list[DialogueContext] = []

    class Looking(FakeReasoner):
        def open(self, context: DialogueContext, snapshot: Any = None) -> Any:
            seen.append(context)
            return super().open(context, snapshot)

    finder = Finder(RedactionSettings())
    context = DialogueContext("c", "voice", "+1", "1", None, FakeToolbox({}), datetime(2024, 5, 15, tzinfo=UTC))
    Guarded(Looking({}), GUARDS, finder).open(context)
    assert seen[0].redactor is finder


async def turn(one: Dialogue, text: str) -> tuple[Draft, list[Reply]]:
    draft = await one.draft(CallerTurn("t1", text))
    return draft, [reply async for reply in one.commit(draft)]


def count(name: str, side: str) -> float:
    return REGISTRY.get_sample_value("ccaas_guarded_total", {"name": name, "side": side}) or 0.0


async def test_what_is_not_talked_about_goes_to_no_reasoner_and_is_answered_kindly() -> None:
    one, reasoner = dialogue({"yes": Line("Done.")})
    expects = Expectation(ExpectationKind.YES_NO)
    await one.open()
    reasoner.dialogues[0].expects = expects
    before = count("politics", "asked")
    draft, replies = await turn(one, "Who wins the ELECTION, do you think?")
    assert draft.reply == replies[0] == Reply("I'd rather talk about your trip.", expects)
    assert (reasoner.dialogues[0].drafts, reasoner.dialogues[0].said) == (0, [])
    assert count("politics", "asked") == before + 1
    # A word within another word is no such word, and the question that stood open still does.
    assert (await turn(one, "yes"))[1][0].text == "Done."


@pytest.mark.parametrize(
    ("says", "heard"),
    [
        ("I guarantee that.", KIND),
        ("Surely you will soon get money.", KIND),
        ("You will one two three four get money.", "You will one two three four get money."),
        ("There is no guarantee.", "There is no guarantee."),
    ],
)
async def test_what_must_not_be_promised_is_not_said(says: str, heard: str) -> None:
    one, _ = dialogue({"please": Line(says)})
    draft, replies = await turn(one, "please")
    assert draft.reply == replies[0]
    assert replies[0].text == heard


async def test_the_second_sentence_is_looked_at_too_and_the_first_words() -> None:
    reasoner = FakeReasoner({}, greeting="Hello, I guarantee.")
    context = DialogueContext(
        "c", "voice", "+1", "1", None, FakeToolbox({"pay": {}}), datetime(2024, 5, 15, tzinfo=UTC)
    )
    assert (await Guarded(reasoner, GUARDS).open(context).open()).text == KIND
    reasoner = FakeReasoner({"please": Line("One moment.", writes="pay", then="I guarantee it.")})
    _, replies = await turn(Guarded(reasoner, GUARDS).open(context), "please")
    assert [reply.text for reply in replies] == ["One moment.", KIND]
    assert KIND in Guarded(reasoner, GUARDS).phrases()


async def test_a_reasoner_is_told_no_card_number_typed_or_spoken() -> None:
    one, reasoner = dialogue({})
    for text in (
        "my card is 4111 1111 1111 1111",
        "it's four one one one one one one one one one one one one one one one",
    ):
        draft, _ = await turn(one, text)
        assert "[card ending 1111]" in draft.turn.text
    assert all("[card ending 1111]" in said for said in reasoner.dialogues[0].said)


def test_a_guard_guards_something() -> None:
    with pytest.raises(ValueError, match="guards against nothing"):
        GuardSettings(name="x", instead="No.")
