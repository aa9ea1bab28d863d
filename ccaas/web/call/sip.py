"""What a browser may say to Asterisk: only as itself, only what a telephone says, one message at a time.

Between a browser and Asterisk stands this site; Asterisk sees every browser come from the machine itself, and whom it
trusts by address it would trust then too. So each message is looked at before it is passed on. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

LONGEST = 64 * 1024
"""Bytes of one message; a browser's offer with all its candidates is some 4 KB."""

TELEPHONE: AbstractSet[str] = frozenset(
    {"REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK", "OPTIONS", "REFER", "NOTIFY"}
)
"""What an agent's softphone says."""

GUEST: AbstractSet[str] = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK", "OPTIONS"})
"""A guest is not called, sends no texts and transfers nobody."""

KEEPALIVE = frozenset({"", "\r\n", "\r\n\r\n"})

_REQUEST = re.compile(r"([A-Z]{3,16}) (sips?:[^\s]+) SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 [1-6]\d\d [^\r\n]*")
_ADDRESS = r'(?:"[^"<>]*"|[^"<>,]*?)\s*<sips?:{user}@[^<>@,\s]+>(?:\s*;[^<>,]*)?'


def refusal(message: str, user: str, methods: AbstractSet[str]) -> str:
    """Why the message of a browser whose telephone is `user` is not passed on; empty when it is."""
    if message in KEEPALIVE:
        return ""
    head, end, body = message.partition("\r\n\r\n")
    if not end:
        return "it has no end of headers"
    if "\0" in message or re.search(r"[\r\n]", head.replace("\r\n", "")):
        return "its lines are not SIP's"
    first, *rest = head.split("\r\n")
    headers = _headers(rest)
    if headers is None:
        return "a header is none"
    lengths = headers.get("content-length", []) + headers.get("l", [])
    # Asterisk would take what stands beyond its length for another message, which nobody has looked at.
    if lengths != [str(len(body.encode()))]:
        return "its length is not what it says"
    if _RESPONSE.fullmatch(first):
        return ""
    request = _REQUEST.fullmatch(first)
    if request is None:
        return "it does not begin as SIP does"
    if request[1] not in methods:
        return f"{request[1]} is not for this telephone"
    senders = headers.get("from", []) + headers.get("f", [])
    if len(senders) != 1 or not re.fullmatch(_ADDRESS.format(user=re.escape(user)), senders[0]):
        return "it does not come from its own telephone"
    return ""


def _headers(lines: list[str]) -> dict[str, list[str]] | None:
    """Values by name in lower case; None where a line is no header. Lines that go on from the one before are unfolded."""
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in lines:
        if line[:1] in (" ", "\t"):
            if last is None:
                return None
            last[-1] = f"{last[-1]} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9.!%*_+`'~-]+\s*", name):
            return None
        last = found.setdefault(name.strip().lower(), [])
        last.append(value.strip())
    return found
