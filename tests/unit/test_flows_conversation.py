"""What each kind of step of a flows file does with what a caller says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings

from ccaas.errors import SetupError, ToolError
from ccaas.ports.journey import Customer
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Ending, ExpectationKind, Reply
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import Answer, FakeToolbox
from tests.flows_parts import HEAD, WordsOnly


class Talk:
    """A conversation under test."""

    def __init__(self, dialogue: Dialogue, tools: FakeToolbox) -> None:
        self.dialogue = dialogue
        self.tools = tools
        self._turns = 0
        self.last = Reply("")

    def expects(self, kind: ExpectationKind) -> bool:
        """Whether an answer of this kind is expected now."""
        return self.dialogue.expectation.kind is kind

    async def say(self, text: str, keys: str = "") -> str:
        """One turn; all that the agent said, and the last reply in `last`."""
        self._turns += 1
        draft = await self.dialogue.draft(CallerTurn(f"t{self._turns}", text, keys))
        said = []
        async for reply in self.dialogue.commit(draft):
            said.append(reply.text)
            self.dialogue.heard(reply.text, True)
            self.last = reply
        return " ".join(said)


def reasoner(tmp_path: Path, steps: str, head: str = HEAD) -> FlowsReasoner:
    indented = "\n".join("      " + line for line in steps.strip("\n").splitlines())
    (tmp_path / "flows.yaml").write_text(f"{head}  book:\n    steps:\n{indented}\n", "utf-8")
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path.parent / "intents")
    return FlowsReasoner(FlowsSettings(file="flows.yaml"), site, WordsOnly())


async def talk(
    tmp_path: Path,
    steps: str,
    answers: dict[str, Answer] | None = None,
    customer: Customer | None = None,
    head: str = HEAD,
) -> Talk:
    made = reasoner(tmp_path, steps, head)
    await made.start()
    tools = FakeToolbox(answers or {})
    context = DialogueContext("c", "voice", "+1", "100", customer, tools, datetime(2024, 5, 15, 12, tzinfo=UTC))
    dialogue = made.open(context)
    await dialogue.open()
    return Talk(dialogue, tools)


async def test_say_runs_on_and_the_flow_ends_with_what_else(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- say: One.\n- say: Two.")
    assert await conversation.say("book a room for me") == "One. Two. Is there anything else?"
    assert conversation.last.ending is None


async def test_ask_waits_for_its_slot_and_expects_its_kind(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, '- ask: date\n- ask: time\n- done: "{date}, {time}."')
    assert await conversation.say("I want a room") == "Which day?"
    assert conversation.expects(ExpectationKind.DATE)
    assert await conversation.say("on Friday") == "What time?"
    assert conversation.expects(ExpectationKind.TIME)
    assert "Friday the seventeenth of May, six thirty in the evening." in await conversation.say("six thirty p.m.")


async def test_what_came_with_the_wish_is_not_asked_again(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, '- ask: date\n- ask: guests\n- done: "{guests} on {date}."')
    assert await conversation.say("I want a room for two people tomorrow") == "Two on tomorrow. Is there anything else?"


async def test_ask_again_and_then_give_up(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- ask: date")
    await conversation.say("I want a room")
    assert await conversation.say("blue elephants") == "Sorry?"
    assert await conversation.say("blue elephants") == "I give up."
    assert (conversation.last.ending, conversation.last.destination) == (Ending.TRANSFER, "agents")


@pytest.mark.parametrize(
    ("slot", "answer", "spoken"),
    [
        ("code", "K Q seven four two Z", "Kilo, Quebec, seven, four, two, Zulu"),
        ("code", "my code is Kq7 42z", "Kilo, Quebec, seven, four, two, Zulu"),
        ("guests", "three", "three"),
        ("view", "the ocean, please", "sea"),
        ("phone", "six one seven five five five oh one four two", "six one seven, five five five, zero one four two"),
        ("who", "it's Jennifer Walsh", "Jennifer Walsh"),
        ("wants", "yeah, sure", "yes"),
        ("wants", "no, thanks", "no"),
        ("note", "we come late", "we come late"),
    ],
)
async def test_every_type_of_slot(tmp_path: Path, slot: str, answer: str, spoken: str) -> None:
    conversation = await talk(tmp_path, f"- ask: {slot}\n- done: 'It is: {{{slot}}}.'")
    await conversation.say("I want a room")
    assert await conversation.say(answer) == f"It is: {spoken}. Is there anything else?"


@pytest.mark.parametrize(
    ("slot", "keys", "spoken"),
    [("guests", "3#", "three"), ("wants", "1", "yes"), ("phone", "6175550142", "six one seven, five")],
)
async def test_keys_answer_questions(tmp_path: Path, slot: str, keys: str, spoken: str) -> None:
    conversation = await talk(tmp_path, f"- ask: {slot}\n- done: 'It is: {{{slot}}}.'")
    await conversation.say("I want a room")
    assert f"It is: {spoken}" in await conversation.say("", keys)


async def test_a_caller_who_does_not_know_goes_where_the_step_says(tmp_path: Path) -> None:
    steps = "- ask: code\n  unsure: without\n- done: With.\n- label: without\n- done: Without."
    conversation = await talk(tmp_path, steps)
    await conversation.say("I want a room")
    assert (await conversation.say("I don't know")).startswith("Without.")


async def test_listen_takes_anything_for_ever(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- label: next\n- listen: Yes?\n  expect: yes_no\n- say: Good.\n- goto: next")
    await conversation.say("I want a room")
    for text in ("blue", "", "goodbye"):
        assert await conversation.say(text) == "Good. Yes?"
    assert conversation.last.expect.kind is ExpectationKind.YES_NO


async def test_read_gives_values_and_omits_unknown_arguments(tmp_path: Path) -> None:
    steps = '- read: look\n  with: {date: "{date}", guests: "{guests}"}\n  as: found\n- done: "{found.rooms.0.name} at {found.price|money}."'
    answers: dict[str, Answer] = {"look": {"rooms": [{"name": "Blue"}], "price": 12.5}}
    conversation = await talk(tmp_path, steps, answers)
    assert "Blue at twelve dollars and fifty cents." in await conversation.say("I want a room for two people")
    assert conversation.tools.calls[0].arguments == {"guests": 2}


async def test_dates_reach_tools_as_dates(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, '- read: look\n  with: {date: "{date}"}', {"look": {}})
    await conversation.say("I want a room on Friday")
    assert conversation.tools.calls[0].arguments == {"date": "2024-05-17"}


async def test_errors_branch_by_code_and_are_told_otherwise(tmp_path: Path) -> None:
    steps = "- read: look\n  errors:\n    full: [{done: All taken.}]\n    any: [{done: 'Sorry: {error.message}'}]"
    full = await talk(tmp_path, steps, {"look": ToolError("full", "No room.")})
    assert (await full.say("I want a room")).startswith("All taken.")
    other = await talk(tmp_path, steps, {"look": ToolError("odd", "It rains.")})
    assert (await other.say("I want a room")).startswith("Sorry: It rains.")
    bare = await talk(tmp_path, "- read: look", {"look": ToolError("full", "No room.")})
    assert (await bare.say("I want a room")).startswith("No room.")
    broken = await talk(tmp_path, "- read: look", {"look": ToolError("fault", "Traceback…")})
    assert "Traceback" not in await broken.say("I want a room")
    assert broken.last.destination == "agents"


CONFIRM = """
- ask: date
- label: check
- confirm: "Shall I book {date}?"
  change: {slots: [date], goto: check}
