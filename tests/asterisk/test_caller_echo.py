"""The SIP caller against the real Asterisk: its Echo() delays by well under a frame, and so must the measurement say."""

from __future__ import annotations

import numpy as np
import pytest

from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.caller import CallerError, CallFailed, SipCaller


def host_and_port(asterisk: RunningAsterisk) -> tuple[str, int]:
    host, _, port = asterisk.sip_address.partition(":")
    return host, int(port)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
async def test_echo_is_heard_within_a_frame(asterisk: RunningAsterisk, codec: str) -> None:
    async with SipCaller(*host_and_port(asterisk)) as ua:
        call = await ua.dial("echo", codec=codec)
        await call.answered()
        assert call.codec is not None
        rate = call.codec.sample_rate
        burst = np.random.default_rng(5).uniform(-9000, 9000, int(0.4 * rate)).astype(np.int16)
        said = await call.say(burst)
        await call.hear(said.started.result(), quiet_s=0.1)
        end = await call.hang_up()
    assert end.status == 200
    stereo = call.stereo()
    start = stereo.starts[said.number]
    left, right = stereo.audio[start : start + len(burst), 0].astype(float), stereo.audio[start:, 1].astype(float)
    lag = int(np.argmax(np.correlate(right, left, mode="valid")))
    assert lag / rate < 0.02


async def test_a_phone_registers_and_is_called(asterisk: RunningAsterisk) -> None:
    async with SipCaller(*host_and_port(asterisk)) as phone:
        await phone.register("6001", asterisk.password("6001"))
        assert "6001" in await asterisk.console("pjsip show contacts")
        await asterisk.console("channel originate PJSIP/6001 application Echo")
        call = await phone.incoming()
        call.ring()
        await call.answer()
        await asterisk.console("channel request hangup all")
        assert not (await call.wait_ended()).by_us


async def test_a_wrong_password_and_an_unknown_number_are_refused(asterisk: RunningAsterisk) -> None:
    async with SipCaller(*host_and_port(asterisk)) as phone:
        with pytest.raises(CallerError, match="refused to register 6002"):
            await phone.register("6002", "wrong")
        call = await phone.dial("x")
        with pytest.raises(CallFailed):
            await call.answered()
