"""What a browser may say to Asterisk."""

from __future__ import annotations

import pytest

from ccaas.web.call.sip import GUEST, TELEPHONE, refusal

ME = "ann"


def message(
    first: str = "INVITE sip:1000@ccaas.invalid SIP/2.0", *, body: str = "v=0\r\n", **changed: str | None
) -> str:
    headers = {
        "Via": "SIP/2.0/WS a.invalid;branch=z9hG4bK1",
        "To": "<sip:1000@ccaas.invalid>",
        "From": f'"Ann" <sip:{ME}@ccaas.invalid>;tag=x1',
        "Call-ID": "c1",
        "CSeq": "1 INVITE",
        "Contact": f"<sip:{ME}@page.invalid;transport=ws>",
        "Content-Length": str(len(body.encode())),
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([first, *lines, "", body])


@pytest.mark.parametrize(
    "text",
    [
        message(),
        message(body=""),
        message(body="Grüße"),
        message("SIP/2.0 200 OK"),
        message("SIP/2.0 180 Ringing", From="<sip:somebody@elsewhere>;tag=1"),
        message("REGISTER sip:ccaas.invalid SIP/2.0"),
        message(From=f"<sip:{ME}@ccaas.invalid>;tag=1"),
        message(From=f"\r\n <sip:{ME}@ccaas.invalid>;tag=1"),
        message(From=None, f=f"<sip:{ME}@ccaas.invalid>;tag=1"),
        "\r\n\r\n",
    ],
)
def test_what_its_telephone_says_is_passed_on(text: str) -> None:
    assert refusal(text, ME, TELEPHONE) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (message(From="<sip:bob@ccaas.invalid>;tag=1"), "own telephone"),
        (message(From=f'"<sip:{ME}@x>" <sip:bob@x>;tag=1'), "own telephone"),
        (message(From=f"sip:{ME}@x <sip:bob@x>"), "own telephone"),
        (message(From=f"<sip:{ME}@x>, <sip:bob@x>"), "own telephone"),
        (message(From=f"<sip:{ME}%40x@y>"), "own telephone"),
        (message(From=None), "own telephone"),
        (message(f="<sip:bob@ccaas.invalid>;tag=1"), "own telephone"),
        (message(From="<sip:bob@x>\r\nfrom: <sip:ann@x>"), "own telephone"),
        (message("PUBLISH sip:x@y SIP/2.0"), "PUBLISH"),
        (message("MESSAGE sip:x@y SIP/2.0"), "MESSAGE"),
        (message(Content_Length="0"), "length"),
        (message(Content_Length=None), "length"),
        (message(l="5"), "length"),
        (message(body="v=0\r\n") + message(From="<sip:anybody@x>"), "length"),
        (message().replace("\r\nTo:", "\nTo:"), "lines"),
        (message().replace("Call-ID", "Call\0ID"), "lines"),
        ("INVITE sip:1@x SIP/2.0\r\n", "headers"),
        (message("\r\nINVITE sip:1@x SIP/2.0"), "header"),
        (message("INVITE tel:1 SIP/2.0"), "begin"),
        (message("GET / HTTP/1.1"), "begin"),
    ],
)
def test_what_is_not_its_own_is_refused(text: str, why: str) -> None:
    assert why in refusal(text, ME, TELEPHONE)


@pytest.mark.parametrize("method", ["REGISTER", "REFER", "MESSAGE", "SUBSCRIBE", "NOTIFY"])
def test_a_guest_only_calls(method: str) -> None:
    assert method in refusal(message(f"{method} sip:x@y SIP/2.0"), ME, GUEST)
