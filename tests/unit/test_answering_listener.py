"""Who has answered: timing, words and tones together, with a voice detector that follows a script."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from ccaas.media.answering.detector import AnswerListener
from ccaas.media.answering.limits import EAGER, Limits
from ccaas.media.answering.words import ENGLISH, holds
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import Pcm

Part = tuple[str, float]
"""What is to be heard and for how long (s): "voice", "-" for nothing, "hiss", or a tone's frequency in Hz."""


class ScriptedVoice:
    """Implements `VoiceStream`: what the script says of each frame."""

    def __init__(self) -> None:
        self.now = 0.0

    def push(self, pcm: Pcm) -> float | None:
        assert pcm.size == 160
        return self.now

    def reset(self) -> None:
        self.now = 0.0


def listen(
    *parts: Part, rate: int = 8_000, words: Iterable[tuple[float, str]] = (), limits: Limits | None = None
) -> list[Verdict | GreetingOver]:
    """What is said of a call; `words`: what was understood by a second of it."""
    random = np.random.default_rng(3)
    voice, told = ScriptedVoice(), list[Verdict | GreetingOver]()
    listener = AnswerListener(rate, voice, limits=limits)
    waiting = sorted(words)
    size = rate // 50
    for kind, seconds in parts:
        for number in range(round(seconds * 50)):
            t = (number * size + np.arange(size)) / rate
            sound = 0.1 * np.sin(2 * np.pi * float(kind) * t) if kind.isdigit() else np.zeros(size)
            if kind in ("voice", "hiss"):
                sound = random.normal(0, 0.05, size)
            voice.now = 0.95 if kind == "voice" else 0.02
            found = listener.push((sound * 32767).astype(np.int16))
            if found is not None:
                told.append(found)
            while waiting and waiting[0][0] <= listener.at_s:
                heard = listener.hear(waiting.pop(0)[1])
                if heard is not None:
                    told.append(heard)
    return told


def verdict(told: list[Verdict | GreetingOver]) -> Verdict:
    """The first thing said, which must be the only verdict."""
    (one,) = [each for each in told if isinstance(each, Verdict)]
    assert told[0] is one
    return one


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_hello_and_a_pause_is_a_person(rate: int) -> None:
    said = verdict(listen(("-", 0.4), ("voice", 0.5), ("-", 2.0), rate=rate))
    assert said.by is AnsweredBy.HUMAN
    assert said.at_s == pytest.approx(1.35, abs=0.05)
    assert "0.5 s" in said.why


def test_hello_twice_is_a_person() -> None:
    said = verdict(listen(("voice", 0.5), ("-", 0.4), ("voice", 0.6), ("-", 2.0)))
    assert said.by is AnsweredBy.HUMAN
    assert said.at_s == pytest.approx(1.95, abs=0.05)


def test_a_long_greeting_of_a_person() -> None:
    long = ("voice", 1.2), ("-", 0.3), ("voice", 2.3), ("-", 2.0)
    text = "Good morning, Smith and Sons, Anna speaking, how can I help you?"
    plain, with_words = verdict(listen(*long)), verdict(listen(*long, words=[(4.1, text)]))
    assert plain.by is with_words.by is AnsweredBy.HUMAN
    assert with_words.at_s < plain.at_s


def test_unbroken_speech_is_a_machine_whose_beep_is_waited_for() -> None:
    told = listen(("voice", 3.0), ("-", 0.4), ("voice", 3.0), ("-", 0.5), ("1000", 0.4), ("-", 1.0))
    assert verdict(told).by is AnsweredBy.MACHINE
    over = told[1]
    assert isinstance(over, GreetingOver)
    assert over.beep
    assert over.at_s == pytest.approx(7.5, abs=0.1)
    assert len(told) == 2


