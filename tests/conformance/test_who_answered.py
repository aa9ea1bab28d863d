"""Who has answered, by real audio, the real voice detector and the real recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import pytest_asyncio
import soundfile
import soxr
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer
from ccaas_turn.settings import SileroSettings
from ccaas_turn.silero import SileroVoiceDetector

from ccaas.dialler.answering import Hearing
from ccaas.media.answering.detector import AnswerListener
from ccaas.media.answering.limits import EAGER, Limits
from ccaas.media.codec import coder
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import Codec, MediaStream, Pcm
from ccaas.ports.site import Site

ROOT = Path(__file__).parents[2]
SITE = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")
HUMAN, MACHINE = AnsweredBy.HUMAN, AnsweredBy.MACHINE

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Parts:
    voices: SileroVoiceDetector
    words: MoonshineRecognizer
    speaker: PiperSynthesizer

    async def said(self, *parts: str | float) -> Pcm:
        """Texts, silences (s), and beeps ("1000 Hz"), at 8 kHz."""
        made: list[Pcm] = []
        for part in parts:
            if isinstance(part, float):
                made.append(np.zeros(round(part * 8_000), np.int16))
            elif part.endswith(" Hz"):
                t = np.arange(3_200) / 8_000
                made.append((6_000 * np.sin(2 * np.pi * float(part.split()[0]) * t)).astype(np.int16))
            else:
                pcm = np.concatenate([piece async for piece in self.speaker.synthesize(part)])
                made.append(soxr.resample(pcm, self.speaker.capabilities.sample_rate, 8_000))
        return np.concatenate(made)

    async def told(self, pcm: Pcm) -> list[Verdict | GreetingOver]:
        """What is told of a call on which this is heard, in real time."""
        line = Line()

        def detector(rate: int) -> AnswerListener:
            return AnswerListener(rate, self.voices.open(), self.voices.sample_rate, Limits(pauses=EAGER))

        hearing = Hearing(cast("MediaStream", line), detector, self.words)
        await line.play(pcm)
        line.on_lost()
        found = []
        while (news := await hearing.next()) is not None:
            found.append(news)
        hearing.close()
        return found


class Line:
    """Implements what is asked of a `MediaStream` here."""

    codec = Codec.ULAW

    def __init__(self) -> None:
        self.on_frame: Callable[[bytes], None]
        self.on_lost: Callable[[], None]

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self.on_frame, self.on_lost = on_frame, on_lost

    async def play(self, pcm: Pcm) -> None:
        encoder, loop = coder(Codec.ULAW), asyncio.get_running_loop()
        began = loop.time()
        for number, at in enumerate(range(0, pcm.size - 159, 160)):
            self.on_frame(encoder.encode(pcm[at : at + 160]))
            await asyncio.sleep(max(began + number * 0.02 - loop.time(), 0))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def parts() -> AsyncIterator[Parts]:
    voices, words = SileroVoiceDetector(SileroSettings(), SITE), MoonshineRecognizer(MoonshineSettings(), SITE)
    speaker = PiperSynthesizer(PiperSettings(), SITE)
    for part in (voices, words, speaker):
        await part.start()
    yield Parts(voices, words, speaker)
    for part in (voices, words, speaker):
        await part.close()


async def test_a_person_stays_one_whatever_they_go_on_with(parts: Parts) -> None:
    samples, rate = soundfile.read(ROOT / "bench/speech/dev-sh-002.wav", dtype="int16")
    assert rate == 8_000
    more = "He is not available at the moment. Would you like to leave a message?"
    told = await parts.told(np.concatenate([samples, await parts.said(2.0, more, 1.5)]))
    assert [one.by for one in told if isinstance(one, Verdict)] == [HUMAN]
    assert len(told) == 1


async def test_words_of_a_machine_that_paused_take_it_back(parts: Parts) -> None:
    greeting = "I can't come to the phone right now. Please leave a message."
    told = await parts.told(await parts.said(0.4, "Hi, this is Tom.", 1.2, greeting, 3.6))
    first, last, over = told
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.by, last.by) == (HUMAN, MACHINE)
    assert last.why.startswith('"')
    assert isinstance(over, GreetingOver)
    assert not over.beep


async def test_a_beep_takes_it_back_where_no_word_does(parts: Parts) -> None:
    told = await parts.told(await parts.said(0.4, "Hi, this is Tom. Talk to me.", 0.9, "950 Hz", 1.0))
    first, last, over = told
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.by, last.by, last.why) == (HUMAN, MACHINE, "beep")
    assert isinstance(over, GreetingOver)
    assert over.beep


async def test_a_full_mailbox_is_told(parts: Parts) -> None:
    full = "Sorry, this mailbox is full and cannot accept any messages at this time. Goodbye."
    told = await parts.told(await parts.said(0.4, full, 2.0))
    assert [one.by for one in told if isinstance(one, Verdict)][-1] is MACHINE
    assert not [one.keeps for one in told if isinstance(one, Verdict)][-1]
