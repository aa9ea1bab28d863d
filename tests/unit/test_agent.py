"""The AI agent as a call's attendant: conversation, recording and books of one call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
from at_once import AtOnce
from pydantic import BaseModel
from talking import GREETING, Caller, Ears, Script, ScriptedReasoner, Turning, Voice, Write, pinned
from texting import DirectJournal

from ccaas.acquaintance import Acquaintance
from ccaas.actions.phase import Limits
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.agent import Agent, unused
from ccaas.brain import Brain
from ccaas.call_memory import CallMemory
from ccaas.chapter import Whose
from ccaas.chronicle import Chronicle
from ccaas.config.settings import Destination
from ccaas.conversation.events import TurnRecord
from ccaas.conversation.parts import Parts
from ccaas.conversation.phrases import Phrases
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.journal.entries import Snapshot, Turn
from ccaas.journal.journal import Journal
from ccaas.media.codec import coder
from ccaas.ports.journey import Assurance, Contact, Fact, FactKind, Identity, IdentityKind, Profile
from ccaas.ports.media import Codec
from ccaas.ports.reasoning import Ending, Reply
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext
from ccaas.presence import Presence
from ccaas.telephony.desk import AudioLost, HangUp, Next, Target, TransferTo
from ccaas.telephony.events import EndReason
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.testing.fakes.media import FakeMediaStream
from ccaas.testing.fakes.speech import FakeVoiceDetector, heard

pytestmark = pytest.mark.looptime

ASK = "Tell me more."
GOODBYE = Reply("Goodbye.", ending=Ending.HANG_UP)


class Books(DirectJournal):
    """What was journalled; also the audit of the tools."""

    def snapshots(self) -> list[Any]:
        return [entry.state for entry in self.entries if isinstance(entry, Snapshot)]


class Listening:
    """A plug-in that is told of turns."""

    def __init__(self) -> None:
        self.turns: list[TurnRecord] = []

    @hookimpl
    async def ccaas_turn_event(self, call_id: str, turn: TurnRecord) -> None:
        assert call_id == "call"
        self.turns.append(turn)


class Nothing(BaseModel):
    """No arguments, and no result."""


class Desk:
    """One agent and all that it needs."""

    def __init__(
        self,
        folder: Path,
        scripts: dict[str, Script],
        *,
        recorded: bool = True,
        longest_s: float = 600,
        journey: FakeJourney | None = None,
        before: tuple[TurnRecord, ...] = (),
    ) -> None:
        self.settings = pinned(longest_call_s=longest_s)
        self.folder = folder
        self.reasoner = ScriptedReasoner(scripts)
        folder.mkdir(exist_ok=True)
        self.books, self.listening = Books(folder / "journal.sqlite"), Listening()
        self.host = PluginHost.of({"listening": self.listening})
        self.clock = LoopClock()
        self.journey = journey or FakeJourney()
        chronicle = Chronicle(cast("Journal", self.books), self.journey)
        self.brain = Brain(
            Acquaintance(self.journey, self.host, self.clock.wall),
            chronicle,
            Presence(),
            lambda channel, address: Identity(IdentityKind.PHONE, address),
        )
        contact = Contact("call", "voice", "+15550111", "1000")
        memory = CallMemory(self.brain, self.clock, contact, None, "front", "desk", before=before)
        self.booked: list[str] = []
        book = Tool("book", "Books.", Nothing, Nothing, self._book, Effect.WRITE, Phase.TRANSACTIONAL)
        self.tools = CallTools(
            Tools([book]),
            Limits(Phase.TRANSACTIONAL),
            memory.audit,
            call_id="call",
            customer_id="",
            now=self.clock.wall,
        )
        self.voice = Voice()
        phrases = Phrases(self.voice, None, folder / "phrases", "tones")
        parts = Parts(Ears(), FakeVoiceDetector(), Turning(), phrases, self.settings, self.clock)
        self.agent = Agent(
            "call",
            "+15550111",
            "1000",
            None,
            self.reasoner,
            self.tools,
            parts,
            self.host,
            {
                "desk": Destination(endpoint="PJSIP/6001", timeout_s=7),
                "away": Destination(endpoint="PJSIP/2", blind=True),
            },
            folder / "recordings" if recorded else None,
            AtOnce(),
            memory,
        )
        self._calling: list[asyncio.Task[None]] = []

    async def _book(self, _: BaseModel, context: ToolContext) -> BaseModel:
        await asyncio.sleep(2.0)
        self.booked.append(context.turn_id)
        return Nothing()

    def attend(self, reason: str = "") -> asyncio.Task[Next]:
        """A new stream with the caller at its other end."""
        self.stream = FakeMediaStream(Codec.ULAW)
        self.caller = Caller(self.stream)
        self._calling.append(asyncio.create_task(self.caller.live()))
        return asyncio.create_task(self.agent.attend(self.stream, reason))

    async def hang_up(self, attending: asyncio.Task[Next]) -> None:
        attending.cancel()
        await asyncio.wait({attending})
        await self.finish(EndReason.HUNG_UP)

    async def finish(self, reason: EndReason = EndReason.DISMISSED) -> None:
        await self.agent.finish(reason, 16)
        await self.host.close()
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(100):
            while not true():
                await asyncio.sleep(0.01)

    def said(self) -> str:
        frames = [coder(Codec.ULAW).decode(frame) for _, frame in self.stream.played]
        return heard(np.concatenate(frames)) if frames else ""

    async def says(self, text: str) -> None:
        await self.until(lambda: text in self.said())

    async def say(self, text: str) -> None:
        self.caller.speak(text)
        await self.until(lambda: not self.caller.speaking)

    async def facts(self) -> list[Fact]:
        """What the journey knows of the call, in order of the timeline."""
        assert await self.brain.chronicle.tell()
        customer = await self.journey.find(Identity(IdentityKind.PHONE, "+15550111"))
        return list(await self.journey.timeline(customer)) if customer else []

    def turns_file(self) -> list[dict[str, Any]]:
        path = self.folder / "recordings" / "call.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_conversation_is_kept_in_the_books_and_on_disk(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(GOODBYE)})
    attending = desk.attend()
    await desk.says(GREETING)
    await asyncio.sleep(0.09)
    await desk.say(ASK)
    assert await attending == HangUp()
    await desk.finish()
    rows = desk.turns_file()
    assert [(row["turn_id"], row["caller_text"], row["agent_text"]) for row in rows] == [
        ("agent-0", "", GREETING),
        ("t1", ASK, "Goodbye."),
    ]
    assert [entry.record.turn_id for entry in desk.books.entries if isinstance(entry, Turn)][-1] == "t1"
    assert desk.listening.turns[-1].heard_text == "Goodbye."
    assert desk.books.snapshots()[-1] == {"turns": [ASK]}
    both, rate = soundfile.read(tmp_path / "recordings" / "call.wav", dtype="int16")
    assert rate == 8_000
    assert heard(both[:, 1][: rate * 2]).startswith(GREETING)
    assert ASK in heard(both[:, 0]).replace("~", "")


async def test_a_call_is_on_the_timeline_with_what_was_heard_and_where_it_can_be_heard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(Write("book"), GOODBYE)})
    attending = desk.attend()
    await desk.says(GREETING)
    await asyncio.sleep(0.09)
    await desk.say(ASK)
    assert await attending == HangUp()
    await desk.finish()
    facts = await desk.facts()
    assert [(fact.kind, fact.source, fact.text) for fact in facts] == [
        (FactKind.CONTACTED, "customer", "Called."),
        (FactKind.SAID, "agent", GREETING),
        (FactKind.SAID, "customer", ASK),
        (FactKind.DONE, "tool:book", "Book."),
        (FactKind.SAID, "agent", "Goodbye."),
        (FactKind.NOTED, "agent", "The call ended."),
    ]
    said = {fact.text: fact for fact in facts if fact.kind is FactKind.SAID}
    links = [said[text].recording for text in (GREETING, ASK, "Goodbye.")]
    assert all(link.startswith("recordings/call.wav#t=") for link in links)
    seconds = [float(link.partition("#t=")[2]) for link in links]
    assert seconds == sorted(seconds)
    both, rate = soundfile.read(tmp_path / "recordings" / "call.wav", dtype="int16")
    at = int(seconds[2] * rate)
    assert "bye" in heard(both[at:, 1])
    assert "bye" not in heard(both[:at, 1])
    assert {fact.channel for fact in facts} == {"voice"}


async def test_what_was_not_heard_is_not_on_the_timeline(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script("Your flight is on Friday, and it leaves at noon.")})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    await desk.says("Friday")
    await desk.hang_up(attending)
    said = [fact.text for fact in await desk.facts() if fact.kind is FactKind.SAID and fact.source == "agent"]
    assert all("noon" not in text for text in said)


async def test_the_dialogue_knows_the_customer_and_a_store_that_hangs_delays_nothing_for_long(tmp_path: Path) -> None:
    journey = FakeJourney()
    await journey.register(Profile("ann", "Ann"), (Identity(IdentityKind.PHONE, "+15550111"),))
    desk = Desk(tmp_path, {}, journey=journey)
    attending = desk.attend()
    await desk.says(GREETING)
    context = desk.reasoner.contexts[-1]
    assert context.journey is not None
    assert context.journey.profile.first_name == "Ann"
    assert context.assurance is Assurance.CLAIMED
    await desk.hang_up(attending)

    class Hanging(FakeJourney):
        async def find(self, identity: Identity) -> str | None:
            await asyncio.sleep(3_600)
            return None

    slow = Desk(tmp_path / "slow", {}, journey=Hanging())
    began = slow.clock.now()
    attending = slow.attend()
    await slow.until(lambda: slow.reasoner.contexts)
    assert slow.clock.now() - began < 0.1  # virtual seconds: 50 ms, and no more
    assert slow.reasoner.contexts[-1].journey is None
    attending.cancel()
    await asyncio.wait({attending})
    await slow.agent.leave()
    await slow.host.close()
    for task in slow._calling:
        task.cancel()
    await asyncio.gather(*slow._calling, return_exceptions=True)


async def test_a_text_during_the_call_is_on_the_same_timeline(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"ABC123": Script("I have it.")})
    assert await desk.agent.tell("ABC123", "sms") is None, "nobody attends yet"
    attending = desk.attend()
    await desk.says(GREETING)
    found = desk.brain.presence.of(Whose("", Identity(IdentityKind.PHONE, "+15550111")))
    assert found is not None
    call_id, listener = found
    assert call_id == "call"
    assert await listener.tell("ABC123", "sms") == "t1"
    await desk.says("I have it.")
    await asyncio.sleep(1)
    await desk.hang_up(attending)
    texts = [fact for fact in await desk.facts() if fact.channel == "sms"]
    assert [(fact.text, fact.source, fact.recording) for fact in texts] == [("ABC123", "customer", "")]
    assert desk.brain.presence.of(Whose("", Identity(IdentityKind.PHONE, "+15550111"))) is None


async def test_a_turn_that_a_crash_cut_off_is_told_by_the_next_controller(tmp_path: Path) -> None:
    cut = TurnRecord("t1", ASK, "", "", agent_text="Your flight is on Friday.", heard_text="Your flight is")
    desk = Desk(tmp_path, {}, before=(cut,))
    desk.agent.remember({"turns": [ASK]}, (cut,))
    attending = desk.attend("lost")
    await desk.says("Your flight is on Friday.")
    await desk.hang_up(attending)
    texts = [fact.text for fact in await desk.facts() if fact.turn_id == "t1"]
    assert texts == [ASK, "Your flight is"]


async def test_where_nothing_is_recorded_nothing_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(GOODBYE)}, recorded=False)
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    assert await attending == HangUp()
    await desk.finish()
    assert not (tmp_path / "recordings").exists()


async def test_who_takes_the_telephone_after_a_machine_is_greeted_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(Reply("On Friday."))})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    await desk.says("On Friday.")
    attending.cancel()
    await asyncio.gather(attending, return_exceptions=True)
    again = desk.attend()
    await desk.says(GREETING)
    await desk.hang_up(again)


async def test_a_transfer_names_its_destination(tmp_path: Path) -> None:
    transfer = Reply("I connect you.", ending=Ending.TRANSFER, destination="desk")
    desk = Desk(tmp_path, {ASK: Script(transfer)})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    assert await attending == TransferTo("desk")
    assert desk.agent.target("desk") == Target("PJSIP/6001", 7, "+15550111")
    assert desk.agent.target("away") == Target("PJSIP/2", 20, "+15550111", blind=True)
    assert desk.agent.target("nowhere") is None
    again = desk.attend("unanswered")
    await desk.says("How else can I help?")
    assert GREETING not in desk.said()
    await desk.hang_up(again)


async def test_lost_audio_is_taken_up_with_what_was_said_last(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script("Your flight is on Friday.")})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    await desk.says("Friday.")
    desk.stream.lose()
    assert await attending == AudioLost()
    again = desk.attend("lost")
    await desk.says("Sorry, I lost you for a moment.")
    await desk.says("Your flight is on Friday.")
    await desk.say("And then?")
    await desk.says("Okay.")
    await desk.hang_up(again)
    ids = [row["turn_id"] for row in desk.turns_file()]
    assert len(ids) == len(set(ids))
    assert desk.books.snapshots()[-1] == {"turns": [ASK, "And then?"]}
    assert len(list((tmp_path / "recordings").glob("*.wav"))) == 1, "one recording for the whole call"


async def test_audio_lost_before_the_first_turn_begins_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {})
    attending = desk.attend()
    await desk.says("How")
    desk.stream.lose()
    assert await attending == AudioLost()
    again = desk.attend("lost")
    await desk.says(GREETING)
    await desk.hang_up(again)


async def test_another_controllers_call_goes_on_from_its_books(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {})
    desk.agent.remember({"turns": [ASK]}, (TurnRecord("t1", ASK, "", "", agent_text="Your flight is on Friday."),))
    attending = desk.attend("lost")
    await desk.says("Your flight is on Friday.")
    await desk.say("And then?")
    await desk.says("Okay.")
    await desk.hang_up(attending)
    ids = [row["turn_id"] for row in desk.turns_file()]
    assert ids[0] == "t1"
    assert len(ids) == len(set(ids)) == 3
    assert desk.books.snapshots()[-1] == {"turns": [ASK, "And then?"]}


async def test_keys_and_hold_reach_the_conversation_that_is_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"1#": Script("Bookings it is.")})
    desk.agent.key("1")
    desk.agent.hold(True)
    attending = desk.attend()
    await desk.says(GREETING)
    desk.agent.key("1")
    desk.agent.key("#")
    await desk.says("Bookings it is.")
    await asyncio.sleep(0.09)
    desk.agent.hold(True)
    await asyncio.sleep(0.05)
    now = desk.clock.now()
    await desk.clock.sleep_until(now + 60)
    assert desk.reasoner.silences == []
    desk.agent.hold(False)
    await desk.until(lambda: desk.reasoner.silences == [1])
    await desk.hang_up(attending)


async def test_a_call_that_is_too_long_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {}, longest_s=10)
    began = desk.clock.now()
    assert await desk.attend() == HangUp()
    assert desk.clock.now() - began == pytest.approx(10, abs=0.2)
    await desk.finish()


async def test_what_a_plug_in_raises_is_not_taken_for_the_longest_call(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(TimeoutError("of its own"))})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    with pytest.raises(ExceptionGroup):
        await attending
    await desk.finish(EndReason.FAILED)


async def test_a_write_under_way_is_waited_for_at_the_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {ASK: Script(Write("book"), "Booked.")})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    await desk.until(lambda: desk.reasoner.commits)
    await asyncio.sleep(0.05)
    assert desk.booked == []
    await desk.hang_up(attending)
    assert desk.booked == ["t1"]


async def test_leaving_closes_the_recording_and_writes_no_turns(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {})
    attending = desk.attend()
    await desk.says(GREETING)
    attending.cancel()
    await asyncio.wait({attending})
    await desk.agent.leave()
    assert soundfile.info(tmp_path / "recordings" / "call.wav").frames > 0
    assert not (tmp_path / "recordings" / "call.jsonl").exists()
    await desk.finish()


async def test_turns_that_cannot_be_written_end_no_call(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file where the folder should be")
    desk = Desk(tmp_path, {ASK: Script(GOODBYE)})
    attending = desk.attend()
    await desk.says(GREETING)
    await desk.say(ASK)
    assert await attending == HangUp()
    await desk.finish()


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    assert unused(path) == path
    path.touch()
    assert unused(path) == tmp_path / "call-2.wav"
    (tmp_path / "call-2.wav").touch()
    assert unused(path) == tmp_path / "call-3.wav"
