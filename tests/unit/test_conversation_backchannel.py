"""The impression of a voice over the agent, and what is made of it with the first words."""

from __future__ import annotations

import numpy as np
import pytest

from bench.backchannel.sounds import RATE as SOUND_RATE
from bench.backchannel.sounds import Samples, hum, noise
from ccaas.conversation.backchannel import BEFORE_FRAMES, HEARD_HZ, SoundImpressions
from ccaas.conversation.sense import LOOK_EVERY_S, FirstWords, sense
from ccaas.conversation.settings import BargeIn
from ccaas.conversation.state import Sense
from ccaas.conversation.voice_shape import FRAME, NUMBERS, VoiceShape
from ccaas.ports.media import Pcm

SETTINGS = BargeIn(speak_on_at=0.8, resume_at=0.9, yield_below=0.05)


def tone(hertz: float, seconds: float, harmonics: int = 8, loud: float = 0.1) -> Pcm:
    times = np.arange(round(seconds * HEARD_HZ)) / HEARD_HZ
    wave = np.sum([np.sin(2 * np.pi * hertz * number * times) / number for number in range(1, harmonics + 1)], axis=0)
    pcm: Pcm = (wave * loud * 32767).astype(np.int16)
    return pcm


def described(pcm: Pcm) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shape = VoiceShape()
    return np.stack([shape.describe(pcm[at : at + FRAME]) for at in range(0, len(pcm) - FRAME + 1, FRAME)])


def test_a_description_is_about_one_whatever_is_heard() -> None:
    random = np.random.default_rng(3)
    loudest = (random.integers(0, 2, 16_000) * 65_535 - 32_768).astype(np.int16)
    for pcm in (np.zeros(1_600, np.int16), loudest, tone(120, 0.4), tone(3_000, 0.4, 1)):
        shapes = described(pcm)
        assert shapes.shape == (len(pcm) // FRAME, NUMBERS)
        assert np.isfinite(shapes).all()
        assert np.abs(shapes).max() <= 2


def test_a_voice_has_harmony_and_a_melody_and_a_hiss_has_not() -> None:
    falling = np.concatenate([tone(hertz, 0.1) for hertz in (200, 180, 160, 140)])
    voiced, hiss = described(falling), described((np.random.default_rng(1).normal(size=3_200) * 3_000).astype(np.int16))
    assert voiced[3:, 17].min() > 0.7
    assert hiss[3:, 17].max() < 0.6
    melody = voiced[-1, 18]
    assert melody == pytest.approx(np.log2(140 / 200), abs=0.05)


def test_a_description_does_not_depend_on_the_level() -> None:
    hiss = np.random.default_rng(1).normal(size=3_200)
    loud, soft = (described((hiss * level).astype(np.int16)) for level in (5_000, 500))
    assert np.allclose(loud[2:, :18], soft[2:, :18], atol=0.05)


def test_an_impression_takes_any_pieces() -> None:
    pcm = tone(140, 0.5)
    whole, pieces = SoundImpressions().open(), SoundImpressions().open()
    whole.push(pcm)
    for at in range(0, len(pcm), 37):
        pieces.push(pcm[at : at + 37])
    assert whole.listening == pytest.approx(pieces.listening, abs=1e-5)
    assert 0 <= whole.listening <= 1


def telephone(samples: Samples) -> Pcm:
    """A made sound at 8 kHz, silence in front of it."""
    step = SOUND_RATE // HEARD_HZ
    kept = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)
    loud = kept / np.abs(kept).max() * 6_000
    return np.concatenate((np.zeros((BEFORE_FRAMES - 4) * FRAME, np.int16), loud.astype(np.int16)))


def test_hums_sound_like_listening() -> None:
    heard = []
    for number in range(40):
        impression = SoundImpressions().open()
        impression.push(telephone(hum(np.random.default_rng([77, number])))[: (BEFORE_FRAMES + 8) * FRAME])
        heard.append(impression.listening)
    assert np.mean(np.array(heard) > 0.8) > 0.7


def test_noises_are_made_of_every_sort() -> None:
    sounds = [noise(np.random.default_rng(number)) for number in range(60)]
    assert min(len(sound) for sound in sounds) < 0.2 * SOUND_RATE
    assert all(np.isfinite(sound).all() and np.abs(sound).max() > 0 for sound in sounds)


@pytest.mark.parametrize(
    ("listening", "words", "yielded", "ebbing", "wanted"),
    [
        (0.85, "", False, False, Sense.LISTENING),
        (0.99, "", True, False, Sense.UNSURE),
        (0.5, "", False, False, Sense.UNSURE),
        (0.04, "", False, False, Sense.TAKING),
        (0.4, "Mm-hmm", True, False, Sense.LISTENING),
        (0.4, "I see.", True, False, Sense.LISTENING),
        (0.99, "Okay.", True, False, Sense.UNSURE),
        (0.4, "Okay.", True, True, Sense.LISTENING),
        (0.001, "Right.", False, False, Sense.TAKING),
        (0.1, "Right.", True, True, Sense.UNSURE),
        (0.9, "Wait", False, False, Sense.TAKING),
        (0.9, "Wait", True, True, Sense.TAKING),
        (0.99, "You", False, False, Sense.LISTENING),
        (0.99, "You", True, False, Sense.LISTENING),
        (0.5, "You", False, False, Sense.UNSURE),
        (0.8, "You know that", False, False, Sense.TAKING),
    ],
)
def test_sound_and_words_are_weighed(listening: float, words: str, yielded: bool, ebbing: bool, wanted: Sense) -> None:
    assert sense(listening, words, yielded, ebbing, SETTINGS) is wanted


def test_nothing_is_trusted_with_a_threshold_of_one() -> None:
    never = BargeIn(speak_on_at=1.0, resume_at=1.0)
    assert sense(1.0, "okay", False, False, never) is Sense.UNSURE


def test_the_sound_alone_counts_where_nobody_looks_at_words() -> None:
    wordless = BargeIn(speak_on_at=0.8, resume_at=0.9, first_words_ms=0)
    assert sense(0.95, "", True, False, wordless) is Sense.LISTENING


def test_first_words_are_looked_at_again() -> None:
    words = FirstWords(BargeIn(first_words_ms=260))
    assert not words.wanted(10.0)
    words.begin(10.0)
    words.text = "Okay"
    assert not words.wanted(10.25)
    assert words.wanted(10.26)
    assert not words.wanted(10.28)
    assert words.wanted(10.26 + LOOK_EVERY_S)
    words.begin(20.0)
    assert words.text == ""
    assert not words.wanted(20.2)
    never = FirstWords(BargeIn(first_words_ms=0))
    never.begin(10.0)
    assert not never.wanted(20.0)
