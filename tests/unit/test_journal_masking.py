"""Card numbers never reach the disk, and nothing else is mistaken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccaas.journal.masking import masked, masked_text

MASKED = "[card ending 1111]"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("4111111111111111", MASKED),
        ("it is 4111 1111 1111 1111, thanks", f"it is {MASKED}, thanks"),
        ("4111-1111-1111-1111.", f"{MASKED}."),
        ("room 16 4111111111111111 and 7", f"room 16 {MASKED} and 7"),
        ("four one one one " + "one " * 12, f"{MASKED} "),
        ("3782 822463 10005", "[card ending 0005]"),
        ("2223 0031 2200 3222", "[card ending 3222]"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("call +1 614 555 0109 about CMPLX7", "call +1 614 555 0109 about CMPLX7"),
        ("ccaas-4111111111111111x", "ccaas-4111111111111111x"),
        ("1700000000.4111111111111111", "1700000000.4111111111111111"),
        ("one flight for two people", "one flight for two people"),
        ("4111 1111 1111 1111 2nd", f"{MASKED} 2nd"),
        ("4111, 1111, 1111, 1111", MASKED),
        ("4111 - 1111 - 1111 - 1111", MASKED),
    ],
)
def test_masking(text: str, stored: str) -> None:
    assert masked_text(text) == stored


def test_json_is_masked_inside_and_keeps_its_shape() -> None:
    value = {
        "said": ["my card 4111 1111 1111 1111"],
        "number": 4111111111111111,
        "at": 1763826300.123456,
        "ok": True,
        "none": None,
        "password": "hunter2",
        "api_token": "x",
        "tokens": 3,
    }
    assert masked(value) == {
        "said": [f"my card {MASKED}"],
        "number": MASKED,
        "at": 1763826300.123456,
        "ok": True,
        "none": None,
        "password": "[secret]",
        "api_token": "[secret]",
        "tokens": 3,
    }


@pytest.mark.parametrize(
    "id_like", ["1" * 60 + "a", "1-" * 60 + "a", "one " * 60 + "onex", "7f" * 60, "12 " * 60 + "12x"]
)
def test_what_only_looks_like_digits_costs_no_more_than_its_length(id_like: str) -> None:
    assert masked_text(id_like) == id_like  # a search that gave back what it took would not come to an end


@given(st.text(alphabet="0123456789 -", max_size=40))
def test_no_card_survives_at_the_edges_of_its_groups(noise: str) -> None:
    assert "4111 1111 1111 1111" not in masked_text(f"{noise}, 4111 1111 1111 1111; {noise}")


@given(st.text(max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked_text(masked_text(text)) == masked_text(text)
