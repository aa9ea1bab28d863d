"""Features of smart-turn and the gate of Silero, without their models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ccaas_turn.features import BANDS, RATE, SAMPLES, log_mel
from ccaas_turn.settings import SileroSettings, SmartTurnSettings
from ccaas_turn.silero import WINDOW, Floats, SileroStream, SileroVoiceDetector
from ccaas_turn.smart_turn import SmartTurnDetector
from numpy.typing import NDArray

from ccaas.errors import SetupError
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site


def sine(hertz: float, seconds: float, amplitude: float = 0.3) -> Floats:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_the_features_have_the_models_shape() -> None:
    for seconds in (0.0, 0.5, 8.0, 20.0):
        features = log_mel(sine(300, seconds))
        assert features.shape == (BANDS, 800)
        assert np.isfinite(features).all()


def test_short_audio_stands_at_the_end() -> None:
    features = log_mel(sine(300, 1.0))
    assert features[:, :690].max() < features[:, 710:790].max() - 1.0


def test_only_the_last_eight_seconds_count() -> None:
    speech = sine(300, 8.0)
    assert np.array_equal(log_mel(np.concatenate([sine(2_000, 5.0), speech])), log_mel(speech))
    assert speech.size == SAMPLES


@pytest.mark.parametrize(("hertz", "band"), [(200, 4), (1_000, 25), (3_400, 58)])
def test_a_tone_is_loudest_in_its_band(hertz: float, band: int) -> None:
    loudest = int(log_mel(sine(hertz, 8.0))[:, 400].argmax())
    assert loudest == pytest.approx(band, abs=2)


def test_loudness_does_not_matter() -> None:
    assert log_mel(sine(300, 8.0, 0.02)) == pytest.approx(log_mel(sine(300, 8.0, 0.5)), abs=1e-3)


class Session:
    """Says the same probability for ever."""

    def __init__(self, probability: float) -> None:
        self.probability = probability
        self.windows = 0

    def run(self, names: list[str] | None, feed: dict[str, Floats | NDArray[np.int64]]) -> list[Floats]:
        del names
        self.windows += 1
        assert feed["input"].shape == (1, 288)
        return [np.array([[self.probability]], np.float32), np.zeros((2, 1, 128), np.float32)]


def window(amplitude: int) -> Pcm:
    return np.full(WINDOW, amplitude, np.int16)


def test_frames_are_cut_into_windows() -> None:
    session = Session(0.5)
    stream = SileroStream(session)
    answers = [stream.push(np.zeros(160, np.int16)) for _ in range(8)]
    assert [answer is not None for answer in answers] == [False, True, False, True, True, False, True, True]
    assert session.windows == 5


def test_a_window_far_below_the_callers_speech_is_silence() -> None:
    stream = SileroStream(Session(0.9), gate=10 ** (-30 / 20))
    assert stream.push(window(8_000)) == pytest.approx(0.9)
    assert stream.push(window(100)) == 0.0
    assert stream.push(window(1_000)) == pytest.approx(0.9)


def test_a_quiet_caller_is_heard() -> None:
    stream = SileroStream(Session(0.9), gate=10 ** (-30 / 20))
    assert stream.push(window(60)) == pytest.approx(0.9)


def test_a_shout_is_forgotten() -> None:
    stream = SileroStream(Session(0.9), gate=10 ** (-30 / 20))
    stream.push(window(30_000))
    after = [stream.push(window(600)) for _ in range(60)]
    assert after[0] == 0.0
    assert after[-1] == pytest.approx(0.9)


def test_without_a_gate_silero_decides() -> None:
    stream = SileroStream(Session(0.9))
    stream.push(window(8_000))
    assert stream.push(window(1)) == pytest.approx(0.9)


async def test_missing_models_are_named(tmp_path: Path) -> None:
    site = Site(tmp_path, tmp_path, tmp_path / "models", tmp_path)
    with pytest.raises(SetupError, match=r"models/silero-vad/silero_vad\.onnx is missing; run `make setup`"):
        await SileroVoiceDetector(SileroSettings(), site).start()
    with pytest.raises(SetupError, match=r"models/smart-turn/smart-turn\.onnx is missing; run `make setup`"):
        await SmartTurnDetector(SmartTurnSettings(), site).start()


async def test_a_broken_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "vad.onnx").write_bytes(b"no model")
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path)
    with pytest.raises(SetupError, match=r"vad\.onnx cannot be loaded"):
        await SileroVoiceDetector(SileroSettings(model="vad.onnx"), site).start()
