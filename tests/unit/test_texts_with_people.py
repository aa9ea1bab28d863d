"""Chats, SMS and e-mails that want a person: offered, taken, answered, handed on, and never lost."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from texting import ADDRESS, STRANGER
from written import Desks

from ccaas.contact.bundle import Facts
from ccaas.contact.handoff import Stage
from ccaas.contact.hours import opens_at
from ccaas.contact.rules import Caller
from ccaas.contact.settings import Hours
from ccaas.contact.text_state import TRANSITIONS, TextStep, after
from ccaas.errors import ContactError, MessageFailed, TransitionError
from ccaas.ports.accounts import Account, Role
from ccaas.ports.contact import AgentState
from ccaas.ports.journey import Assurance, FactKind, Identity, IdentityKind, Traces
from ccaas.ports.messaging import ChannelCapabilities
from ccaas.ports.queueing import Order, Ring
from ccaas.testing.fakes.messaging import FakeTextChannel
from ccaas.testing.fakes.sentiment import FakeSentiment
from ccaas.web.desktop.hub import Hub

pytestmark = pytest.mark.looptime
FIRST = "A colleague of mine will take over here. You are number 1 in line."
AWAY = (
    "None of my colleagues is at work at the moment. What you wrote is kept, and one of them will answer you here. "
    "Until then I do what I can."
)


def test_a_text_has_few_steps_and_no_others() -> None:
    for stage in Stage:
        for step in TextStep:
            if (stage, step) in TRANSITIONS:
                assert after(stage, step) is TRANSITIONS[stage, step]
            else:
                with pytest.raises(TransitionError):
                    after(stage, step)


async def test_it_is_offered_with_its_bundle_taken_and_answered_on_its_channel(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        await desks.office.write("Hi")
        await desks.office.until(lambda: desks.office.told() == ["Hello."], "the AI answers")
        await desks.office.write("Person, please.")
        bundle = await desks.offered("ann")
        assert desks.office.told()[1:] == [FIRST]
        assert (bundle.channel, bundle.queue, bundle.why) == ("sms", "general", "message")
        assert [(line.who, line.text) for line in bundle.transcript] == [
            ("customer", "Hi"),
            ("butler", "Hello."),
            ("customer", "Person, please."),
            ("butler", FIRST),
        ]
        assert bundle.customer is not None and bundle.customer.first_name == "Ann"
        assert desks.state("ann") == (AgentState.AVAILABLE, "")
        name = bundle.conversation_id
        await desks.centre.accept(name, by="ann")
        await desks.office.write("Are you there?")
        await desks.office.until(lambda: ("customer", "Are you there?") in desks.lines(name), "it is on the desk")
        await desks.centre.write(name, "I am.\nAnn", by="ann")
        await desks.office.until(lambda: desks.office.told()[-1] == "I am.\nAnn", "the answer goes out")
        assert desks.office.sms.sent[-1].reference == "in-3", "it answers the newest message"
        await desks.office.until(lambda: desks.sent()[-1][1] == "sent", "the desk is told")
        assert desks.office.told()[2:] == ["I am.\nAnn"], "the AI is silent"
        said = [(one.source, one.text) for one in await desks.office.facts() if one.kind is FactKind.SAID]
        assert said[-2:] == [("customer", "Are you there?"), ("human:ann", "I am.\nAnn")]
        await desks.centre.wrap_up("ann", name, "solved", "All well.")
        await desks.office.quiet(1)
        assert desks.centre.handoffs == ()
        facts = await desks.office.facts()
        assert ("human:ann", "Solved. All well.") in [(one.source, one.text) for one in facts]
        assert (await desks.office.context()).threads == (), "nothing is owed any more"
        await desks.office.write("Hi")
        await desks.office.until(lambda: len(desks.office.told()) == 4, "the AI answers again")


async def test_nobody_takes_more_than_they_may_and_a_call_takes_somebody_wholly(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        for number in range(3):
            await desks.office.write("Person, please.", f"+1617555010{number}")
        await desks.offered("ann", 2)
        await desks.office.quiet(5)
        assert len(desks.desktops["ann"].offered) == 2, "two is her limit"
        assert desks.centre.board().queues[0].available == 0, "no call would ring there"
        await desks.centre.accept(desks.desktops["ann"].offered[0].conversation_id, by="ann")
        queue = desks.centre.board().queues[0]
        assert (queue.texts_waiting, queue.texts_in_hand) == (2, 1)
        await desks.centre.wrap_up("ann", desks.desktops["ann"].offered[0].conversation_id, "solved", "")
        await desks.offered("ann", 3)


async def test_who_does_not_take_it_is_away_and_the_next_one_is_offered_it(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        await desks.office.write("Person, please.")
        name = (await desks.offered("ann")).conversation_id
        await desks.ready("sue")
        await desks.office.quiet(19)
        assert desks.desktops["sue"].offered == []
        await desks.offered("sue")
        assert desks.state("ann") == (AgentState.AWAY, "did not take what somebody wrote")
        assert len(desks.desktops["ann"].withdrawn) == 1
        with pytest.raises(ContactError, match="Sue has taken it already"):
            await desks.centre.accept(name, by="ann")
        await desks.centre.refuse(name, by="sue")
        assert desks.state("sue")[0] is AgentState.AWAY
        await desks.ready("ann")
        await desks.centre.accept((await desks.offered("ann")).conversation_id, by="ann")


async def test_a_desktop_that_shows_nothing_loses_it(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        desks.desktops["ann"].shows = False
        await desks.office.write("Person, please.")
        await desks.office.until(lambda: desks.state("ann")[1] == "the desktop did not answer", "ann is away")
        await desks.ready("sue")
        await desks.offered("sue")


async def test_nobody_at_work_is_said_and_the_ai_helps_until_somebody_is(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.office.write("Person, please.")
        await desks.office.until(lambda: desks.office.told() == [AWAY], "the truth")
        await desks.office.write("Hi")
        await desks.office.until(lambda: desks.office.told()[1:] == ["Hello."], "the AI still answers")
        await desks.office.quiet(3_000)
        await desks.ready("ann")
        bundle = await desks.offered("ann")
        assert ("customer", "Hi") in [(line.who, line.text) for line in bundle.transcript]
        await desks.centre.accept(bundle.conversation_id, by="ann")
        await desks.centre.write(bundle.conversation_id, "Good morning.", by="ann")
        await desks.office.until(lambda: desks.office.told()[-1] == "Good morning.", "it is answered after an hour")


async def test_a_closed_queue_says_when_it_opens(tmp_path: Path) -> None:
    queues = {"general": {"skills": {"general": 1}, "hours": {"days": {"wed": ["09:00-17:00"]}}}}
    async with Desks(tmp_path, queues=queues) as desks:
        await desks.ready("ann")
        await desks.office.write("Person, please.")
        await desks.office.until(
            lambda: desks.office.told() == [f"{AWAY} They are back on Wednesday at 09:00."], "when"
        )


async def test_who_waits_and_writes_is_told_their_place_now_and_then(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        for number in range(2):
            await desks.taken("ann", address=f"+1617555010{number}", count=number + 1)
        await desks.office.write("Person, please.")
        await desks.office.until(lambda: desks.office.told() == [FIRST], "the place")
        await desks.office.write("Hello?")
        await desks.office.quiet(5)
        assert desks.office.told() == [FIRST], "it was told a moment ago"
        await desks.office.quiet(60)
        await desks.office.write("Hello??")
        await desks.office.until(lambda: desks.office.told() == [FIRST, FIRST], "again")


async def test_handed_back_the_ai_goes_on(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        name = await desks.taken("ann")
        await desks.centre.transfer(name, "butler", by="ann")
        await desks.office.until(lambda: desks.office.told()[-1] == "I'm back. How else can I help you?", "it is back")
        await desks.office.write("Hi")
        await desks.office.until(lambda: desks.office.told()[-1] == "Hello.", "and answers")
        with pytest.raises(ContactError, match="over"):
            await desks.centre.write(name, "One more thing.", by="ann")


async def test_passed_on_to_another_queue_or_a_colleague(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann", "sue")
        name = await desks.taken("ann")
        await desks.centre.write(name, "My colleague knows.", by="ann")
        await desks.centre.transfer(name, "senior", by="ann")
        bundle = await desks.offered("sue")
        assert (bundle.queue, bundle.why) == ("senior", "transfer")
        assert ("ann", "My colleague knows.") in [(line.who, line.text) for line in bundle.transcript]
        with pytest.raises(ContactError, match="not yours"):
            await desks.centre.write(name, "Too late.", by="ann")
        await desks.centre.accept(name, by="sue")
        with pytest.raises(ContactError, match="no agent nobody"):
            await desks.centre.transfer(name, "nobody", by="sue")
        await desks.centre.transfer(name, "ann", by="sue")
        await desks.offered("ann", 2)


async def test_an_agent_who_is_gone_loses_nobody(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann", "sue")
        name = await desks.taken("ann")
        await desks.centre.write(name, "One moment.", by="ann")
        await desks.centre.set_state("ann", AgentState.AWAY, "lunch", by="ann")
        await desks.office.quiet(5)
        assert desks.desktops["sue"].offered == [], "who is away keeps what they have"
        await desks.centre.sign_out("ann", desks.desktops["ann"])
        bundle = await desks.offered("sue")
        assert bundle.conversation_id == name
        assert ("ann", "One moment.") in [(line.who, line.text) for line in bundle.transcript]
        assert desks.centre.figures("general").answered == 1
        await desks.centre.accept(name, by="sue")
        assert desks.centre.figures("general").answered == 1, "it was answered before"


async def test_an_open_one_is_offered_again_after_a_crash_with_all_that_was_written(tmp_path: Path) -> None:
    desks = Desks(tmp_path)
    await desks.__aenter__()
    await desks.ready("ann")
    name = await desks.taken("ann")
    await desks.office.write("It is HAT001.")
    await desks.office.until(lambda: ("customer", "It is HAT001.") in desks.lines(name), "it is on the desk")
    await desks.centre.write(name, "Thank you.", by="ann")
    await desks.office.until(lambda: desks.office.told()[-1] == "Thank you.", "the answer goes out")
    await desks.office.crash()
    async with Desks(tmp_path) as again:
        await again.office.quiet(3_000)
        await again.ready("sue")
        bundle = await again.offered("sue")
        assert bundle.conversation_id == name
        assert [(line.who, line.text) for line in bundle.transcript] == [
            ("customer", "Person, please."),
            ("butler", FIRST),
            ("customer", "It is HAT001."),
            ("ann", "Thank you."),
        ]
        await again.centre.accept(name, by="sue")
        await again.centre.write(name, "I have it now.", by="sue")
        await again.office.until(lambda: again.office.told() == ["I have it now."], "it goes on")
        assert again.office.sms.sent[-1].reference == "in-2"


async def test_replies_that_cannot_go_out_are_told_and_go_out_again(tmp_path: Path) -> None:
    async with Desks(tmp_path, longest_message=100) as desks:
        await desks.ready("ann")
        name = await desks.taken("ann")
        for text, why in ((" \n ", "nothing in it"), ("x" * 101, "101 characters, and at most 100")):
            with pytest.raises(ContactError, match=why):
                await desks.centre.write(name, text, by="ann")
        with pytest.raises(ContactError, match="not yours"):
            await desks.centre.write(name, "Mine!", by="sue")
        desks.office.sms.fails = MessageFailed("no such number", again=False)
        await desks.centre.write(name, "Hello.", by="ann")
        await desks.office.until(lambda: desks.sent()[-1][1] == "failed", "it is told")
        message = desks.sent()[-1][0]
        desks.office.sms.fails = None
        await desks.centre.write_again(name, message, by="ann")
        await desks.office.until(lambda: desks.office.told()[-1] == "Hello.", "it went out")
        with pytest.raises(ContactError, match="need not"):
            await desks.centre.write_again(name, message, by="ann")


async def test_stop_closes_the_composer_and_start_opens_it(tmp_path: Path) -> None:
    sms = FakeTextChannel(ChannelCapabilities("sms", can_begin=True, keywords=True))
    async with Desks(tmp_path, channels={"sms": sms}) as desks:
        await desks.ready("ann")
        name = await desks.taken("ann")
        await desks.office.write("STOP")
        await desks.office.until(desks.closed, "the desk knows")
        assert desks.lines(name)[-1] == ("customer", "STOP")
        with pytest.raises(ContactError, match="They wrote STOP"):
            await desks.centre.write(name, "But wait.", by="ann")
        await desks.office.write("START")
        await desks.office.until(lambda: desks.closed()[-1] == "", "and again")
        await desks.centre.write(name, "Welcome back.", by="ann")
        await desks.office.until(lambda: desks.office.told()[-1] == "Welcome back.", "it goes out")


async def test_who_is_upset_gets_a_senior_person(tmp_path: Path) -> None:
    async with Desks(tmp_path, sentiment=FakeSentiment()) as desks:
        await desks.ready("sue")
        await desks.office.write("This is ridiculous!")
        bundle = await desks.offered("sue")
        assert (bundle.queue, bundle.why) == ("senior", "upset")
        assert bundle.sentiment[-1][1] == 0.8


async def test_an_answer_that_breaks_brings_a_person(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        desks.office.reasoner.fails = RuntimeError("broken")
        await desks.office.write("Hi")
        bundle = await desks.offered("ann")
        assert bundle.queue == "general"
        assert desks.office.told() == [f"Something went wrong on our side. {FIRST}"]
        desks.office.reasoner.fails = None


async def test_two_customers_are_apart(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        one = await desks.taken("ann", address=ADDRESS)
        two = await desks.taken("ann", address=STRANGER, count=2)
        await desks.centre.write(one, "To the first.", by="ann")
        await desks.centre.write(two, "To the second.", by="ann")
        await desks.office.until(lambda: desks.office.told(STRANGER)[-1] == "To the second.", "both")
        assert desks.office.told(ADDRESS)[-1] == "To the first."


async def test_a_call_that_waits_gets_somebody_before_more_texts_do(tmp_path: Path) -> None:
    """Who has texts takes none while they are the next to be free for a call that came before."""
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        one = await desks.taken("ann", address=ADDRESS)
        orders: list[Order] = []
        caller = Caller("c1", "Isabella", "gold", "+15550111", "front", "en-US", no_facts)
        call = desks.centre.enqueue(caller, "general", "wish", 1.0)
        assert call is not None
        desks.centre.follow(call, orders.append)
        await desks.office.write("Person, please.", STRANGER)
        await desks.office.quiet(5)
        assert len(desks.desktops["ann"].offered) == 1 and orders == [], "neither the call nor a second text"
        await desks.centre.wrap_up("ann", one, "solved", "")
        await desks.office.until(lambda: any(isinstance(order, Ring) for order in orders), "her phone rings")
        assert desks.state("ann")[0] is AgentState.RINGING


async def no_facts() -> Facts:
    return Facts("c1", "voice", None, Assurance.NONE, None)


async def test_what_comes_as_it_is_finished_is_answered_by_the_ai(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        name = await desks.taken("ann")
        writing = asyncio.create_task(desks.office.write("Hi"))
        await asyncio.sleep(0)
        await desks.centre.wrap_up("ann", name, "solved", "")
        await writing
        await desks.office.until(lambda: desks.office.told()[-1] == "Hello.", "it is answered")


async def test_a_desk_that_is_lost_gives_its_texts_back_as_soon_as_a_call_would_be(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        hub = Hub(desks.centre, 10.0, silent_s=6.0)
        hub.start()
        desk = await hub.come(Account("ann", "Ann", Role.AGENT))
        frames: list[dict[str, Any]] = []

        def page(frame: str) -> None:
            frames.append(json.loads(frame))
            if frames[-1]["type"] == "text":
                desk.shown(frames[-1]["work"]["bundle"]["handoff_id"])

        desk.feed.listen(page)
        await desks.centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        await desks.office.write("Person, please.")
        await desks.office.until(lambda: desk.texts.all, "it is offered")
        await asyncio.sleep(0.1)
        name = desk.texts.all[0].bundle.conversation_id
        await desks.centre.accept(name, by="ann")
        await desks.office.write("Hello?")
        await desks.office.until(lambda: desk.texts.all[0].unread == 1, "it is there, and unread")
        assert [frame["line"]["text"] for frame in frames if frame["type"] == "text_said"] == ["Hello?"]
        hub.gone(desk)
        await asyncio.sleep(5.5)
        assert await hub.come(desk.account) is desk
        assert desk.texts.all[0].call == "talking", "a page that comes back has it still"
        hub.gone(desk)
        await asyncio.sleep(6.5)
        assert desk.texts.all == [] and desks.state("ann")[0] is AgentState.OFFLINE
        await desks.ready("sue")
        assert (await desks.offered("sue")).conversation_id == name
        await hub.close()


async def test_reroute_takes_an_offer_back(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        await desks.office.write("Person, please.")
        bundle = await desks.offered("ann")
        await desks.centre.reroute(bundle.handoff_id, "senior", by="boss")
        assert desks.desktops["ann"].withdrawn == [(bundle.handoff_id, "it waits elsewhere now")]
        await desks.ready("sue")
        assert (await desks.offered("sue")).queue == "senior"


async def test_nobody_of_a_queue_there_its_other_queue_has_it(tmp_path: Path) -> None:
    queues = {
        "general": {"skills": {"general": 1}},
        "senior": {"skills": {"complaints": 5}, "nobody": {"to": "general"}},
    }
    async with Desks(tmp_path, queues=queues, sentiment=FakeSentiment()) as desks:
        await desks.ready("ann")
        await desks.office.write("This is ridiculous!")
        assert (await desks.offered("ann")).queue == "general"


async def test_the_desktop_of_somebody_who_is_erased_is_cleared(tmp_path: Path) -> None:
    async with Desks(tmp_path) as desks:
        await desks.ready("ann")
        await desks.taken("ann")
        customer = await desks.office.journey.find(Identity(IdentityKind.PHONE, ADDRESS))
        assert customer is not None
        await desks.office.correspondence.let_go(Traces((customer,), (), ()))
        assert desks.centre.handoffs == ()
        assert len(desks.desktops["ann"].withdrawn) == 1


def test_when_a_queue_opens_again() -> None:
    hours = Hours(days={"mon": ("09:00-12:00", "13:00-17:00"), "fri": ("08:30-12:00",)}, holidays=(date(2026, 3, 6),))
    monday = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    for now, then in (
        (monday, datetime(2026, 3, 2, 13, 0, tzinfo=UTC)),
        (monday.replace(hour=18), datetime(2026, 3, 9, 9, 0, tzinfo=UTC)),
        (monday.replace(day=9, hour=18), datetime(2026, 3, 13, 8, 30, tzinfo=UTC)),
    ):
        assert opens_at(hours, now, "UTC") == then
    assert opens_at(None, monday, "UTC") is None
    assert opens_at(Hours(days={}), monday, "UTC") is None
