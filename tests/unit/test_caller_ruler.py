"""The ruler of all latency figures, held against an echo of known delay: two callers, no Asterisk between them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ccaas.testing.caller import CallFailed, SipCaller

FRAME_S = 0.02


def burst(sample_rate: int) -> NDArray[np.int16]:
    """0.3 s of noise, loud from the first sample to the last."""
    noise = np.random.default_rng(7).uniform(-9000, 9000, int(0.3 * sample_rate))
    return noise.astype(np.int16)


def lag_s(left: NDArray[np.int16], right: NDArray[np.int16], start: int, length: int, rate: int) -> float:
    """Delay of `right` behind what `left` holds from `start` on, by cross-correlation (s)."""
    sent = left[start : start + length].astype(np.float64)
    found = np.correlate(right[start:].astype(np.float64), sent, mode="valid")
    return int(np.argmax(found)) / rate


@pytest.mark.parametrize(("codec", "delay_ms"), [("PCMU", 200), ("PCMA", 70), ("G722", 310)])
async def test_an_echo_of_known_delay_measures_right(codec: str, delay_ms: int) -> None:
    async with SipCaller("127.0.0.1", 9) as far, SipCaller("127.0.0.1", far.port) as ua:
        call = await ua.dial("echo", codec=codec, from_number="+16175550142")
        answering = await far.incoming()
        assert "+16175550142" in answering.peer
        await answering.answer()
        answering.echo(delay_ms)
        await call.answered()
        assert call.codec is not None
        rate = call.codec.sample_rate
        said = await call.say(burst(rate))
        live = await call.hear(said.started.result(), quiet_s=0.1)
        end = await call.hang_up()
        await answering.wait_ended()
    assert (end.status, end.by_us) == (200, True)
    stereo = call.stereo()
    start = stereo.starts[said.number]
    measured = lag_s(stereo.audio[:, 0], stereo.audio[:, 1], start, int(0.3 * rate), rate)
    echo = answering.stereo()  # The echo's own stamps say how long it really took
    first = int(np.flatnonzero(np.abs(echo.audio[:, 1].astype(int)) > 1000)[0])
    sent_back = int(np.flatnonzero(np.abs(echo.audio[:, 0].astype(int)) > 1000)[0])
    truth = (sent_back - first) / rate
    assert truth >= delay_ms / 1000 - 0.001
    assert abs(measured - truth) < FRAME_S
    assert abs(live.start - said.started.result() - truth) < FRAME_S
    assert abs(start - stereo.index(said.started.result())) <= 1


async def test_keys_refusals_and_hold_go_between_two_phones() -> None:
    async with SipCaller("127.0.0.1", 9) as far, SipCaller("127.0.0.1", far.port) as ua:
        call = await ua.dial("anybody")
        other = await far.incoming()
        other.ring()
        await call.wait_ringing()
        await other.answer()
        await call.press("1#", tone_ms=60, gap_ms=40)
        assert await other.heard_keys(2) == "1#"
        await call.hold()
        await other.wait_held()
        await call.unhold()
        await other.wait_held(False)
        await other.hang_up()
        assert not (await call.wait_ended()).by_us

        busy = await ua.dial("anybody")
        (await far.incoming()).refuse(486)
        with pytest.raises(CallFailed) as failed:
            await busy.answered()
        assert failed.value.end.status == 486


async def test_speech_can_be_broken_off_and_a_call_that_ends_releases_its_waiters() -> None:
    async with SipCaller("127.0.0.1", 9) as far, SipCaller("127.0.0.1", far.port) as ua:
        call = await ua.dial("anybody")
        other = await far.incoming()
        await other.answer()
        await call.answered()
        long = call.start_saying(np.tile(burst(8000), 20))
        await long.started
        call.hush()
        await long.finished
        assert not long.whole
        never = call.start_saying(np.tile(burst(8000), 20))
        await never.started
        await other.hang_up()
        await never.finished
        assert not never.whole
        with pytest.raises(TimeoutError, match="the call ended"):
            await call.hear_start()
