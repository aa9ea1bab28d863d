"""SIP as it stands on the wire: who may call, which codec is agreed, where texts go."""

from __future__ import annotations

import asyncio
import re
import socket
import uuid
from collections.abc import Iterator

import aiohttp
import pytest

from ccaas.testing.asterisk import RunningAsterisk


class Wire:
    """A UDP socket that sends one SIP request at a time (RFC 3261) and reads the answers."""

    def __init__(self, asterisk: RunningAsterisk) -> None:
        self.asterisk = asterisk
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)
        self.port = self.socket.getsockname()[1]

    def request(
        self, method: str, user: str, body: str = "", kind: str = "application/sdp", caller: str = "bob"
    ) -> str:
        """Send it and return the final answer; an answered INVITE is ended again."""
        call, branch = uuid.uuid4().hex, f"z9hG4bK{uuid.uuid4().hex}"
        self._send(method, user, caller, call, branch, body, kind)
        while True:
            answer = self.socket.recv(65536).decode()
            status = int(answer.split()[1])
            if status < 200 or call not in answer:
                continue
            if method == "INVITE":
                tag = re.search(r"^To:.*(;tag=\S+)", answer, re.MULTILINE)
                to_tag = tag[1] if tag else ""
                self._send("ACK", user, caller, call, branch, to_tag=to_tag)
                if status == 200:
                    self._send("BYE", user, caller, call, f"{branch}b", to_tag=to_tag, number=2)
            return answer

    def _send(
        self,
        method: str,
        user: str,
        caller: str,
        call: str,
        branch: str,
        body: str = "",
        kind: str = "application/sdp",
        *,
        to_tag: str = "",
        number: int = 1,
    ) -> None:
        uri = self.asterisk.uri(user)
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch}",
            f"From: <sip:{caller}@127.0.0.1>;tag=1",
            f"To: <{uri}>{to_tag}",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{caller}@127.0.0.1:{self.port}>",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        host, port = self.asterisk.sip_address.split(":")
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), (host, int(port)))


@pytest.fixture
def wire(asterisk: RunningAsterisk) -> Iterator[Wire]:
    """A SIP party on loopback."""
    wire = Wire(asterisk)
    yield wire
    wire.socket.close()


def offer(payloads: str, extra: str = "") -> str:
    """An SDP offer of these payload types."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio 40000 RTP/AVP {payloads}\r\n{extra}a=rtpmap:101 telephone-event/8000\r\n"
    )


@pytest.mark.parametrize(("payloads", "agreed"), [("0 8 9 101", "0 101"), ("8 0 101", "8 101"), ("9 0 8 101", "9 101")])
def test_the_caller_s_first_codec_is_agreed_and_no_other(wire: Wire, payloads: str, agreed: str) -> None:
    answer = wire.request("INVITE", "echo", offer(payloads))
    media = re.search(r"m=audio \d+ RTP/AVP (.+)\r\n", answer)
    assert media is not None, answer
    assert media[1] == agreed
    assert "c=IN IP4 127.0.0.1" in answer


def test_a_codec_that_nobody_speaks_is_refused(wire: Wire) -> None:
    assert wire.request("INVITE", "echo", offer("18 101")).startswith("SIP/2.0 488")


def test_who_claims_to_be_a_phone_must_prove_it(wire: Wire) -> None:
    assert wire.request("INVITE", "echo", offer("0 101"), caller="6001").startswith("SIP/2.0 401")


def test_a_text_nobody_waits_for_is_refused(wire: Wire) -> None:
    assert wire.request("MESSAGE", "4711", "YES", "text/plain").startswith("SIP/2.0 404")


async def test_a_text_reaches_the_application(wire: Wire, rest: aiohttp.ClientSession) -> None:
    async with rest.ws_connect("/ari/events?app=ccaas") as events:
        async with rest.post("/ari/applications/ccaas/subscription?eventSource=endpoint:PJSIP") as response:
            assert response.status == 200, await response.text()
        answer = await asyncio.to_thread(wire.request, "MESSAGE", "4711", "YES", "text/plain")
        assert answer.startswith("SIP/2.0 202"), answer
        async for message in events:
            event = message.json()
            if event["type"] == "TextMessageReceived":
                break
        # Or Asterisk would go on taking texts for an application that is no longer there.
        async with rest.delete("/ari/applications/ccaas/subscription?eventSource=endpoint:PJSIP") as response:
            assert response.status == 200, await response.text()
    assert event["message"]["body"] == "YES"
