"""What a script hears while the call goes on."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from ccaas.media.codec import coder
from ccaas.ports.media import Codec
from ccaas.testing.caller.ears import Ears
from ccaas.testing.caller.wire import Packet


def play(ears: Ears, codec: Codec, start: float, pattern: str) -> None:
    """Let frames arrive from `start` on: "x" is loud, "." quiet, "_" none at all."""
    sound = coder(codec)
    size = codec.sample_rate // 50
    noise = np.random.default_rng(2).normal(0, 3000, size).astype(np.int16)
    for number, frame in enumerate(pattern):
        pcm = noise if frame == "x" else np.zeros(size, dtype=np.int16)
        coded = sound.encode(pcm)
        if frame != "_":
            ears.take([Packet(int((start + number * 0.02) * 1e9), number, number * 160, coded)])


@pytest.mark.parametrize("codec", list(Codec))
async def test_stretches_are_runs_of_speech(codec: Codec) -> None:
    ears = Ears()
    ears.tune(codec)
    play(ears, codec, 100.0, ".x.........xxxxx..xxxx______________xxxxx")
    tail = 0.02 if codec is Codec.G722 else 0.0  # Its filters ring on into the next frame
    assert [heard.start for heard in ears.stretches] == pytest.approx([100.22, 100.72], abs=0.001)
    assert ears.stretches[0].end == pytest.approx(100.44, abs=0.001 + tail)
    assert ears.longest_pause(100.0) == pytest.approx(0.28, abs=0.001 + tail)
    assert ears.longest_pause(101.0) == 0


async def test_an_utterance_is_over_after_enough_quiet() -> None:
    ears = Ears()
    now = time.monotonic()
    waiting = asyncio.create_task(ears.utterance(now - 1, quiet_s=0.3, timeout=5))
    await asyncio.sleep(0)
    play(ears, Codec.ULAW, now - 0.9, "xxxxxxxxxx")
    heard = await waiting
    assert heard.start == pytest.approx(now - 0.9, abs=0.001)
    assert heard.end == pytest.approx(now - 0.7, abs=0.001)


async def test_speech_that_is_going_on_counts_from_now() -> None:
    ears = Ears()
    now = time.monotonic()
    play(ears, Codec.ULAW, now - 0.4, "x" * 40)
    assert await ears.speech(now, timeout=1) == now


async def test_who_waits_in_vain_is_told_why() -> None:
    ears = Ears()
    with pytest.raises(TimeoutError, match="did not begin to speak"):
        await ears.speech(time.monotonic(), timeout=0.02)
    play(ears, Codec.ULAW, time.monotonic(), "x" * 30)
    with pytest.raises(TimeoutError, match="did not fall silent"):
        await ears.utterance(0.0, quiet_s=60, timeout=0.02)
    ears.close()
    with pytest.raises(TimeoutError, match="the call ended"):
        await ears.speech(time.monotonic() + 60, timeout=5)
