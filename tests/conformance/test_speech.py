"""The suites for ears and voices, on the fakes and on the real models."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile
import soxr
from ccaas_espeak.settings import EspeakSettings
from ccaas_espeak.synthesizer import EspeakSynthesizer
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer
from ccaas_turn.settings import SileroSettings, SmartTurnSettings
from ccaas_turn.silero import SileroVoiceDetector
from ccaas_turn.smart_turn import SmartTurnDetector
from ccaas_vosk.recognizer import VoskRecognizer
from ccaas_vosk.settings import VoskSettings

from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas.testing.conformance.speech import (
    Hearing,
    RecognizerConformance,
    SynthesizerConformance,
    TurnDetectorConformance,
    Turns,
    VoiceDetectorConformance,
    Voices,
    said,
)
from ccaas.testing.fakes.speech import (
    FakeRecognizer,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    spoken,
)

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "bench" / "speech"
SITE = Site(ROOT, ROOT / "var", ROOT / ".cache" / "models", ROOT / ".cache")

pytestmark = pytest.mark.asyncio(loop_scope="module")


def recorded(name: str, rate: int = 16_000, before_s: float = 0.2, end_s: float | None = None) -> Pcm:
    """A file of the speech set, resampled, with silence in front; cut off at `end_s` of the file."""
    samples, own = soundfile.read(SPEECH / f"{name}.wav", dtype="int16")
    kept = samples if end_s is None else samples[: int(end_s * own)]
    silence = np.zeros(int(before_s * own), np.int16)
    return _resampled(np.concatenate([silence, kept]), own, rate)


def _resampled(pcm: Pcm, own: int, rate: int) -> Pcm:
    resampled: Pcm = soxr.resample(pcm, own, rate)
    return resampled


def labels() -> dict[str, dict[str, object]]:
    """The speech set's labels by id."""
    return {label["id"]: label for label in map(json.loads, (SPEECH / "set.jsonl").read_text().splitlines())}


def pause_of(name: str) -> float:
    """Where the planted pause of a file of the speech set begins (s)."""
    pauses = labels()[name]["pauses"]
    assert isinstance(pauses, list)
    return float(pauses[0][0])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake_recognizer() -> AsyncIterator[Hearing]:
    silence = np.zeros(1_600, np.int16)
    texts = ("one two", "three four five")
    utterances = [(np.concatenate([silence, spoken(text), silence]), text) for text in texts]
    yield Hearing(FakeRecognizer(), utterances)


class TestFakeRecognizer(RecognizerConformance):
    @pytest.fixture
    def hearing(self, fake_recognizer: Hearing) -> Hearing:
        return fake_recognizer


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def moonshine() -> AsyncIterator[Hearing]:
    recognizer = MoonshineRecognizer(MoonshineSettings(), SITE)
    await recognizer.start()
    utterances = [(recorded(name), str(labels()[name]["text"])) for name in ("dev-st-043", "dev-st-013")]
    yield Hearing(recognizer, utterances)
    await recognizer.close()


class TestMoonshine(RecognizerConformance):
    @pytest.fixture
    def hearing(self, moonshine: Hearing) -> Hearing:
        return moonshine


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def vosk() -> AsyncIterator[Hearing]:
    model = str(SITE.models_dir / "vosk-ko")
    recognizer = VoskRecognizer(VoskSettings(model=model, language="ko", phrases=(*KOREAN, "여보세요")), SITE)
    await recognizer.start()
    voice = EspeakSynthesizer(EspeakSettings(voice="ko", words_a_minute=165), SITE)
    await voice.start()
    utterances = [(await korean(voice, text), text) for text in KOREAN]
    yield Hearing(recognizer, utterances)
    await recognizer.close()


class TestVosk(RecognizerConformance):
    """With the Korean model and a Korean voice."""

    @pytest.fixture
    def hearing(self, vosk: Hearing) -> Hearing:
        return vosk


KOREAN: Sequence[str] = ("안녕하세요", "감사합니다")


