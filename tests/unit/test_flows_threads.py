"""Topics, and the conversations that take them up again on another day or another channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from ccaas_flows.threads import ago

from ccaas.errors import ToolError
from ccaas.ports.journey import Fact, FactKind, Thread
from ccaas.ports.reasoning import Ending, ExpectationKind, Topic
from ccaas.testing.fakes.tools import Answer, FakeToolbox
from tests.flows_parts import HEAD
from tests.unit.flow_talk import CLOSED, NOON, OPEN, WAITING, journey, reasoner, talk, thread_of

TITLED = HEAD.replace("label: book a room", 'label: book a room\n    title: ["your room with {view} view", the room]')
BOOK = """\
  book:
    steps:
      - ask: date
      - ask: guests
      - read: look
        with: {date: "{date}", guests: "{guests}"}
        as: found
      - confirm: "A room for {guests} on {date} is {found.price|money}. Shall I book it?"
        change: {slots: [date], goto: again}
      - label: again
      - write: book
        with: {date: "{date}"}
        as: booked
        meanwhile: One moment.
      - done: "Booked for {date}."
"""
BOOK = BOOK.replace("      - read: look", "      - label: again\n      - read: look").replace(
    "      - label: again\n      - write", "      - write"
)
ANSWERS: dict[str, Answer] = {"look": {"price": 120}, "book": {}}


def box(answers: dict[str, Answer] | None = None) -> FakeToolbox:
    return FakeToolbox(ANSWERS if answers is None else answers)


async def left_at_the_question(tmp_path: Path, **how: str) -> Thread:
    """A thread whose customer was asked "Shall I book it?", and hung up."""
    first = await talk(reasoner(tmp_path, BOOK, TITLED), box())
    await first.say("I want a room for two people on Friday")
    return thread_of(first.topic, first.snapshot(), updated=NOON - timedelta(days=1), **how)


# — topics —


async def test_it_is_about_nothing_until_a_flow_runs(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK))
    assert conversation.dialogue.topic() is None
    await conversation.say("what's the weather like")
    assert conversation.dialogue.topic() is None


async def test_a_topic_is_open_while_the_customer_is_asked_and_tells_what_is_missing(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK, TITLED), box())
    await conversation.say("I want a room")
    assert conversation.topic == Topic("book", "the room", OPEN, missing=("date", "guests"))
    await conversation.say("on Friday")
    assert (conversation.topic.missing, conversation.topic.slots) == (("guests",), {"date": "friday"})
    await conversation.say("two")
    assert conversation.topic.missing == ()


async def test_a_topic_that_is_done_is_told_once_with_what_came_of_it(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK, TITLED), box())
    await conversation.say("I want a room for two people tomorrow")
    await conversation.say("yes")
    assert (conversation.topic.state, conversation.topic.outcome) == (CLOSED, "Booked for tomorrow.")
    await conversation.say("hang on a second")
    assert conversation.dialogue.topic() is None


@pytest.mark.parametrize(
    ("steps", "state", "outcome", "promise"),
    [
        ("- say: All.\n- say: Good.", CLOSED, "All. Good.", ""),
        ("- outcome: It is well.\n- done: Bye.", CLOSED, "It is well.", ""),
        ("- end: So long.", CLOSED, "So long.", ""),
        ("- transfer: desk", CLOSED, "A colleague was asked to take over.", ""),
        ("- transfer: desk\n  open: true", OPEN, "", ""),
        ("- promise: We write to you.", WAITING, "We write to you.", "We write to you."),
        ("- promise: We write to you.\n- outcome: Sent on.", WAITING, "Sent on.", "We write to you."),
        ("- read: look", CLOSED, "No room.", ""),
        ("- read: broken", OPEN, "", ""),
    ],
)
async def test_how_a_flow_ends_its_topic(tmp_path: Path, steps: str, state: object, outcome: str, promise: str) -> None:
    indented = "\n".join("      " + line for line in steps.splitlines())
    head = HEAD.replace(", transfer: agents", "")
    tools = box({"look": ToolError("full", "No room."), "broken": ToolError("fault", "Oops.")})
    conversation = await talk(reasoner(tmp_path, f"  book:\n    steps:\n{indented}\n", head), tools)
    await conversation.say("I want a room")
    topic = conversation.topic
    assert (topic.state, topic.outcome, topic.promise) == (state, outcome, promise)


async def test_a_promise_says_until_when_it_is_owed(tmp_path: Path) -> None:
    flows = "  book:\n    steps:\n      - promise: We write to you.\n        within_hours: 2\n"
    conversation = await talk(reasoner(tmp_path, flows))
    await conversation.say("I want a room")
    assert conversation.topic.due == (NOON + timedelta(hours=2)).timestamp()


async def test_a_title_takes_the_first_wording_whose_values_are_known(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, "  book: {steps: [{ask: view}, {ask: date}]}\n", TITLED))
    await conversation.say("I want a room")
    assert conversation.topic.title == "the room"
    await conversation.say("sea, please")
    assert conversation.topic.title == "your room with sea view"
    untitled = await talk(reasoner(tmp_path, "  book: {steps: [{ask: view}]}\n"))
    await untitled.say("I want a room")
    assert untitled.topic.title == "your request to book a room"


async def test_never_mind_and_a_plain_no_close_the_topic(tmp_path: Path) -> None:
    for words in ("never mind", "no, thanks"):
        conversation = await talk(reasoner(tmp_path, BOOK), box())
        await conversation.say("I want a room for two people on Friday")
        await conversation.say(words)
        assert (conversation.topic.state, conversation.topic.outcome) == (CLOSED, "You left it as it was.")


async def test_goodbye_in_the_middle_leaves_it_open(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK), box())
    await conversation.say("I want a room")
    await conversation.say("goodbye")
    assert conversation.last.ending is Ending.HANG_UP
    assert conversation.topic.state is OPEN


@pytest.mark.parametrize(
    "words",
    [
        "let me think about it",
        "Not now.",
        "not now, I'll call back",
        "I'd like to think it over first",
        "I have to talk to my wife about it",
        "maybe later",
        "I'll call you again tomorrow",
        "I'll sleep on it",
    ],
)
async def test_a_caller_who_puts_it_off_is_told_that_it_is_kept(tmp_path: Path, words: str) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK, TITLED), box())
    await conversation.say("I want a room for two people on Friday")
    assert await conversation.say(words) == "Of course. I'll keep it for you. Is there anything else?"
    assert (conversation.topic.state, conversation.topic.title) == (OPEN, "the room")
    again = await talk(
        reasoner(tmp_path, BOOK, TITLED), box(), journey=journey(thread_of(conversation.topic, conversation.snapshot()))
    )
    assert "Shall I book it?" in await again.say("yes")
    assert await conversation.say("no, thanks") == "Goodbye, and thanks for calling."
    assert conversation.dialogue.topic() is None


async def test_putting_it_off_with_a_goodbye_ends_the_call(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK), box())
    await conversation.say("I want a room")
    said = await conversation.say("let me think about it, bye")
    assert said == "Of course. I'll keep it for you. Goodbye, and thanks for calling."
    assert conversation.last.ending is Ending.HANG_UP
    assert conversation.topic.state is OPEN


async def test_who_is_passed_on_and_comes_back_has_an_open_topic_again(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK), box())
    await conversation.say("I want a room")
    await conversation.say("get me an agent")
    assert conversation.topic.state is CLOSED
    back = await talk(reasoner(tmp_path, BOOK), box(), snapshot=conversation.snapshot())
    await back.say("hang on a second")
    assert (back.topic.goal, back.topic.state) == ("book", OPEN)


# — the first sentence —


def waiting_thread(when: datetime, **changes: object) -> Thread:
    return thread_of(Topic("book", "the room", OPEN), None, updated=when, **changes)


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("2024-05-15 11:55", "2024-05-15 12:00", "a moment ago"),
        ("2024-05-15 09:00", "2024-05-15 12:00", "this morning"),
        ("2024-05-15 13:00", "2024-05-15 20:00", "this afternoon"),
        ("2024-05-15 18:00", "2024-05-15 20:00", "this evening"),
        ("2024-05-14 23:50", "2024-05-15 08:00", "yesterday"),
        ("2024-05-13 09:00", "2024-05-15 08:00", "on Monday"),
        ("2024-05-08 09:00", "2024-05-15 08:00", "last week"),
        ("2024-04-24 09:00", "2024-05-15 08:00", "three weeks ago"),
        ("2024-05-16 09:00", "2024-05-15 08:00", "a moment ago"),
    ],
)
def test_when_it_was(then: str, now: str, said: str) -> None:
    assert ago(datetime.fromisoformat(then), datetime.fromisoformat(now)) == said


async def test_the_day_is_the_businesss(tmp_path: Path) -> None:
    """23:30 in New York is tomorrow in UTC."""
    eastern = timezone(timedelta(hours=-4))
    then, now = datetime(2024, 5, 14, 23, 30, tzinfo=eastern), datetime(2024, 5, 15, 9, tzinfo=eastern)
    conversation = await talk(reasoner(tmp_path, BOOK), journey=journey(waiting_thread(then.astimezone(UTC))), now=now)
    assert conversation.opening == "Hi Ann. Are you calling to go ahead with the room we discussed yesterday?"


@pytest.mark.parametrize(
    ("before", "here", "opening"),
    [
        ("voice", "voice", "Hi Ann. Are you calling to go ahead with the room we discussed yesterday?"),
        ("sms", "voice", "Hi Ann. Are you calling to go ahead with the room we texted about yesterday?"),
        ("chat", "voice", "Hi Ann. Are you calling to go ahead with the room we chatted about yesterday?"),
        ("email", "voice", "Hi Ann. Are you calling to go ahead with the room we e-mailed about yesterday?"),
        ("voice", "sms", "Hi Ann. Are you writing about the room we talked about yesterday?"),
        ("chat", "chat", "Hi Ann. Are you writing about the room we discussed yesterday?"),
    ],
)
async def test_the_first_sentence_speaks_of_the_newest_open_thread(
    tmp_path: Path, before: str, here: str, opening: str
) -> None:
    newest = waiting_thread(NOON - timedelta(days=1), channel=before)
    older = waiting_thread(NOON - timedelta(days=3), id="th-0", title="the cab", goal="taxi")
    conversation = await talk(reasoner(tmp_path, BOOK), journey=journey(newest, older), channel=here)
    assert conversation.opening == opening
    assert conversation.last.expect.kind is ExpectationKind.YES_NO


async def test_the_file_says_the_first_sentence_its_own_way(tmp_path: Path) -> None:
    head = (
        'greeting_thread: "{customer.first_name}! {thread.title}, {thread.when}?"\n'
        'text: {greeting_thread: "About {thread.title}?", greeting: Hello there., goodbye: Bye.}\n' + HEAD
    )
    known = journey(waiting_thread(NOON - timedelta(days=1)))
    assert (await talk(reasoner(tmp_path, BOOK, head), journey=known)).opening == "Ann! The room, yesterday?".replace(
        "The", "the"
    )
    assert (await talk(reasoner(tmp_path, BOOK, head), journey=known, channel="sms")).opening == "About the room?"
    plain = await talk(reasoner(tmp_path, BOOK, head), channel="chat")
    assert plain.opening == "Hello there."
    assert await plain.say("goodbye") == "Bye."


async def test_old_closed_and_foreign_threads_are_not_brought_up(tmp_path: Path) -> None:
    old = waiting_thread(NOON - timedelta(days=15))
    for threads in [
        (old,),
        (waiting_thread(NOON, state=CLOSED),),
        (waiting_thread(NOON, goal="something of another file"),),
        (waiting_thread(NOON, goal="goodbye"),),
        (),
    ]:
        assert (await talk(reasoner(tmp_path, BOOK), journey=journey(*threads))).opening == "Hello."
    patient = reasoner(tmp_path, BOOK, thread_days=30)
    assert "the room we discussed two weeks ago" in (await talk(patient, journey=journey(old))).opening


async def test_a_thread_that_waits_for_us_is_told_honestly(tmp_path: Path) -> None:
    thread = waiting_thread(NOON - timedelta(days=2), state=WAITING)
    due = {"due": (NOON + timedelta(days=1)).timestamp()}
    promise = Fact(
        "f", "ann", 0, FactKind.PROMISED, "voice", "We write to you by Friday.", "agent", thread_id="th-1", data=due
    )
    conversation = await talk(reasoner(tmp_path, BOOK), journey=journey(thread, promises=(promise,)))
    assert conversation.opening == (
        "Hi Ann. About the room we discussed on Monday: that is still with us. We write to you by Friday."
        " What can I do for you?"
    )
    assert (await conversation.say("I want a room")) == "Which day?"
    late = Fact("f", "ann", 0, FactKind.PROMISED, "voice", "We write soon.", "agent", thread_id="th-1", data={"due": 5})
    told = (await talk(reasoner(tmp_path, BOOK), journey=journey(thread, promises=(late,)))).opening
    assert "We write soon. I'm sorry, that is later than we promised. What can" in told


async def test_a_customer_whom_only_the_journey_knows_is_named(tmp_path: Path) -> None:
    conversation = await talk(
        reasoner(tmp_path, BOOK), journey=journey(waiting_thread(NOON - timedelta(days=1))), customer=None
    )
    assert conversation.opening.startswith("Hi Ann. Are you calling")


async def test_a_flow_that_runs_from_the_start_is_not_put_off_by_a_thread(tmp_path: Path) -> None:
    conversation = await talk(reasoner(tmp_path, BOOK, f"start: taxi\n{HEAD}"), journey=journey(waiting_thread(NOON)))
    assert conversation.opening == "Hello. A taxi comes. Is there anything else?"


# — the answer to it —


async def test_a_yes_goes_on_where_it_stopped_and_writes_nothing_yet(tmp_path: Path) -> None:
    tools = box({"look": {"price": 150}, "book": {}})
    again = await talk(reasoner(tmp_path, BOOK, TITLED), tools, journey=journey(await left_at_the_question(tmp_path)))
    assert again.opening == "Hi Ann. Are you calling to go ahead with the room we discussed yesterday?"
    said = await again.say("yes, please")
    # The price is asked for anew: yesterday's is nobody's promise.
    assert said == "A room for two on Friday the seventeenth of May is one hundred and fifty dollars. Shall I book it?"
    assert [call.name for call in tools.calls] == ["look"]
    assert (again.topic.thread_id, again.topic.state, again.topic.title) == ("th-1", OPEN, "the room")
    assert "Booked for Friday" in await again.say("yes")
    assert tools.calls[-1].confirmed_by == "t2"
    assert (again.topic.thread_id, again.topic.state) == ("th-1", CLOSED)


async def test_a_yes_on_another_channel_goes_on_there(tmp_path: Path) -> None:
    thread = await left_at_the_question(tmp_path, channel="voice")
    again = await talk(reasoner(tmp_path, BOOK, TITLED), box(), journey=journey(thread), channel="chat")
    assert again.opening == "Hi Ann. Are you writing about the room we talked about yesterday?"
    assert await again.say("y") == "A room for 2 on Friday, May 17 is $120. Shall I book it?"


@pytest.mark.parametrize("keys", ["1", "1#"])
async def test_a_key_says_yes(tmp_path: Path, keys: str) -> None:
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert "Shall I book it?" in await again.say("", keys)


async def test_yes_but_otherwise_takes_what_is_other(tmp_path: Path) -> None:
    tools = box()
    again = await talk(reasoner(tmp_path, BOOK), tools, journey=journey(await left_at_the_question(tmp_path)))
    assert "on Saturday the eighteenth of May is" in await again.say("yes, but on Saturday")
    assert [call.name for call in tools.calls] == ["look"]
    assert again.topic.slots["date"] == "saturday"


async def test_a_no_leads_to_the_open_question(tmp_path: Path) -> None:
    tools = box()
    again = await talk(reasoner(tmp_path, BOOK), tools, journey=journey(await left_at_the_question(tmp_path)))
    assert await again.say("no") == "All right. What can I do for you?"
    assert again.dialogue.topic() is None
    assert (await again.say("I need a taxi")).startswith("A taxi comes.")
    assert tools.calls == []


async def test_another_wish_right_away_is_understood(tmp_path: Path) -> None:
    for words in ("call me a cab, I need a taxi", "no, I need a taxi, call me a cab please"):
        again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
        assert (await again.say(words)).startswith("A taxi comes.")
        assert again.topic.goal == "taxi"


async def test_the_same_wish_in_other_words_goes_on_with_it(tmp_path: Path) -> None:
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert "for two on Friday" in await again.say("I want a room, book a room for me")
    assert again.topic.thread_id == "th-1"
    other = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert "for three on Friday" in await other.say("I want a room, book a room for three guests")
    assert other.topic.thread_id == "th-1"
    afresh = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert await afresh.say("no, I want a room, book a room for three guests") == "Which day?"
    assert afresh.topic.thread_id == ""


async def test_forget_it_closes_the_thread(tmp_path: Path) -> None:
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    await again.say("never mind")
    assert (again.topic.thread_id, again.topic.state, again.topic.title) == (
        "th-1",
        CLOSED,
        "the room",
    )


async def test_not_yet_keeps_the_thread(tmp_path: Path) -> None:
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert await again.say("not yet") == "Of course. I'll keep it for you. Is there anything else?"
    assert again.dialogue.topic() is None


async def test_what_is_not_understood_is_asked_again_and_what_works_at_any_time_works(tmp_path: Path) -> None:
    strict = HEAD.replace("flows:\n", "thresholds: {accept: 0.9999, ask: 0.9999}\nflows:\n")
    again = await talk(reasoner(tmp_path, BOOK, strict), box(), journey=journey(await left_at_the_question(tmp_path)))
    assert await again.say("say that again") == f"Sure. {again.opening}"
    assert await again.say("xyzzy plugh") == f"Sorry, I didn't catch that. {again.opening}"
    assert (await again.dialogue.silence(2)).text.endswith(again.opening)
    assert "Shall I book it?" in await again.say("yes")
    human = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    await human.say("get me an agent")
    assert human.last.ending is Ending.TRANSFER


async def test_changed_flows_keep_the_slots_and_begin_again(tmp_path: Path) -> None:
    thread = await left_at_the_question(tmp_path)
    changed = reasoner(tmp_path, "  book: {steps: [{ask: guests}, {ask: view}, {ask: date}]}\n", TITLED)
    again = await talk(changed, box(), journey=journey(thread))
    assert await again.say("yes") == "Which view?"
    assert (again.topic.thread_id, dict(again.topic.slots)) == ("th-1", {"date": "friday", "guests": "2"})


@pytest.mark.parametrize(
    "snapshot",
    [None, {}, {"state": 5}, {"flows": 7, "state": {"waiting": "?"}}, {"program": "x", "state": {"slots": {}}}],
)
async def test_a_snapshot_that_is_none_begins_the_flow_again(
    tmp_path: Path, snapshot: dict[str, object] | None
) -> None:
    thread = thread_of(Topic("book", "the room", OPEN, slots={"date": "friday", "odd": "x"}), snapshot)
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(thread))
    assert await again.say("yes") == "How many guests?"
    assert dict(again.topic.slots) == {"date": "friday"}


async def test_a_crash_at_the_greeting_changes_nothing(tmp_path: Path) -> None:
    known = journey(await left_at_the_question(tmp_path))
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=known)
    back = await talk(reasoner(tmp_path, BOOK), box(), journey=known, snapshot=again.snapshot())
    assert back.opening == again.opening
    assert "Shall I book it?" in await back.say("yes")
    assert back.topic.thread_id == "th-1"


async def test_a_crash_after_it_was_taken_up_keeps_the_thread(tmp_path: Path) -> None:
    known = journey(await left_at_the_question(tmp_path))
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=known)
    await again.say("yes")
    back = await talk(reasoner(tmp_path, BOOK), box(), journey=known, snapshot=again.snapshot())
    assert "Booked" in await back.say("yes")
    assert (back.topic.thread_id, back.topic.state) == ("th-1", CLOSED)


async def test_a_crash_without_a_journey_falls_back_to_what_is_said(tmp_path: Path) -> None:
    again = await talk(reasoner(tmp_path, BOOK), box(), journey=journey(await left_at_the_question(tmp_path)))
    back = await talk(reasoner(tmp_path, BOOK), box(), snapshot=again.snapshot())
    assert await back.say("I want a room") == "Which day?"
