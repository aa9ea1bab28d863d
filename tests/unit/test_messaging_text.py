"""Plain text, keywords and pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.messaging.keywords import Keyword, keyword_of
from ccaas.messaging.plain import plain, split


@given(st.text(max_size=400), st.integers(1, 60))
def test_pieces_fit_and_hold_every_word(text: str, longest: int) -> None:
    parts = split(text, longest)
    assert all(0 < len(part) <= longest for part in parts)
    if all(len(word) <= longest for word in text.split()):
        assert [word for part in parts for word in part.split()] == text.split()
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text(max_size=300), st.integers(1, 400))
def test_plain_text_is_stable_bounded_and_can_be_stored(text: str, longest: int) -> None:
    once = plain(text, longest)
    assert len(once.text) <= longest
    once.text.encode("utf-8")
    assert plain(once.text, longest).text == once.text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\r\nb\x0bc", "a\nb\nc"),
        ("\x1b[31mred\x00", "[31mred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("Z" + "\u0301" * 500, "Z" + "\u0301" * 8),
        ("\ud83d", ""),
    ],
)
def test_what_is_taken_out(text: str, wanted: str) -> None:
    assert plain(text, 100).text == wanted


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop! ", "STOPALL", "opt-out", "End.", "quit", "Unsubscribe", "CANCEL"]
)
def test_stop_however_it_is_written(text: str) -> None:
    assert keyword_of(text) is Keyword.STOP


@pytest.mark.parametrize("text", ["", "stop it please", "don't stop", "yes", "cancel my flight", "🛑", "s t o p" * 20])
def test_what_only_holds_the_word_is_no_keyword(text: str) -> None:
    assert keyword_of(text) is None


def test_start_and_help() -> None:
    assert [keyword_of(text) for text in ("START", "unstop", "HELP", "info")] == [
        Keyword.START,
        Keyword.START,
        Keyword.HELP,
        Keyword.HELP,
    ]
