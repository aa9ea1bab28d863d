"""When the recogniser is asked what whoever answered has said."""

from __future__ import annotations

import pytest

from ccaas.media.answering.asking import Ask, Asking


def asked(*parts: tuple[bool, float]) -> list[tuple[float, Ask]]:
    """When (s) and what, for a voice that comes and goes."""
    asking, found, at = Asking(), list[tuple[float, Ask]](), 0.0
    for voice, seconds in parts:
        for _ in range(round(seconds * 50)):
            at += 0.02
            if (ask := asking.step(0.02, voice=voice)) is not Ask.NOTHING:
                found.append((pytest.approx(at, abs=0.03), ask))
    return found


def test_silence_asks_nothing() -> None:
    assert asked((False, 20.0)) == []


def test_a_hello_is_asked_for_as_soon_as_it_has_ended() -> None:
    assert asked((False, 1.0), (True, 0.4), (False, 0.5)) == [(1.6, Ask.SO_FAR)]


def test_a_long_greeting_is_asked_for_again_and_again() -> None:
    assert asked((True, 2.0), (False, 0.5)) == [(0.8, Ask.SO_FAR), (1.6, Ask.SO_FAR), (2.2, Ask.SO_FAR)]


def test_what_comes_after_a_long_silence_is_an_utterance_of_its_own() -> None:
    found = asked((True, 0.4), (False, 3.0), (True, 0.4), (False, 0.3))
    assert found == [(0.6, Ask.SO_FAR), (1.3, Ask.ANEW), (4.0, Ask.SO_FAR)]


def test_an_utterance_that_grows_too_long_ends_at_its_next_pause() -> None:
    found = asked((True, 10.5), (False, 0.4))
    assert found[-1] == (10.72, Ask.ANEW)
    assert [ask for _, ask in found].count(Ask.ANEW) == 1