- write: book
  with: {date: "{date}"}
  as: booked
  meanwhile: One moment.
- done: "Booked as {booked.code|spell}."
"""


async def test_a_write_needs_the_yes_and_is_confirmed_by_its_turn(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CONFIRM, {"book": {"code": "A1"}})
    assert await conversation.say("I want a room tomorrow") == "Shall I book tomorrow?"
    assert conversation.tools.calls == []
    said = await conversation.say("yes, please")
    assert said == "One moment. Booked as Alfa, one. Is there anything else?"
    assert conversation.tools.calls[0].confirmed_by == "t2"


async def test_no_with_a_correction_asks_again(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CONFIRM, {"book": {"code": "A1"}})
    await conversation.say("I want a room tomorrow")
    assert await conversation.say("no, Friday") == "Shall I book Friday the seventeenth of May?"
    await conversation.say("yes")
    assert conversation.tools.calls[0].arguments == {"date": "2024-05-17"}


async def test_a_plain_no_writes_nothing(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CONFIRM, {"book": {}})
    await conversation.say("I want a room tomorrow")
    assert (await conversation.say("no, thanks")).startswith("Okay, I won't do that.")
    assert conversation.tools.calls == []


async def test_declined_steps_run_after_a_no(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- confirm: Sure?\n  declined: [{done: Then not.}]\n- done: Good.")
    await conversation.say("I want a room")
    assert (await conversation.say("no")).startswith("Then not.")


async def test_a_yes_to_a_question_that_was_hardly_heard_is_asked_again(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CONFIRM, {"book": {"code": "A1"}})
    await conversation.say("I want a room tomorrow")
    conversation.dialogue.heard("Shall", False)
    assert await conversation.say("yes") == "Just to be sure. Shall I book tomorrow?"
    assert conversation.tools.calls == []
    assert "Booked" in await conversation.say("yes")


async def test_one_character_of_a_code_is_repaired(tmp_path: Path) -> None:
    steps = '- ask: code\n- label: check\n- confirm: "{code}?"\n  change: {slots: [code], goto: check}\n- done: "{code|raw}."'
    conversation = await talk(tmp_path, steps)
    await conversation.say("I want a room")
    await conversation.say("D Q seven four two Z")
    assert await conversation.say("no, B as in boy") == "Bravo, Quebec, seven, four, two, Zulu?"
    assert (await conversation.say("that's right")).startswith("BQ742Z.")


@pytest.mark.parametrize(
    ("slot", "first", "correction", "after"),
    [
        ("phone", "six one seven five five five oh one four two", "no, the last one is a three", "6175550143"),
        ("phone", "six one seven five five nine oh one four two", "It's five five five", "6175550142"),
        ("who", "Ada Kovalski", "It's W as in whiskey, not V", "Ada Kowalski"),
        ("who", "Kovalski", "no, it's K O W A L S K I", "Kowalski"),
        ("code", "K Q seven four two C", "No, it's Kilo, Quebec, seven, four, two, Zulu", "KQ742Z"),
        ("code", "K Q seven four two C", "No, it's Kilo, Quebec, seven, four, two", "KQ742C"),
    ],
)
async def test_what_was_read_back_is_repaired_whatever_it_is(
    tmp_path: Path, slot: str, first: str, correction: str, after: str
) -> None:
    steps = f'- ask: {slot}\n- label: check\n- confirm: "{{{slot}|raw}}?"\n  change: {{slots: [{slot}], goto: check}}\n- done: Good.'
    conversation = await talk(tmp_path, steps)
    await conversation.say("I want a room")
    await conversation.say(first)
    assert f"{after}?" in await conversation.say(correction)


async def test_a_letter_that_repairs_a_code_leaves_the_name_beside_it_alone(tmp_path: Path) -> None:
    steps = (
        '- ask: code\n- ask: who\n- label: check\n- confirm: "{code|raw} of {who}?"\n  change: {slots: [who, code], goto: check}\n'
        "- done: Good."
    )
    conversation = await talk(tmp_path, steps)
    await conversation.say("I want a room")
    await conversation.say("D Q seven four two Z")
    await conversation.say("Dabney")
    assert await conversation.say("no, B as in boy") == "BQ742Z of Dabney?"


async def test_a_write_that_fails_is_told(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CONFIRM, {"book": ToolError("full", "No room is left.")})
    await conversation.say("I want a room tomorrow")
    assert await conversation.say("yes") == "One moment. No room is left. Is there anything else?"


CHOOSE = """
- read: look
  as: found
