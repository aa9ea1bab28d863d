"""A talk between people is written down: each pause ends a line, each line knows when it began, the recording has both sides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import soundfile
from at_once import AtOnce
from talking import Caller, Ears, Turning, Voice, pinned

from ccaas.conversation.overhearing import Side, listen
from ccaas.conversation.parts import Parts
from ccaas.conversation.phrases import Phrases
from ccaas.media.recording import Recording
from ccaas.ports.media import Codec
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.media import FakeMediaStream
from ccaas.testing.fakes.speech import FakeVoiceDetector, heard

pytestmark = pytest.mark.looptime


async def test_lines_and_the_recording(tmp_path: Path) -> None:
    clock = LoopClock()
    parts = Parts(
        Ears(), FakeVoiceDetector(), Turning(), Phrases(Voice(), None, tmp_path / "phrases", "tones"), pinned(), clock
    )
    recording = Recording(tmp_path / "talk.wav", 8_000, clock.now(), AtOnce())
    said: dict[bool, list[tuple[str, float]]] = {True: [], False: []}
    streams = {customer: FakeMediaStream(Codec.ULAW) for customer in said}
    parties = {customer: Caller(stream) for customer, stream in streams.items()}
    living = [asyncio.create_task(party.live()) for party in parties.values()]
    writing = asyncio.Lock()
    listening = [
        asyncio.create_task(
            listen(
                streams[customer],
                parts,
                Side(recording, clock.now, customer=customer).keep,
                lambda text, at, customer=customer: said[customer].append((text, at)),
                lambda _: None,
                writing,
            )
        )
        for customer in said
    ]
    await asyncio.sleep(0.5)
    began = clock.now()
    parties[True].speak("I want my money back.")
    await _until(lambda: said[True])
    parties[False].speak("You will have it.")
    await _until(lambda: said[False])
    parties[True].speak("Thank you.")
    await _until(lambda: len(said[True]) == 2)
    assert [text for text, _ in said[True]] == ["I want my money back.", "Thank you."]
    assert [text for text, _ in said[False]] == ["You will have it."]
    moments = [said[True][0][1], said[False][0][1], said[True][1][1]]
    assert moments == sorted(moments)
    assert moments[0] == pytest.approx(began, abs=0.1)
    for stream in streams.values():
        stream.lose()
    await asyncio.gather(*listening)
    for task in living:
        task.cancel()
    await asyncio.gather(*living, return_exceptions=True)
    recording.close(clock.now())
    both, _ = soundfile.read(tmp_path / "talk.wav", dtype="int16")
    assert "money back" in heard(both[:, 0]).replace("~", "")
    assert "You will" in heard(both[:, 1]).replace("~", "")


async def test_words_are_there_when_the_line_has_ended(tmp_path: Path) -> None:
    """Recognition takes 0.15 s and the pause that ends a line 0.3 s: together, and not one after the other."""
    clock, ears, stream = LoopClock(), Ears(), FakeMediaStream(Codec.ULAW)
    ears.slow_s = 0.15
    phrases = Phrases(Voice(), None, tmp_path / "phrases", "tones")
    parts = Parts(ears, FakeVoiceDetector(), Turning(), phrases, pinned(), clock)
    said: list[tuple[str, float]] = []
    caller = Caller(stream)
    living = asyncio.create_task(caller.live())
    keep = Side(None, clock.now, customer=True).keep
    drafted: list[tuple[str, float]] = []

    def says(text: str, _: float) -> None:
        said.append((text, clock.now()))

    def drafts(text: str) -> None:
        drafted.append((text, clock.now()))

    listening = asyncio.create_task(listen(stream, parts, keep, says, drafts, asyncio.Lock()))
    await asyncio.sleep(0.5)
    over = clock.now() + caller.speak("Where is my bag?")
    await _until(lambda: said)
    assert said[0][0] == "Where is my bag?"
    assert said[0][1] - over < 0.45
    assert [text for text, _ in drafted] == ["Where is my bag?"]
    assert drafted[0][1] < said[0][1], "the words are there before it is known that the line has ended"
    stream.lose()
    await listening
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


async def _until(true: object) -> None:
    async with asyncio.timeout(60):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.01)
