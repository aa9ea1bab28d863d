"""What every recogniser, voice detector, turn detector and synthesiser must do.

Subclass a suite and give it its fixture: the part, started, with audio that it understands.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest

from ccaas.errors import SpeechError
from ccaas.ports.media import FRAME_MS, Pcm
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.ports.speech import Recognizer, RecognizerStream, Synthesizer, TurnDetector, VoiceDetector, VoiceStream


@dataclass(frozen=True, slots=True)
class Hearing:
    """A recogniser and what it can understand."""

    recognizer: Recognizer
    utterances: Sequence[tuple[Pcm, str]]
    """At least two: audio at the recogniser's rate, with 0.2 s of silence in front, and its words."""


@dataclass(frozen=True, slots=True)
class Voices:
    """A voice detector and speech."""

    detector: VoiceDetector
    speech: Pcm
    """At least 1 s, at the detector's rate, nothing but speech."""


@dataclass(frozen=True, slots=True)
class Turns:
    """A turn detector, and utterances that it can judge."""

    detector: TurnDetector
    finished: Sequence[Pcm]
    """At the detector's rate, up to 0.2 s behind the last word."""
    unfinished: Sequence[Pcm]
    """Broken off in a hesitation, up to 0.2 s behind the last word."""


def said(text: str) -> list[str]:
    """Words alone: lower case, no punctuation."""
    return re.sub(r"[^\w']+", " ", text.lower()).split()


def _frames(pcm: Pcm, rate: int) -> list[Pcm]:
    size = rate * FRAME_MS // 1000
    return [pcm[at : at + size] for at in range(0, pcm.size, size)]


def _push(stream: RecognizerStream, pcm: Pcm, rate: int) -> None:
    for frame in _frames(pcm, rate):
        stream.push(frame)