- choose: found.rooms
  as: room
  by: {time: from}
  offer: "{option.name}?"
  more: "Or {option.name}?"
  none: [{done: Nothing else.}]
- done: "{room.name} it is."
"""
ROOMS: dict[str, Answer] = {
    "look": {
        "rooms": [{"name": "Blue", "from": "08:00"}, {"name": "Red", "from": "18:30"}, {"name": "Old", "from": "20:00"}]
    }
}


@pytest.mark.parametrize(
    ("answers", "end"),
    [
        (["yes"], "Blue it is."),
        (["no", "yes"], "Red it is."),
        (["the last one"], "Old it is."),
        (["number two"], "Red it is."),
        (["the six thirty p.m. one"], "Red it is."),
        (["no", "no", "no"], "Nothing else."),
        (["next one", "okay"], "Red it is."),
        (["no", "the previous one", "yes"], "Blue it is."),
    ],
)
async def test_choosing(tmp_path: Path, answers: list[str], end: str) -> None:
    conversation = await talk(tmp_path, CHOOSE, ROOMS)
    assert await conversation.say("I want a room") == "Blue?"
    said = ""
    for answer in answers:
        said = await conversation.say(answer)
    assert said.startswith(end)


async def test_an_empty_list_has_nothing_to_offer(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, CHOOSE, {"look": {"rooms": []}})
    assert (await conversation.say("I want a room")).startswith("Nothing else.")


async def test_if_set_forget_and_goto(tmp_path: Path) -> None:
    steps = """
- set: {n: 3, date: today}
- if: {value: n, above: 2, below: 4, equals: 3}
  then: [{say: three}]
  else: [{say: other}]
- if: {value: date, known: true}
  then: [{say: dated}]
- forget: date
- if: {value: date, known: false}
  then: [{say: undated}]
- if: {value: n, one_of: ["1", "2"]}
  then: [{say: low}]
  else: [{goto: taxi}]
