"""What answers a campaign's call: a person is met, a machine gets its message or is hung up on, and neither is mistaken for good."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from ccaas.dialler.answering import Hearing, limits_for, phrases_for
from ccaas.dialler.attendant import CampaignAttendant
from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.live import Attempt
from ccaas.dialler.opening import message
from ccaas.dialler.settings import AnswerLimits, AnswerWords
from ccaas.media.answering.limits import Limits
from ccaas.media.answering.words import ENGLISH
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import Codec, MediaStream, Pcm
from ccaas.ports.reasoning import Expectation
from ccaas.ports.speech import Recognizer, RecognizerCapabilities, Transcript
from ccaas.telephony.desk import Attendant, HangUp, Next, TransferTo
from ccaas.telephony.events import EndReason

pytestmark = pytest.mark.looptime

TEXT = "This is an automated assistant calling. Your flight is late."
FRAME = b"\xff" * 160
Said = Verdict | GreetingOver


def by(who: AnsweredBy, *, keeps: bool = True) -> Verdict:
    return Verdict(who, 0.0, "said so", keeps)


PERSON, MACHINE, BEEP = by(AnsweredBy.HUMAN), by(AnsweredBy.MACHINE), GreetingOver(0.0, True)


class Script:
    """A detector that says what is written for its time (s)."""

    def __init__(self, *said: tuple[float, Said]) -> None:
        self._said = list(said)
        self._at = 0.0
        self.voice = False
        self.over = False
        self.heard: list[str] = []

    def push(self, pcm: Pcm) -> Said | None:
        assert pcm.size == 160
        self._at += 0.02
        return self._said.pop(0)[1] if self._said and self._said[0][0] <= self._at else None

    def hear(self, text: str) -> Verdict | None:
        self.heard.append(text)
        return MACHINE if "leave a message" in text else None


class Line:
    """Implements `MediaStream`: a frame every 20 ms."""

    codec = Codec.ULAW

    def __init__(self) -> None:
        self.on_frame: Callable[[bytes], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self.on_frame, self.on_lost = on_frame, on_lost

    def lose(self) -> None:
        self.on_lost()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.on_frame(FRAME)


class Agent:
    """The call's own attendant: talks for a minute, and takes 4 s for a message."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.frames = 0

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        self.log.append("talks")
        stream.listen(self._frame, lambda: None)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.log.append("breaks off")
            raise
        return HangUp()

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        gone = asyncio.Event()
        stream.listen(self._frame, gone.set)
        self.log.append(text)
        try:
            async with asyncio.timeout(4):
                await gone.wait()
        except TimeoutError:
            self.log.append("to its end")
        except asyncio.CancelledError:
            self.log.append("cut off")
            raise
        return False

    async def finish(self, reason: EndReason, cause: int) -> None:
        self.log.append(reason.value)

    def _frame(self, _: bytes) -> None:
        self.frames += 1


@dataclass
class Met:
    """A call that was answered, and what came of it."""

    attendant: CampaignAttendant
    agent: Agent
    attempt: Attempt
    line: Line
    told: list[str] = field(default_factory=list)

    async def attend(self) -> Next:
        return await self.attendant.attend(cast("MediaStream", self.line))

    def came_to(self) -> Disposition:
        self.attempt.has_ended(EndReason.DISMISSED, 16)
        return self.attempt.disposition(0.0)


@asynccontextmanager
async def met(
    *scripts: Script, queue: str = "", text: str = TEXT, recognizer: Recognizer | None = None
) -> AsyncIterator[Met]:
    """`scripts`: of the greeting, and of each message."""
    told: list[str] = []
    attempt = Attempt("call1", "spring", 0.0, lambda _, what: told.append(what))
    agent, line, left = Agent(), Line(), list(scripts)

    def listens(stream: MediaStream) -> Hearing:
        return Hearing(stream, lambda _: left.pop(0), recognizer)

    attendant = CampaignAttendant(cast("Attendant", agent), attempt, queue, "", 2.0, "Sorry.", listens, text)
    running = asyncio.create_task(line.run())
    try:
        yield Met(attendant, agent, attempt, line, told)
    finally:
        running.cancel()


