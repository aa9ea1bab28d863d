"""The listening side: when a voice starts and stops, and what the recogniser is given."""

from __future__ import annotations

import numpy as np
import pytest
from talking import Ears, EarStream, Turning

from ccaas.conversation.ear import Ear
from ccaas.conversation.endpointing import wait_s
from ccaas.conversation.interruption import verdict
from ccaas.conversation.settings import Budget, ConversationSettings
from ccaas.conversation.state import Verdict
from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.testing.fakes.speech import FakeImpressions, FakeRecognizer, FakeVoiceDetector, spoken

SETTINGS = ConversationSettings(onset_ms=60, pause_ms=60)


class Heard:
    """An ear, and what it reported: names and times."""

    def __init__(self, codec: Codec = Codec.ULAW, settings: ConversationSettings = SETTINGS) -> None:
        self.events: list[tuple[str, float]] = []
        self.ears = Ears()
        self.codec = codec
        self.now = 10.0
        self.ear = Ear(
            codec,
            self.ears,
            FakeVoiceDetector(),
            Turning(),
            settings,
            lambda at: self.events.append(("started", round(at, 3))),
            lambda at: self.events.append(("stopped", round(at, 3))),
            lambda: self.events.append(("dip", round(self.now, 3))),
            FakeImpressions(),
        )
        self._coder = coder(codec)

    def hear(self, pcm: Pcm) -> None:
        size = self.codec.sample_rate // 50
        for start in range(0, len(pcm), size):
            self.now += 0.02
            self.ear.hear(self.ear.decode(self._coder.encode(pcm[start : start + size])), self.now)

    def quiet(self, seconds: float) -> None:
        self.hear(np.zeros(round(seconds * self.codec.sample_rate), dtype=np.int16))

    def voice(self, seconds: float) -> None:
        self.hear(spoken("a" * round(seconds / 0.04), self.codec.sample_rate))


@pytest.mark.parametrize("codec", list(Codec))
def test_a_voice_starts_and_stops_when_it_did(codec: Codec) -> None:
    heard = Heard(codec)
    heard.quiet(1.0)
    heard.voice(0.4)
    heard.quiet(0.5)
    assert [name for name, _ in heard.events] == ["started", "dip", "stopped"]
    (_, started), _, (_, stopped) = heard.events
    assert started == pytest.approx(11.0, abs=0.021)
    assert stopped == pytest.approx(11.4, abs=0.021)


def test_a_click_is_no_voice_and_a_dip_is_no_stop() -> None:
    heard = Heard()
    heard.voice(0.04)
    heard.quiet(0.3)
    assert heard.events == []
    heard.voice(0.2)
    heard.quiet(0.04)
    heard.voice(0.2)
    assert [name for name, _ in heard.events] == ["started", "dip"]


def test_a_voice_stirs_before_it_has_started() -> None:
    heard = Heard()
    heard.quiet(0.5)
    assert not heard.ear.stirring(heard.now)
    heard.voice(0.04)
    assert heard.events == []
    assert heard.ear.stirring(heard.now)
    assert not heard.ear.stirring(heard.now + 0.2), "nothing was heard since"
    heard.voice(0.04)
    assert [name for name, _ in heard.events] == ["started"]
    assert not heard.ear.stirring(heard.now), "it has started"
    heard.quiet(0.5)
    assert not heard.ear.stirring(heard.now)


def test_an_utterance_knows_how_long_was_spoken() -> None:
    heard = Heard()
    heard.quiet(2.0)
    heard.voice(0.08)
    utterance = heard.ear.begin_utterance()
    heard.voice(0.92)
    heard.quiet(0.08)
    assert utterance.spoken_s == pytest.approx(1.0, abs=0.03)


def test_a_detector_that_has_long_heard_nothing_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    begun: list[float] = []
    monkeypatch.setattr(heard.ear._voice, "reset", lambda: begun.append(round(heard.now, 2)))
    heard.quiet(0.9)
    heard.voice(1.5)
    assert begun == []
    before = heard.now
    heard.quiet(2.5)
    assert np.allclose(np.diff([before, *begun]), [1.06, 1.0], atol=0.05), (
        "counted from where the voice was known to have ended"
    )


