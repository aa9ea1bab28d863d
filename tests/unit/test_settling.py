"""What became of a write, when it is known only later: on the timeline, in the thread, and the first thing said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from ccaas.actions import Books, CallTools, Limits, Tools
from ccaas.actions.approvals import Approvals, Standing
from ccaas.chapter import Chapter, Whose
from ccaas.chronicle import Chronicle
from ccaas.conversation.settings import OutcomeWords
from ccaas.errors import JourneyError, ToolError
from ccaas.journal import CallBegan, CallEnded, Journal
from ccaas.ports.journey import (
    Assurance,
    FactKind,
    Identity,
    IdentityKind,
    JourneyContext,
    Profile,
    Thread,
    ThreadState,
)
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Topic
from ccaas.ports.tools import CONCIERGE_ONLY, Effect, Party, Phase, Tool, ToolContext
from ccaas.settling import NEWS, Settling
from ccaas.telephony.events import EndReason
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.reasoning import FakeReasoner
from ccaas.testing.fakes.tools import FakeToolbox
from ccaas.tidings import Tidings

NOW = datetime(2024, 5, 15, 15, tzinfo=UTC)
WORDS = OutcomeWords()
DONE = "I have news about the seat: that has been done."
NOT_DONE = "I'm sorry, I have news about the seat: that could not be done."
PROMISE = "I don't know yet whether that has worked."


class Seat(BaseModel):
    """A seat."""

    seat: str


class House:
    """A system of record that may keep silent about what it did."""

    def __init__(self) -> None:
        self.seats: dict[str, str] = {}
        self.silent = self.full = False

    async def take(self, asked: Seat, context: ToolContext) -> Seat:
        if self.full:
            raise ToolError("full", "That seat is taken.")
        self.seats.setdefault(context.key, asked.seat)
        if self.silent:
            raise OSError("the line broke after it was booked")
        return asked

    @property
    def tools(self) -> Tools:
        seat = Tool("seat", "Takes a seat.", Seat, Seat, self.take, Effect.WRITE, Phase.TRANSACTIONAL)
        return Tools(
            [
                replace(seat, callers=frozenset(Party)),
                replace(seat, name="better_seat", callers=CONCIERGE_ONLY),
            ]
        )


class World:
    """A call of Ann's, over real books and a real journal."""

    def __init__(self, books: Books, journal: Journal) -> None:
        self.house = House()
        self.books, self.journal, self.journey = books, journal, FakeJourney()
        self.chronicle = Chronicle(journal, self.journey)
        self.chapter = Chapter("call", "voice", "desk", Whose("ann"))
        self.approvals = self.restarted()

    def restarted(self) -> Approvals:
        """The approvals of the next controller."""
        made = Approvals(
            self.house.tools, self.books, self.journal, lambda *_: Limits(Phase.TRANSACTIONAL), lambda: NOW
        )
        spell = {("voice", "+16175550123"): Identity(IdentityKind.PHONE, "+16175550123")}
        made.outcomes = Settling(
            self.journal, self.journey, self.chronicle, lambda *at: spell.get(at), WORDS, NOW.timestamp
        ).tell
        return made

    def agent(self, customer: str = "ann") -> CallTools:
        return CallTools(
            self.house.tools,
            Limits(Phase.TRANSACTIONAL, entry="air", channel="voice"),
            self.journal,
            call_id="call",
            customer_id=customer,
            now=lambda: NOW,
            assurance=Assurance.VERIFIED,
            books=self.books,
            desk=self.approvals,
        )

    async def unsure(self, customer: str = "ann") -> None:
        """The agent takes a seat, nobody knows whether it got it, and the thread waits with a promise."""
        self.house.silent = True
        with pytest.raises(ToolError):
            await self.agent(customer).write("seat", {"seat": "12A"}, "t1", "t1")
        await self.owe("seat")

    async def owe(self, goal: str) -> None:
        topic = Topic(goal, "the seat", ThreadState.WAITING, promise=PROMISE)
        await self.chronicle.append(*self.chapter.about(topic, {}, "t1", 1.0))

    async def hang_up(self) -> None:
        await self.journal.append(CallEnded("call", EndReason.HUNG_UP, 16))

    async def context(self) -> JourneyContext:
        assert await self.chronicle.tell()
        found = await self.journey.context("ann")
        assert found is not None
        return found

    async def thread(self) -> Thread:
        assert await self.chronicle.tell()
        (thread,) = await self.journey.threads("ann")
        return thread

    async def done(self) -> list[str]:
        """Writes on the timeline."""
        assert await self.chronicle.tell()
        facts = await self.journey.timeline("ann")
        return [fact.data["tool"] for fact in facts if fact.kind is FactKind.DONE and "tool" in fact.data]  # type: ignore[misc]

    async def call_again(self) -> Dialogue:
        context = DialogueContext(
            "call-2", "voice", "+1", "1", None, FakeToolbox({}), NOW, journey=await self.context()
        )
        return Tidings(FakeReasoner({}), self.chronicle, NOW.timestamp).open(context)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    books, journal = await Books.open(tmp_path / "actions.sqlite"), await Journal.open(tmp_path / "journal.sqlite")
    world = World(books, journal)
    await journal.append(CallBegan("call", "+16175550123", "100", "air", "ann"))
    await world.journey.register(Profile("ann"), [Identity(IdentityKind.PHONE, "+16175550123")])
    yield world
    await books.close()
    await journal.close()


