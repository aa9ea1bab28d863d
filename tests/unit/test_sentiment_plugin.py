"""The plug-in "sentiment": words by example in any language, the voice against the caller's own, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ccaas_airline import plugin as airline
from ccaas_airline.settings import AirlineSettings
from ccaas_sentiment.baseline import Baseline
from ccaas_sentiment.examples import BUILTIN, read
from ccaas_sentiment.model import WordsAndVoice, fused
from ccaas_sentiment.prosody import RATE, Listening, Manner
from ccaas_sentiment.settings import SentimentSettings
from ccaas_sentiment.words import Words, grams, pieces
from numpy.typing import NDArray

from ccaas.conversation.escalation import reason
from ccaas.conversation.settings import EscalationSettings
from ccaas.errors import ConfigError, SpeechError
from ccaas.inference import RUNTIME_ERRORS
from ccaas.ports.journey import Customer
from ccaas.ports.media import Pcm
from ccaas.ports.sentiment import Conversing, Handover, Mood, Signal, Why
from ccaas.ports.site import Site

RULE = EscalationSettings(destination="senior")
GERMAN = """
upset: [das ist eine Frechheit, ich bin stinksauer, mir reicht es jetzt, so eine Unverschämtheit, ich habe die Nase voll]
calm: [mein Flug wurde storniert, mein Koffer ist verloren gegangen, wann kommt die Erstattung, ich möchte umbuchen, ja bitte]
pleased: [vielen Dank, das ist sehr nett]
human: [ich möchte mit einem Menschen sprechen, geben Sie mir einen Mitarbeiter, verbinden Sie mich mit einem Kollegen]
"""


class SameForAll:
    """An embedding that knows no language: what is left is how words are spelled."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails: Exception | None = None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.fails is not None:
            raise self.fails
        self.asked += len(texts)
        return np.full((len(texts), 4), 0.5, np.float32)


def sung(hertz: float, seconds: float, level: float = 0.1, syllables: float = 4.0) -> Pcm:
    """A voice-like tone at 16 kHz that swells so many times a second."""
    times = np.arange(int(seconds * 2 * RATE)) / (2 * RATE)
    tone = sum(np.sin(2 * np.pi * hertz * n * times) / n for n in range(1, 12))
    swell = 0.05 + 0.95 * np.sin(np.pi * syllables * times) ** 2
    pcm: Pcm = (np.asarray(tone) * swell * level * 10_000).astype(np.int16)
    return pcm


def manner(pcm: Pcm) -> Manner:
    listening = Listening()
    for at in range(0, pcm.size, 320):
        listening.add(pcm[at : at + 320])
    found = listening.manner()
    assert found is not None
    return found


# — the voice —


@pytest.mark.parametrize("hertz", [90, 120, 180, 250, 330])
def test_the_pitch_is_found_and_no_octave_is_mistaken(hertz: float) -> None:
    assert manner(sung(hertz, 1.5)).pitch == pytest.approx(12 * np.log2(hertz / 100), abs=0.6)


def test_what_is_louder_faster_and_wider_is_measured_so() -> None:
    plain = manner(sung(140, 2.0))
    assert manner(sung(140, 2.0, level=0.2)).level == pytest.approx(plain.level + 6, abs=0.3)
    assert manner(sung(140, 2.0, syllables=6)).rate > plain.rate + 1.2
    gliding = np.concatenate([sung(hertz, 0.5) for hertz in (110, 140, 180)])
    assert manner(gliding).range > plain.range + 4


def test_too_little_voice_and_none_say_nothing() -> None:
    for pcm in (sung(140, 0.3), np.zeros(16_000, np.int16), np.zeros(0, np.int16)):
        listening = Listening()
        listening.add(pcm)
        assert listening.manner() is None


def test_in_pieces_it_is_the_same_as_at_once() -> None:
    pcm = sung(200, 1.5)
    whole = Listening()
    whole.add(pcm)
    assert whole.manner() == manner(pcm)


