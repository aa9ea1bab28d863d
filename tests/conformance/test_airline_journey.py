"""The airline's own flows with its own tools behind the gate, in words: an upgrade over two days and two channels."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airline_world import site
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_ivr.reasoner import IvrReasoner
from ccaas_ivr.settings import IvrSettings

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.ports.journey import Assurance, Customer, JourneyContext, Profile, Thread, ThreadState
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Ending, Reply, Topic
from ccaas.ports.site import Site
from ccaas.ports.tools import Effect, Phase

ROOT = Path(__file__).parents[2]
NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)
ANN = Customer("ann_lee_1", "Ann", "Lee")
BORN, WRONG = "The second of January, nineteen eighty.", "The third of January, nineteen eighty."
UPGRADE = "Can I upgrade my flight to business?"
QUESTION = "For your security: what's your date of birth?"


class Audit:
    """All runs of all conversations."""

    def __init__(self) -> None:
        self.runs: list[ToolRun] = []

    async def store(self, run: ToolRun) -> None:
        self.runs.append(run)

    def note(self, run: ToolRun) -> None:
        self.runs.append(run)


class Airline:
    """The airline with Ann's bookings: AAAAA1 in economy, AAAAA2 in basic economy, both on 19 May to Seattle."""

    def __init__(self, desk: Desk, reasoner: IvrReasoner) -> None:
        self.desk = desk
        self.reasoner = reasoner
        self.audit = Audit()
        self.calls = 0

    async def call(
        self,
        thread: Thread | None = None,
        *,
        channel: str = "voice",
        customer: Customer | None = ANN,
        now: datetime = NOW,
        assurance: Assurance = Assurance.CLAIMED,
    ) -> Conversation:
        """A conversation after its first words."""
        self.calls += 1
        tools = CallTools(
            Tools(tools_of(self.desk)),
            Limits(Phase.TRANSACTIONAL),
            self.audit,
            call_id=f"call-{self.calls}",
            customer_id=customer.id if customer else "",
            now=lambda: now,
            assurance=assurance,
        )
        journey = JourneyContext(Profile("c-1", "Ann", "Lee"), threads=(thread,)) if thread else None
        context = DialogueContext(
            f"call-{self.calls}", channel, "+1", "100", customer, tools, now, journey=journey, assurance=assurance
        )
        dialogue = self.reasoner.open(context)
        return Conversation(dialogue, (await dialogue.open()).text)

    async def cabin(self, reservation: str) -> str:
        """As the books have it."""
        cabin: str = (await self.desk.store.read(dump))["reservations"][reservation]["cabin"]
        return cabin

    def writes(self) -> int:
        """How many writes were made."""
        return len({run.key for run in self.audit.runs if run.effect is Effect.WRITE and run.key})


class Conversation:
    """What is said in one."""

    def __init__(self, dialogue: Dialogue, opening: str) -> None:
        self.dialogue = dialogue
        self.opening = opening
        self.last = Reply("")
        self._turns = 0

    async def say(self, text: str, keys: str = "") -> str:
        """One turn."""
        self._turns += 1
        draft = await self.dialogue.draft(CallerTurn(f"t{self._turns}", text, keys))
        said = []
        async for reply in self.dialogue.commit(draft):
            said.append(reply.text)
            self.dialogue.heard(reply.text, True)
            self.last = reply
        return " ".join(said)

    @property
    def topic(self) -> Topic:
        topic = self.dialogue.topic()
        assert topic is not None
        return topic

    def thread(self, at: datetime = NOW, channel: str = "voice") -> Thread:
        """As the journey keeps it."""
        topic, snapshot = self.topic, json.loads(json.dumps(self.dialogue.snapshot()))
        when = at.timestamp()
        return Thread(
            "th-1", "c-1", topic.goal, topic.title, topic.state, channel, when, when, topic.missing, topic.slots,
            topic.outcome, "airline", snapshot,
        )  # fmt: skip


@pytest.fixture(scope="module")
def embedding() -> MiniLm:
    return MiniLm(ROOT / ".cache/models/minilm", ROOT / ".cache/test-intents")


@pytest.fixture
async def airline(tmp_path: Path, embedding: MiniLm) -> AsyncIterator[Airline]:
    desk = await open_desk(AirlineSettings(), site(tmp_path))
    here = Site(ROOT / "examples/airline", tmp_path, ROOT / ".cache/models", ROOT / ".cache/test-intents")
    reasoner = IvrReasoner(IvrSettings(file="menu.yaml"), here, embedding)
    await reasoner.start()
    yield Airline(desk, reasoner)
    await desk.store.close()


async def test_an_upgrade_by_voice_is_checked_quoted_confirmed_and_made_once(airline: Airline) -> None:
    call = await airline.call()
    assert call.opening == "Hi Ann, this is Acorn Air. How can I help?"
    assert await call.say(UPGRADE) == QUESTION
    assert "Boston to Seattle" in await call.say(BORN)
    offer = await call.say("Yes, that one.")
    assert offer == (
        "Business from Boston to Seattle, Sunday the nineteenth of May, for two hundred dollars more,"
        " on your visa ending in zero one zero one. Shall I upgrade it?"
    )
    assert airline.writes() == 0
    done = await call.say("Yes, please.")
    assert done.startswith("Okay, one moment. Done. You fly business to Seattle. Two hundred dollars will be charged")
    assert airline.writes() == 1
    assert await airline.cabin("AAAAA1") == "business"
    assert (call.topic.title, call.topic.state) == ("the upgrade", ThreadState.CLOSED)
    assert call.topic.outcome == "Your flight to Seattle is in business now."


