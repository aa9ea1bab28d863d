"""What a mail says, what it answers, and which mails are nobody's."""

from __future__ import annotations

import time
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from ccaas_email.reading import Bounce, Mail, read, words_of
from ccaas_email.settings import EmailSettings, Server
from ccaas_email.writing import own_id, written
from pydantic import ValidationError

from ccaas.errors import SetupError
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.site import Site

LANGUAGES = ("en", "de")


def mail(text: str = "Yes please.", **headers: str) -> bytes:
    message = EmailMessage()
    defaults = {"From": "Sofia Kim <Sofia@Example.org>", "To": "help@acorn.example", "Message-ID": "<1@example.org>"}
    for name, value in (defaults | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def a_mail(raw: bytes) -> Mail:
    found = read(raw, LANGUAGES)
    assert isinstance(found, Mail)
    return found


def test_who_wrote_and_what() -> None:
    found = a_mail(mail("Grüße,\nbitte umbuchen. ✈", Subject="Mein Flug nach Zürich"))
    assert (found.id, found.sender, found.subject) == ("<1@example.org>", "sofia@example.org", "Mein Flug nach Zürich")
    assert found.text == "Grüße,\nbitte umbuchen. ✈"
    assert (found.reference, found.chain) == ("", "")


def test_a_thread_goes_by_message_id() -> None:
    found = a_mail(mail(In_Reply_To="<out-2@acorn.example>", References="<0@x> <1@x> <out-2@acorn.example>"))
    assert found.reference == "<out-2@acorn.example>"
    assert found.chain == "<0@x> <1@x> <out-2@acorn.example>"


def test_folded_headers_are_one_line() -> None:
    raw = mail().replace(b"To: help", b"Subject: My\n flight\nReferences: <0@x>\n <1@x>\nTo: help")
    found = a_mail(raw)
    assert (found.subject, found.chain) == ("My flight", "<0@x> <1@x>")


def test_references_alone_tell_too() -> None:
    assert a_mail(mail(References="<0@x> <1@x>")).reference == "<1@x>"


def test_quoted_mail_is_not_said_again() -> None:
    text = "Yes, book it.\n\nOn Mon, 5 Jan 2026 at 10:00, Acorn Air <help@acorn.example> wrote:\n> Shall I book it?\n"
    assert a_mail(mail(text)).text == "Yes, book it."


def test_html_alone_becomes_words() -> None:
    message = BytesParser(policy=policy.default).parsebytes(mail())
    message.replace_header("Content-Type", "text/html")
    message.set_payload("<style>p{}</style><p>Yes &amp; <b>now</b>.</p><script>alert(1)</script><p>Sofia</p>")
    assert a_mail(message.as_bytes()).text == "Yes & now.\n\nSofia"


def test_html_is_never_markup_afterwards() -> None:
    assert words_of("&lt;img src=x onerror=alert(1)&gt;<img src=x onerror=alert(1)>") == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example.org>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@example.org"},
        {"From": "No-Reply <no-reply@example.org>"},
        {"From": "nobody"},
    ],
)
def test_machines_are_not_answered(headers: dict[str, str]) -> None:
    found = read(mail(**headers), LANGUAGES)
    assert found is None or (isinstance(found, Mail) and headers == {"From": "nobody"} and found.sender == "nobody")


def test_a_person_s_mail_says_so() -> None:
    assert a_mail(mail(Auto_Submitted="no")).text == "Yes please."


def test_our_own_answers_would_not_be_answered() -> None:
    settings = email_settings()
    ours = written(OutboundMessage("out-1", "a@b.example", "help@acorn.example", "Hello", "<1@b>"), settings)
    assert read(ours.as_bytes(), LANGUAGES) is None


def test_a_mail_without_an_id_has_the_same_one_each_time() -> None:
    raw = mail().replace(b"Message-ID: <1@example.org>\n", b"")
    assert a_mail(raw).id == a_mail(raw).id
    assert a_mail(raw).id != a_mail(raw + b"!").id


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 +0000", "Fri, 01 Jan 2100 00:00:00 +0000"]
)
def test_a_date_that_cannot_be_is_now(date: str) -> None:
    before = time.time()
    assert before <= a_mail(mail(Date=date) if date else mail()).at <= time.time()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"From: a@b.example\n\n\xff\xfe",
        b"From: =?utf-9?q?=FF?= <a@b.example>\nSubject: =?x?\nContent-Type: text/plain; charset=klingon\n\nhi",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n!!!!",
    ],
)
def test_broken_mails_break_nothing(raw: bytes) -> None:
    assert read(raw, LANGUAGES) is None or isinstance(read(raw, LANGUAGES), Mail)


BOUNCE = b"""From: MAILER-DAEMON@example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

It did not work.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; example.org

Final-Recipient: rfc822; sofia@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 no such person
--x
Content-Type: text/rfc822-headers

From: help@acorn.example
Message-ID: <out-7@acorn.example>
--x--
"""


def test_a_bounce_names_the_message_of_ours() -> None:
    found = read(BOUNCE, LANGUAGES)
    assert found == Bounce("<out-7@acorn.example>", "smtp; 550 no such person")
    assert own_id(found.about) == "out-7"


# — writing —


def email_settings(**changes: Any) -> EmailSettings:
    server = {"host": "127.0.0.1", "port": 25, "security": "none"}
    return EmailSettings.model_validate(
        {"address": "help@acorn.example", "name": "Acorn Air", "imap": server, "smtp": server} | changes
    )


def test_an_answer_stands_in_its_thread() -> None:
    message = OutboundMessage(
        "out-1", "sofia@example.org", "", "Done.", "<2@x>", "My flight", {"references": "<0@x> <1@x>"}
    )
    sent = written(message, email_settings(signature="Acorn Air\nAlways there"))
    assert (sent["To"], sent["From"]) == ("sofia@example.org", "Acorn Air <help@acorn.example>")
    assert (sent["Subject"], sent["In-Reply-To"]) == ("Re: My flight", "<2@x>")
    assert (sent["References"], sent["Message-ID"]) == ("<0@x> <1@x> <2@x>", "<out-1@acorn.example>")
    assert sent.get_content().replace("\r\n", "\n") == "Done.\n\n-- \nAcorn Air\nAlways there\n"


def test_a_subject_is_not_answered_twice_and_brings_no_header_along() -> None:
    message = OutboundMessage("o", "a@b.example", "", "x", "<2@x>", "Re: hello\r\nBcc: all@example.org")
    sent = written(message, email_settings())
    assert sent["Subject"] == "Re: hello Bcc: all@example.org"
    assert sent["Bcc"] is None


def test_an_address_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        written(OutboundMessage("o", "a@b.example\nBcc: all@example.org", "", "x"), email_settings())


# — settings —


def test_clear_text_is_for_this_machine_alone() -> None:
    with pytest.raises(ValidationError, match="for this machine alone"):
        Server(host="mail.example.org", port=143, security="none")


def test_a_user_needs_a_password_from_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="one of password_env and password_file"):
        Server(host="mail.example.org", port=993, user="help")
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path)
    monkeypatch.delenv("MAIL", raising=False)
    with pytest.raises(SetupError, match="MAIL is empty"):
        Server(host="mail.example.org", port=993, user="help", password_env="MAIL").password(site)
    by_file = Server(host="mail.example.org", port=993, user="help", password_file=Path("key"))
    with pytest.raises(SetupError, match="cannot be read"):
        by_file.password(site)
    (tmp_path / "key").write_text("secret\n")
    assert by_file.password(site) == "secret"