async def test_a_write_that_is_known_later_closes_its_thread_and_is_the_first_thing_said(world: World) -> None:
    await world.unsure()
    await world.hang_up()
    await world.approvals.resume()
    assert [fact.text for fact in (await world.context()).promises] == [PROMISE]
    assert await world.done() == []
    world.house.silent = False
    await world.restarted().resume()
    await world.restarted().resume()
    assert len(world.house.seats) == 1
    assert await world.done() == ["seat"]
    thread = await world.thread()
    assert (thread.state, thread.outcome) == (ThreadState.CLOSED, DONE)
    (news,) = (await world.context()).promises
    assert (news.text, news.thread_id, bool(news.data[NEWS])) == (DONE, thread.id, True)
    dialogue = await world.call_again()
    first = await dialogue.open()
    assert first.text.startswith(f"{DONE} ")
    dialogue.heard(DONE[:20], False)
    assert len((await world.context()).promises) == 1  # interrupted: it is still owed
    dialogue = await world.call_again()
    dialogue.heard((await dialogue.open()).text, True)
    assert (await world.context()).promises == ()
    assert not (await (await world.call_again()).open()).text.startswith(DONE)


async def test_what_was_not_done_after_all_is_told_and_stays_wanted(world: World) -> None:
    await world.unsure()
    world.house.full = True
    await world.approvals.resume()
    thread = await world.thread()
    assert (thread.state, thread.outcome) == (ThreadState.OPEN, f"{NOT_DONE} That seat is taken.")
    assert [fact.text for fact in (await world.context()).promises] == [NOT_DONE]
    assert await world.done() == []


async def test_a_caller_whom_only_the_number_tells_gets_their_news(world: World) -> None:
    await world.unsure(customer="")
    world.house.silent = False
    await world.approvals.resume()
    assert [fact.text for fact in (await world.context()).promises] == [DONE]


async def test_what_a_person_decides_after_the_call_is_news_and_within_it_only_a_row(world: World) -> None:
    for ended in (False, True):
        if ended:
            await world.hang_up()
        turn = f"t{int(ended) + 1}"
        told = await world.agent().prepare("better_seat", {"seat": "1A"}, turn, "She is tall.")
        assert (await world.approvals.approve(told["request_id"], "kim")).standing is Standing.DONE
        assert len((await world.context()).promises) == ended
    assert await world.done() == ["better_seat"] * 2


async def test_a_no_is_news_too(world: World) -> None:
    await world.owe("better_seat")
    told = await world.agent().prepare("better_seat", {"seat": "1A"}, "t1", "She is tall.")
    await world.hang_up()
    await world.approvals.decline(told["request_id"], "kim", "No.")
    assert (await world.thread()).state is ThreadState.CLOSED
    assert [fact.text for fact in (await world.context()).promises] == [WORDS.declined.replace("{what}", "the seat")]


async def test_a_journey_that_is_down_is_told_when_it_is_back(world: World) -> None:
    told = await world.agent().prepare("better_seat", {"seat": "1A"}, "t1", "She is tall.")
    await world.hang_up()
    world.journey.fails = JourneyError("down")
    assert (await world.approvals.approve(told["request_id"], "kim")).standing is Standing.DONE
    world.journey.fails = None
    await world.restarted().resume()
    assert await world.done() == ["better_seat"]


async def test_by_text_the_news_stands_before_the_first_answer(world: World) -> None:
    await world.unsure()
    world.house.silent = False
    await world.approvals.resume()
    context = DialogueContext("chat", "chat", "a", "b", None, FakeToolbox({}), NOW, journey=await world.context())
    dialogue = Tidings(FakeReasoner({}), world.chronicle, NOW.timestamp).open(context)
    assert not (await dialogue.open()).text.startswith(DONE)
    dialogue.heard("", False)
    draft = await dialogue.draft(CallerTurn("t1", "Hello"))
    replies = [reply async for reply in dialogue.commit(draft)]
    assert replies[0].text.startswith(f"{DONE} ")
    assert draft.reply in (None, replies[0])
    for reply in replies:
        dialogue.heard(reply.text, True)
    assert (await world.context()).promises == ()
