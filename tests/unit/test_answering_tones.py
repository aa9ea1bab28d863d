"""Tones of one answered call, from generated samples: what is a beep, and what only sounds like one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ccaas.media.answering.limits import Limits
from ccaas.media.answering.signals import Signal, Signals
from ccaas.media.answering.tones import HOP, HOP_S, RATE, ToneFinder
from ccaas.media.codec import coder
from ccaas.ports.media import Codec

Samples = NDArray[np.float64]


def sine(seconds: float, *hertz: float, level: float = 0.2) -> Samples:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.sum([level * np.sin(2 * np.pi * f * t) for f in hertz], axis=0)


def nothing(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def vowel(seconds: float, pitch: float, *, glide: float = 0.0) -> Samples:
    """A voice's pitch and its overtones, the strongest of them near 700 Hz."""
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (pitch * t + glide * t**2 / 2)
    tones = [np.sin(n * phase) / (1 + abs(n * pitch - 700) / 200) for n in range(1, 12)]
    return np.asarray(0.1 * np.sum(tones, axis=0))


def noise(seconds: float, rms: float, seed: int = 1) -> Samples:
    return rms * np.random.default_rng(seed).normal(size=round(seconds * RATE))


def signals(*parts: Samples, spoken: bool = False, voice: bool = False, hiss: float = 0.001) -> list[Signal]:
    """What is found, after µ-law, with a second of nothing behind it."""
    whole = np.concatenate([*parts, nothing(1.0)])
    whole = whole + noise(whole.size / RATE + 1, hiss)[: whole.size]
    codec = coder(Codec.ULAW)
    pcm = codec.decode(codec.encode((np.clip(whole, -1, 1) * 32767).astype(np.int16)))
    finder, reader, found = ToneFinder(), Signals(Limits()), []
    for number in range(pcm.size // HOP):
        ended = finder.push(pcm[number * HOP : (number + 1) * HOP])
        at_s = (number + 1) * HOP_S
        signal = reader.step(ended, finder.current, at_s, voice=voice, spoken=spoken)
        if signal is not None and signal not in found:
            found.append(signal)
    return found


@pytest.mark.parametrize("hertz", [350, 440, 620, 852, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.12, 0.25, 1.0])
def test_a_beep_is_found_after_a_greeting(hertz: float, seconds: float) -> None:
    assert signals(nothing(0.31), sine(seconds, hertz), spoken=True) == [Signal.BEEP]


@pytest.mark.parametrize("hiss", [0.005, 0.02])
def test_a_beep_is_found_in_noise(hiss: float) -> None:
    assert signals(nothing(0.3), sine(0.3, 1000, level=0.1), spoken=True, hiss=hiss) == [Signal.BEEP]


def test_two_beeps_and_two_pitches_are_one_beep() -> None:
    assert signals(sine(0.2, 900), nothing(0.1), sine(0.2, 900), spoken=True) == [Signal.BEEP]
    assert signals(sine(0.2, 900), sine(0.2, 700), spoken=True) == [Signal.BEEP]


@pytest.mark.parametrize(
    "parts",
    [
        (sine(0.06, 1000),),
        (sine(0.3, 1000, level=0.001),),
        (sine(0.5, 250),),
        (sine(0.5, 2500),),
        (noise(1.0, 0.1),),
        (vowel(0.6, 120),),
        (vowel(0.6, 230, glide=40),),
        (vowel(0.6, 310, glide=-60),),
        (sine(0.2, 697, 1209), nothing(0.1), sine(0.2, 941, 1336)),
        (sine(0.2, 770, 1477),),
        (sine(2.0, 440, 480),),
        (sine(0.4, 400, 450), nothing(0.2), sine(0.4, 400, 450)),
        (vowel(0.3, 130), vowel(0.4, 130) + sine(0.4, 1000, level=0.1), vowel(0.3, 130)),
        (sine(0.3, 523), sine(0.3, 659), sine(0.3, 784), sine(0.3, 1046)),
    ],
    ids=[
        "short",
        "faint",
        "low",
        "high",
        "noise",
        "low voice",
        "high voice",
        "child",
        "DTMF",
        "one key",
        "US ringback",
        "UK ringback",
        "under speech",
        "music",
    ],
)
def test_what_is_no_beep(parts: tuple[Samples, ...]) -> None:
    assert signals(*parts, spoken=True) == []


def test_a_tone_in_the_midst_of_speech_is_no_beep() -> None:
    assert signals(sine(0.3, 1000), spoken=True, voice=True) == []


def test_a_ringing_tone_of_one_frequency_is_a_beep_only_behind_a_voice() -> None:
    assert signals(sine(1.0, 425)) == []
    assert signals(sine(1.0, 425), spoken=True) == [Signal.BEEP]


def test_special_information_tones_are_told_from_a_beep() -> None:
    sit = sine(0.33, 950), sine(0.33, 1400), sine(0.33, 1800)
    assert signals(nothing(0.2), *sit, spoken=False) == [Signal.SIT]
    gap = nothing(0.03)
    assert signals(sit[0], gap, sit[1], gap, sit[2]) == [Signal.SIT]
    assert signals(sit[2], sit[1], sit[0]) == []


def test_fax_machines_that_call_and_that_answer() -> None:
    assert signals(nothing(0.5), sine(0.5, 1100)) == [Signal.FAX]
    assert signals(nothing(0.5), sine(3.0, 2100)) == [Signal.FAX]
    turned = np.concatenate([sine(0.45, 2100), -sine(0.45, 2100), sine(0.45, 2100)])
    assert signals(turned, spoken=True) == [Signal.FAX]


def test_the_fax_pitch_behind_a_greeting_is_a_beep() -> None:
    assert signals(sine(0.5, 1100), spoken=True) == [Signal.BEEP]


def test_a_key_whose_tones_differ_by_8_db_and_a_fax_at_the_edge() -> None:
    assert signals(sine(0.2, 770, level=0.04) + sine(0.2, 1336, level=0.1), spoken=True) == []
    assert signals(nothing(0.5), sine(0.5, 1062)) == [Signal.FAX]
