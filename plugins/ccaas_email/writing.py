"""An answer as a mail: in the customer's thread, marked as automatic, and of one identity however often it is sent."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate

from ccaas.ports.messaging import OutboundMessage
from ccaas_email.settings import EmailSettings

CHAIN = "references"
"""Where the chain of a thread's Message-IDs stands in a message's data."""


def message_id(own: str, address: str) -> str:
    """The Message-ID of our message `own`: the same one each time, so that a repeated mail is seen to be the same."""
    return f"<{own}@{address.rpartition('@')[2]}>"


def own_id(header: str) -> str:
    """Our message's id from its Message-ID."""
    return header.strip("<>").partition("@")[0]


def written(message: OutboundMessage, settings: EmailSettings) -> EmailMessage:
    """The mail. Line breaks in a header are impossible: the library refuses them (RFC 5322)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((settings.name, message.sender or settings.address))
    mail["To"] = message.address
    subject = " ".join(message.subject.split())
    answer = bool(message.reference) and not subject.lower().startswith("re:")
    mail["Subject"] = f"Re: {subject}" if answer else subject or settings.name or settings.address
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = message_id(message.id, settings.address)
    # RFC 3834: other machines must not answer this.
    mail["Auto-Submitted"] = "auto-replied" if message.reference else "auto-generated"
    if message.reference:
        mail["In-Reply-To"] = message.reference
        chain = message.data.get(CHAIN, "").split()
        mail["References"] = " ".join(dict.fromkeys([*chain, message.reference]))
    below = f"\n\n-- \n{settings.signature.strip()}" if settings.signature.strip() else ""
    mail.set_content(f"{message.text}{below}\n")
    return mail
