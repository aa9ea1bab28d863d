"""Codecs against the reference tables, and resampling against what a filter must do."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ccaas.media.codec import coder, silence
from ccaas.media.resample import LiveResampler, resampled
from ccaas.ports.media import Codec, Pcm

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import audioop
    except ImportError:  # Python 3.13 has none
        audioop = None  # type: ignore[assignment]

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE: Pcm = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
G711 = [Codec.ULAW, Codec.ALAW]

KNOWN = {
    Codec.ULAW: {0x00: -32124, 0x7F: 0, 0x80: 32124, 0xFF: 0, 0xFE: 8, 0x7E: -8, 0xEF: 132, 0x8F: 16764},
    Codec.ALAW: {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0xC5: 264, 0x45: -264, 0x80: 5504},
}
"""Wire codes and their 16-bit values, from ITU-T G.711's tables 2 and 1."""


def tone(hertz: float, rate: int, seconds: float = 1.0, loud: float = 10_000) -> Pcm:
    pcm: Pcm = (loud * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)
    return pcm


def decibels(pcm: NDArray[np.float64] | Pcm) -> float:
    return float(10 * np.log10(np.mean(np.asarray(pcm, dtype=np.float64) ** 2) + 1e-9))


def level(pcm: Pcm, hertz: float, rate: int) -> float:
    """Amplitude of one frequency in `pcm`."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(pcm)) / rate)
    return float(2 * abs(np.dot(pcm.astype(np.float64), wave)) / len(pcm))


@pytest.mark.parametrize("codec", G711)
def test_g711_decodes_as_the_recommendation_says(codec: Codec) -> None:
    decoded = coder(codec).decode(EVERY_CODE)
    assert {code: int(decoded[code]) for code in KNOWN[codec]} == KNOWN[codec]
    if audioop is not None:
        reference = {Codec.ULAW: audioop.ulaw2lin, Codec.ALAW: audioop.alaw2lin}[codec](EVERY_CODE, 2)
        assert decoded.tobytes() == reference


@pytest.mark.parametrize("codec", G711)
def test_g711_encodes_to_the_nearest_value(codec: Codec) -> None:
    values = np.unique(coder(codec).decode(EVERY_CODE).astype(np.int32))
    again = coder(codec).decode(coder(codec).encode(EVERY_SAMPLE)).astype(np.int32)
    error = np.abs(again - EVERY_SAMPLE.astype(np.int32))
    nearest = np.min(np.abs(EVERY_SAMPLE.astype(np.int32)[:, None] - values[None, :]), axis=1)
    assert np.array_equal(error, nearest)


@pytest.mark.parametrize("codec", G711)
def test_g711_codes_survive_a_round_trip(codec: Codec) -> None:
    again = coder(codec).encode(coder(codec).decode(EVERY_CODE))
    different = [code for code in range(256) if again[code] != code]
    assert different == ([0x7F] if codec is Codec.ULAW else []), "only the negative zero has no sample of its own"


def test_silence_is_the_positive_zero_that_every_exchange_sends() -> None:
    assert silence(Codec.ULAW) == b"\xff" * 160
    assert set(silence(Codec.ALAW)) <= {0xD5, 0x55}


@pytest.mark.parametrize("codec", list(Codec))
def test_silence_is_one_quiet_frame(codec: Codec) -> None:
    assert len(silence(codec)) == codec.frame_bytes
    heard = coder(codec).decode(silence(codec))
    assert len(heard) == codec.sample_rate // 50
    assert np.abs(heard.astype(np.int32)).max() <= 8


def test_g722_keeps_wide_audio_over_frames() -> None:
    spoken = (tone(440, 16_000) // 2 + tone(5_500, 16_000) // 4).astype(np.int16)
    coding = coder(Codec.G722)
    frames = [coding.encode(spoken[start : start + 320]) for start in range(0, len(spoken), 320)]
    assert {len(frame) for frame in frames} == {160}
    heard = np.concatenate([coding.decode(frame) for frame in frames])
    assert len(heard) == len(spoken)
    middle = spoken[4_000:12_000].astype(np.float64)
    best = max(decibels(middle) - decibels(middle - heard[4_000 + lag : 12_000 + lag]) for lag in range(40))
    assert best > 15


def test_each_g722_stream_has_a_state_of_its_own() -> None:
    loud, quiet = tone(1_000, 16_000, 0.1), np.zeros(320, dtype=np.int16)
    first, second = coder(Codec.G722), coder(Codec.G722)
    undisturbed = second.encode(quiet)
    first.encode(loud)
    assert coder(Codec.G722).encode(quiet) == undisturbed


@pytest.mark.parametrize(("source", "target"), [(8_000, 16_000), (16_000, 8_000)])
@pytest.mark.parametrize("hertz", [200, 1_000, 3_000])
def test_resampling_keeps_the_level_and_the_pitch(source: int, target: int, hertz: float) -> None:
    out = LiveResampler(source, target).push(tone(hertz, source))
    assert len(out) == target
    assert level(out[target // 4 :], hertz, target) == pytest.approx(10_000, rel=0.02)


@pytest.mark.parametrize(("source", "target"), [(8_000, 16_000), (16_000, 8_000)])
def test_resampling_is_less_than_a_millisecond_late(source: int, target: int) -> None:
    click = np.zeros(source // 10, dtype=np.int16)
    click[source // 50] = 20_000
    out = LiveResampler(source, target).push(click)
    lag_s = int(np.abs(out.astype(np.int32)).argmax()) / target - 0.02
    assert 0 <= lag_s < 0.001


def test_halving_the_rate_folds_nothing_back() -> None:
    out = LiveResampler(16_000, 8_000).push(tone(6_000, 16_000))
    assert decibels(out[100:]) < decibels(tone(1_000, 8_000)) - 45


def test_doubling_the_rate_leaves_no_mirror() -> None:
    out = LiveResampler(8_000, 16_000).push(tone(1_000, 8_000))
    assert level(out[1_000:], 7_000, 16_000) < 10_000 / 100


@given(
    sizes=st.lists(st.integers(0, 200).map(lambda n: n * 2), min_size=1, max_size=12),
    rates=st.sampled_from([(8_000, 16_000), (16_000, 8_000), (8_000, 8_000), (16_000, 16_000)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_stream_in_pieces_is_the_stream_as_a_whole(sizes: list[int], rates: tuple[int, int], seed: int) -> None:
    whole = np.random.default_rng(seed).integers(-20_000, 20_000, sum(sizes)).astype(np.int16)
    streaming = LiveResampler(*rates)
    pieces, start = [], 0
    for size in sizes:
        pieces.append(streaming.push(whole[start : start + size]))
        start += size
    at_once = LiveResampler(*rates).push(whole)
    assert np.abs(np.concatenate(pieces).astype(np.int32) - at_once).max(initial=0) <= 1


def test_the_loudest_audio_does_not_wrap_round() -> None:
    square = np.where(np.arange(1_600) // 40 % 2, 32767, -32768).astype(np.int16)
    up = LiveResampler(8_000, 16_000).push(square)
    assert int(np.abs(np.diff(up.astype(np.int32))).max()) < 50_000


def test_live_resampling_is_between_telephone_rates_only() -> None:
    with pytest.raises(ValueError, match="22050"):
        LiveResampler(22_050, 8_000)


async def _chunks(pcm: Pcm, size: int) -> AsyncIterator[Pcm]:
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


@pytest.mark.parametrize("source", [22_050, 16_000, 8_000])
async def test_synthesised_audio_keeps_its_length_and_level(source: int) -> None:
    out = np.concatenate([chunk async for chunk in resampled(_chunks(tone(500, source), 1_111), source, 8_000)])
    assert len(out) == pytest.approx(8_000, abs=2)
    assert level(out[1_000:7_000], 500, 8_000) == pytest.approx(10_000, rel=0.02)
