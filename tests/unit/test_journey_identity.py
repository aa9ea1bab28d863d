"""Addresses in their one spelling."""

from __future__ import annotations

import pytest

from ccaas.errors import JourneyError
from ccaas.journey.identity import identity, read
from ccaas.ports.journey import Identity, IdentityKind

PHONE = Identity(IdentityKind.PHONE, "+16175550142")


@pytest.mark.parametrize(
    "address",
    [
        "+16175550142",
        "16175550142",
        "6175550142",
        "(617) 555-0142",
        "0016175550142",
        "tel:+1-617-555-0142",
        "sip:+16175550142@gateway.example:5060;user=phone",
        " +1 617 555 0142 ",
    ],
)
@pytest.mark.parametrize("channel", ["voice", "sms"])
def test_one_number_is_one_identity(channel: str, address: str) -> None:
    assert identity(channel, address) == PHONE


def test_a_number_without_a_country_is_of_the_region() -> None:
    assert identity("sms", "089 1234567", "DE") == Identity(IdentityKind.PHONE, "+49891234567")


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("sip:alice@Example.COM:5061;transport=tls", "alice@example.com"),
        ("alice@127.0.0.1", "alice@127.0.0.1"),
        ("6001", "6001@localhost"),
        ("sip:6001@10.0.0.1", "6001@10.0.0.1"),
    ],
)
def test_a_sip_user_is_one_with_its_host(address: str, value: str) -> None:
    assert identity("voice", address) == Identity(IdentityKind.SIP, value)


@pytest.mark.parametrize(
    "address", ["", "anonymous", "Anonymous", "sip:anonymous@anonymous.invalid", "💥", "@", "+", "a b"]
)
def test_who_does_not_tell_is_nobody(address: str) -> None:
    assert identity("voice", address) is None


@pytest.mark.parametrize(
    "address", ["ann@example.com", "Ann Lee <Ann@Example.com>", '"Lee, Ann" <ANN@EXAMPLE.COM>', "ann@example.com (Ann)"]
)
def test_a_mail_address_is_bare_and_lower_case(address: str) -> None:
    assert identity("email", address) == Identity(IdentityKind.EMAIL, "ann@example.com")


@pytest.mark.parametrize("address", ["", "ann", "@example.com", "ann@", "<>"])
def test_what_is_no_mail_address_is_nobody(address: str) -> None:
    assert identity("email", address) is None


def test_a_chat_is_its_session() -> None:
    assert identity("chat", "tab-1") == Identity(IdentityKind.CHAT, "tab-1")
    assert identity("chat", "") is None


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("(617) 555-0142", IdentityKind.PHONE, "+16175550142"),
        ("tel:+16175550142", IdentityKind.PHONE, "+16175550142"),
        ("sip:+16175550142@gateway.example;user=phone", IdentityKind.PHONE, "+16175550142"),
        ("sip:Mia@Example.com:5060", IdentityKind.SIP, "Mia@example.com"),
        (" Mia.Li@Example.com ", IdentityKind.EMAIL, "mia.li@example.com"),
        ("chat:tab-1", IdentityKind.CHAT, "tab-1"),
        ("record:mia_li_1", IdentityKind.RECORD, "mia_li_1"),
    ],
)
def test_what_a_person_writes_is_read(written: str, kind: IdentityKind, value: str) -> None:
    assert read(written) == Identity(kind, value)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("12", "it is too short"),
        ("555 0142", "the area code is missing"),
        ("+1 617 555 0142 99 99", "it is too long"),
        ("+999 617 555 0142", "there is no such country code"),
        ("617-CALL-NOW", "it has letters in it"),
        ("", "too few or too many digits"),
        ("mia@", "is no e-mail address; write name@example.com"),
        ("sip:", "is no SIP URI; write sip:user@host"),
        ("chat:", "needs a value"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(JourneyError, match=reason):
        read(written)


def test_a_column_says_what_its_values_are() -> None:
    assert read("5", kind=IdentityKind.RECORD) == Identity(IdentityKind.RECORD, "5")
    with pytest.raises(JourneyError, match="is no telephone number"):
        read("mia@example.com", kind=IdentityKind.PHONE)
