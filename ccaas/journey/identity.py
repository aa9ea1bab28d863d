"""Addresses in their one spelling, so that one person is found however they are written."""

from __future__ import annotations

import re
from email.utils import parseaddr

import phonenumbers

from ccaas.errors import JourneyError
from ccaas.ports.journey import Identity, IdentityKind, Journey

_SCHEME = re.compile(r"^\s*(?:sips?|tel|pjsip):", re.IGNORECASE)
_EXTENSION = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9][a-z0-9.:\[\]-]{0,252}", re.IGNORECASE)
_NOBODY = frozenset({"anonymous", "unknown", "restricted", "private", "unavailable", "withheld", "s"})
"""What stands for a caller id that is not told."""
OUR_SWITCH = "localhost"
"""Host of an extension that came without one."""


def identity(channel: str, address: str, region: str = "US") -> Identity | None:
    """The identity of an address as a channel has it; None when it is nobody's.

    Args:
        channel: "voice", "sms", "email" or "chat".
        address: a number, a SIP URI, an e-mail address with or without a name, a chat session.
        region: country of numbers that come without one (ISO 3166).
    """
    if channel == "email":
        return email(address)
    if channel == "chat":
        return Identity(IdentityKind.CHAT, address) if address else None
    return phone(address, region) or sip(address)


def read(text: str, region: str = "US", kind: IdentityKind | None = None) -> Identity:
    """The identity that a person has written down: a number, an e-mail address, `sip:…`, `chat:…`, `record:…`.

    Args:
        text: what was written.
        region: country of numbers that come without one (ISO 3166).
        kind: what it has to be; left out, its form tells.

    Raises:
        JourneyError: it is none, with the reason.
    """
    text = text.strip()
    kind, text = (_kind(text), _own(text)) if kind is None else (kind, text)
    match kind:
        case IdentityKind.PHONE:
            if (found := phone(text, region)) is None:
                raise JourneyError(f"{text or 'nothing'} is no telephone number: {_reason(text, region)}")
        case IdentityKind.EMAIL:
            if (found := email(text)) is None:
                raise JourneyError(f"{text or 'nothing'} is no e-mail address; write name@example.com")
        case IdentityKind.SIP:
            if (found := phone(text, region) or sip(text)) is None:
                raise JourneyError(f"{text or 'nothing'} is no SIP URI; write sip:user@host")
        case _:
            if not text:
                raise JourneyError(f"a {kind.value} identity needs a value; write {kind.value}:value")
            found = Identity(kind, text)
    return found


async def customer_of(journey: Journey, text: str, region: str) -> str:
    """Whom somebody means by an id or an identity as it is written.

    Raises:
        JourneyError: nobody, with the reason where it is no identity at all.
    """
    if (context := await journey.context(text)) is not None:
        return context.profile.id
    if (found := await journey.find(read(text, region))) is None:
        raise JourneyError(f"nobody is known by {text}; `ccaas calls` lists who has called")
    return found


def _kind(text: str) -> IdentityKind:
    scheme = text.partition(":")[0].lower()
    if scheme in ("chat", "record"):
        return IdentityKind(scheme)
    if scheme in ("sip", "sips", "pjsip"):
        return IdentityKind.SIP
    return IdentityKind.EMAIL if "@" in text else IdentityKind.PHONE


def _own(text: str) -> str:
    """The text without a scheme of ours."""
    scheme, mark, rest = text.partition(":")
    return rest.strip() if mark and scheme.lower() in ("chat", "record") else text


_TOO = {
    phonenumbers.ValidationResult.TOO_SHORT: "it is too short",
    phonenumbers.ValidationResult.TOO_LONG: "it is too long",
    phonenumbers.ValidationResult.INVALID_LENGTH: "no number of that country has that many digits",
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "there is no such country code",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
}


def _reason(text: str, region: str) -> str:
    number = _number(text)
    if re.search(r"[a-z]", number, re.IGNORECASE):
        return "it has letters in it"
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as error:
        missing = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return "there is no such country code" if missing else "there are too few or too many digits in it"
    return _TOO.get(phonenumbers.is_possible_number_with_reason(parsed), "no country has such numbers")


def _number(address: str) -> str:
    """What of an address may be a number, with a plus before a country code."""
    number = _SCHEME.sub("", address).partition("@")[0].partition(";")[0].strip()
    return f"+{number[2:]}" if number.startswith("00") else number


def phone(address: str, region: str = "US") -> Identity | None:
    """A telephone number in E.164; None when it is none."""
    number = _number(address)
    if re.search(r"[a-z]", number, re.IGNORECASE):
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    without_area = phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE and (
        possible != without_area or not number.startswith("+")
    ):
        return None
    return Identity(IdentityKind.PHONE, phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def sip(address: str) -> Identity | None:
    """A SIP user with its host; an extension alone is one of our switch."""
    bare = _SCHEME.sub("", address).partition(";")[0].partition("?")[0].strip().strip("<>")
    user, _, host = bare.partition("@")
    host = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if not _EXTENSION.fullmatch(user) or user.lower() in _NOBODY or (host and not _HOST.fullmatch(host)):
        return None
    return Identity(IdentityKind.SIP, f"{user}@{(host or OUR_SWITCH).lower()}")


def email(address: str) -> Identity | None:
    """An e-mail address without name and comment, in lower case; None when it is none."""
    found = parseaddr(address)[1].strip().lower()
    user, _, host = found.rpartition("@")
    return Identity(IdentityKind.EMAIL, found) if user and "." in host and " " not in found else None
