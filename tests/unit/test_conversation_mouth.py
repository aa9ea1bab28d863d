"""The speaking side: clauses, kept phrases, and which words were heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking import Voice

from ccaas.conversation.clauses import clauses
from ccaas.conversation.mouth import Mouth, Speech, heard_text
from ccaas.conversation.phrases import Phrases
from ccaas.errors import SpeechError
from ccaas.media.playout import Playout
from ccaas.ports.media import Codec, Pcm
from ccaas.testing.fakes.media import FakeMediaStream
from ccaas.testing.fakes.speech import FakeSynthesizer, heard, spoken

RATE = 8_000


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("  ", []),
        ("Yes.", ["Yes."]),
        ("Yes. And  more.", ["Yes.", "And more."]),
        ("It costs 3.50 dollars.", ["It costs 3.50 dollars."]),
        (
            "I have found two flights to Boston, one in the morning and one at night.",
            ["I have found two flights to Boston,", "one in the morning and one at night."],
        ),
        ("Well, that is a very long sentence which has its only comma early.", None),
        ("Short one, with comma.", None),
    ],
)
def test_replies_are_cut_where_a_voice_pauses(text: str, parts: list[str] | None) -> None:
    assert clauses(text) == ([text] if parts is None else parts)


@given(st.text(alphabet="abcDE ,.;:!?…'\"\n", max_size=80))
def test_the_pieces_are_the_text(text: str) -> None:
    assert " ".join(clauses(text)) == " ".join(text.split())


async def chunks(phrases: Phrases, text: str, rate: int = RATE) -> Pcm:
    return np.concatenate([chunk async for chunk in phrases.speak(text, rate)] or [np.zeros(0, dtype=np.int16)])


@pytest.fixture
def voice() -> FakeSynthesizer:
    return FakeSynthesizer()


async def test_what_was_said_before_is_not_made_again(tmp_path: Path, voice: FakeSynthesizer) -> None:
    phrases = Phrases(voice, None, tmp_path, "tones")
    first, second = await chunks(phrases, "Hello."), await chunks(phrases, "Hello.")
    assert np.array_equal(first, second)
    assert np.array_equal(first, spoken("Hello."))
    assert voice.texts == ["Hello."]
    await chunks(phrases, "Hello.", 16_000)
    assert voice.texts == ["Hello."] * 2, "another sample rate is another recording"


async def test_half_a_phrase_is_not_kept(tmp_path: Path, voice: FakeSynthesizer) -> None:
    phrases = Phrases(voice, None, tmp_path, "tones")
    speaking = phrases.speak("A long sentence that is not listened to.", RATE)
    await anext(speaking)
    await speaking.aclose()  # type: ignore[attr-defined]
    assert phrases.kept("A long sentence that is not listened to.", RATE) is None


async def test_a_warmed_text_is_there_in_the_pieces_it_is_said_in(tmp_path: Path, voice: FakeSynthesizer) -> None:
    text = "I'm sorry, nobody is free to take your call right now. How else can I help?"
    phrases = Phrases(voice, None, tmp_path, "tones")
    assert await phrases.warm([text, text], [RATE]) == len(clauses(text))
    voice.texts.clear()
    for piece in clauses(text):
        assert phrases.kept(piece, RATE) is not None
        await chunks(phrases, piece)
    assert voice.texts == []


async def test_warmed_phrases_outlast_the_process(tmp_path: Path, voice: FakeSynthesizer) -> None:
    await Phrases(voice, None, tmp_path, "tones").warm(["Hello."], [RATE])
    voice.texts.clear()
    after = Phrases(voice, None, tmp_path, "tones")
    await after.warm(["Hello."], [RATE])
    assert voice.texts == []
    assert np.array_equal(await chunks(after, "Hello."), spoken("Hello."))
    other = Phrases(voice, None, tmp_path, "another voice")
    await other.warm(["Hello."], [RATE])
    assert voice.texts == ["Hello."]


async def test_one_making_serves_all_rates_and_the_first_rate_comes_first(
    tmp_path: Path, voice: FakeSynthesizer
) -> None:
    await Phrases(voice, None, tmp_path, "tones").warm(["Narrow."], [RATE])
    voice.texts.clear()
    assert await Phrases(voice, None, tmp_path, "tones").warm(["Narrow.", "Nothing yet."], [RATE, 16_000]) == 2
    assert voice.texts == ["Nothing yet.", "Narrow."], (
        "what has no narrow audio is made before what lacks only the wide"
    )
    after = Phrases(voice, None, tmp_path, "tones")
    assert await after.warm(["Narrow.", "Nothing yet."], [RATE, 16_000]) == 2
    for text in ("Narrow.", "Nothing yet."):
        assert heard(await chunks(after, text)) == text
        assert heard(await chunks(after, text, 16_000), 16_000) == text
    assert len(voice.texts) == 2


class Waiting(FakeSynthesizer):
    """Speaks a text only when it may; keeps what was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.may = {text: asyncio.Event() for text in ("Fixed.", "Now.")}
        self.cancelled: list[str] = []

    async def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        self.texts.append(text)
        try:
            await self.may[text].wait()
        except asyncio.CancelledError:
            self.cancelled.append(text)
            raise
        yield spoken(text)