"""
    conversation = await talk(tmp_path, steps)
    assert await conversation.say("I want a room") == "Three Dated Undated A taxi comes. Is there anything else?"


async def test_transfer_and_end(tmp_path: Path) -> None:
    transferred = await talk(tmp_path, "- transfer: desk\n  say: Over to them.")
    assert await transferred.say("I want a room") == "Over to them."
    assert (transferred.last.ending, transferred.last.destination) == (Ending.TRANSFER, "desk")
    ended = await talk(tmp_path, "- end: Bye.")
    assert await ended.say("I want a room") == "Bye."
    assert ended.last.ending is Ending.HANG_UP


async def test_intents_that_work_at_any_time(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- ask: date")
    await conversation.say("I want a room")
    assert await conversation.say("say that again") == "Sure. Which day?"
    assert await conversation.say("what can you do") == "Just tell me in your own words what you need. Which day?"
    assert await conversation.say("hang on a second") == "Of course. I'm listening."
    assert conversation.last.expect.kind is ExpectationKind.DATE
    assert (await conversation.say("never mind")).startswith("All right, I've left everything as it was.")
    await conversation.say("I want a room")
    assert (await conversation.say("get me an agent")) == ""
    assert conversation.last.ending is Ending.TRANSFER


async def test_another_wish_in_the_middle_is_followed(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- ask: date")
    await conversation.say("I want a room")
    assert (await conversation.say("can you order a cab, I need a taxi")).startswith("A taxi comes.")


async def test_goodbye_and_nothing_else(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- done: ''")
    await conversation.say("I want a room")
    assert await conversation.say("no, thanks") == "Goodbye, and thanks for calling."
    assert conversation.last.ending is Ending.HANG_UP


async def test_out_of_scope_is_said_so(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- done: ''")
    assert "I'm afraid I can't help with that here." in await conversation.say("what's the weather like")


async def test_an_unsure_guess_is_checked(tmp_path: Path) -> None:
    head = HEAD.replace("flows:\n", "thresholds: {accept: 0.9999, ask: 0.02}\nflows:\n")
    conversation = await talk(tmp_path, "- done: Room.", head=head)
    assert await conversation.say("a room") == "Just to check: do you want to book a room?"
    assert conversation.last.expect.kind is ExpectationKind.YES_NO
    assert (await conversation.say("yes")).startswith("Room.")
    await conversation.say("a room")
    assert await conversation.say("no") == "All right. What can I do for you?"


async def test_silence_prompts_repeat_the_question_and_end(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- ask: date")
    await conversation.say("I want a room")
    assert (await conversation.dialogue.silence(1)).text == "Are you still there?"
    assert "Which day?" in (await conversation.dialogue.silence(2)).text
    assert (await conversation.dialogue.silence(3)).ending is Ending.HANG_UP


async def test_a_snapshot_of_other_flows_keeps_what_was_said(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- ask: date\n- ask: time")
    await conversation.say("I want a room tomorrow")
    kept = json.loads(json.dumps(conversation.dialogue.snapshot()))
    changed = reasoner(tmp_path, "- say: New.\n- ask: date\n- ask: time")
    await changed.start()
    tools = FakeToolbox({})
    context = DialogueContext("c", "voice", "", "", None, tools, datetime(2024, 5, 15, tzinfo=UTC))
    again = changed.open(context, kept)
    assert (await again.open()).text == "All right. What can I do for you?"
    same = reasoner(tmp_path, "- ask: date\n- ask: time")
    await same.start()
    assert (await same.open(context, kept).open()).text == "What time?"


async def test_a_known_customer_is_named(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, '- done: "Hello {customer.first_name}."', customer=Customer("7", "Ann", "Lee"))
    assert (await conversation.say("I want a room")).startswith("Hello Ann.")


async def test_endless_flows_are_stopped(tmp_path: Path) -> None:
    conversation = await talk(tmp_path, "- label: a\n- goto: a")
    assert (await conversation.say("I want a room")).startswith("I'm sorry, I can't reach our system")


async def test_phrases_are_the_sentences_without_values(tmp_path: Path) -> None:
    phrases = reasoner(tmp_path, '- say: Fixed.\n- say: "It is {date}."').phrases()
    assert "Fixed." in phrases
    assert "Which day?" not in phrases  # no step asks it
    assert not any("{" in phrase for phrase in phrases)


async def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "flows.yaml").write_text(HEAD + "  book: {steps: [{done: x}]}\n", "utf-8")
    site = Site(tmp_path, tmp_path, tmp_path / "models", tmp_path / "cache")
    with pytest.raises(SetupError, match="the language model is missing; run `make setup`"):
        await FlowsReasoner(FlowsSettings(file="flows.yaml"), site).start()
