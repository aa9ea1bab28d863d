"""What everything that judges feelings must do.

Subclass `SentimentConformance` and give it its fixture: the part, started, with turns that it can judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ccaas.ports.media import Pcm
from ccaas.ports.sentiment import Mood, Sentiment, SentimentStream

_FRAME = 320


@dataclass(frozen=True, slots=True)
class Feelings:
    """A sentiment, and turns that it can judge: words, and voice at 16 kHz (empty for texts)."""

    sentiment: Sentiment
    calm: Sequence[tuple[str, Pcm]]
    """At least three, of one caller."""
    upset: Sequence[tuple[str, Pcm]]
    """At least two, of the same caller."""
    wishes: Sequence[str]
    """Words that ask for a person."""


def _heard(stream: SentimentStream, pcm: Pcm) -> None:
    for at in range(0, pcm.size, _FRAME):
        stream.push(pcm[at : at + _FRAME])


async def _turns(stream: SentimentStream, turns: Sequence[tuple[str, Pcm]]) -> list[Mood]:
    moods = []
    for number, (text, pcm) in enumerate(turns):
        _heard(stream, pcm)
        moods.append(await stream.turn(text, float(number)))
    return moods


class SentimentConformance:
    """Fixture: `feelings`."""

    async def test_all_figures_are_within_their_range(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        for mood in await _turns(stream, [*feelings.calm, *feelings.upset]):
            assert -1 <= mood.score <= 1
            assert -1 <= mood.words <= 1
            assert mood.prosody is None or -1 <= mood.prosody <= 1
            assert -2 <= mood.trend <= 2
        stream.close()

    async def test_who_is_upset_scores_higher_and_gets_worse(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        calm = await _turns(stream, feelings.calm)
        upset = await _turns(stream, feelings.upset)
        stream.close()
        assert min(mood.score for mood in upset) > max(mood.score for mood in calm)
        assert upset[0].trend > 0
        assert calm[0].trend == 0

    async def test_a_wish_for_a_person_is_seen_and_is_not_seen_elsewhere(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        moods = [await stream.turn(text, 0.0) for text in feelings.wishes]
        assert all(mood.wants_human for mood in moods)
        assert not any(mood.wants_human for mood in await _turns(stream, feelings.calm))
        stream.close()

    async def test_texts_are_judged_by_their_words(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        mood = await stream.turn(feelings.upset[0][0], 0.0)
        assert mood.prosody is None
        assert mood.words > 0
        stream.close()

    async def test_a_voice_alone_is_no_words(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        await _turns(stream, feelings.calm)
        _heard(stream, feelings.upset[0][1])
        calm_words = feelings.calm[0][0]
        mood = await stream.turn(calm_words, 9.0)
        assert mood.words == (await feelings.sentiment.open().turn(calm_words, 0.0)).words
        stream.close()

    async def test_a_glance_changes_nothing(self, feelings: Feelings) -> None:
        glanced, plain = feelings.sentiment.open(), feelings.sentiment.open()
        expected = await _turns(plain, [*feelings.calm, *feelings.upset])
        found = []
        for number, (text, pcm) in enumerate([*feelings.calm, *feelings.upset]):
            half = pcm.size // 2 // _FRAME * _FRAME
            _heard(glanced, pcm[:half])
            await glanced.glance(text[: len(text) // 2])
            _heard(glanced, pcm[half:])
            await glanced.glance(text)
            found.append(await glanced.turn(text, float(number)))
        for ours, theirs in zip(found, expected, strict=True):
            assert abs(ours.score - theirs.score) < 0.05
            assert ours.wants_human is theirs.wants_human
        glanced.close()
        plain.close()

    async def test_what_is_forgotten_is_not_heard(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        _heard(stream, feelings.upset[0][1])
        stream.forget()
        assert (await stream.turn(feelings.calm[0][0], 0.0)).prosody is None
        stream.close()

    async def test_silence_noise_and_nothing_are_judged(self, feelings: Feelings) -> None:
        stream = feelings.sentiment.open()
        noise = np.random.default_rng(1).integers(-300, 300, 16_000).astype(np.int16)
        for pcm in (np.zeros(16_000, np.int16), noise, np.zeros(0, np.int16)):
            _heard(stream, pcm)
            mood = await stream.turn("", 0.0)
            assert abs(mood.words) < 0.3
            assert not mood.wants_human
        stream.close()

    async def test_many_conversations_do_not_disturb_each_other(self, feelings: Feelings) -> None:
        streams = [feelings.sentiment.open() for _ in range(6)]
        calm = await asyncio.gather(*(_turns(stream, feelings.calm) for stream in streams))
        assert all(moods == calm[0] for moods in calm)
        for stream in streams:
            stream.close()
            stream.close()

    async def test_the_event_loop_goes_on(self, feelings: Feelings) -> None:
        stream, steps = feelings.sentiment.open(), 0

        async def count() -> None:
            nonlocal steps
            while True:
                steps += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        _heard(stream, feelings.calm[0][1])
        await stream.turn(feelings.calm[0][0], 0.0)
        counting.cancel()
        assert steps > 0
        stream.close()
