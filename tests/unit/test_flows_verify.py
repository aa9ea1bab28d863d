"""Nothing private before the customer has proved who they are: the check runs where it is needed, and comes back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ccaas_flows.reasoner import FlowsReasoner
from pydantic import BaseModel

from ccaas.actions import Books, CallTools, Limits, ToolRun, Tools
from ccaas.actions.guesses import Guesses
from ccaas.actions.settings import CheckSettings
from ccaas.errors import ToolError
from ccaas.journal.masking import masked
from ccaas.ports.journey import Assurance
from ccaas.ports.reasoning import NOT_KEPT, CallerTurn, Ending, ExpectationKind
from ccaas.ports.tools import Confirmation, Effect, Phase, Tool, ToolContext
from tests.flows_parts import HEAD
from tests.unit.flow_talk import CLOSED, NOON, OPEN, Talk, journey, reasoner, talk, thread_of

BORN = HEAD.replace("  view:", "  born: {type: birth_date, question: When were you born?}\n  view:").replace(
    "label: book a room", "label: book a room\n    title: the room"
)
VERIFY = """\
verify:
  steps:
    - say: Just a check.
    - label: again
    - ask: born
    - read: check
      with: {born: "{born}"}
      as: who
      errors:
        wrong:
          - say: That's not it.
          - forget: born
          - goto: again
"""
BOOK = """\
  book:
    steps:
      - ask: date
      - read: look
        with: {date: "{date}"}
        as: found
      - confirm: "That is {found.price|money}. Shall I book it?"
      - write: book
        with: {date: "{date}"}
        as: booked
        meanwhile: One moment.
      - done: "Booked as {booked.code|spell}."
"""
RIGHT, WRONG = "July 9th 1984", "July 9th 1985"
ASK = "Just a check. When were you born?"
OFFER = "That is one hundred and twenty dollars. Shall I book it?"


class Day(BaseModel):
    date: str


class Born(BaseModel):
    born: str


class Who(BaseModel):
    customer_id: str


class Price(BaseModel):
    price: int


class Code(BaseModel):
    code: str


class Rows:
    """An audit in memory."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


class Hotel:
    """A system of record with one customer, who was born on 9 July 1984, behind the real gate."""

    def __init__(self, *, public_price: bool = False) -> None:
        self.audit = Rows()
        self.booked: list[str] = []
        self.prices = 0
        self._public_price = public_price

    async def _check(self, asked: Born, context: ToolContext) -> Who:
        if asked.born != "1984-07-09":
            raise ToolError("wrong", "Wrong.")
        return Who(customer_id="ann")

    async def _look(self, asked: Day, context: ToolContext) -> Price:
        self.prices += 1
        return Price(price=120)

    async def _book(self, asked: Day, context: ToolContext) -> Code:
        self.booked.append(asked.date)
        return Code(code="A1")

    def box(
        self,
        customer_id: str = "ann",
        assurance: Assurance = Assurance.CLAIMED,
        earlier: tuple[ToolRun, ...] = (),
        guesses: Guesses | None = None,
    ) -> CallTools:
        two, spoken = Phase.TRANSACTIONAL, Confirmation.SPOKEN
        tools = [
            Tool("check", "Checks.", Born, Who, self._check, Effect.READ, verifies=True),
            Tool("look", "Looks.", Day, Price, self._look, Effect.READ, private=not self._public_price),
            Tool("book", "Books.", Day, Code, self._book, Effect.WRITE, two, spoken, private=True),
        ]
        return CallTools(
            Tools(tools), Limits(two), self.audit, call_id="call", customer_id=customer_id, now=lambda: NOON,
            earlier=earlier, assurance=assurance, guesses=guesses,
        )  # fmt: skip


def made(tmp_path: Path, verify: str = VERIFY) -> FlowsReasoner:
    return reasoner(tmp_path, BOOK + verify, BORN)


