"""The rules of the web chat that need no network: sessions, origins, addresses, rates, texts, settings."""

from __future__ import annotations

import pytest
from ccaas_webchat.limits import MOST_REMEMBERED, Places, Rate
from ccaas_webchat.lines import clean
from ccaas_webchat.origins import may_talk
from ccaas_webchat.sessions import is_session, may_resume, new_session, resume_secret
from ccaas_webchat.settings import WebChatSettings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ccaas.web.proxies import client_address

KEY = b"k" * 32


def test_a_session_is_resumed_with_its_own_secret_alone() -> None:
    one, two = new_session(), new_session()
    assert one != two
    assert is_session(one)
    assert may_resume(KEY, one, resume_secret(KEY, one))
    assert not may_resume(KEY, one, resume_secret(KEY, two))
    assert not may_resume(b"x" * 32, one, resume_secret(KEY, one))
    assert not may_resume(KEY, one, "")
    assert not may_resume(KEY, one, "é\ud800")


@given(st.text(max_size=40), st.text(max_size=60))
def test_nothing_made_up_resumes_a_session(session: str, secret: str) -> None:
    assert not may_resume(KEY, session, secret)


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "may"),
    [
        ("http://127.0.0.1:8091", "127.0.0.1:8091", (), True),
        ("https://chat.example.com", "chat.example.com", (), True),
        ("https://chat.example.com", "chat.example.com:443", (), True),
        ("http://127.0.0.1:8092", "127.0.0.1:8091", (), False),
        ("https://www.example.com", "chat.example.com", (), False),
        ("https://www.example.com", "chat.example.com", ("https://www.example.com",), True),
        ("https://www.example.com:443", "chat.example.com", ("https://www.example.com",), True),
        ("HTTPS://WWW.Example.com", "chat.example.com", ("https://www.example.com",), True),
        ("http://www.example.com", "chat.example.com", ("https://www.example.com",), False),
        ("https://www.example.com.evil.test", "chat.example.com", ("https://www.example.com",), False),
        ("https://evil.test", "chat.example.com", ("*",), True),
        ("https://chat.example.com:8443", "chat.example.com", (), False),
        ("http://[::1]:80", "[::1]", (), True),
        ("null", "chat.example.com", (), False),
        (None, "chat.example.com", (), False),
        (None, "chat.example.com", ("*",), True),
        ("https://chat.example.com:port", "chat.example.com", (), False),
        ("file://chat.example.com", "chat.example.com", (), False),
        ("https://www.example.com/path", "www.example.com", (), False),
    ],
)
def test_which_sites_may_talk(origin: str | None, host: str, allowed: tuple[str, ...], may: bool) -> None:
    assert may_talk(origin, host, allowed) is may


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("192.0.2.7", "", (), "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", (), "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "garbage", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", (), "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "", (), "192.0.2.7"),
        (None, "", (), ""),
    ],
)
def test_whose_connection_it_is(peer: str | None, forwarded: str, proxies: tuple[str, ...], address: str) -> None:
    assert client_address(peer, forwarded, proxies) == address


def test_a_rate_allows_some_at_once_and_then_so_many_a_minute() -> None:
    now = [0.0]
    rate = Rate(60, 3, lambda: now[0])
    assert [rate.take("a") for _ in range(3)] == [0, 0, 0]
    assert rate.take("a") == pytest.approx(1.0)
    assert rate.take("b") == 0
    now[0] += 1
    assert rate.take("a") == 0
    assert rate.take("a") > 0
    now[0] += 1_000
    assert [rate.take("a") == 0 for _ in range(4)] == [True, True, True, False]


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    rate = Rate(60, 1, lambda: 0.0)
    rate.take("first")
    for number in range(MOST_REMEMBERED):
        rate.take(str(number))
    assert len(rate._buckets) == MOST_REMEMBERED
    assert rate.take(str(MOST_REMEMBERED - 1)) > 0
    assert rate.take("first") == 0


def test_places_are_limited_together_and_for_each_address() -> None:
    places = Places(3, 2)
    with places.hold("a"), places.hold("a"):
        assert places.refuses("a") == "address"
        assert places.refuses("b") == ""
        with places.hold("b"):
            assert places.refuses("c") == "all"
    assert places.taken == 0
    assert places._of == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" hello \n", "hello"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00\x07b\x1b[31m", "ab[31m"),
        ("\x00\u200b\x85", "\u200b"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("x\n\n\n\n\n\n\ny", "x\n\n\ny"),
        ("a\ud800b", "a\ufffdb"),
        ("👩\u200d👩\u200d👧 e\u0301", "👩\u200d👩\u200d👧 e\u0301"),
        (" \t\n ", ""),
    ],
)
def test_what_is_kept_of_a_text(text: str, kept: str) -> None:
    assert clean(text) == kept


@given(st.text())
def test_a_cleaned_text_can_always_be_stored_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    once.encode()
    assert clean(once) == once


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ["www.example.com"]},
        {"origins": ["https://www.example.com/shop"]},
        {"trusted_proxies": ["proxy"]},
        {"words": {"greeeting": "Hallo"}},
        {"bad_token": "maybe"},
        {"longest": 0},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebChatSettings.model_validate(wrong)


def test_settings_are_taken() -> None:
    settings = WebChatSettings.model_validate(
        {"origins": ["https://WWW.example.com", "*"], "trusted_proxies": ["10.0.0.1"], "words": {"title": "Frag uns"}}
    )
    assert settings.origins == ("https://www.example.com", "*")
    assert settings.trusted_proxies == ("10.0.0.1/32",)
