"""What a caller hears, while it happens: for scripts that wait until the agent speaks or has finished."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ccaas.media.codec import Coder, coder
from ccaas.ports.media import FRAME_MS, Codec
from ccaas.testing.caller.wire import Packet

LOUD = 150
"""Samples beyond this (of 32,768; −47 dBFS) are loud: the far end of a script is a synthesiser or a recording, without
room noise."""

_LOUD_SHARE = 10
"""A frame in which one sample of so many is loud is speech."""

_RUN_FRAMES = 3
"""Voiced frames in a row that make a beginning (60 ms): a click is none."""

_QUIET_S = 0.1

_FRAME_S = FRAME_MS / 1000


@dataclass(frozen=True, slots=True)
class Heard:
    """Somebody spoke: monotonic seconds of the first voiced frame's arrival, and of the last one's end."""

    start: float
    end: float


@cache
def _quiet_codes(codec: Codec) -> bytes | None:
    """The bytes that stand for a quiet sample; None where a byte is no sample."""
    if codec is Codec.G722:
        return None
    every = bytes(range(256))
    return bytes(np.flatnonzero(np.abs(coder(codec).decode(every).astype(np.int32)) <= LOUD).astype(np.uint8))


class Ears:
    """Follows one received stream. Times are monotonic seconds of arrival."""

    def __init__(self) -> None:
        self._coder: Coder = coder(Codec.ULAW)
        self._quiet_codes = _quiet_codes(Codec.ULAW)
        self._run: list[float] = []
        self._changed = asyncio.Event()
        self.stretches: list[Heard] = []
        """All speech so far; a stretch ends with 100 ms of quiet, and the last one may still be growing."""
        self.closed = False

    def tune(self, codec: Codec) -> None:
        """Take what follows as `codec`."""
        self._coder = coder(codec)
        self._quiet_codes = _quiet_codes(codec)

    def take(self, packets: Sequence[Packet]) -> None:
        """Listen to packets that have just arrived."""
        for packet in packets:
            at = packet.at / 1e9
            if self._run and at - self._run[-1] > _QUIET_S:
                self._run.clear()  # No packets are quiet too
            if not self._is_speech(packet.payload):
                self._run.clear()
                continue
            self._run.append(at)
            if len(self._run) >= _RUN_FRAMES:
                if self._run[0] - self.last_voiced > _QUIET_S:
                    self.stretches.append(Heard(self._run[0], at + _FRAME_S))
                self.stretches[-1] = Heard(self.stretches[-1].start, at + _FRAME_S)
                del self._run[1:-_RUN_FRAMES]
        self._changed.set()

    def _is_speech(self, coded: bytes) -> bool:
        if self._quiet_codes is not None:  # Many calls listen at once: G.711 is judged without being decoded
            loud, samples = len(coded.translate(None, self._quiet_codes)), len(coded)
        else:
            pcm = self._coder.decode(coded).astype(np.int32)
            loud, samples = int(np.count_nonzero(np.abs(pcm) > LOUD)), len(pcm)
        return loud * _LOUD_SHARE > samples

    @property
    def last_voiced(self) -> float:
        """End of the last speech that was heard; 0 before the first."""
        return self.stretches[-1].end if self.stretches else 0.0

    def longest_pause(self, since: float) -> float:
        """Longest quiet between stretches of speech, of those that end after `since` (s)."""
        pauses = [b.start - a.end for a, b in itertools.pairwise(self.stretches) if b.start > since]
        return max(pauses, default=0.0)

    def close(self) -> None:
        """The call is over: whoever waits is told."""
        self.closed = True
        self._changed.set()

    async def speech(self, since: float, timeout: float) -> float:
        """When speech began at or after `since`, or `since` itself when it was going on then.

        Raises:
            TimeoutError: not within `timeout` seconds, or the call ended.
        """
        deadline = time.monotonic() + timeout
        while True:
            later = [heard.start for heard in self.stretches if heard.start >= since]
            if later:
                return later[0]
            if self.last_voiced > since + _RUN_FRAMES * _FRAME_S:
                return since
            await self._change(deadline, "the far end did not begin to speak")

    async def utterance(self, since: float, quiet_s: float, timeout: float) -> Heard:
        """The first speech after `since`, when it has been followed by `quiet_s` of quiet. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        start = await self.speech(since, timeout)
        while True:
            quiet_at = max(self.last_voiced, start) + quiet_s
            if time.monotonic() >= quiet_at or self.closed:
                return Heard(start, self.last_voiced)
            await self._change(
                min(deadline, quiet_at), "" if quiet_at < deadline else "the far end did not fall silent"
            )

    async def _change(self, deadline: float, complaint: str) -> None:
        """Wait for packets or the deadline; with a complaint, the deadline is an error."""
        if self.closed and complaint:
            raise TimeoutError(f"the call ended before {complaint.replace('did not', 'could')}")
        self._changed.clear()
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                await self._changed.wait()
        except TimeoutError:
            if complaint:
                raise TimeoutError(complaint) from None