async def test_who_thinks_about_it_is_asked_on_the_next_day(airline: Airline) -> None:
    first = await airline.call()
    for text in (UPGRADE, BORN, "Yes, that one."):
        await first.say(text)
    assert await first.say("Let me think about it.") == ("Of course. I'll keep it for you. Is there anything else?")
    thread = first.thread()
    assert (thread.title, thread.state) == ("the upgrade", ThreadState.OPEN)
    assert await first.say("No, thank you.") == "Thanks for calling Acorn Air. Goodbye."

    tomorrow = await airline.call(thread, now=NOW + timedelta(days=1))
    assert tomorrow.opening == (
        "Hi Ann, this is Acorn Air. Are you calling to go ahead with the upgrade we discussed yesterday?"
    )
    assert await tomorrow.say("Yes, please.") == QUESTION
    assert "for two hundred dollars more" in await tomorrow.say(BORN)
    assert "You fly business to Seattle" in await tomorrow.say("Yes, go ahead.")
    assert airline.writes() == 1
    assert (tomorrow.topic.thread_id, tomorrow.topic.state) == ("th-1", ThreadState.CLOSED)


async def test_an_upgrade_that_was_texted_about_goes_on_by_voice_and_the_other_way_round(airline: Airline) -> None:
    text = await airline.call(channel="sms")
    assert await text.say("can i upgrade my flight to business") == QUESTION
    await text.say("Jan 2 1980")
    offer = await text.say("1")
    assert offer == (
        "Business from Boston to Seattle, Sunday, May 19, for $200 more, on your visa ending in 0101. Shall I upgrade it?"
    )
    assert await text.say("not now, I'll call back") == "Of course. I'll keep it for you. Is there anything else?"
    thread = text.thread(channel="sms")

    call = await airline.call(thread, now=NOW + timedelta(hours=3))
    assert "the upgrade we texted about this afternoon?" in call.opening
    await call.say("Yes.")
    assert "two hundred dollars" in await call.say(BORN)
    assert await call.say("Not now.") == "Of course. I'll keep it for you. Is there anything else?"

    chat = await airline.call(
        call.thread(NOW + timedelta(hours=3)),
        channel="chat",
        now=NOW + timedelta(days=1),
        assurance=Assurance.VERIFIED,
    )
    assert "Are you writing about the upgrade we talked about yesterday?" in chat.opening
    # A signed token has proved who it is.
    assert "for $200 more" in await chat.say("yes")
    assert "$200 will be charged" in await chat.say("y")
    assert await airline.cabin("AAAAA1") == "business"


async def test_a_forged_number_learns_the_name_and_the_title_and_nothing_else(airline: Airline) -> None:
    first = await airline.call()
    for text in (UPGRADE, BORN, "Yes, that one."):
        await first.say(text)
    forged = await airline.call(first.thread(), now=NOW + timedelta(days=1))
    heard = [forged.opening]
    for text in ("Yes.", WRONG, "What was the price?", WRONG, "Which flights do I have?", WRONG):
        heard.append(await forged.say(text))
        if forged.last.ending is not None:
            break
    assert (forged.last.ending, forged.last.destination) == (Ending.TRANSFER, "agents")
    told = " ".join(heard)
    assert not re.search(r"dollar|visa|Seattle|Boston|AAAAA|nineteenth|\$", told), told
    assert await airline.cabin("AAAAA1") == "economy"
    assert airline.writes() == 0


async def test_a_stranger_is_known_by_code_and_name_and_not_asked_twice(airline: Airline) -> None:
    call = await airline.call(customer=None, assurance=Assurance.NONE)
    assert await call.say("I'd like to change my flight from Boston to Seattle to Thursday.") == (
        "What's your confirmation code?"
    )
    assert await call.say("A A A A A one") == "And the last name on the booking?"
    offer = await call.say("Lee")
    assert "Shall I change it?" in offer or "Is it Boston to Seattle" in offer
    if "Is it" in offer:
        offer = await call.say("Yes.")
    assert "Thursday" in offer or "tomorrow" in offer
    said = await call.say("Yes, please.")
    assert "You now leave tomorrow" in said
    assert airline.writes() == 1


async def test_a_wrong_code_is_read_back_and_corrected(airline: Airline) -> None:
    call = await airline.call(customer=None, assurance=Assurance.NONE)
    await call.say("What time does my flight leave?")
    await call.say("A A A A A nine")
    assert await call.say("Lee") == "I can't find Alfa, Alfa, Alfa, Alfa, Alfa, nine under Lee. Is that right?"
    assert "Boston to Seattle" in await call.say("No, it's A A A A A one.")


async def test_the_date_of_birth_may_be_keyed_or_given_by_the_booking_instead(airline: Airline) -> None:
    keyed = await airline.call()
    await keyed.say("What time does my flight leave?")
    assert "You fly from Boston to Seattle" in await keyed.say("", "01021980")
    booking = await airline.call()
    await booking.say("What time does my flight leave?")
    assert await booking.say("I don't know") == "What's your confirmation code?"
    await booking.say("A A A A A one")
    assert "You fly from Boston to Seattle" in await booking.say("Lee")


async def test_somebody_elses_booking_does_not_open_this_numbers_customer(airline: Airline) -> None:
    call = await airline.call()
    await call.say("What time does my flight leave?")
    await call.say("I don't know")
    await call.say("B B B B B one")
    assert "isn't the one of this number's customer" in await call.say("Roe")
    assert call.last.ending is Ending.TRANSFER


async def test_miles_go_to_a_colleague_and_first_class_is_business(airline: Airline) -> None:
    miles = await airline.call()
    await miles.say("Can I use forty thousand miles to upgrade to business?")
    assert miles.last.ending is Ending.TRANSFER
    first = await airline.call(assurance=Assurance.VERIFIED)
    assert (await first.say("Could you upgrade me to first class?")).startswith("Our best cabin is business.")