@pytest.mark.parametrize(
    ("who", "disposition"),
    [
        (AnsweredBy.MACHINE, Disposition.MACHINE),
        (AnsweredBy.FAX, Disposition.FAX),
        (AnsweredBy.TONES, Disposition.INVALID),
        (AnsweredBy.SILENCE, Disposition.SILENCE),
    ],
)
async def test_who_is_no_person_is_hung_up_on_and_not_counted_as_one(who: AnsweredBy, disposition: Disposition) -> None:
    async with met(Script((1.0, by(who))), text="") as call:
        assert isinstance(await call.attend(), HangUp)
        assert call.came_to() is disposition
        assert call.told == ["answered", "ended"]
        assert call.agent.log == []


async def test_a_person_is_spoken_with_or_handed_on() -> None:
    async with met(Script((1.0, PERSON))) as call:
        await call.attend()
        assert (call.told, call.agent.log) == (["answered", "agent"], ["talks"])
        assert call.agent.frames > 2900, "who talks hears all of it"
        assert call.came_to() is Disposition.ANSWERED
    async with met(Script((1.0, PERSON)), queue="sales") as call:
        assert await call.attend() == TransferTo("sales")


async def test_what_is_not_clear_in_time_or_lost_is_taken_for_a_person() -> None:
    async with met(Script()) as call:
        await call.attend()
        assert call.agent.log == ["talks"]
    async with met(Script()) as call:
        asyncio.get_running_loop().call_later(1.0, call.line.lose)
        await call.attend()
        assert call.agent.log == ["talks"]


async def test_a_machine_gets_the_message_after_its_beep() -> None:
    async with met(Script((1.0, MACHINE), (5.0, BEEP)), Script()) as call:
        before = asyncio.get_running_loop().time()
        assert isinstance(await call.attend(), HangUp)
        assert asyncio.get_running_loop().time() - before == pytest.approx(9.5, abs=0.1)
        assert call.agent.log == [TEXT, "to its end"]
        assert call.told == ["answered"]
        assert call.came_to() is Disposition.MESSAGE_LEFT


async def test_a_machine_that_seemed_a_person_is_taken_back_and_gets_the_message() -> None:
    async with met(Script((1.0, PERSON), (4.0, MACHINE), (4.1, BEEP)), Script()) as call:
        await call.attend()
        assert call.agent.log == ["talks", "breaks off", TEXT, "to its end"]
        assert call.told == ["answered", "agent", "machine"]
        assert call.came_to() is Disposition.MESSAGE_LEFT


async def test_a_machine_that_seemed_a_person_is_hung_up_on_without_a_message() -> None:
    async with met(Script((1.0, PERSON), (4.0, MACHINE)), text="") as call:
        assert isinstance(await call.attend(), HangUp)
        assert call.agent.log == ["talks", "breaks off"]
        assert call.came_to() is Disposition.MACHINE


async def test_who_picks_up_during_the_message_is_talked_with() -> None:
    async with met(Script((1.0, MACHINE), (3.0, BEEP)), Script((1.5, PERSON))) as call:
        await call.attend()
        assert call.agent.log == [TEXT, "cut off", "talks"]
        assert call.told == ["answered", "agent"]
        assert call.came_to() is Disposition.ANSWERED
    async with met(Script((1.0, MACHINE), (3.0, BEEP)), Script((1.5, PERSON)), queue="sales") as call:
        assert await call.attend() == TransferTo("sales")
        assert (call.attempt.waits, call.attempt.leaves) == (True, False)
        call.attempt.has_ended(EndReason.HUNG_UP, 16)
        assert call.attempt.disposition(0.0) is Disposition.HUNG_UP


async def test_after_a_second_beep_the_message_begins_anew() -> None:
    async with met(Script((1.0, MACHINE), (3.0, BEEP)), Script((2.0, MACHINE), (2.02, BEEP)), Script()) as call:
        await call.attend()
        assert call.agent.log == [TEXT, "cut off", TEXT, "to its end"]
        assert call.came_to() is Disposition.MESSAGE_LEFT


async def test_a_machine_that_goes_on_and_on_is_let_go() -> None:
    again = [Script((2.0, MACHINE), (2.02, BEEP)) for _ in range(3)]
    async with met(Script((1.0, MACHINE), (3.0, BEEP)), *again) as call:
        assert isinstance(await call.attend(), HangUp)
        assert call.agent.log == [TEXT, "cut off"] * 3
        assert call.came_to() is Disposition.MACHINE
    async with met(Script((1.0, MACHINE))) as call:  # whose greeting is never over
        before = asyncio.get_running_loop().time()
        assert isinstance(await call.attend(), HangUp)
        assert asyncio.get_running_loop().time() - before == pytest.approx(61, abs=0.5)
        assert call.agent.log == []


