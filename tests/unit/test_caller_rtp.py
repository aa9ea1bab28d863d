"""RTP, telephone events and session descriptions of the SIP caller."""

from __future__ import annotations

import struct

import pytest

from ccaas.testing.caller import rtp
from ccaas.testing.caller.sdp import redirect_audio

OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 4000 RTP/AVP 9 8 0 120 3
a=rtcp:4001 IN IP4 127.0.0.1
a=sendrecv
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:120 telephone-event/8000
a=fmtp:120 0-16
a=rtpmap:3 GSM/8000
""".replace("\n", "\r\n")


def test_a_packet_is_read_as_it_was_built() -> None:
    built = rtp.build(8, 70_000, 1 << 33 | 5, 99, b"abc", marker=True)
    assert rtp.parse(built) == rtp.RtpPacket(8, True, 70_000 & 0xFFFF, 5, b"abc")


def test_sources_extension_and_padding_are_no_audio() -> None:
    header = bytearray(rtp.build(0, 1, 2, 3, b""))
    header[0] |= 0x20 | 0x10 | 2
    datagram = bytes(header) + bytes(8) + struct.pack("!HH", 1, 1) + bytes(4) + b"audio" + b"\0\0\3"
    parsed = rtp.parse(datagram)
    assert parsed is not None
    assert parsed.payload == b"audio"


@pytest.mark.parametrize("datagram", [b"", b"\x80", bytes(12), b"\x90" + bytes(11), b"\xa0" + bytes(10) + b"\xff"])
def test_what_is_no_rtp_is_left_alone(datagram: bytes) -> None:
    assert rtp.parse(datagram) is None


@pytest.mark.parametrize("digit", rtp.KEYS)
def test_keys_come_back(digit: str) -> None:
    assert rtp.key_of(rtp.key_payload(digit, 480, end=False)) == (digit, False)
    assert rtp.key_of(rtp.key_payload(digit, 960, end=True)) == (digit, True)


def test_a_flash_is_no_key() -> None:
    assert rtp.key_of(b"\x10\x8a\x01\xe0") is None
    assert rtp.key_of(b"\x01") is None


def test_audio_goes_to_our_port_in_the_codec_that_was_asked_for() -> None:
    lines = redirect_audio(OFFER, 30_002, ("PCMA", "PCMU")).split("\r\n")
    assert "m=audio 30002 RTP/AVP 8 0 120" in lines
    assert "a=fmtp:120 0-16" in lines
    assert not [line for line in lines if "G722" in line or "GSM" in line or line.startswith("a=rtcp:")]


def test_without_a_wish_all_codecs_stay() -> None:
    assert "m=audio 30002 RTP/AVP 9 8 0 120 3" in redirect_audio(OFFER, 30_002, ()).split("\r\n")


def test_static_payload_types_need_no_map() -> None:
    assert "m=audio 5000 RTP/AVP 0" in redirect_audio("m=audio 1 RTP/AVP 8 0\r\n", 5000, ("PCMU",))