def test_words_tell_a_machine_with_a_pause_in_its_middle() -> None:
    parts = ("voice", 1.3), ("-", 1.2), ("voice", 2.0), ("-", 4.0)
    assert verdict(listen(*parts)).by is AnsweredBy.HUMAN
    told = listen(*parts, words=[(1.6, "Hi, you\u2019ve reached Tom.")])
    assert verdict(told) == Verdict(AnsweredBy.MACHINE, 1.6, '"you\'ve reached"')
    # The pause in the middle is not the end: that is silence for long, as there is no beep.
    assert [type(each) for each in told] == [Verdict, GreetingOver]
    assert isinstance(told[1], GreetingOver)
    assert not told[1].beep
    assert told[1].at_s > 7.4


def test_a_beep_soon_after_a_short_greeting_is_a_machine_and_its_end() -> None:
    told = listen(("voice", 1.0), ("-", 0.3), ("950", 0.3), ("-", 1.0))
    assert verdict(told).why == "beep"
    assert isinstance(told[1], GreetingOver)
    assert told[1].beep


def test_somebody_who_speaks_on_over_a_tone_is_judged_by_their_speech() -> None:
    said = verdict(listen(("voice", 0.5), ("1000", 0.2), ("voice", 0.5), ("-", 1.0)))
    assert said.by is AnsweredBy.HUMAN


@pytest.mark.parametrize("kind", ["-", "hiss"])
def test_nobody(kind: str) -> None:
    said = verdict(listen((kind, 6.0)))
    assert (said.by, round(said.at_s, 1)) == (AnsweredBy.SILENCE, 5.0)


def test_clicks_are_no_greeting() -> None:
    assert verdict(listen(*[("voice", 0.06), ("-", 1.2)] * 5)).by is AnsweredBy.SILENCE


def test_fax_and_information_tones() -> None:
    assert verdict(listen(("-", 0.5), ("2100", 3.0))).by is AnsweredBy.FAX
    assert verdict(listen(("-", 0.5), ("1100", 0.5), ("-", 3.0))).by is AnsweredBy.FAX
    sit = listen(("-", 0.2), ("950", 0.34), ("1400", 0.34), ("1800", 0.34), ("-", 0.2), ("voice", 6.0))
    assert verdict(sit).by is AnsweredBy.TONES
    assert len(sit) == 1


def test_limits_are_kept() -> None:
    said = verdict(listen(("voice", 0.5), ("-", 2.0), limits=Limits(pauses=((9.0, 1.0),))))
    assert said.at_s == pytest.approx(1.5, abs=0.05)


def test_phrases_are_whole_words_whatever_the_marks() -> None:
    assert holds("Please LEAVE, a message!", ENGLISH.machine) == "leave a message"
    assert holds("Leaves a message board", ENGLISH.machine) == ""
    assert holds("Hello?", ENGLISH.machine) == ""


def test_a_telephone_that_chirps_before_a_hello_is_a_person() -> None:
    assert verdict(listen(("-", 0.4), ("1400", 0.2), ("-", 0.6), ("voice", 0.5), ("-", 2.0))).by is AnsweredBy.HUMAN


def test_a_beep_with_nothing_before_or_behind_it_is_a_machine() -> None:
    told = listen(("-", 0.4), ("1000", 0.3), ("-", 3.0))
    assert verdict(told).by is AnsweredBy.MACHINE
    assert isinstance(told[1], GreetingOver)
    assert told[1].beep


def test_ringing_after_the_answer_does_not_go_on_for_ever() -> None:
    assert verdict(listen(*[("425", 1.0), ("-", 4.0)] * 4)).at_s == pytest.approx(12.0, abs=0.05)


def test_a_beep_takes_back_that_it_is_a_person() -> None:
    told = listen(("voice", 0.6), ("-", 1.0), ("voice", 1.5), ("-", 0.6), ("1000", 0.4), ("-", 1.0))
    first, last, over = told
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.by, last.by, last.why) == (AnsweredBy.HUMAN, AnsweredBy.MACHINE, "beep")
    assert isinstance(over, GreetingOver)
    assert over.beep


