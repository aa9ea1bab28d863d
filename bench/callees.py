"""The far side of a trunk: hundreds of telephones in one small SIP server, each of which does as its number says.

Only what a bench on one machine needs of RFC 3261: UDP, no retransmission, G.711 µ-law. What rings and ends here is the
judge of what the dialler says of it.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

import numpy as np

from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm

FRAME = 160
"""Samples of a packet: 20 ms at 8 kHz."""


class Sort(StrEnum):
    """What a telephone does."""

    ANSWERS = "answers"
    """Is taken up after some seconds, speaks, listens, and is hung up after a while."""
    LEAVES = "leaves"
    """Is taken up, and hung up at once: in the middle of the opening."""
    VOICEMAIL = "voicemail"
    """A machine takes it up, talks, beeps, and records until the caller hangs up."""
    REFUSES = "refuses"
    BUSY = "busy"
    RINGS = "rings"
    """Until the caller gives up."""
    NOBODY = "nobody"
    """There is no such number."""


REFUSALS = {Sort.REFUSES: "603 Decline", Sort.BUSY: "486 Busy Here", Sort.NOBODY: "404 Not Found"}


@dataclass(slots=True)
class Rung:
    """One call that came here."""

    number: str
    sort: Sort
    at: float
    """Monotonic seconds, as all times here."""
    answered: float | None = None
    heard: float | None = None
    """When the first sound came that is no silence."""
    ended: float | None = None
    by_us: bool = False
    """Who hung up."""


@dataclass(slots=True)
class _Dialog:
    invite: Mapping[str, str]
    vias: list[str]
    where: tuple[str, int]
    tag: str
    rung: Rung
    media: asyncio.DatagramTransport | None = None
    task: asyncio.Task[None] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Callees(asyncio.DatagramProtocol):
    """`async with Callees(sort_of, said) as callees`: they are at `callees.port`."""

    def __init__(self, sort_of: Callable[[str], Sort], said: Pcm, seed: int = 1) -> None:
        """`sort_of`: what a number is. `said`: 8 kHz, what a person says, and a machine three times before its beep."""
        self._sort_of = sort_of
        self._said = coder(Codec.ULAW).encode(said)
        self._beep = coder(Codec.ULAW).encode(_beep())
        self._random = random.Random(seed)
        self._dialogs: dict[str, _Dialog] = {}
        self._transport: asyncio.DatagramTransport
        self.rung: list[Rung] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [one.task for one in self._dialogs.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for dialog in self._dialogs.values():
            if dialog.media is not None:
                dialog.media.close()
        self._transport.close()

    # — SIP —

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See asyncio."""
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        vias = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
            if name.strip().lower() in ("via", "v"):
                vias.append(value.strip())
        method = first.partition(" ")[0]
        dialog = self._dialogs.get(headers.get("call-id", ""))
        if method == "INVITE" and dialog is None:
            self._invited(first, headers, vias, body, addr)
        elif method == "CANCEL" and dialog is not None:
            self._answer("200 OK", headers, vias, addr)
            if dialog.rung.answered is None and dialog.rung.ended is None:
                self._end(dialog, by_us=False)
                self._reply(dialog, "487 Request Terminated")
        elif method == "BYE" and dialog is not None:
            self._answer("200 OK", headers, vias, addr)
            self._end(dialog, by_us=False)
        elif method == "OPTIONS":
            self._answer("200 OK", headers, vias, addr)

    def _invited(
        self, first: str, headers: Mapping[str, str], vias: list[str], body: str, addr: tuple[str, int]
    ) -> None:
        found = re.search(r"sip:([^@;> ]+)@", first)
        number = found[1] if found else ""
        rung = Rung(number, self._sort_of(number), time.monotonic())
        self.rung.append(rung)
        dialog = _Dialog(headers, vias, addr, secrets.token_hex(4), rung)
        self._dialogs[headers["call-id"]] = dialog
        dialog.task = asyncio.create_task(self._live(dialog, body))

    def _answer(self, status: str, headers: Mapping[str, str], vias: list[str], addr: tuple[str, int], *, more: str = "", body: str = "", tag: str = "") -> None:  # fmt: skip
        to = headers["to"] if not tag or "tag=" in headers["to"] else f"{headers['to']};tag={tag}"
        lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in vias)]
        lines += [f"From: {headers['from']}", f"To: {to}", f"Call-ID: {headers['call-id']}", f"CSeq: {headers['cseq']}"]
        lines += [more] if more else []
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
        self._transport.sendto(text.encode(), addr)

    def _reply(self, dialog: _Dialog, status: str, body: str = "") -> None:
        more = f"Contact: <sip:callee@127.0.0.1:{self.port}>" + ("\r\nContent-Type: application/sdp" if body else "")
        self._answer(status, dialog.invite, dialog.vias, dialog.where, more=more, body=body, tag=dialog.tag)

    def _hang_up(self, dialog: _Dialog) -> None:
        headers = dialog.invite
        contact = re.search(r"<([^>]+)>", headers.get("contact", ""))
        target = contact[1] if contact else f"sip:{dialog.where[0]}:{dialog.where[1]}"
        lines = [
            f"BYE {target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(6)}",
            f"From: {headers['to']};tag={dialog.tag}",
            f"To: {headers['from']}",
            f"Call-ID: {headers['call-id']}",
            "CSeq: 1 BYE",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self._transport.sendto("\r\n".join([*lines, "", ""]).encode(), dialog.where)

    def _end(self, dialog: _Dialog, *, by_us: bool) -> None:
        if dialog.rung.ended is None:
            dialog.rung.ended, dialog.rung.by_us = time.monotonic(), by_us
        dialog.over.set()
        if dialog.media is not None:
            dialog.media.close()

    # — a telephone —

    async def _live(self, dialog: _Dialog, sdp: str) -> None:
        rung, chance = dialog.rung, self._random
        self._reply(dialog, "100 Trying")
        if rung.sort is Sort.NOBODY:
            self._end(dialog, by_us=True)
            self._reply(dialog, REFUSALS[rung.sort])
            return
        self._reply(dialog, "180 Ringing")
        rings = {Sort.RINGS: 3600.0, Sort.VOICEMAIL: chance.uniform(5, 8)}.get(rung.sort, chance.uniform(1, 6))
        if await _set_within(dialog.over, rings):
            return
        if rung.sort in REFUSALS:
            self._end(dialog, by_us=True)
            self._reply(dialog, REFUSALS[rung.sort])
            return
        await self._take_up(dialog, sdp)
        stays = {Sort.LEAVES: 1.0, Sort.VOICEMAIL: 40.0}.get(rung.sort, chance.uniform(12, 30))
        if not await self._talk(dialog, sdp, stays):
            self._end(dialog, by_us=True)
            self._hang_up(dialog)

    async def _take_up(self, dialog: _Dialog, sdp: str) -> None:
        loop = asyncio.get_running_loop()
        dialog.media, _ = await loop.create_datagram_endpoint(lambda: _Ear(dialog.rung), local_addr=("127.0.0.1", 0))
        port = dialog.media.get_extra_info("sockname")[1]
        dialog.rung.answered = time.monotonic()
        lines = ("v=0", "o=callee 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", f"m=audio {port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "")  # fmt: skip
        self._reply(dialog, "200 OK", "\r\n".join(lines))

    async def _talk(self, dialog: _Dialog, sdp: str, stays: float) -> bool:
        """Speak and listen; True: the far end hung up before our time."""
        port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
        where = ("127.0.0.1", int(port[1]) if port else 9)
        silence = b"\xff" * FRAME
        machine = dialog.rung.sort is Sort.VOICEMAIL
        round_ = [*[silence] * 10, *_frames(self._said), *[silence] * (0 if machine else 250)]
        round_ = [*round_ * 3, *[silence] * 25, *_frames(self._beep), *[silence] * 3_000] if machine else round_
        began = time.monotonic()
        number = 0
        while time.monotonic() - began < stays:
            packet = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * FRAME, 7) + round_[number % len(round_)]
            if dialog.media is not None and not dialog.media.is_closing():
                dialog.media.sendto(packet, where)
            number += 1
            if await _set_within(dialog.over, max(began + number * 0.02 - time.monotonic(), 0.0)):
                return True
        return False


def _frames(coded: bytes) -> list[bytes]:
    return [coded[at : at + FRAME].ljust(FRAME, b"\xff") for at in range(0, len(coded), FRAME)]


def _beep() -> Pcm:
    t = np.arange(3_200) / 8_000
    return np.asarray(8_000 * np.sin(2 * np.pi * 1_000 * t), np.int16)


class _Ear(asyncio.DatagramProtocol):
    """Notes when the first sound comes."""

    def __init__(self, rung: Rung) -> None:
        self._rung = rung

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See asyncio."""
        # µ-law's quiet codes lie around 0x7f and 0xff.
        if self._rung.heard is None and sum((byte & 0x7F) < 0x60 for byte in data[12:]) > FRAME // 4:
            self._rung.heard = time.monotonic()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
