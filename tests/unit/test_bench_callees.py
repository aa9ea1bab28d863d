"""The bench's far side: a small SIP server whose telephones do as their numbers say."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from bench import callees as module
from bench.callees import Callees, Sort
from bench.dialler_calls import CAMPAIGN, MEANT, SHARES, changes, sorts

SDP = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


class Caller(asyncio.DatagramProtocol):
    """Sends what it is told, and keeps what comes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.put_nowait(data.decode())

    def send(self, method: str, number: str, body: str = "") -> None:
        lines = (
            f"{method} sip:{number}@127.0.0.1 SIP/2.0",
            "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
            "From: <sip:us@127.0.0.1>;tag=a",
            f"To: <sip:{number}@127.0.0.1>",
            f"Call-ID: {number}",
            f"CSeq: 1 {method}",
            "Contact: <sip:us@127.0.0.1:5060>",
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        self.transport.sendto("\r\n".join(lines).encode())

    async def until(self, *beginnings: str) -> str:
        async with asyncio.timeout(30):
            while not (text := await self.got.get()).startswith(beginnings):
                assert text.startswith(("SIP/2.0 100", "SIP/2.0 180")), text
        return text


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telephones that are taken up at once."""
    monkeypatch.setattr(module.random.Random, "uniform", lambda *_: 0.0)


async def caller(port: int) -> Caller:
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Caller, remote_addr=("127.0.0.1", port))
    return protocol


@pytest.mark.usefixtures("quick")
async def test_each_number_does_what_it_is() -> None:
    kinds = {sort.value: sort for sort in Sort}
    async with Callees(kinds.__getitem__, np.zeros(800, np.int16)) as callees:
        for number, status in (("busy", "486"), ("refuses", "603"), ("nobody", "404"), ("voicemail", "200")):
            us = await caller(callees.port)
            us.send("INVITE", number, SDP)
            assert (await us.until(f"SIP/2.0 {status}")).startswith(f"SIP/2.0 {status}")
            us.transport.close()
        us = await caller(callees.port)
        us.send("INVITE", "rings", SDP)
        await us.until("SIP/2.0 180")
        us.send("CANCEL", "rings")
        await us.until("SIP/2.0 200")
        await us.until("SIP/2.0 487")
        us.send("INVITE", "answers", SDP)
        assert "m=audio" in await us.until("SIP/2.0 200")
        assert (await us.until("BYE")).startswith("BYE sip:us@127.0.0.1:5060 SIP/2.0")
        us.transport.close()
        found = {one.number: one for one in callees.rung}
    assert found["answers"].by_us
    assert not found["rings"].by_us
    assert [name for name, one in found.items() if one.answered is not None] == ["voicemail", "answers"]


def test_the_campaign_of_the_bench_has_every_sort_of_callee() -> None:
    assert set(sorts(1).values()) == set(Sort) == set(SHARES) == set(MEANT)
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert changes(5060, 3, "progressive")["dialler"]["campaigns"][CAMPAIGN]["lines"] == 3
