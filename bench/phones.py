"""Callers by the hundred who only talk and take no measurements: SIPp, one process, unpacked from Debian's packages.

Each sends one utterance for ever as G.711 µ-law and stays until the other end hangs up. A caller who measures costs 25 MB and
half a percent of a core, which is more than what is to be measured.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ccaas.debian import PackageSet, Prefix, install
from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.testing.asterisk import free_port

SIPP = PackageSet(("sip-tester",), leave_out=(r"perl.*", r"debconf.*", r"dpkg", r"tar"))
_PROGRAM = "usr/bin/sipp"

_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a caller who talks">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{ani}[call_number]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{ani}[call_number]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: <sip:[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0
]]></send>
<nop><action><exec rtp_stream="{sound},-1,0"/></action></nop>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
]]></send>
</scenario>
"""


class Phones:
    """`async with Phones(…)`: they ring one after the other, and are hung up at the end."""

    def __init__(
        self, prefix: Path, target: str, number: str, ani: str, calls: int, per_second: float, said: Pcm, folder: Path
    ) -> None:
        """`prefix`: where SIPp is unpacked (`unpack`). `target`: host:port. `ani`: the calling numbers are this and a
        count. `said`: 8 kHz. `folder`: for the scenario and SIPp's own words."""
        self._prefix = Prefix(prefix.absolute())
        self._target = target
        self._number = number
        self._ani = ani
        self._calls = calls
        self._per_second = per_second
        self._said = said
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        sound, scenario = self._folder / "said.ulaw", self._folder / "caller.xml"
        self._folder.mkdir(parents=True, exist_ok=True)
        sound.write_bytes(coder(Codec.ULAW).encode(self._said))
        scenario.write_text(_SCENARIO.format(ani=self._ani, sound=sound))
        with (self._folder / "sipp.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(scenario), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )
        return self

    def _command(self, scenario: Path) -> list[str]:
        options = ("-sf", str(scenario), "-s", self._number, "-i", "127.0.0.1", "-p", str(free_port(socket.SOCK_DGRAM)))
        rate = ("-m", str(self._calls), "-l", str(self._calls), "-r", str(self._per_second), "-nostdin", "-nd")
        return self._prefix.command(_PROGRAM, self._target, *options, *rate)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


def unpack(cache: Path, progress: Callable[[str], None]) -> Path:
    """Where SIPp is, unpacked if it is not there. Raises SetupError."""
    prefix = cache / "sipp"
    install(SIPP, prefix, cache / "debian", progress)
    return prefix