async def test_the_check_runs_before_the_private_step_and_comes_back_to_it(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    assert await conversation.say("I want a room tomorrow") == ASK
    assert conversation.last.expect.kind is ExpectationKind.DATE
    assert hotel.prices == 0
    assert await conversation.say(RIGHT) == OFFER
    assert conversation.dialogue.assurance is Assurance.VERIFIED
    assert "Booked as Alfa, one." in await conversation.say("yes")
    assert hotel.booked == ["2024-05-16"]


async def test_who_is_verified_from_the_start_is_not_asked(tmp_path: Path) -> None:
    conversation = await talk(
        made(tmp_path), Hotel().box(assurance=Assurance.VERIFIED), channel="chat", assurance=Assurance.VERIFIED
    )
    assert await conversation.say("I want a room tomorrow") == "That is $120. Shall I book it?"


async def test_the_check_is_asked_once_in_a_conversation(tmp_path: Path) -> None:
    conversation = await talk(made(tmp_path), Hotel().box())
    await conversation.say("I want a room tomorrow")
    await conversation.say(RIGHT)
    await conversation.say("no, thanks")
    assert await conversation.say("I want a room on Friday") == OFFER


async def test_a_write_that_needs_the_check_keeps_the_yes_of_before(tmp_path: Path) -> None:
    """The price is public here: the check comes between the yes and the write."""
    hotel = Hotel(public_price=True)
    conversation = await talk(made(tmp_path), hotel.box())
    assert await conversation.say("I want a room tomorrow") == OFFER
    assert await conversation.say("yes") == f"One moment. {ASK}"
    assert hotel.booked == []
    assert "Booked as Alfa, one." in await conversation.say(RIGHT)
    assert [run.confirmed_by for run in hotel.audit.runs if run.tool == "book" and run.key] == ["t2", "t2"]


async def test_drafts_check_nothing(tmp_path: Path) -> None:
    """What a caller has said so far is no answer: only the whole of it counts."""
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    await conversation.say("I want a room tomorrow")
    for text in ("July 9th 1901", "July 9th 1902", "July 9th 1903", "July 9th 1904"):
        draft = await conversation.dialogue.draft(CallerTurn("d", text, final=False))
        assert draft.reply is None
    assert not any(run.tool == "check" for run in hotel.audit.runs)
    assert await conversation.say(RIGHT) == OFFER


async def test_three_wrong_answers_and_a_colleague_takes_over(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    await conversation.say("I want a room tomorrow")
    assert await conversation.say(WRONG) == "That's not it. When were you born?"
    assert await conversation.say(WRONG) == "That's not it. When were you born?"
    assert await conversation.say(WRONG) == (
        "I'm sorry, I couldn't make sure that it's you, so a colleague has to help with that."
    )
    assert (conversation.last.ending, conversation.last.destination) == (Ending.TRANSFER, "agents")
    assert (hotel.prices, hotel.booked) == (0, [])


async def test_who_guessed_wrong_in_a_chat_guesses_no_more_on_the_phone(tmp_path: Path) -> None:
    books = await Books.open(tmp_path / "actions.sqlite")
    hotel, guesses = Hotel(), Guesses(books, CheckSettings())
    chat = await talk(made(tmp_path), hotel.box(guesses=guesses), channel="chat")
    await chat.say("I want a room tomorrow")
    assert await chat.say(WRONG) == "That's not it. When were you born?"
    assert await chat.say(WRONG) == "That's not it. When were you born?"
    call = await talk(made(tmp_path), hotel.box(guesses=guesses), channel="voice")
    assert await call.say("I want a room tomorrow") == ASK
    assert "a colleague has to help" in await call.say(WRONG)
    assert (call.last.ending, call.last.destination) == (Ending.TRANSFER, "agents")
    texted = await talk(made(tmp_path), hotel.box(guesses=guesses), channel="sms")
    assert "a colleague has to help" in await texted.say("I want a room tomorrow"), "nothing is asked in vain"
    assert texted.last.ending is Ending.TRANSFER
    assert (hotel.prices, hotel.booked) == (0, [])
    await books.close()


async def test_the_file_says_what_happens_after_three_wrong_answers(tmp_path: Path) -> None:
    verify = VERIFY + "        locked: [{done: Then not.}]\n"
    conversation = await talk(made(tmp_path, verify), Hotel().box())
    await conversation.say("I want a room tomorrow")
    for _ in range(2):
        await conversation.say(WRONG)
    assert await conversation.say(WRONG) == "Then not. Is there anything else?"
    assert conversation.topic.state is OPEN
    # The checks are over for this conversation, also for the right answer.
    await conversation.say("I want a room tomorrow")
    assert await conversation.say(RIGHT) == "Then not. Is there anything else?"


async def test_without_a_check_in_the_file_nothing_private_is_told(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path, ""), hotel.box())
    assert "couldn't make sure that it's you" in await conversation.say("I want a room tomorrow")
    assert conversation.last.ending is Ending.TRANSFER
    assert hotel.prices == 0


async def test_another_wish_leaves_the_check(tmp_path: Path) -> None:
    conversation = await talk(made(tmp_path), Hotel().box())
    await conversation.say("I want a room tomorrow")
    assert (await conversation.say("I need a taxi, call me a cab")).startswith("A taxi comes.")
    assert await conversation.say("I want a room tomorrow") == ASK


async def test_the_answer_is_kept_nowhere(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    await conversation.say("I want a room tomorrow")
    draft = await conversation.dialogue.draft(CallerTurn("t9", RIGHT))
    assert "born" not in draft.slots
    await conversation.say(RIGHT)
    assert "1984" not in repr(conversation.snapshot())
    assert "1984" not in repr(conversation.topic)
    assert "1984" not in repr(hotel.audit.runs)


TWO = """\
verify:
  steps:
    - ask: ref
    - ask: born
    - read: check
      with: {born: "{born}"}
      errors:
        wrong:
          - confirm: "I cannot find {ref} of {born}. Is that right?"
            declined: [{forget: [ref, born]}]
"""
WITH_CODE = BORN.replace("  born:", "  ref: {type: code, length: [6, 6], question: Which booking?}\n  born:")


async def test_what_is_said_in_the_check_is_marked_and_what_repeats_it_has_another_version(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK + TWO, WITH_CODE), Hotel().box())
    first = await conversation.dialogue.draft(CallerTurn("t", "I want a room tomorrow"))
    assert not first.private
    await conversation.say("I want a room tomorrow")
    draft = await conversation.dialogue.draft(CallerTurn("t", "A B C one two three", keys="5"))
    assert draft.private
    assert (draft.text_to_keep, draft.keys_to_keep) == (NOT_KEPT, "")
    await conversation.say("A B C one two three")
    said = await conversation.say(WRONG)
    assert (
        said == "I cannot find Alfa, Bravo, Charlie, one, two, three of Tuesday the ninth of July 1985. Is that right?"
    )
    assert conversation.last.to_keep == "I cannot find … of …. Is that right?"
    await conversation.dialogue.silence(1)
    assert "Alfa" not in (await conversation.dialogue.silence(2)).to_keep
    stored = repr(masked(conversation.snapshot()))
    assert not any(word in stored for word in ("ABC123", "Alfa", "1985", "ninth of July"))


async def test_answers_that_a_crash_took_are_asked_for_again(tmp_path: Path) -> None:
    """They stand in no file; what was asked before, and is not known any more, comes first."""
    hotel = Hotel()
    made_ = reasoner(tmp_path, BOOK + TWO, WITH_CODE)
    conversation = await talk(made_, hotel.box())
    await conversation.say("I want a room tomorrow")
    assert await conversation.say("A B C one two three") == "When were you born?"
    kept = masked(conversation.snapshot())
    assert isinstance(kept, dict)
    assert "ABC123" not in repr(kept)
    back = await talk(made_, hotel.box(), snapshot=kept)
    assert back.opening == "Which booking?"
    assert await back.say("A B C one two three") == "When were you born?"
    assert await back.say(RIGHT) == OFFER
    # In memory, as after a turn that was taken too early, nothing is lost.
    again = await talk(made_, hotel.box(), snapshot=conversation.snapshot())
    assert again.opening == "When were you born?"
    assert await again.say(RIGHT) == OFFER


async def test_a_crash_after_the_check_asks_nobody_again(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    await conversation.say("I want a room tomorrow")
    await conversation.say(RIGHT)
    checks = tuple(run for run in hotel.audit.runs if run.key)
    back = await talk(made(tmp_path), hotel.box(earlier=checks), snapshot=conversation.snapshot())
    assert back.dialogue.assurance is Assurance.VERIFIED
    assert "Booked" in await back.say("yes")


async def test_a_crash_in_the_middle_of_the_check_goes_on_with_it(tmp_path: Path) -> None:
    hotel = Hotel()
    conversation = await talk(made(tmp_path), hotel.box())
    await conversation.say("I want a room tomorrow")
    await conversation.say(WRONG)
    wrong = tuple(run for run in hotel.audit.runs if run.key)
    back = await talk(made(tmp_path), hotel.box(earlier=wrong), snapshot=conversation.snapshot())
    assert back.opening == "When were you born?"
    assert await back.say(RIGHT) == OFFER


# — a thread of a verified customer, taken up by somebody with the same number —


async def left_open(tmp_path: Path, upto: tuple[str, ...], hotel: Hotel) -> Talk:
    conversation = await talk(made(tmp_path), hotel.box())
    for text in upto:
        await conversation.say(text)
    return conversation


async def taken_up(tmp_path: Path, hotel: Hotel, upto: tuple[str, ...], **how: Any) -> Talk:
    """The next day's call from the same number."""
    first = await left_open(tmp_path, upto, hotel)
    thread = thread_of(first.topic, first.snapshot(), updated=NOON - timedelta(days=1))
    return await talk(made(tmp_path), hotel.box(), journey=journey(thread), **how)


async def test_the_name_and_the_title_need_no_check_but_the_price_does(tmp_path: Path) -> None:
    hotel = Hotel()
    again = await taken_up(tmp_path, hotel, ("I want a room tomorrow", RIGHT))
    assert again.opening == "Hi Ann. Are you calling to go ahead with the room we discussed yesterday?"
    assert await again.say("yes") == ASK
    assert await again.say(RIGHT) == OFFER
    assert "Booked" in await again.say("yes")
    assert again.topic.state is CLOSED


async def test_a_forged_number_hears_nothing_private_and_changes_nothing(tmp_path: Path) -> None:
    hotel = Hotel()
    again = await taken_up(tmp_path, hotel, ("I want a room tomorrow", RIGHT))
    prices = hotel.prices
    heard = [again.opening]
    for text in ("yes", "yes", "go ahead, book it", WRONG, "what was the price", WRONG, "yes", WRONG):
        heard.append(await again.say(text))
        if again.last.ending is not None:
            break
    assert again.last.ending is Ending.TRANSFER
    assert not any("twenty" in said or "dollars" in said for said in heard)
    assert (hotel.prices, hotel.booked) == (prices, [])


async def test_an_answer_of_the_last_call_does_not_verify_this_one(tmp_path: Path) -> None:
    """Left in the middle of the check, with a thread that somebody filled with the answer."""
    hotel = Hotel()
    first = await left_open(tmp_path, ("I want a room tomorrow",), hotel)
    snapshot = dict(first.snapshot())
    state = snapshot["state"]
    assert isinstance(state, dict)
    state["slots"]["born"] = "1984-07-09"
    thread = thread_of(first.topic, snapshot, slots={"born": "1984-07-09", "date": "tomorrow"})
    again = await talk(made(tmp_path), hotel.box(), journey=journey(thread))
    assert await again.say("yes") == ASK
    assert hotel.prices == 0


async def test_a_yes_of_the_last_call_writes_nothing_in_this_one(tmp_path: Path) -> None:
    """Hung up between the yes and the answer to the check."""
    hotel = Hotel(public_price=True)
    again = await taken_up(tmp_path, hotel, ("I want a room tomorrow", "yes"))
    assert await again.say("yes") == OFFER
    assert hotel.booked == []
    assert await again.say("yes") == f"One moment. {ASK}"
    assert "Booked" in await again.say(RIGHT)
    assert len(hotel.booked) == 1


async def test_what_a_verified_customer_knew_is_dropped_where_nobody_can_be_verified(tmp_path: Path) -> None:
    hotel = Hotel()
    first = await left_open(tmp_path, ("I want a room tomorrow", RIGHT), hotel)
    snapshot = dict(first.snapshot())
    without = made(tmp_path, "")
    snapshot["program"] = without._program.fingerprint
    thread = thread_of(first.topic, snapshot)
    again = await talk(without, hotel.box(), journey=journey(thread))
    said = await again.say("yes")
    assert "dollars" not in said
    assert again.last.ending is Ending.TRANSFER


@pytest.mark.parametrize("assurance", [Assurance.NONE, Assurance.CLAIMED])
async def test_a_dialogue_is_as_sure_as_its_context_until_it_was_checked(tmp_path: Path, assurance: Assurance) -> None:
    conversation = await talk(made(tmp_path), Hotel().box(), assurance=assurance)
    assert conversation.dialogue.assurance is Assurance.CLAIMED