def test_a_machines_words_take_back_that_it_is_a_person() -> None:
    parts = ("voice", 0.6), ("-", 1.0), ("voice", 2.0), ("-", 4.0)
    told = listen(*parts, words=[(1.3, "Hello."), (3.4, "Hello. You've reached Anna, leave a message.")])
    first, last, over = told
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.by, last.by, last.at_s) == (AnsweredBy.HUMAN, AnsweredBy.MACHINE, 3.4)
    assert isinstance(over, GreetingOver)
    assert not over.beep


@pytest.mark.parametrize(
    "words",
    [
        "He is not available just now, would you like to leave a message?",
        "I can call you back, I am away from my desk.",
        "Is this voicemail?",
    ],
)
def test_what_people_go_on_with_takes_nothing_back(words: str) -> None:
    said = verdict(listen(("voice", 0.6), ("-", 1.0), ("voice", 2.0), ("-", 1.0), words=[(3.4, f"Hello? {words}")]))
    assert said.by is AnsweredBy.HUMAN


def test_a_person_is_doubted_for_a_while_only() -> None:
    late = ("voice", 0.6), ("-", 6.0), ("1000", 0.4), ("-", 1.0)
    assert len(listen(*late, limits=Limits(doubt_s=10.0))) == 3
    assert verdict(listen(*late, limits=Limits(doubt_s=3.0))).by is AnsweredBy.HUMAN


def test_a_mailbox_that_is_full_keeps_no_message() -> None:
    full = "The mailbox is full and cannot accept any messages at this time. Goodbye."
    known = verdict(listen(("voice", 4.0), words=[(3.0, full)]))
    assert (known.by, known.keeps) == (AnsweredBy.MACHINE, False)
    # It is told, too, where it was known for a machine before.
    first, last = listen(("voice", 5.0), words=[(1.5, "You've reached Tom."), (4.0, f"You've reached Tom. {full}")])
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.keeps, last.keeps) == (True, False)


def test_who_goes_on_at_once_and_listens_to_nobody_is_a_machine() -> None:
    on = ("voice", 0.8), ("-", 0.7), ("voice", 2.0), ("-", 0.6), ("voice", 1.5), ("-", 4.0)
    first, last, _ = listen(*on, limits=Limits(pauses=EAGER))
    assert isinstance(first, Verdict)
    assert isinstance(last, Verdict)
    assert (first.by, last.by) == (AnsweredBy.HUMAN, AnsweredBy.MACHINE)
    assert "without listening" in last.why


@pytest.mark.parametrize(
    "on",
    [
        (("-", 2.0), ("voice", 6.0), ("-", 1.0)),  # an answer to what we have said
        (("-", 0.7), ("voice", 2.0), ("-", 1.5), ("voice", 4.0), ("-", 1.0)),  # who greets on, listens, and answers
    ],
)
def test_who_listens_is_a_person(on: tuple[Part, ...]) -> None:
    assert verdict(listen(("voice", 0.8), *on, limits=Limits(pauses=EAGER))).by is AnsweredBy.HUMAN


def test_who_asks_how_to_help_is_a_person_however_long_they_greet() -> None:
    on = ("voice", 0.8), ("-", 0.7), ("voice", 4.0), ("-", 1.0)
    words = [(2.0, "Good morning, Smith and Sons, how can I help")]
    assert verdict(listen(*on, words=words, limits=Limits(pauses=EAGER))).by is AnsweredBy.HUMAN


def test_a_sound_that_goes_on_after_what_seemed_a_voice_is_nobody() -> None:
    said = verdict(listen(("voice", 0.4), ("hiss", 9.0)))
    assert (said.by, round(said.at_s)) == (AnsweredBy.SILENCE, 5)
    assert verdict(listen(("hiss", 0.5), ("voice", 0.5), ("-", 1.0))).by is AnsweredBy.HUMAN