async def korean(voice: EspeakSynthesizer, text: str) -> Pcm:
    pieces = [piece async for piece in voice.synthesize(text)]
    silence = np.zeros(4_000, np.int16)
    return _resampled(np.concatenate([silence, *pieces, silence]), voice.capabilities.sample_rate, 16_000)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake_voice_detector() -> AsyncIterator[Voices]:
    yield Voices(FakeVoiceDetector(), spoken("a sentence of some length, all of it audible"))


class TestFakeVoiceDetector(VoiceDetectorConformance):
    @pytest.fixture
    def voices(self, fake_voice_detector: Voices) -> Voices:
        return fake_voice_detector


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def silero() -> AsyncIterator[Voices]:
    detector = SileroVoiceDetector(SileroSettings(), SITE)
    await detector.start()
    yield Voices(detector, recorded("dev-st-013", rate=8_000, before_s=0.0))
    await detector.close()


class TestSilero(VoiceDetectorConformance):
    @pytest.fixture
    def voices(self, silero: Voices) -> Voices:
        return silero


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake_turn_detector() -> AsyncIterator[Turns]:
    yield Turns(FakeTurnDetector(), [spoken("That is all.")], [spoken("I would like to")])


class TestFakeTurnDetector(TurnDetectorConformance):
    @pytest.fixture
    def turns(self, fake_turn_detector: Turns) -> Turns:
        return fake_turn_detector


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def smart_turn() -> AsyncIterator[Turns]:
    detector = SmartTurnDetector(SmartTurnSettings(), SITE)
    await detector.start()
    yield Turns(detector, FINISHED, UNFINISHED)
    await detector.close()


class TestSmartTurn(TurnDetectorConformance):
    @pytest.fixture
    def turns(self, smart_turn: Turns) -> Turns:
        return smart_turn


FINISHED: Sequence[Pcm] = [recorded(name) for name in ("dev-st-043", "dev-st-013", "dev-st-001")]
HESITATING = ("dev-he-005", "dev-he-011", "dev-he-015")
UNFINISHED: Sequence[Pcm] = [recorded(name, end_s=pause_of(name) + 0.1) for name in HESITATING]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake_synthesizer() -> AsyncIterator[FakeSynthesizer]:
    yield FakeSynthesizer()


class TestFakeSynthesizer(SynthesizerConformance):
    @pytest.fixture
    def synthesizer(self, fake_synthesizer: FakeSynthesizer) -> FakeSynthesizer:
        return fake_synthesizer


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def piper() -> AsyncIterator[PiperSynthesizer]:
    synthesizer = PiperSynthesizer(PiperSettings(), SITE)
    await synthesizer.start()
    yield synthesizer
    await synthesizer.close()


class TestPiper(SynthesizerConformance):
    @pytest.fixture
    def synthesizer(self, piper: PiperSynthesizer) -> PiperSynthesizer:
        return piper


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def espeak() -> AsyncIterator[EspeakSynthesizer]:
    synthesizer = EspeakSynthesizer(EspeakSettings(), SITE)
    await synthesizer.start()
    yield synthesizer
    await synthesizer.close()


class TestEspeak(SynthesizerConformance):
    @pytest.fixture
    def synthesizer(self, espeak: EspeakSynthesizer) -> EspeakSynthesizer:
        return espeak


async def test_smart_turn_is_right_on_telephone_audio_upsampled(smart_turn: Turns) -> None:
    """The same audio at 8 kHz unconverted is called finished whatever it is: the known silent mistake."""
    at_16 = [await smart_turn.detector.finished(pcm) for pcm in UNFINISHED]
    at_8 = [
        await smart_turn.detector.finished(recorded(name, rate=8_000, end_s=pause_of(name) + 0.1))
        for name in HESITATING
    ]
    assert smart_turn.detector.sample_rate == 16_000
    assert max(at_16) < 0.5
    assert max(at_8) > 0.5


async def test_moonshine_reads_a_number_that_it_first_finds_empty(moonshine: Hearing) -> None:
    """A noisy file for which the model's own first choice is to say nothing at all."""
    stream = moonshine.recognizer.open()
    stream.push(recorded("dev-co-019"))
    assert len(said((await stream.final()).text)) > 2
    stream.close()