def test_an_utterance_begins_before_it_was_noticed() -> None:
    heard = Heard()
    heard.quiet(2.0)
    heard.voice(0.08)
    utterance = heard.ear.begin_utterance()
    heard.voice(0.2)
    assert utterance.seconds == pytest.approx(0.4 + 0.2), "the pre-roll and what followed"
    audio = utterance.recent()
    assert len(audio) == 0.6 * 16_000
    assert not audio[: int(0.3 * 16_000)].any()
    assert np.abs(audio[int(0.33 * 16_000) :].astype(int)).max() > 4_000


def test_an_utterance_at_the_very_beginning_has_a_shorter_pre_roll() -> None:
    heard = Heard()
    heard.voice(0.08)
    assert heard.ear.begin_utterance().seconds == pytest.approx(0.08)


def test_the_turn_detector_looks_back_eight_seconds_and_the_recogniser_further() -> None:
    heard = Heard()
    utterance = heard.ear.begin_utterance()
    heard.voice(12.0)
    assert len(utterance.recent()) == 8 * 16_000
    assert utterance.seconds == pytest.approx(12.0)
    assert len(heard.ears.streams[0]._audio) == 12 * 16_000


def test_a_new_utterance_closes_the_one_before() -> None:
    heard = Heard()
    heard.ear.begin_utterance()
    heard.ear.begin_utterance()
    heard.ear.drop_utterance()
    heard.ear.drop_utterance()
    first, second = heard.ears.streams
    assert isinstance(first, EarStream)
    assert first.closed
    assert second.closed
    assert heard.ear.utterance is None


def test_frames_that_stop_coming_end_a_voice_once() -> None:
    heard = Heard()
    heard.voice(0.4)
    heard.ear.lapse(heard.now + 0.19)
    assert [name for name, _ in heard.events] == ["started"]
    heard.ear.lapse(heard.now + 0.3)
    heard.ear.lapse(heard.now + 0.4)
    assert heard.events[1:] == [("stopped", round(heard.now, 3))]
    heard.now += 5
    heard.voice(0.2)
    assert [name for name, _ in heard.events] == ["started", "stopped", "started"]


def test_models_that_want_another_rate_are_refused() -> None:
    for ears, turning in ((FakeRecognizer(rate=8_000), Turning()), (Ears(), Turning())):
        if isinstance(ears, Ears):
            turning.sample_rate = 8_000
        with pytest.raises(ValueError, match="wants 8000 Hz; the conversation gives 16000"):
            Ear(
                Codec.ULAW,
                ears,
                FakeVoiceDetector(),
                turning,
                SETTINGS,
                lambda _: None,
                lambda _: None,
                lambda: None,
                FakeImpressions(),
            )


BUDGET = Budget(complete_ms=100, likely_ms=200, unsure_ms=300, incomplete_ms=400)
BUDGETED = ConversationSettings(budgets={ExpectationKind.OPEN: BUDGET})


@pytest.mark.parametrize(
    ("text", "finished", "milliseconds"),
    [
        ("I want to fly to Boston.", 0.9, 100),
        ("I want to fly to Boston.", 0.1, 200),
        ("I want to fly to", 0.9, 400),
        ("I want to fly to", 0.1, 400),
    ],
)
def test_words_decide_first_and_the_voice_between_them(text: str, finished: float, milliseconds: int) -> None:
    budgets = dict.fromkeys(ExpectationKind, BUDGET)
    for kind in (ExpectationKind.YES_NO, ExpectationKind.NAME, ExpectationKind.DATE):
        settings = ConversationSettings(budgets=budgets)
        assert wait_s(text, finished, Expectation(kind), settings) * 1000 == pytest.approx(milliseconds)