def calmly(baseline: Baseline, *, level: float = 0.1) -> None:
    for hertz in (138, 140, 143):
        baseline.learn(manner(sung(hertz, 1.5, level)), None)


def test_a_caller_is_held_against_their_own_first_turns() -> None:
    loud_by_nature, quiet_by_nature = Baseline(3), Baseline(3)
    calmly(loud_by_nature, level=0.25)
    calmly(quiet_by_nature, level=0.08)
    loud = manner(sung(140, 1.5, level=0.25))
    usual, unusual = loud_by_nature.agitation(loud), quiet_by_nature.agitation(loud)
    assert usual is not None
    assert abs(usual) < 0.2
    assert unusual is not None
    assert unusual > 0.6


def test_nobody_is_judged_before_there_is_something_to_hold_it_against() -> None:
    assert Baseline(3).agitation(manner(sung(140, 1.0))) is None


def test_only_the_first_turns_count_and_no_agitated_one() -> None:
    baseline = Baseline(1)
    baseline.learn(manner(sung(140, 1.5)), None)
    shrill = manner(sung(220, 1.5, level=0.3, syllables=6))
    first = baseline.agitation(shrill)
    baseline.learn(shrill, first)
    assert baseline.agitation(shrill) == first
    patient = Baseline(9)
    patient.learn(manner(sung(140, 1.5)), None)
    patient.learn(shrill, patient.agitation(shrill))
    assert patient.agitation(shrill) == first


# — the words —


@pytest.fixture
def german(tmp_path: Path) -> Words:
    file = tmp_path / "moods.yaml"
    file.write_text(GERMAN, encoding="utf-8")
    return Words(read(file, built_in=False), SameForAll())


def test_examples_in_another_language_are_learnt_by_their_spelling(german: Words) -> None:
    assert german.read("So eine Frechheit, mir reicht es!").mood > 0.6
    assert abs(german.read("Mein Koffer ist leider verloren gegangen.").mood) < 0.3
    assert german.read("Vielen Dank!").mood < -0.3
    assert german.read("Kann ich mit einem Menschen sprechen?").wish > 0.5
    assert german.read("Mein Flug wurde gestern storniert.").wish < 0.5


def test_one_outburst_counts_in_a_long_story(german: Words) -> None:
    story = "ich möchte umbuchen und wann kommt die Erstattung und mein Flug wurde storniert " * 3
    assert german.read(f"{story}. So eine Unverschämtheit!").mood > german.read(story).mood + 0.3
    assert german.read("").mood == 0


def test_any_script_has_features() -> None:
    assert "환불" in grams("환불 해 주세요")
    assert "don't" in grams("Don’t")
    assert pieces("Yes. No!") == ["Yes. No!", "Yes.", "No!"]
    assert max(len(piece.split()) for piece in pieces("word " * 50)[2:]) <= 18


def test_vectors_of_the_examples_are_kept(tmp_path: Path) -> None:
    embedding, examples = SameForAll(), read(None, built_in=True)
    before = Words(examples, embedding, tmp_path)
    asked = embedding.asked
    after = Words(examples, embedding, tmp_path)
    assert embedding.asked == asked + 1, "only to know which model it is"
    assert before.read("this is ridiculous") == after.read("this is ridiculous")
    for kept in tmp_path.iterdir():
        kept.write_bytes(b"broken")
    assert Words(examples, embedding, tmp_path).read("this is ridiculous") == before.read("this is ridiculous")


def test_a_file_with_too_little_says_where(tmp_path: Path) -> None:
    file = tmp_path / "moods.yaml"
    file.write_text("upset: [so nicht]\n")
    with pytest.raises(ConfigError, match=r"moods.yaml:1: upset: there are not 3 examples of upset"):
        read(file, built_in=False)
    file.write_text("angry: [so nicht]\n")
    with pytest.raises(ConfigError, match="angry"):
        read(file, built_in=True)
    with pytest.raises(ConfigError, match="builtin"):
        read(None, built_in=False)
    assert BUILTIN.is_file()