async def test_warming_gives_way_to_a_call_that_needs_the_voice(tmp_path: Path) -> None:
    voice = Waiting()
    phrases = Phrases(voice, None, tmp_path, "tones")
    warming = asyncio.create_task(phrases.warm(["Fixed."], [RATE]))
    await until(lambda: voice.texts == ["Fixed."])
    speaking = asyncio.create_task(chunks(phrases, "Now."))
    await until(lambda: voice.cancelled == ["Fixed."])
    voice.may["Fixed."].set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert voice.texts == ["Fixed.", "Now."], "nothing is begun while the call waits"
    voice.may["Now."].set()
    assert heard(await speaking) == "Now."
    assert await warming == 1
    assert (voice.texts, voice.cancelled) == (["Fixed.", "Now.", "Fixed."], ["Fixed."])


async def test_warming_ends_with_the_controller(tmp_path: Path) -> None:
    voice = Waiting()
    warming = asyncio.create_task(Phrases(voice, None, tmp_path, "tones").warm(["Fixed."], [RATE]))
    await until(lambda: voice.texts == ["Fixed."])
    warming.cancel()
    await asyncio.wait({warming})
    assert (warming.cancelled(), voice.cancelled) == (True, ["Fixed."])


async def test_a_fixed_phrase_that_a_call_has_said_meanwhile_is_only_written(tmp_path: Path) -> None:
    voice = Waiting()
    voice.may["Fixed."].set()
    phrases = Phrases(voice, None, tmp_path, "tones")
    await chunks(phrases, "Fixed.")
    await phrases.warm(["Fixed."], [RATE])
    assert voice.texts == ["Fixed."]
    assert len(list(tmp_path.rglob("*.npy"))) == 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


async def test_a_kept_phrase_that_is_damaged_is_made_again(tmp_path: Path, voice: FakeSynthesizer) -> None:
    await Phrases(voice, None, tmp_path, "tones").warm(["Hello."], [RATE])
    (kept,) = tmp_path.rglob("*.npy")
    for damage in (b"", b"\x93NUMPY", kept.read_bytes()[:-7]):
        kept.write_bytes(damage)
        phrases = Phrases(voice, None, tmp_path, "tones")
        assert await phrases.warm(["Hello."], [RATE]) == 1
        assert np.array_equal(await chunks(phrases, "Hello."), spoken("Hello."))


async def test_a_phrase_that_cannot_be_warmed_or_kept_stops_nothing(tmp_path: Path) -> None:
    voice = FakeSynthesizer(fails_on=["Broken."])
    (tmp_path / "file").write_text("where the folder should be")
    phrases = Phrases(voice, None, tmp_path / "file", "tones")
    assert await phrases.warm(["Broken.", "Whole."], [RATE]) == 1
    assert np.array_equal(await chunks(phrases, "Whole."), spoken("Whole."))


async def test_the_fallback_steps_in_and_is_not_remembered(tmp_path: Path) -> None:
    voice, fallback = FakeSynthesizer(fails_on=["Hello."]), FakeSynthesizer(16_000)
    phrases = Phrases(voice, fallback, tmp_path, "tones")
    assert len(await chunks(phrases, "Hello.")) == pytest.approx(len(spoken("Hello.")), abs=2)
    assert (phrases.fallbacks, fallback.texts) == (1, ["Hello."])
    voice.fails_on = ()
    assert np.array_equal(await chunks(phrases, "Hello."), spoken("Hello.")), "the real voice as soon as it can"


