"""One call's audio in the child process: our own RTP socket, paced by CLOCK_MONOTONIC and stamped by the kernel.

The stack's own media never runs. A packet's arrival is the kernel's receive time stamp, so that a busy machine does not
make the far end look late; its sending is the instant at which `sendto` was called.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ccaas.media.codec import coder, silence
from ccaas.ports.media import Codec, Pcm
from ccaas.testing.caller import rtp
from ccaas.testing.caller.wire import Began, Event, Finished, Heard, KeyHeard, Packet, Sent

FRAME_NS = 20_000_000

_SO_TIMESTAMPNS = 35
"""Linux's socket option and control message for nanosecond receive stamps; Python's socket module does not name it."""

_TIMESPEC = struct.Struct("@qq")

_REPORT_EVERY = 25
"""Sent packets are reported by the half second: nobody waits for them."""

_END_REPEATS = 3
"""RFC 4733 section 2.5.1.4: the last packet of an event is sent three times."""


@dataclass(slots=True)
class _Speech:
    number: int
    pcm: Pcm
    at: int = 0
    """Samples already sent."""


@dataclass(slots=True)
class _Key:
    number: int
    digit: str
    frames: int
    gap: int
    """Frames of silence that follow."""
    done: int = 0
    timestamp: int = 0


def _pair() -> tuple[socket.socket, socket.socket]:
    """RTP on an even port of 127.0.0.1 and RTCP beside it (RFC 3550 section 11)."""
    for _ in range(200):
        port = random.randrange(30_000, 59_999, 2)
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
        except OSError:
            first.close()
            second.close()
            continue
        first.setblocking(False)
        first.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return first, second
    raise OSError("no free pair of UDP ports on 127.0.0.1")


class Line:
    """Both directions of one call's audio."""

    def __init__(self, call: int, report: Callable[[Event], None]) -> None:
        self._call = call
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._socket, self._control = _pair()
        self.port: int = self._socket.getsockname()[1]
        self._loop.add_reader(self._socket, self._receive)
        self._peer: tuple[str, int] | None = None
        self._payload_type = 0
        self._event_type = -1
        self._codec = Codec.ULAW
        self._coder = coder(self._codec)
        self._silence = silence(self._codec)
        self._frame = self._codec.sample_rate // 50
        self._due = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sequence = random.randrange(1 << 15)
        self._timestamp = random.randrange(1 << 30)
        self._ssrc = random.randrange(1 << 32)
        self._queue: deque[_Speech | _Key] = deque()
        self._sent: list[Packet] = []
        self._last_event = -1
        self._echo_ns: int | None = None

    def aim(self, peer: tuple[str, int], codec: Codec, payload_type: int, event_type: int) -> None:
        """Send to `peer` from now on, silence between what is said."""
        self._peer, self._payload_type, self._event_type = peer, payload_type, event_type
        if codec is not self._codec:
            self._codec, self._coder, self._silence = codec, coder(codec), silence(codec)
            self._frame = codec.sample_rate // 50
        if self._timer is None and self._echo_ns is None:
            self._due = time.monotonic_ns()
            self._tick()

    def echo(self, delay_ms: int) -> None:
        """From now on send back what arrives, this long after its arrival, and nothing else: a far end to measure by."""
        self._echo_ns = delay_ms * 1_000_000
        self.pause()

    def pause(self) -> None:
        """Send nothing until the next `aim` (we hold, or are held)."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def say(self, number: int, pcm: bytes) -> None:
        """Queue native int16 samples, at the codec's rate, behind what is queued."""
        self._queue.append(_Speech(number, np.frombuffer(pcm, dtype=np.int16)))

    def press(self, number: int, digit: str, tone_ms: int, gap_ms: int) -> None:
        """Queue a key. It is sent for whole frames, at least two."""
        self._queue.append(_Key(number, digit, max(2, round(tone_ms / 20)), max(1, round(gap_ms / 20))))

    def hush(self) -> None:
        """Fall silent with the next frame."""
        now = time.monotonic_ns()
        while self._queue:
            self._report(Finished(self._call, self._queue.popleft().number, now, whole=False))

    def close(self) -> None:
        """Stop, report what was sent, and free the ports."""
        self.pause()
        self.hush()
        self._flush_sent()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._control.close()

    def _tick(self) -> None:
        now = time.monotonic_ns()
        if now - self._due > FRAME_NS:
            self._due = now  # Slept too long: a phone's clock slips, it does not send a burst
        self._send(now)
        self._due += FRAME_NS
        self._timer = self._loop.call_at(self._due / 1e9, self._tick)

    def _send(self, now: int) -> None:
        item = self._queue[0] if self._queue else None
        if isinstance(item, _Speech):
            pcm = item.pcm[item.at : item.at + self._frame]
            if len(pcm) < self._frame:
                pcm = np.concatenate((pcm, np.zeros(self._frame - len(pcm), dtype=np.int16)))
            if not item.at:
                self._report(Began(self._call, item.number, self._sequence, now))
            item.at += self._frame
            payload = self._coder.encode(pcm)
            self._audio(now, payload, payload)
            if item.at >= len(item.pcm):
                self._finish(item.number, now)
        elif isinstance(item, _Key):
            self._key(now, item)
        else:
            self._quiet(now)
        self._timestamp += rtp.FRAME_TICKS

    def _finish(self, number: int, now: int) -> None:
        self._queue.popleft()
        self._report(Finished(self._call, number, now + FRAME_NS, whole=True))

    def _quiet(self, now: int) -> None:
        if self._codec is Codec.G722:  # Adaptive: the same bytes again and again would be a tone
            payload = self._coder.encode(np.zeros(self._frame, dtype=np.int16))
            self._audio(now, payload, payload)
        else:
            self._audio(now, self._silence, b"")

    def _audio(self, now: int, payload: bytes, logged: bytes) -> None:
        self._put(rtp.build(self._payload_type, self._sequence, self._timestamp, self._ssrc, payload))
        self._sent.append(Packet(now, self._sequence, self._timestamp, logged))
        self._sequence += 1
        if len(self._sent) >= _REPORT_EVERY:
            self._flush_sent()

    def _key(self, now: int, key: _Key) -> None:
        if key.done >= key.frames:
            self._quiet(now)
        else:
            if not key.done:
                key.timestamp = self._timestamp
                self._report(Began(self._call, key.number, self._sequence, now))
            last = key.done == key.frames - 1
            payload = rtp.key_payload(key.digit, (key.done + 1) * rtp.FRAME_TICKS, last)
            for _ in range(_END_REPEATS if last else 1):
                self._put(
                    rtp.build(self._event_type, self._sequence, key.timestamp, self._ssrc, payload, marker=not key.done)
                )
                self._sequence += 1
        key.done += 1
        if key.done >= key.frames + key.gap:
            self._finish(key.number, now)

    def _send_back(self, packet: rtp.RtpPacket) -> None:
        if self._socket.fileno() >= 0:
            self._timestamp = packet.timestamp
            self._audio(time.monotonic_ns(), packet.payload, packet.payload)

    def _put(self, datagram: bytes) -> None:
        if self._peer:
            with suppress(OSError):  # The far end's socket is closed: the call is about to end, and says so by SIP
                self._socket.sendto(datagram, self._peer)

    def _flush_sent(self) -> None:
        if self._sent:
            self._report(Sent(self._call, tuple(self._sent)))
            self._sent.clear()

    def _receive(self) -> None:
        heard: list[Packet] = []
        while True:
            try:
                datagram, control, _, _ = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                break
            except OSError:
                continue  # An ICMP error of an earlier send
            packet = rtp.parse(datagram)
            if packet is None:
                continue
            at = _arrival(control)
            if packet.payload_type == self._event_type:
                self._key_heard(packet, at)
            elif packet.payload_type == self._payload_type:
                heard.append(Packet(at, packet.sequence, packet.timestamp, packet.payload))
                if self._echo_ns is not None:
                    self._loop.call_at((at + self._echo_ns) / 1e9, self._send_back, packet)
        if heard:
            self._report(Heard(self._call, tuple(heard)))

    def _key_heard(self, packet: rtp.RtpPacket, at: int) -> None:
        key = rtp.key_of(packet.payload)
        if key and key[1] and packet.timestamp != self._last_event:
            self._last_event = packet.timestamp
            self._report(KeyHeard(self._call, key[0], at))


def _arrival(control: list[tuple[int, int, bytes]]) -> int:
    """The kernel's stamp, which is in CLOCK_REALTIME, on CLOCK_MONOTONIC (ns)."""
    now = time.monotonic_ns()
    for level, kind, stamp in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
            came: int = seconds * 1_000_000_000 + nanoseconds
            return now - max(0, time.time_ns() - came)
    return now