# — together —


def test_a_voice_moves_the_score_and_never_makes_one() -> None:
    assert fused(0.0, 1.0, 0.35) == pytest.approx(0.35)
    assert fused(0.0, None, 0.35) == 0
    assert fused(0.5, 1.0, 0.35) > 0.6 > fused(0.5, 0.0, 0.35)
    assert fused(0.5, -1.0, 0.35) < 0.5
    assert fused(1.0, 1.0, 0.35) == 1.0
    assert fused(-1.0, 1.0, 0.35) == -1.0
    loudest = Mood(fused(0.0, 1.0, 0.45), 0.0, 1.0, 0.0, wants_human=False)
    assert reason(loudest, RULE) is None
    for words in (-0.5, 0.0, 0.5):
        order = [fused(words, prosody, 0.35) for prosody in (-1.0, -0.2, 0.0, 0.2, 1.0)]
        assert order == sorted(order)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "moods.yaml").write_text(GERMAN, encoding="utf-8")
    return Site(tmp_path, tmp_path, tmp_path, tmp_path / "cache")


async def model(site: Site, embedding: SameForAll | None = None) -> WordsAndVoice:
    made = WordsAndVoice(SentimentSettings(examples="moods.yaml", built_in=False), site, embedding or SameForAll())
    await made.start()
    return made


async def test_it_gets_worse_and_better_again(site: Site) -> None:
    sentiment = await model(site)
    stream = sentiment.open()
    said = ("ich möchte umbuchen", "so eine Frechheit", "so eine Frechheit", "vielen Dank")
    moods = [await stream.turn(text, 0.0) for text in said]
    assert moods[0].trend == 0
    assert moods[1].trend > moods[2].trend > 0 > moods[3].trend
    assert [mood.word for mood in moods] == ["calm", "upset", "upset", "pleased"]
    await sentiment.close()


async def test_a_raised_voice_makes_of_the_same_words_more(site: Site) -> None:
    sentiment = await model(site)
    scores = []
    for pcm in (sung(140, 1.5), sung(190, 1.5, level=0.25, syllables=6)):
        stream = sentiment.open()
        for hertz in (138, 143):
            stream.push(sung(hertz, 1.5))
            await stream.turn("ja bitte", 0.0)
        stream.push(pcm)
        mood = await stream.turn("mein Flug wurde storniert", 1.0)
        assert reason(mood, RULE) is None
        scores.append(mood.score)
    assert scores[1] > scores[0] + 0.15
    await sentiment.close()


async def test_a_model_that_breaks_is_told_as_a_speech_error(site: Site) -> None:
    embedding = SameForAll()
    sentiment = await model(site, embedding)
    embedding.fails = RUNTIME_ERRORS[0]("the session is gone")
    with pytest.raises(SpeechError, match="the session is gone"):
        await sentiment.open().turn("so eine Frechheit", 0.0)
    await sentiment.close()


# — who takes whom —


async def test_the_airline_has_colleagues_for_some_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    mood = Mood(0.9, 0.9, None, 0.0, wants_human=False)
    signal = Signal(Why.UPSET, "t1", "this is ridiculous", "refund", mood, "senior")
    gold = Conversing("c1", "voice", Customer("1", "Ada", "Lovelace", "gold"), "en-US", {})
    assert await airline.ccaas_escalate(gold, signal) is None, "while it is not open"
    monkeypatch.setattr(airline, "_open", [(None, AirlineSettings(colleagues={"gold": "lounge"}))])
    assert await airline.ccaas_escalate(gold, signal) == Handover("lounge")
    silver = Conversing("c1", "voice", Customer("2", "Grace", "Hopper", "silver"), "en-US", {})
    assert await airline.ccaas_escalate(silver, signal) is None
    wish = Signal(Why.WISH, "t1", "a person please", "human", mood, "agents")
    assert await airline.ccaas_escalate(gold, wish) is None