def open_ms(text: str, spoken_s: float, finished: float = 0.9) -> float:
    return 1000 * wait_s(text, finished, Expectation(), BUDGETED, spoken_s)


def test_an_open_turn_is_taken_the_sooner_the_more_has_been_said() -> None:
    text = "I want to fly to Boston."
    waits = [open_ms(text, spoken_s) for spoken_s in (0.5, 2.0, 2.3, 2.6, 5.0)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] == pytest.approx(200)
    assert 100 < waits[2] < 200
    assert waits[-1] == pytest.approx(100)
    assert open_ms(text, 2.3) < open_ms("My flight to Boston was late", 2.3)
    assert open_ms(text, 5.0, finished=0.1) == pytest.approx(200)
    assert open_ms("I want to fly to Boston,", 2.3) > open_ms(text, 2.3)


def test_open_turns_of_which_the_words_know_more() -> None:
    assert open_ms("Operator, please.", 0.7) == pytest.approx(100)
    assert open_ms("No, no, stop.", 0.7) == pytest.approx(100)
    assert open_ms("Could you put me on the 745A", 4.0) == pytest.approx(200)
    assert open_ms("Could you put me on the 745A", 4.0, finished=0.1) == pytest.approx(300)
    assert open_ms("I want to fly to", 4.0) == pytest.approx(400)


CODE = Expectation(ExpectationKind.CODE, (6, 6))


@pytest.mark.parametrize(
    ("text", "finished", "milliseconds"),
    [
        ("K Q 4 7 T 2", 0.9, 100),
        ("K Q 4 7 T 2", 0.3, 100),
        ("K Q 4 7 T 2", 0.1, 150),
        ("K Q 4 7 T", 0.9, 300),
        ("K Q 4 7 T", 0.1, 400),
        ("K Q 4 7", 0.9, 400),
        ("K Q 4 7 T 2 9 9", 0.9, 200),
    ],
)
def test_a_code_is_counted(text: str, finished: float, milliseconds: int) -> None:
    settings = ConversationSettings(budgets={ExpectationKind.CODE: BUDGET})
    assert wait_s(text, finished, CODE, settings, spoken_s=4.0) * 1000 == pytest.approx(milliseconds)


def test_a_code_that_nobody_could_have_said_so_fast_is_not_whole() -> None:
    settings = ConversationSettings(budgets={ExpectationKind.DIGITS: BUDGET})
    telephone = Expectation(ExpectationKind.DIGITS, (10, 11))
    waits = [wait_s("206-555-5555", 0.9, telephone, settings, spoken_s) for spoken_s in (2.5, 3.5)]
    assert waits == pytest.approx([0.2, 0.1])


def test_a_kind_without_a_budget_has_the_open_ones() -> None:
    assert BUDGETED.budget(ExpectationKind.NAME) == BUDGET
    assert ConversationSettings(budgets={}).budget(ExpectationKind.NAME) == Budget()


YES_NO = Expectation(ExpectationKind.YES_NO)


@pytest.mark.parametrize(
    ("text", "holding", "expect", "unheard_s", "judged"),
    [
        ("", True, Expectation(), 3.0, Verdict.NOTHING),
        ("  ", False, Expectation(), 0.0, Verdict.NOTHING),
        ("uh-huh", True, Expectation(), 3.0, Verdict.BACKCHANNEL),
        ("uh-huh", False, Expectation(), 0.0, Verdict.BACKCHANNEL),
        ("wait a moment", True, Expectation(), 3.0, Verdict.TURN),
        ("yes", True, YES_NO, 3.0, Verdict.BACKCHANNEL),
        ("yes", True, YES_NO, 0.5, Verdict.TURN),
        ("yes", True, Expectation(), 0.5, Verdict.BACKCHANNEL),
    ],
)
def test_what_a_sound_was(text: str, holding: bool, expect: Expectation, unheard_s: float, judged: Verdict) -> None:
    assert verdict(text, holding, expect, unheard_s) is judged
