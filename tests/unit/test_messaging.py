"""Conversations by text: each message answered once, whatever comes twice, late, in a burst or over a crash."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from texting import ADDRESS, ANN, CHAT, STRANGER, Texts

from ccaas.errors import JourneyError, MessageFailed
from ccaas.journal.entries import Turn
from ccaas.journal.journal import JournalError
from ccaas.journal.messages import Chronicled, MessageQueued
from ccaas.ports.journey import (
    Assurance,
    Consent,
    FactKind,
    Identity,
    IdentityKind,
    Profile,
    Thread,
    ThreadState,
)
from ccaas.ports.messaging import ChannelCapabilities, Delivery, OutboundMessage, Reception
from ccaas.ports.outreach import Later
from ccaas.ports.reasoning import NOT_KEPT, Ending, Expectation, Topic
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.messaging import FakeTextChannel
from ccaas.testing.fakes.reasoning import Line
from ccaas.testing.fakes.sentiment import FakeSentiment

pytestmark = pytest.mark.looptime

UPGRADE = Topic("upgrade", "the upgrade", ThreadState.OPEN, ("seat",), {"flight": "HAT001"})
LINES = {
    "I want an upgrade.": Line("Which seat?", topic=UPGRADE),
    "12A": Line("Shall I book 12A?", topic=UPGRADE),
    "Yes.": Line("One moment.", writes="book", then="It is booked.", topic=UPGRADE),
    "Bye.": Line("Goodbye.", ending=Ending.HANG_UP),
    "Person, please.": Line("I put you through.", ending=Ending.TRANSFER, destination="desk"),
    "one\ntwo\nthree": Line("All three."),
    "one\ntwo": Line("Both."),
}


def texts(folder: Path, **more: object) -> Texts:
    return Texts(LINES, folder, **more)  # type: ignore[arg-type]


async def test_a_message_is_answered(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        assert await office.write("I want an upgrade.")
        await office.until(lambda: office.told() == ["Which seat?"], "the answer")
        (sent,) = office.sms.sent
        assert (sent.address, sent.sender, sent.reference) == (ADDRESS, "+15550100", "in-1")
        await office.until(lambda: office.crm.turns == [("I want an upgrade.", "Which seat?")], "plug-ins are told")


async def test_how_a_message_felt_is_kept(tmp_path: Path) -> None:
    feels = FakeSentiment()
    async with texts(tmp_path, sentiment=feels) as office:
        assert await office.write("I want an upgrade!")
        await office.until(office.told, "the answer")
        record = next(entry.record for entry in office.journal.entries if isinstance(entry, Turn))
        assert (record.sentiment, record.mood) == (0.8, replace(feels.mood("I want an upgrade!"), prosody=None))
        felt = [
            entry.record for entry in office.journal.entries if isinstance(entry, Chronicled) and "felt" in entry.record
        ]
        assert len(felt) == 1, "the journey will be told"
        feels.failing = True
        assert await office.write("I want an upgrade.")
        await office.until(lambda: len(office.told()) == 2, "a model that fails costs no answer")


async def test_the_same_message_again_changes_nothing(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        assert await office.write("I want an upgrade.", message_id="m1")
        assert not await office.write("I want an upgrade.", message_id="m1")
        await office.quiet()
        assert not await office.write("I want an upgrade.", message_id="m1")
        await office.quiet()
        assert office.told() == ["Which seat?"]


async def test_first_words_that_nobody_has_seen_answer_what_says_nothing(tmp_path: Path) -> None:
    async with Texts({"": Line("?")}, tmp_path) as office:
        office.reasoner.understands = lambda text: text not in ("Hi", "Hm")
        await office.write("Hi")
        await office.until(lambda: office.told() == ["Welcome. How can I help?"], "the first words")
        await office.write("Hm")
        await office.until(lambda: office.told()[1:] == ["Sorry?"], "an answer of the dialogue's own")


async def test_messages_in_a_burst_are_one_turn(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.reasoner.delay_s = 0.2
        await office.write("one")
        await office.quiet(0.1)
        await office.write("two")
        await office.quiet(0.5)
        await office.write("three")
        await office.until(office.told, "the answer")
        assert office.told() == ["All three."]
        assert office.reasoner.dialogues[-1].said == ["one\ntwo\nthree"]


async def test_a_message_that_comes_alone_waits_for_nothing(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        began = asyncio.get_running_loop().time()
        await office.write("I want an upgrade.")
        await office.until(office.told, "the answer")
        assert asyncio.get_running_loop().time() - began < 0.1  # virtual seconds: nothing was waited for


async def test_who_is_still_writing_is_not_interrupted(tmp_path: Path) -> None:
    chat = FakeTextChannel(CHAT)
    async with texts(tmp_path, channels={"sms": FakeTextChannel(), "web": chat}) as office:
        office.reasoner.delay_s = 0.05
        await chat.write("one", "tab")
        await office.quiet(0.02)
        chat.inbox.typing("tab", True)
        await office.quiet(3.0)
        assert chat.sent == []
        await chat.write("two", "tab")
        await office.until(lambda: chat.told("tab") == ["Both."], "one answer to both")
        assert chat.shown[0] == ("tab", True)
        assert chat.shown[-1] == ("tab", False)


async def test_messages_that_come_out_of_order_are_read_in_order(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.reasoner.delay_s = 0.2
        await office.write("two", at=200.0)
        await office.quiet(0.05)
        await office.write("one", at=100.0)
        await office.until(office.told, "the answer")
        assert office.told() == ["Both."]


async def test_two_customers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.booking.clear()
        await office.write("Yes.")
        await office.booking_began.wait()
        await office.write("I want an upgrade.", STRANGER)
        await office.until(lambda: office.told(STRANGER) == ["Which seat?"], "the other's answer")
        assert office.told() == []
        office.booking.set()
        await office.until(lambda: office.told() == ["One moment. It is booked."], "the slow one's answer")


# What a crash may not do


async def test_a_message_that_was_not_answered_is_answered_after_a_crash(tmp_path: Path) -> None:
    journey, channels = FakeJourney(), {"sms": FakeTextChannel()}
    office = await texts(tmp_path, journey=journey, channels=channels).__aenter__()
    office.reasoner.delay_s = 5.0
    await office.write("I want an upgrade.", message_id="m1")
    await office.quiet(1.0)
    await office.crash()
    async with texts(tmp_path, journey=journey, channels=channels) as again:
        await again.until(lambda: again.told() == ["Which seat?"], "the answer")
        assert not await again.write("I want an upgrade.", message_id="m1")
        await again.quiet()
        assert again.told() == ["Which seat?"]


async def test_a_write_is_made_once_over_a_crash_in_the_middle_of_it(tmp_path: Path) -> None:
    journey, channels, bookings = FakeJourney(), {"sms": FakeTextChannel()}, list[str]()
    office = await texts(tmp_path, journey=journey, channels=channels, bookings=bookings).__aenter__()
    await office.write("I want an upgrade.")
    await office.until(office.told, "the question")
    office.booking.clear()
    await office.write("Yes.")
    await office.booking_began.wait()
    await office.crash()
    assert len(bookings) == 1
    async with texts(tmp_path, journey=journey, channels=channels, bookings=bookings) as again:
        await again.until(lambda: again.told()[1:] == ["One moment. It is booked."], "the answer")
        assert len(bookings) == 1
        assert again.reasoner.dialogues[-1].said == ["I want an upgrade.", "Yes."]
        runs = again.journal.rows("SELECT key, outcome FROM tool_runs")
        assert runs == [{"key": bookings[0], "outcome": "done"}]


async def test_an_answer_that_was_stored_is_sent_after_a_crash_and_its_turn_not_repeated(tmp_path: Path) -> None:
    journey, channels, bookings = FakeJourney(), {"sms": FakeTextChannel()}, list[str]()
    office = await texts(tmp_path, journey=journey, channels=channels, bookings=bookings).__aenter__()
    channels["sms"].fails = MessageFailed("not now", again=True)
    await office.write("Yes.")
    await office.until(lambda: channels["sms"].attempts, "the answer is tried")
    await office.crash()
    channels["sms"].fails = None
    async with texts(tmp_path, journey=journey, channels=channels, bookings=bookings) as again:
        await again.until(lambda: again.told() == ["One moment. It is booked."], "the answer")
        await again.quiet()
        assert len(set(channels["sms"].attempts)) == 1
        assert len(again.told()) == len(bookings) == 1
        assert again.reasoner.dialogues == []


async def test_a_conversation_goes_on_where_it_stood_after_a_crash(tmp_path: Path) -> None:
    journey, channels = FakeJourney(), {"sms": FakeTextChannel()}
    office = await texts(tmp_path, journey=journey, channels=channels).__aenter__()
    await office.write("I want an upgrade.")
    await office.until(office.told, "the question")
    await office.crash()
    async with texts(tmp_path, journey=journey, channels=channels) as again:
        await again.write("12A")
        await again.until(lambda: again.told()[1:] == ["Shall I book 12A?"], "the next question")
        assert again.reasoner.dialogues[-1].said == ["I want an upgrade.", "12A"]
        assert [thread.title for thread in (await again.context()).threads] == ["the upgrade"]


async def test_a_disk_that_is_full_refuses_the_message_and_an_answer_is_still_given(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.journal.fails = JournalError("the disk is full")
        with pytest.raises(JourneyError, match="the disk is full"):
            await office.write("I want an upgrade.", message_id="m1")
        office.journal.fails = None
        office.reasoner.delay_s = 0.5
        assert await office.write("I want an upgrade.", message_id="m1")
        await office.quiet(0.1)
        office.journal.fails = JournalError("the disk is full")
        await office.until(lambda: office.told() == ["Which seat?"], "the answer")
        office.journal.fails = None


# Who it is


async def test_the_dialogue_knows_who_writes_and_what_is_open(tmp_path: Path) -> None:
    journey = FakeJourney()
    phone = Identity(IdentityKind.PHONE, ADDRESS)
    await journey.register(Profile("ann", "Ann"), (phone,))
    await journey.thread(Thread("th-1", "ann", "seat", "the seat", ThreadState.OPEN, "voice", 1.0, 2.0))
    async with texts(tmp_path, journey=journey) as office:
        await office.write("12A")
        await office.until(office.told, "the answer")
        context = office.reasoner.dialogues[-1].context
        assert (context.channel, context.ani, context.dnis) == ("sms", ADDRESS, "+15550100")
        assert context.customer == ANN
        assert context.assurance is Assurance.CLAIMED
        assert context.journey is not None
        assert [thread.id for thread in context.journey.threads] == ["th-1"]
        assert context.journey.records == {"crm": {"miles": 1_200}}


async def test_a_signed_token_verifies_and_one_person_is_one_customer(tmp_path: Path) -> None:
    web, sms = FakeTextChannel(CHAT), FakeTextChannel()
    async with texts(tmp_path, channels={"web": web, "sms": sms}) as office:
        await web.write("I want an upgrade.", "tab-1", customer_id="ann")
        await office.until(lambda: web.told("tab-1"), "the chat's answer")
        assert office.reasoner.dialogues[-1].context.assurance is Assurance.VERIFIED
        await sms.write("12A")
        await office.until(lambda: sms.told(ADDRESS), "the short message's answer")
        assert office.reasoner.dialogues[-1].context.assurance is Assurance.CLAIMED
        facts = await office.facts()
        assert {fact.customer_id for fact in facts} == {"ann"}
        assert [
            (fact.channel, fact.text) for fact in facts if fact.kind is FactKind.SAID and fact.source == "customer"
        ] == [
            ("chat", "I want an upgrade."),
            ("sms", "12A"),
        ]
        assert len(office.correspondence.open) == 1


async def test_a_visitor_who_signs_in_takes_their_conversation_along(tmp_path: Path) -> None:
    web = FakeTextChannel(CHAT)
    async with texts(tmp_path, channels={"web": web, "sms": FakeTextChannel()}) as office:
        await web.write("I want an upgrade.", "tab-1")
        await office.until(lambda: web.told("tab-1"), "the answer")
        visitor = await office.journey.find(Identity(IdentityKind.CHAT, "tab-1"))
        assert visitor is not None
        assert visitor.startswith("c-")
        await web.write("12A", "tab-1", customer_id="ann")
        await office.until(lambda: len(web.told("tab-1")) == 2, "the next answer")
        assert office.reasoner.dialogues[-1].context.assurance is Assurance.VERIFIED
        await office.quiet(1.0)
        context = await office.journey.context("ann")
        assert context is not None
        facts = await office.journey.timeline("ann")
        assert [fact.text for fact in facts if fact.source == "customer" and fact.kind is FactKind.SAID] == [
            "I want an upgrade.",
            "12A",
        ]


async def test_texts_go_on_while_the_journey_is_down_and_it_is_told_later(tmp_path: Path) -> None:
    journey = FakeJourney()
    journey.fails = JourneyError("the store is down")
    async with texts(tmp_path, journey=journey) as office:
        await office.write("I want an upgrade.")
        await office.until(office.told, "the answer")
        await office.write("12A")
        await office.until(lambda: len(office.told()) == 2, "the next answer, in the same conversation")
        assert office.reasoner.dialogues[-1].said == ["I want an upgrade.", "12A"]
        journey.fails = None
        await office.quiet(60.0)
        said = [fact.text for fact in await office.facts() if fact.kind is FactKind.SAID]
        assert sorted(said) == sorted(["I want an upgrade.", "Which seat?", "12A", "Shall I book 12A?"])
        assert office.journal.rows("SELECT * FROM chronicle") == []


async def test_what_the_journal_kept_for_the_journey_survives_a_crash(tmp_path: Path) -> None:
    journey, channels = FakeJourney(), {"sms": FakeTextChannel()}
    journey.fails = JourneyError("the store is down")
    office = await texts(tmp_path, journey=journey, channels=channels).__aenter__()
    await office.write("I want an upgrade.")
    await office.until(office.told, "the answer")
    await office.crash()
    journey.fails = None
    async with texts(tmp_path, journey=journey, channels=channels) as again:
        kinds = [fact.kind for fact in await again.facts()]
        assert kinds.count(FactKind.CONTACTED) == 1
        assert kinds.count(FactKind.SAID) == 2
        assert kinds.count(FactKind.ASKED) == 1


# What the timeline holds


async def test_the_timeline_holds_what_was_said_asked_and_done(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        for number, text in enumerate(["I want an upgrade.", "12A", "Yes."], start=1):
            await office.write(text)
            await office.until(lambda: len(office.told()) == number, text)  # noqa: B023
        facts = await office.facts()
        lines = [(fact.kind, fact.source, fact.text) for fact in facts]
        assert (FactKind.CONTACTED, "customer", "Wrote by sms.") in lines
        assert (FactKind.ASKED, "customer", "the upgrade") in lines
        assert (FactKind.DONE, "tool:book", "Book.") in lines
        assert (FactKind.SAID, "agent", "One moment. It is booked.") in lines
        thread = (await office.context()).threads[0]
        assert (thread.goal, thread.state, thread.missing, thread.reasoner) == (
            "upgrade",
            ThreadState.OPEN,
            ("seat",),
            "desk",
        )
        assert thread.snapshot is not None
        assert {fact.thread_id for fact in facts if fact.kind in (FactKind.SAID, FactKind.ASKED)} == {thread.id}
        done = next(fact for fact in facts if fact.kind is FactKind.DONE)
        assert done.data["key"] == office.bookings[0]


async def test_a_card_number_is_masked_everywhere_but_in_the_dialogue(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("My card is 4111 1111 1111 1111.")
        await office.until(office.told, "the answer")
        assert office.reasoner.dialogues[-1].said == ["My card is 4111 1111 1111 1111."]
        stored = str(office.journal.rows("SELECT * FROM messages_in, turns, snapshots"))
        assert "1111 1111" not in stored
        assert "[card ending 1111]" in stored
        assert all("1111 1111" not in fact.text for fact in await office.facts())


async def test_a_person_is_promised_and_the_thread_waits(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("I want an upgrade.")
        await office.until(office.told, "the question")
        await office.write("Person, please.")
        await office.until(lambda: office.told()[1:] == [office.settings.colleague], "an honest word")
        await office.until(lambda: not office.correspondence.open, "the conversation is over")
        context = await office.context()
        assert {thread.state for thread in context.threads} == {ThreadState.OPEN, ThreadState.WAITING}
        assert [promise.text for promise in context.promises] == [office.settings.colleague]


async def test_a_reasoner_that_breaks_is_told_honestly_and_the_next_message_begins_anew(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.reasoner.fails = ValueError("broken")
        await office.write("I want an upgrade.")
        await office.until(office.told, "the customer is told")
        assert office.told() == [f"{office.settings.failed} {office.settings.colleague}"]
        assert [promise.text for promise in (await office.context()).promises] == [office.settings.colleague]
        office.reasoner.fails = None
        await office.write("I want an upgrade.")
        await office.until(lambda: office.told()[1:] == ["Which seat?"], "the next answer")


# Ends


async def test_a_goodbye_ends_and_the_next_message_begins_another(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("Bye.")
        await office.until(office.told, "the goodbye")
        await office.until(lambda: not office.correspondence.open, "it ends")
        await office.write("12A")
        await office.until(lambda: len(office.told()) == 2, "the next answer")
        ended = office.journal.rows("SELECT end_reason FROM conversations ORDER BY began")
        assert [row["end_reason"] for row in ended] == ["goodbye", None]


async def test_who_does_not_write_is_not_prompted_and_the_thread_stays_open(tmp_path: Path) -> None:
    async with texts(tmp_path, idle_minutes=10) as office:
        await office.write("I want an upgrade.")
        await office.until(office.told, "the question")
        await office.quiet(9 * 60)
        assert office.correspondence.open
        await office.quiet(2 * 60)
        assert not office.correspondence.open
        assert office.told() == ["Which seat?"]
        assert [thread.state for thread in (await office.context()).threads] == [ThreadState.OPEN]


# What arrives


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE calls; --", "{{ name }} %s \\x00"])
async def test_markup_is_data(tmp_path: Path, text: str) -> None:
    async with texts(tmp_path) as office:
        await office.write(text)
        await office.until(office.told, "the answer")
        assert office.reasoner.dialogues[-1].said == [text]


async def test_control_characters_and_broken_characters_go(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("\x00\x1b[2J12A\ud800\u202e\x07")
        await office.until(office.told, "the answer")
        assert office.reasoner.dialogues[-1].said == ["[2J12A"]


async def test_a_long_message_is_cut_and_that_is_said(tmp_path: Path) -> None:
    async with texts(tmp_path, longest_message=100) as office:
        await office.write("a" * 1_000_000)
        await office.until(office.told, "the answer")
        assert office.told() == ["Your message was long; I have read the first 100 characters of it. Sorry?"]
        assert office.reasoner.dialogues[-1].said == ["a" * 100]


async def test_a_message_without_text_is_answered_without_the_dialogue(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write(" \x00 ")
        await office.until(lambda: office.told() == [office.settings.unreadable], "the answer")
        assert office.reasoner.dialogues == []


async def test_a_flood_is_refused_once_and_then_not_heard(tmp_path: Path) -> None:
    async with texts(tmp_path, flood={"messages": 3, "seconds": 60}) as office:
        taken = [await office.write("12A") for _ in range(10)]
        assert taken == [Reception.NEW] * 3 + [Reception.FLOOD] * 7
        await office.quiet()
        assert office.told().count(office.settings.flooded) == 1
        await office.write("I want an upgrade.", STRANGER)
        await office.until(lambda: office.told(STRANGER) == ["Which seat?"], "the others are heard")
        await office.quiet(60)
        assert await office.write("12A")


# STOP, START, HELP


async def test_nothing_is_sent_after_stop_until_start(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("I want an upgrade.")
        await office.until(office.told, "the question")
        await office.write(" stop. ")
        await office.until(lambda: office.told()[1:] == [office.settings.stopped], "one confirmation")
        await office.write("STOP")
        await office.write("12A")
        await office.quiet()
        assert len(office.told()) == 2
        consents = {consent.purpose: consent for consent in (await office.context()).consents}
        assert {name: consent.granted for name, consent in consents.items()} == {"service": False, "marketing": False}
        assert consents["service"].channel == "sms"
        assert consents["service"].proof == "message in-2"
        await office.write("Start")
        await office.until(lambda: office.told()[2:] == [office.settings.started], "the confirmation")
        await office.write("12A")
        await office.until(lambda: office.told()[3:] == ["Shall I book 12A?"], "answers again")
        assert all(consent.granted for consent in (await office.context()).consents)


async def test_stop_holds_over_a_crash_and_while_the_journey_is_down(tmp_path: Path) -> None:
    journey, channels = FakeJourney(), {"sms": FakeTextChannel()}
    journey.fails = JourneyError("the store is down")
    office = await texts(tmp_path, journey=journey, channels=channels).__aenter__()
    await office.write("STOP")
    await office.crash()
    async with texts(tmp_path, journey=journey, channels=channels) as again:
        await again.write("12A")
        await again.quiet()
        assert again.told() == [again.settings.stopped]


async def test_an_answer_under_way_when_stop_comes_is_refused(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.booking.clear()
        await office.write("Yes.")
        await office.booking_began.wait()
        await office.write("STOP")
        office.booking.set()
        await office.quiet()
        assert office.told() == [office.settings.stopped]
        refused = office.journal.rows("SELECT state, detail FROM messages_out WHERE state = 'refused'")
        assert refused == [{"state": "refused", "detail": "stopped: they said STOP"}]


async def test_help_is_answered_by_the_yaml_and_words_of_the_network_are_words_elsewhere(tmp_path: Path) -> None:
    web = FakeTextChannel(CHAT)
    async with texts(tmp_path, channels={"sms": FakeTextChannel(), "web": web}, help="Ring +1 555 0100.") as office:
        await office.write("HELP")
        await office.until(lambda: office.told() == ["Ring +1 555 0100."], "the YAML's help")
        await office.write("I would like some help")
        await web.write("stop", "tab")
        await office.until(lambda: len(office.told()) == 2 and web.told("tab"), "the dialogue answers both")
        assert web.told("tab") == ["Sorry?"]


# What goes out


async def test_long_answers_are_split_between_words(tmp_path: Path) -> None:
    sms = FakeTextChannel(ChannelCapabilities("sms", longest=20))
    lines = {"Tell me.": Line("All flights to Boston leave from gate twelve today.")}
    async with Texts(lines, tmp_path, channels={"sms": sms}) as office:
        await office.write("Tell me.")
        await office.until(lambda: len(office.told()) == 3, "the parts")
        assert office.told() == ["All flights to", "Boston leave from", "gate twelve today."]
        assert len({message.id for message in sms.sent}) == 3


async def test_what_cannot_be_sent_now_is_sent_later_and_in_order(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.sms.fails = MessageFailed("the gateway is down", again=True)
        await office.write("I want an upgrade.")
        await office.until(lambda: len(office.sms.attempts) >= 2, "it is tried again")
        await office.write("12A")
        await office.quiet()
        office.sms.fails = None
        await office.until(lambda: office.told() == ["Which seat?", "Shall I book 12A?"], "both, in order", 600)


async def test_what_can_never_be_sent_is_told_to_the_journey(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.sms.fails = MessageFailed("there is no such number", again=False)
        await office.write("I want an upgrade.")
        await office.until(lambda: office.sms.attempts, "it is tried")
        notes = [fact for fact in await office.facts() if fact.kind is FactKind.NOTED]
        assert [(note.text, note.data["detail"]) for note in notes] == [("Not sent.", "there is no such number")]
        assert len(office.sms.attempts) == 1


async def test_a_channel_that_breaks_costs_only_the_message(tmp_path: Path) -> None:
    class Broken(FakeTextChannel):
        broken = True

        async def send(self, message: OutboundMessage) -> None:
            if self.broken:
                raise ZeroDivisionError("a fault of the channel's own")
            await super().send(message)

        async def typing(self, address: str, on: bool) -> None:
            raise ZeroDivisionError("another one")

    channel = Broken(ChannelCapabilities("sms", typing=True))
    async with texts(tmp_path, channels={"sms": channel}) as office:
        await office.write("I want an upgrade.")
        await office.until(
            lambda: office.journal.rows("SELECT 1 FROM messages_out WHERE state = 'failed'"), "it failed"
        )
        channel.broken = False
        await office.write("12A")
        await office.until(lambda: office.told() == ["Shall I book 12A?"], "the next answer")


async def test_receipts_are_noted_once(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        await office.write("I want an upgrade.")
        await office.until(office.told, "the answer")
        (sent,) = office.sms.sent
        for delivery in (Delivery.DELIVERED, Delivery.SENT, Delivery.FAILED, Delivery.DELIVERED):
            await office.sms.inbox.receipt(sent.id, delivery)
        await office.sms.inbox.receipt("nobody's", Delivery.DELIVERED)
        notes = [fact.text for fact in await office.facts() if fact.kind is FactKind.NOTED]
        assert notes == ["Delivered."]
        assert office.journal.rows("SELECT state FROM messages_out") == [{"state": "delivered"}]


@pytest.mark.parametrize("granted", [True, False, None])
async def test_what_we_begin_asks_the_gate(tmp_path: Path, granted: bool | None) -> None:
    from ccaas.journal.messages import MessageQueued

    journey = FakeJourney()
    await journey.register(Profile("ann"), (Identity(IdentityKind.PHONE, ADDRESS),))
    if granted is not None:
        await journey.consent("ann", Consent("sms", "service", granted, 1.0, "a form"))
    async with texts(tmp_path, journey=journey) as office:
        queued = MessageQueued("sms", OutboundMessage("out-1", ADDRESS, "+15550100", "Your flight is late."), "", "ann")
        await office.chronicle.append(queued)
        office.outbox.put(queued)
        await office.outbox.idle()
        assert office.told() == ([] if granted is False else ["Your flight is late. Reply STOP to opt out."])


# Chats that are opened


async def test_who_opens_a_chat_is_greeted_once_and_the_dialogue_knows_it(tmp_path: Path) -> None:
    web = FakeTextChannel(CHAT)
    async with texts(tmp_path, channels={"web": web, "sms": FakeTextChannel()}) as office:
        tab = Identity(IdentityKind.CHAT, "tab")
        assert list(await web.inbox.opened("tab", "front", tab)) == ["Welcome. How can I help?"]
        assert list(await web.inbox.opened("tab", "front", tab)) == ["Welcome. How can I help?"]
        assert await office.journey.find(tab) is None, "who only looks is not kept"
        await web.write("12A", "tab")
        await office.until(lambda: web.told("tab") == ["Shall I book 12A?"], "the answer")
        assert list(await web.inbox.opened("tab", "front", tab)) == [], "it goes on"
        customer = await office.journey.find(tab)
        assert customer is not None
        await office.quiet(1.0)
        said = [fact.text for fact in await office.journey.timeline(customer) if fact.kind is FactKind.SAID]
        assert said == ["Welcome. How can I help?", "12A", "Shall I book 12A?"]


async def test_an_answer_to_a_check_is_in_no_row_and_on_no_timeline(tmp_path: Path) -> None:
    lines = {
        "Born 9 July": Line("You said the 9th of July.", private=True, kept="You said …."),
        "Thanks": Line("My pleasure."),
    }
    async with Texts(lines, tmp_path) as office:
        await office.write("Born 9 July", message_id="m1")
        await office.until(lambda: office.told() == ["You said the 9th of July."], "the answer")
        await office.quiet()
        await office.write("Thanks", message_id="m2")
        await office.until(lambda: "My pleasure." in office.told(), "the next answer")
        said = [fact.text for fact in await office.facts() if fact.kind is FactKind.SAID]
        assert said == [NOT_KEPT, "You said ….", "Thanks", "My pleasure."]
        assert office.sms.concealed == [(ADDRESS, "m1")]
        (first, second) = office.journal.rows("SELECT record FROM messages_in ORDER BY id")
        assert (json.loads(first["record"])["text"], json.loads(second["record"])["text"]) == (NOT_KEPT, "Thanks")
        # Snapshots are the reasoner's own to keep clean; the flows' tests look at theirs.
        for table in ("turns", "messages_in", "messages_out", "chronicle", "conversations"):
            assert "July" not in repr(office.journal.rows(f"SELECT * FROM {table}")), table


async def test_an_answer_to_a_check_over_which_the_reasoner_breaks_is_not_kept_either(tmp_path: Path) -> None:
    lines = {"Hi": Line("When were you born?", expect=Expectation(private=True))}
    async with Texts(lines, tmp_path) as office:
        await office.write("Hi")
        await office.until(lambda: office.told() == ["When were you born?"], "the question")
        office.reasoner.fails = RuntimeError("broken")
        await office.write("Born 9 July", message_id="m2")
        await office.until(lambda: len(office.told()) == 2, "the apology")
        said = [fact.text for fact in await office.facts() if fact.kind is FactKind.SAID]
        assert said[:3] == ["Hi", "When were you born?", NOT_KEPT]
        assert "July" not in repr(office.journal.rows("SELECT record FROM messages_in"))


async def test_what_waits_for_somebody_who_is_forgotten_is_not_sent_any_more(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        office.sms.fails = MessageFailed("busy", again=True)
        await office.write("12A")
        await office.write("12A", STRANGER)
        await office.until(lambda: len(office.sms.attempts) >= 2, "both answers are tried")
        office.outbox.let_go((), {ADDRESS})
        office.sms.fails = None
        await office.until(lambda: office.told(STRANGER), "the other one gets theirs")
        await office.outbox.idle()
        assert office.told() == []


async def test_what_is_put_off_until_later_is_let_go_as_well(tmp_path: Path) -> None:
    async with texts(tmp_path) as office:
        queued = MessageQueued("sms", OutboundMessage("n1", ADDRESS, "", "Later."), customer_id="ann")
        office.outbox._park(queued, Later("hours", "not at night", office.parts.at() + 3_600.0))
        assert len(office.outbox._parked) == 1
        office.outbox.let_go(("bob",), {STRANGER})
        assert len(office.outbox._parked) == 1
        office.outbox.let_go(("ann",), ())
        assert office.outbox._parked == {}