async def test_no_voice_at_all_is_an_error(tmp_path: Path) -> None:
    phrases = Phrases(FakeSynthesizer(fails_on=["Hello."]), None, tmp_path, "tones")
    with pytest.raises(SpeechError):
        await chunks(phrases, "Hello.")


async def test_memory_is_bounded(tmp_path: Path, voice: FakeSynthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccaas.conversation.phrases._MEMORY_BYTES", spoken("Hello 0.").nbytes * 3)
    phrases = Phrases(voice, None, tmp_path, "tones")
    for number in range(3):
        await chunks(phrases, f"Hello {number}.")
    await chunks(phrases, "Hello 0.")
    await chunks(phrases, "Hello 3.")
    kept = [phrases.kept(f"Hello {number}.", RATE) is not None for number in range(4)]
    assert kept == [True, False, True, True], "what was not said for longest goes first"


async def made(text: str, folder: Path, fails_on: tuple[str, ...] = ()) -> Speech:
    speech = Speech(text, Phrases(Voice(fails_on), None, folder, "tones"), RATE)
    speech.release()
    assert speech.task is not None
    await speech.task
    return speech


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [
        (0.0, ""),
        (0.1, ""),
        (0.30, "One"),
        (0.56, "One two three."),
        (0.57, "One two three."),
        (0.9, "One two three. Four"),
        (1.16, "One two three. Four five six."),
        (9.0, "One two three. Four five six."),
    ],
)
async def test_words_are_heard_in_proportion_to_time(tmp_path: Path, seconds: float, heard: str) -> None:
    speech = await made("One two three. Four five six.", tmp_path)
    assert heard_text(speech.clauses, round(seconds * RATE)) == heard


async def test_words_without_a_voice_are_not_heard(tmp_path: Path) -> None:
    speech = await made("One two. Three four. Five six.", tmp_path, ("Three four.",))
    assert speech.spoken == "One two. Five six."
    assert heard_text(speech.clauses, 10 * RATE) == "One two. Five six."
    assert heard_text(speech.clauses, round(0.33 * RATE)) == "One two."


@pytest.mark.looptime
async def test_the_mouth_leaves_nothing_running(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    stream = FakeMediaStream(Codec.ULAW)
    before = asyncio.all_tasks()
    mouth = Mouth(Playout(stream, loop.time), Phrases(Voice(), None, tmp_path, "tones"), loop.time)
    never = mouth.prepare("Nobody says this. Or this.")
    saying = asyncio.create_task(mouth.say(mouth.prepare("One two. Three four."), lambda: None))
    await asyncio.sleep(0.09)
    assert mouth.stop() == ""
    assert await saying is False
    assert mouth.stop() == ""
    await mouth.close()
    assert never.task is not None
    assert never.task.cancelled()
    assert asyncio.all_tasks() == before
    assert stream.waiting == 0


@pytest.mark.looptime
async def test_the_first_frame_is_told_even_where_the_far_end_was_full(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    stream = FakeMediaStream(Codec.ULAW)
    mouth = Mouth(Playout(stream, loop.time), Phrases(Voice(), None, tmp_path, "tones"), loop.time)
    told: list[float] = []
    stream.full = True
    saying = asyncio.create_task(mouth.say(mouth.prepare("One two."), lambda: told.append(loop.time())))
    await asyncio.sleep(0.09)
    assert told == []
    stream.full = False
    assert await saying
    assert len(told) == 1
    assert told[0] <= stream.played[0][0]
    await mouth.close()


@pytest.mark.looptime
async def test_a_reply_that_is_resumed_while_its_voice_is_still_speaking(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    stream, voice = FakeMediaStream(Codec.ULAW), Voice()
    voice.slow_s = 0.4
    mouth = Mouth(Playout(stream, loop.time), Phrases(voice, None, tmp_path, "tones"), loop.time)
    saying = asyncio.create_task(mouth.say(mouth.prepare("One two. Three four."), lambda: None))
    await asyncio.sleep(0.05)
    for _ in range(20):
        await asyncio.sleep(0.04)
    mouth.pause()
    for _ in range(20):
        await asyncio.sleep(0.05)
    assert not saying.done()
    mouth.resume(0.0)
    assert await saying
    assert len(stream.played) == len(spoken("One two.Three four.")) // 160
    await mouth.close()
