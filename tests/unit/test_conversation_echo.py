"""The echo guard: our own voice coming back is known, another voice is not taken for it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from ccaas.conversation.echo import EchoGuard
from ccaas.conversation.settings import BargeIn
from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm

RATE = 8_000
FRAME = 160
THRESHOLD = BargeIn().echo_correlation


def voice(seed: int, seconds: float, pitch: float, rate: int = RATE) -> Pcm:
    """Something like speech: gliding harmonics of a pitch under syllables and formants, with breath between."""
    random = np.random.default_rng(seed)
    count = int(seconds * rate)
    times = np.arange(count) / rate
    knots = np.arange(0, seconds + 1, 0.1)
    glide = np.interp(times, knots * 1.5, pitch * random.uniform(0.8, 1.3, len(knots)))
    phase = 2 * np.pi * np.cumsum(glide) / rate
    wave = np.zeros(count)
    for harmonic in range(1, 16):
        loudness = np.interp(times, knots, random.uniform(0, 1, len(knots)) ** 3) / harmonic**0.5
        wave += loudness * np.sin(harmonic * phase + random.uniform(0, 6))
    breath = random.normal(0, 0.3, count) * np.interp(times, knots, random.uniform(0, 1, len(knots)) ** 4)
    syllables = np.interp(times, knots, random.uniform(0.1, 1, len(knots)))
    spoken = (wave + breath) * syllables
    pcm: Pcm = (spoken / np.abs(spoken).max() * 12_000).astype(np.int16)
    return pcm


def scaled(pcm: Pcm, decibels: float) -> Pcm:
    out: Pcm = (pcm * 10 ** (decibels / 20)).astype(np.int16)
    return out


def through_the_phone(pcm: Pcm) -> Pcm:
    return coder(Codec.ULAW).decode(coder(Codec.ULAW).encode(pcm))


def likenesses(agent: Pcm, caller: Pcm, rate: int = RATE, lead_s: float = 0.1) -> list[float]:
    """What the guard says every 100 ms from 0.5 s on, when both go on at once."""
    guard, step = EchoGuard(rate), rate // 50
    seen = []
    for number in range(len(caller) // step):
        now = 10.0 + (number + 1) * 0.02
        frame = agent[number * step : (number + 1) * step]
        guard.agent(frame, now - 0.02 + lead_s)
        guard.caller(caller[number * step : (number + 1) * step])
        if number >= 25 and number % 5 == 0:
            seen.append(guard.likeness(now))
    return seen


def delayed(pcm: Pcm, seconds: float, rate: int = RATE) -> Pcm:
    return np.concatenate((np.zeros(int(seconds * rate), dtype=np.int16), pcm))[: len(pcm)]


@pytest.mark.parametrize("delay_s", [0.12, 0.25, 0.5])
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_an_echo_is_known(delay_s: float, rate: int) -> None:
    agent = voice(1, 3.0, 110, rate)
    echo = delayed(through_the_phone(scaled(agent, -20)), delay_s + 0.1, rate)
    seen = likenesses(agent, echo, rate)
    assert np.median(seen) > 0.9
    # A pause of the agent's leaves nothing to compare; all the rest must be known.
    assert sum(value > THRESHOLD for value in seen) >= 0.9 * len(seen)


def test_an_echo_in_a_noisy_room_is_known() -> None:
    agent = voice(1, 3.0, 110)
    noise = np.random.default_rng(5).normal(0, 60, len(agent)).astype(np.int16)
    seen = likenesses(agent, through_the_phone(delayed(scaled(agent, -20), 0.35) + noise))
    assert np.median(seen) > THRESHOLD


@pytest.mark.parametrize("seed", range(8))
def test_another_voice_is_not_taken_for_an_echo(seed: int) -> None:
    agent, caller = voice(100 + seed, 3.0, 110), voice(200 + seed, 3.0, 110 + 20 * seed)
    assert max(likenesses(agent, through_the_phone(caller))) < THRESHOLD


def test_a_caller_who_speaks_louder_than_the_echo_is_heard() -> None:
    agent, caller = voice(1, 3.0, 110), voice(2, 3.0, 190)
    both = through_the_phone(delayed(scaled(agent, -26), 0.35) + scaled(caller, -6))
    assert np.median(likenesses(agent, both)) < THRESHOLD


def test_a_silent_agent_has_no_echo() -> None:
    caller = voice(2, 1.0, 190)
    assert max(likenesses(np.zeros_like(caller), caller)) == 0.0
    guard = EchoGuard(RATE)
    assert guard.likeness(5.0) == 0.0
    guard.caller(caller[-2_400:])
    assert guard.likeness(5.0) == 0.0


def test_what_was_taken_back_is_no_source_of_an_echo() -> None:
    guard = EchoGuard(RATE)
    agent = voice(1, 1.0, 110)
    guard.agent(agent, 10.0)
    guard.agent_cut(10.2)
    for start in range(0, 2_400, FRAME):
        guard.caller(agent[4_000 + start :][:FRAME])
    assert guard.likeness(10.9) < THRESHOLD
    guard = EchoGuard(RATE)
    guard.agent(agent, 10.0)
    for start in range(0, 2_400, FRAME):
        guard.caller(agent[4_000 + start :][:FRAME])
    assert guard.likeness(10.9) > 0.99


def test_what_the_caller_has_not_yet_heard_cannot_echo() -> None:
    guard = EchoGuard(RATE)
    agent = voice(1, 2.0, 110)
    guard.agent(agent, 10.0)
    for start in range(0, 2_400, FRAME):
        guard.caller(agent[8_000 + start :][:FRAME])
    assert guard.likeness(10.7) < THRESHOLD, "these samples are heard from 11.0 s on"


def test_a_long_run_and_a_long_gap_fit() -> None:
    guard = EchoGuard(RATE)
    agent = voice(1, 5.0, 110)
    guard.agent(agent, 10.0)
    guard.agent(agent[:FRAME], 500.0)
    guard.agent_cut(1.0)
    assert guard.likeness(500.1) == 0.0


@pytest.mark.parametrize("spoke_at", [None, 5.0])
def test_an_agent_who_is_silent_for_long_has_no_echo_and_costs_nothing(spoke_at: float | None) -> None:
    """The clock counts from the machine's start: a month of silence must not be laid out sample by sample."""
    guard = EchoGuard(RATE)
    if spoke_at is not None:
        guard.agent(voice(1, 0.5, 110), spoke_at)
    guard.caller(voice(2, 0.3, 200))
    tracemalloc.start()
    try:
        assert guard.likeness(30 * 86_400.0) == 0.0
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