@pytest.mark.parametrize(
    "script",
    [
        Script((1.0, by(AnsweredBy.MACHINE, keeps=False)), (3.0, BEEP)),
        Script((1.0, MACHINE), (2.0, by(AnsweredBy.MACHINE, keeps=False)), (3.0, BEEP)),
    ],
)
async def test_a_full_mailbox_gets_no_message(script: Script) -> None:
    async with met(script) as call:
        assert isinstance(await call.attend(), HangUp)
        assert call.agent.log == []
        assert call.came_to() is Disposition.MACHINE


async def test_a_message_that_is_cut_off_by_the_far_end_was_not_left() -> None:
    async with met(Script((1.0, MACHINE), (3.0, BEEP)), Script()) as call:
        asyncio.get_running_loop().call_later(5.0, call.line.lose)
        assert isinstance(await call.attend(), HangUp)
        assert call.agent.log == [TEXT]
        assert call.came_to() is Disposition.MACHINE


async def test_a_call_that_leaves_a_message_waits_for_no_agent() -> None:
    async with met(Script((1.0, MACHINE), (5.0, BEEP)), Script()) as call:
        attending = asyncio.create_task(call.attend())
        await asyncio.sleep(0.5)
        assert (call.attempt.waits, call.attempt.leaves) == (True, False)
        await asyncio.sleep(2.0)
        assert (call.attempt.waits, call.attempt.leaves) == (False, True)
        await attending


# — words —


class Ears:
    """Implements `Recognizer` and its stream: knows what is said by how much of it there is."""

    capabilities = RecognizerCapabilities(16_000, True, ("en",))

    def __init__(self) -> None:
        self.samples = 0

    def open(self) -> Ears:
        return self

    def push(self, pcm: Pcm) -> None:
        self.samples += pcm.size

    async def interim(self) -> Transcript:
        text = "Hi, this is Tom." if self.samples < 1.5 * 16_000 else "Hi, this is Tom, leave a message."
        await asyncio.sleep(0.1)
        return Transcript(text, False, None, 0.0)

    async def final(self, expect: Expectation | None = None) -> Transcript:
        raise AssertionError(expect)

    def close(self) -> None:
        self.samples = 0


async def test_words_are_understood_as_they_are_said() -> None:
    script = Script()
    script.voice = True
    async with met(script, text="", recognizer=cast("Recognizer", Ears())) as call:
        before = asyncio.get_running_loop().time()
        assert isinstance(await call.attend(), HangUp)
        assert script.heard == ["Hi, this is Tom.", "Hi, this is Tom, leave a message."]
        assert asyncio.get_running_loop().time() - before == pytest.approx(1.7, abs=0.1)
        assert call.came_to() is Disposition.MACHINE


# — settings —


def test_the_message_has_what_is_demanded_once() -> None:
    first, last = "This is a machine.", "To be called no more, ring 555 0100."
    said = message("Hello {first_name}, it is late.", {"first_name": "Ann"}, first, last)
    assert said == f"{first} Hello Ann, it is late. {last}"
    assert message(f"{first} It is late. {last}", {}, first, last) == f"{first} It is late. {last}"
    assert message("It is late.", {}, first, "") == f"{first} It is late."


def test_words_of_another_language_stand_for_themselves_and_english_ones_are_added() -> None:
    words = AnswerWords(machine=("nicht erreichbar",), sure=("nach dem signalton",), full=("mailbox ist voll",))
    german = phrases_for(words, "de")
    assert german.machine == ("nicht erreichbar", "nach dem signalton", "mailbox ist voll")
    assert german.sure == ("nach dem signalton", "mailbox ist voll")
    assert set(phrases_for(words, "en").machine) == {*ENGLISH.machine, *german.machine}
    assert phrases_for(None, "en").human == ENGLISH.human


def test_the_yamls_seconds_are_the_detectors() -> None:
    patient, eager = (limits_for(AnswerLimits(), eager=eager) for eager in (False, True))
    assert patient == Limits(resumed_s=math.inf), "people hear for themselves who does not listen to them"
    assert eager.resumed_s == Limits().resumed_s
    assert eager.pauses[-1][1] < patient.pauses[-1][1]
    slow = limits_for(AnswerLimits(pause_s=1.0, machine_s=6.0), eager=False)
    assert slow.machine_s == 6.0
    assert [pause for _, pause in slow.pauses] == [1.0, 1.0, 1.2, 1.5]
