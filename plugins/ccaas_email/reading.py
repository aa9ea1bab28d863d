"""One mail as the conversation sees it: who, what they wrote themselves, and what it answers."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from hashlib import sha256
from html.parser import HTMLParser

from mailparser_reply import EmailReplyParser

_ID = re.compile(r"<[^<>\s]+>")
_LONGEST = 200_000
"""Characters of a body that are looked at."""
_MACHINES = ("mailer-daemon@", "postmaster@", "no-reply@", "noreply@", "do-not-reply@")
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote"})
_UNSEEN = frozenset({"script", "style", "head", "title"})


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that a person sent."""

    id: str
    """Message-ID in its brackets; made from the content where it has none."""
    sender: str
    """Bare address, lower case."""
    subject: str
    text: str
    """What is new in it: without quoted mail and without its own HTML."""
    at: float
    reference: str
    """The newest Message-ID that it answers to; empty when it begins."""
    chain: str
    """All of them, as `References` wants it."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail server says that one of ours was not delivered (RFC 3464)."""

    about: str
    """Its Message-ID."""
    why: str


def read(raw: bytes, languages: tuple[str, ...]) -> Mail | Bounce | None:
    """A mail, a bounce, or None for what machines send each other (RFC 3834): answering that makes loops."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)  # by the policy
    if bounce := _bounce(message):
        return bounce
    sender = parseaddr(_header(message, "From"))[1].lower()
    if not sender or _automatic(message, sender):
        return None
    answers = _ID.findall(_header(message, "In-Reply-To"))
    chain = _ID.findall(_header(message, "References")) or answers
    own = _ID.findall(_header(message, "Message-ID"))
    text = EmailReplyParser(languages=list(languages)).parse_reply(_body(message)[:_LONGEST]) or ""
    return Mail(
        id=own[0] if own else f"<{sha256(raw).hexdigest()[:32]}@without-id>",
        sender=sender,
        subject=_header(message, "Subject"),
        text=text.strip(),
        at=_date(message),
        reference=(answers or chain[-1:] or [""])[-1],
        chain=" ".join(chain),
    )


def _header(message: EmailMessage, name: str) -> str:
    """Unfolded; empty when it is not there, or is so broken that it cannot be read."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError):
        # Python's header parser raises these on some malformed headers.
        return ""


def _automatic(message: EmailMessage, sender: str) -> bool:
    automatic = _header(message, "Auto-Submitted").lower() not in ("", "no")
    bulk = _header(message, "Precedence").lower() in ("bulk", "junk", "list")
    listed = bool(_header(message, "List-Id")) or _header(message, "Return-Path") == "<>"
    return automatic or bulk or listed or sender.startswith(_MACHINES)


def _bounce(message: EmailMessage) -> Bounce | None:
    if message.get_content_type() != "multipart/report":
        return None
    why, about = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            why = " ".join(
                str(block.get("Diagnostic-Code") or block.get("Status") or "")
                for block in part.get_payload()
                if not isinstance(block, str)
            ).strip()
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            found = re.search(r"^Message-ID:\s*(<[^<>\s]+>)", part.as_string(), re.IGNORECASE | re.MULTILINE)
            about = found[1] if found else about
    return Bounce(about, why[:300]) if about else None


def _date(message: EmailMessage) -> float:
    try:
        return min(parsedate_to_datetime(_header(message, "Date")).timestamp(), time.time())
    except (ValueError, TypeError, OverflowError):
        return time.time()


def _body(message: EmailMessage) -> str:
    """The plain text, or else the words of the HTML."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError, KeyError):
        # An unknown charset or transfer encoding: what can be read of it.
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return words_of(content) if part.get_content_type() == "text/html" else content


def words_of(html: str) -> str:
    """The words of HTML, block by block; nothing of it is trusted to be markup afterwards."""
    reader = _Words()
    reader.feed(html[:_LONGEST])
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "blockquote":
            self.parts.append("> ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data.replace("\n", " "))