class RecognizerConformance:
    """Fixture: `hearing`."""

    async def test_it_says_what_it_wants_and_knows(self, hearing: Hearing) -> None:
        wants = hearing.recognizer.capabilities
        assert wants.sample_rate in (8_000, 16_000)
        assert wants.languages
        assert hearing.recognizer.lag_s >= 0

    async def test_the_words_are_right(self, hearing: Hearing) -> None:
        for pcm, words in hearing.utterances:
            stream = hearing.recognizer.open()
            _push(stream, pcm, hearing.recognizer.capabilities.sample_rate)
            transcript = await stream.final()
            assert said(transcript.text) == said(words)
            assert transcript.final
            assert transcript.confidence is None or 0.0 <= transcript.confidence <= 1.0
            assert transcript.audio_s == pytest.approx(pcm.size / hearing.recognizer.capabilities.sample_rate)
            stream.close()

    async def test_an_interim_text_comes_before_the_end(self, hearing: Hearing) -> None:
        pcm, _ = hearing.utterances[0]
        stream = hearing.recognizer.open()
        _push(stream, pcm[: pcm.size * 3 // 4], hearing.recognizer.capabilities.sample_rate)
        transcript = await stream.interim()
        assert not transcript.final
        assert bool(transcript.text) == hearing.recognizer.capabilities.interim
        stream.close()

    async def test_a_final_text_asked_twice_is_the_same(self, hearing: Hearing) -> None:
        pcm, _ = hearing.utterances[0]
        stream = hearing.recognizer.open()
        _push(stream, pcm, hearing.recognizer.capabilities.sample_rate)
        assert (await stream.final()).text == (await stream.final()).text
        stream.close()

    async def test_it_goes_on_after_a_final_text(self, hearing: Hearing) -> None:
        (first, one), (second, other) = hearing.utterances[:2]
        rate = hearing.recognizer.capabilities.sample_rate
        stream = hearing.recognizer.open()
        _push(stream, np.concatenate([first, np.zeros(rate // 5, np.int16)]), rate)
        assert said((await stream.final()).text) == said(one)
        await stream.interim()
        _push(stream, second, rate)
        assert said((await stream.final()).text) == [*said(one), *said(other)]
        stream.close()

    async def test_streams_do_not_mix(self, hearing: Hearing) -> None:
        rate = hearing.recognizer.capabilities.sample_rate
        streams = [(hearing.recognizer.open(), pcm, words) for pcm, words in hearing.utterances[:2]]
        longest = max(pcm.size for _, pcm, _ in streams)
        for at in range(0, longest, rate // 50):
            for stream, pcm, _ in streams:
                if at < pcm.size:
                    stream.push(pcm[at : at + rate // 50])
        transcripts = await asyncio.gather(*(stream.final() for stream, _, _ in streams))
        for transcript, (stream, _, words) in zip(transcripts, streams, strict=True):
            assert said(transcript.text) == said(words)
            stream.close()

    async def test_silence_is_no_text(self, hearing: Hearing) -> None:
        rate = hearing.recognizer.capabilities.sample_rate
        stream = hearing.recognizer.open()
        assert (await stream.final()).text == ""
        _push(stream, np.zeros(rate, np.int16), rate)
        assert (await stream.interim()).text == ""
        assert (await stream.final()).text == ""
        stream.close()

    async def test_pushed_audio_may_be_overwritten(self, hearing: Hearing) -> None:
        pcm, words = hearing.utterances[0]
        stream = hearing.recognizer.open()
        buffer = np.zeros(hearing.recognizer.capabilities.sample_rate // 50, np.int16)
        for at in range(0, pcm.size - buffer.size, buffer.size):
            buffer[:] = pcm[at : at + buffer.size]
            stream.push(buffer)
        assert said((await stream.final()).text) == said(words)
        stream.close()

    async def test_a_cancelled_question_harms_nothing(self, hearing: Hearing) -> None:
        pcm, words = hearing.utterances[0]
        stream = hearing.recognizer.open()
        _push(stream, pcm, hearing.recognizer.capabilities.sample_rate)
        question = asyncio.create_task(stream.final())
        await asyncio.sleep(0)
        question.cancel()
        await asyncio.gather(question, return_exceptions=True)
        assert said((await stream.final(Expectation(ExpectationKind.OPEN))).text) == said(words)
        stream.close()

    async def test_a_stream_is_closed_twice_and_early(self, hearing: Hearing) -> None:
        stream = hearing.recognizer.open()
        stream.push(hearing.utterances[0][0])
        stream.close()
        stream.close()


class VoiceDetectorConformance:
    """Fixture: `voices`."""

    async def test_speech_is_told_from_silence(self, voices: Voices) -> None:
        rate = voices.detector.sample_rate
        silence = np.zeros(rate, np.int16)
        assert all(probability < 0.3 for probability in _probabilities(voices.detector.open(), silence, rate))
        during = _probabilities(voices.detector.open(), voices.speech, rate)
        assert np.mean(np.array(during) > 0.5) > 0.7

    async def test_the_end_of_speech_is_seen(self, voices: Voices) -> None:
        rate = voices.detector.sample_rate
        stream = voices.detector.open()
        _probabilities(stream, voices.speech, rate)
        after = _probabilities(stream, np.zeros(rate // 2, np.int16), rate)
        assert after[-1] < 0.3

    async def test_a_probability_a_window(self, voices: Voices) -> None:
        rate = voices.detector.sample_rate
        whole = int(voices.speech.size / rate * 1000 / voices.detector.window_ms)
        sample_by_sample = [voices.detector.open().push(voices.speech[:1])]
        assert sample_by_sample == [None]
        assert len(_probabilities(voices.detector.open(), voices.speech, rate)) == pytest.approx(whole, abs=1)

    async def test_the_cut_of_the_frames_does_not_matter(self, voices: Voices) -> None:
        one, other = voices.detector.open(), voices.detector.open()
        whole = one.push(voices.speech)
        last = None
        for at in range(0, voices.speech.size, 77):
            newest = other.push(voices.speech[at : at + 77])
            last = last if newest is None else newest
        assert whole == pytest.approx(last, abs=1e-3)

    async def test_reset_forgets(self, voices: Voices) -> None:
        rate = voices.detector.sample_rate
        stream = voices.detector.open()
        first = _probabilities(stream, voices.speech, rate)
        stream.reset()
        assert _probabilities(stream, voices.speech, rate) == pytest.approx(first, abs=1e-3)

    async def test_legs_do_not_mix(self, voices: Voices) -> None:
        rate = voices.detector.sample_rate
        alone = _probabilities(voices.detector.open(), voices.speech, rate)
        one, other = voices.detector.open(), voices.detector.open()
        mixed = []
        for frame in _frames(voices.speech, rate):
            other.push(np.zeros_like(frame))
            probability = one.push(frame)
            if probability is not None:
                mixed.append(probability)
        assert mixed == pytest.approx(alone, abs=1e-3)


def _probabilities(stream: VoiceStream, pcm: Pcm, rate: int) -> list[float]:
    return [p for p in (stream.push(frame) for frame in _frames(pcm, rate)) if p is not None]


class TurnDetectorConformance:
    """Fixture: `turns`."""

    async def test_finished_utterances_are_told_from_broken_ones(self, turns: Turns) -> None:
        finished = [await turns.detector.finished(pcm) for pcm in turns.finished]
        unfinished = [await turns.detector.finished(pcm) for pcm in turns.unfinished]
        assert all(0.0 <= probability <= 1.0 for probability in (*finished, *unfinished))
        assert min(finished) > 0.5 > max(unfinished)

    async def test_any_length_is_judged(self, turns: Turns) -> None:
        rate = turns.detector.sample_rate
        for length in (0, 1, rate // 10, rate * 30):
            assert 0.0 <= await turns.detector.finished(np.zeros(length, np.int16)) <= 1.0

    async def test_only_the_last_seconds_count(self, turns: Turns) -> None:
        pcm = np.concatenate([np.zeros(turns.detector.sample_rate * 8, np.int16), turns.finished[0]])
        earlier = np.concatenate([turns.unfinished[0], pcm])
        whole, judged = await turns.detector.finished(earlier), await turns.detector.finished(pcm)
        assert whole == pytest.approx(judged, abs=0.02)

    async def test_calls_do_not_mix(self, turns: Turns) -> None:
        audio = (turns.finished[0], turns.unfinished[0], turns.finished[0])
        alone = [await turns.detector.finished(pcm) for pcm in audio]
        together = await asyncio.gather(*(turns.detector.finished(pcm) for pcm in audio))
        assert together == pytest.approx(alone, abs=1e-3)

    async def test_audio_may_be_overwritten_while_it_is_judged(self, turns: Turns) -> None:
        alone = await turns.detector.finished(turns.finished[0])
        buffer = turns.finished[0].copy()
        question = asyncio.create_task(turns.detector.finished(buffer))
        await asyncio.sleep(0)
        buffer[:] = 0
        assert await question == pytest.approx(alone, abs=1e-3)


class SynthesizerConformance:
    """Fixture: `synthesizer`, started."""

    async def test_it_says_what_it_is(self, synthesizer: Synthesizer) -> None:
        able = synthesizer.capabilities
        assert 8_000 <= able.sample_rate <= 48_000
        assert able.languages and able.voices

    async def test_speech_comes_out(self, synthesizer: Synthesizer) -> None:
        audio = await _speak(synthesizer, "Your flight leaves at seven.")
        assert audio.dtype == np.int16 and audio.ndim == 1
        assert 0.5 < audio.size / synthesizer.capabilities.sample_rate < 6.0
        assert np.abs(audio.astype(np.int32)).max() > 2_000

    async def test_it_starts_without_a_pause(self, synthesizer: Synthesizer) -> None:
        audio = await _speak(synthesizer, "Yes.")
        start = audio[: synthesizer.capabilities.sample_rate // 20].astype(np.int32)
        assert np.abs(start).max() > 100

    async def test_more_text_is_more_audio(self, synthesizer: Synthesizer) -> None:
        short = await _speak(synthesizer, "Seven.")
        long = await _speak(synthesizer, "Your flight leaves at seven. The gate is number twelve, on the left.")
        assert long.size > 2 * short.size

    async def test_nothing_is_silence(self, synthesizer: Synthesizer) -> None:
        assert (await _speak(synthesizer, "")).size == 0
        assert (await _speak(synthesizer, "  \n")).size == 0

    async def test_odd_texts_are_spoken_or_refused(self, synthesizer: Synthesizer) -> None:
        for text in ("-x --help", "…", "a\x00b", "<break time='1s'/>", "\u2603 100 % & 'quotes'"):
            try:
                await _speak(synthesizer, text)
            except SpeechError:
                continue
        assert (await _speak(synthesizer, "It still works.")).size

    async def test_voices_by_name(self, synthesizer: Synthesizer) -> None:
        assert (await _speak(synthesizer, "Hello.", synthesizer.capabilities.voices[0])).size
        with pytest.raises(SpeechError):
            await _speak(synthesizer, "Hello.", "no such voice")

    async def test_several_texts_at_once(self, synthesizer: Synthesizer) -> None:
        alone = await _speak(synthesizer, "One moment please.")
        together = await asyncio.gather(*(_speak(synthesizer, "One moment please.") for _ in range(3)))
        for audio in together:
            assert audio.size == pytest.approx(alone.size, rel=0.3)

    async def test_an_abandoned_text_is_stopped(self, synthesizer: Synthesizer) -> None:
        long = "This is a long sentence that nobody listens to, since the caller has begun to speak. " * 4
        chunks = synthesizer.synthesize(long)
        async with aclosing(cast("_Closable", chunks)):
            async for piece in chunks:
                assert piece.size
                break
        assert (await _speak(synthesizer, "And on we go.")).size

    async def test_a_cancelled_listener_harms_nothing(self, synthesizer: Synthesizer) -> None:
        listener = asyncio.create_task(_speak(synthesizer, "Nobody will hear the end of this sentence."))
        await asyncio.sleep(0)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        assert (await _speak(synthesizer, "And on we go.")).size


class _Closable:
    async def aclose(self) -> None: ...


async def _speak(synthesizer: Synthesizer, text: str, voice: str | None = None) -> Pcm:
    pieces = [piece async for piece in synthesizer.synthesize(text, voice)]
    return np.concatenate([np.zeros(0, np.int16), *pieces])
