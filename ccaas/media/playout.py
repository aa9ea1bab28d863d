"""What the agent says, on its way to the caller: paced, stoppable within a frame, and honest about what was played.

Asterisk plays 20 ms of what it holds every 20 ms. We keep only a short lead in it, so that a change of mind (a duck,
a stop) needs to take back little, and so that "what was played" follows from the clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ccaas.media.codec import coder
from ccaas.ports.media import FRAME_MS, MediaStream, Pcm

LEAD_FRAMES = 6
"""Frames kept ahead in Asterisk: 120 ms covers a busy event loop and costs nothing when flushed."""

FRAME_S = FRAME_MS / 1000

_TRAVEL_S = 0.001
"""What is sent at least takes to be played (s)."""

_REMEMBERED_FRAMES = 30
"""Heard frames that are kept: a resume may begin with them again."""

_BLOCK_S = 0.01
_GAP_BLOCKS = 3
"""So many quiet blocks stand before a word, or before a syllable that may be said alone (30 ms)."""
_GAP_DB = -25.0
"""A block this far under the loudest is quiet."""


class AgentTrack(Protocol):
    """Where what the agent said is written down (the recording)."""

    def agent(self, pcm: Pcm, at: float) -> None:
        """These samples are heard from monotonic second `at` on."""
        ...

    def agent_cut(self, at: float) -> None:
        """What was to be heard after `at` was taken back."""
        ...


class Playout:
    """The speaking side of one call's media stream.

    Feed it with `play`; call `pump` every 20 ms while `active`. Positions are seconds of the audio fed since `begin`.
    """

    def __init__(self, stream: MediaStream, clock: Callable[[], float], track: AgentTrack | None = None) -> None:
        self._stream = stream
        self._now = clock
        self._track = track
        self._coder = coder(stream.codec)
        self._rate = stream.codec.sample_rate
        self._frame = self._rate // 50
        self._waiting: deque[Pcm] = deque()
        self._waiting_samples = 0
        self._sent: deque[Pcm] = deque(maxlen=LEAD_FRAMES + _REMEMBERED_FRAMES)
        self._begun_at = 0.0
        self._free_at = 0.0
        """When the far end will have played the frame that a flush left to it (monotonic s)."""
        self._frames_out = 0
        self._played_before = 0
        self._gain = 1.0
        self._gain_before = 1.0
        """Of the newest frame that was sent: the next one glides from there, so that nothing clicks."""
        self._paused = False
        self._ended = False
        self.refused_frames = 0
        """Frames that the far end would not take, since the call began."""

    @property
    def sample_rate(self) -> int:
        """Of the samples that `play` takes (Hz)."""
        return self._rate

    def begin(self) -> None:
        """A new reply: forget the last one. Whatever was still unplayed of it is taken back."""
        self.stop()
        self._played_before = 0
        self._gain = self._gain_before = 1.0
        self._paused = False
        self._ended = False

    def play(self, pcm: Pcm) -> None:
        """Append samples of the reply."""
        self._waiting.append(pcm)
        self._waiting_samples += len(pcm)

    def finish(self) -> None:
        """Nothing more will come for this reply: its last, short frame may go out."""
        self._ended = True

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def drained(self) -> bool:
        """The reply was finished and all of it has been heard."""
        return self._ended and not self._paused and not self._waiting_samples and self._in_flight() <= 0

    @property
    def speaking(self) -> bool:
        """The caller hears the agent right now."""
        return self._in_flight() > 0

    @property
    def active(self) -> bool:
        """Whether `pump` has work, now or soon."""
        return not self._paused and (self._waiting_samples > 0 or self._in_flight() > 0)

    @property
    def waiting_s(self) -> float:
        """Seconds of the reply that were fed and not yet heard."""
        return (self._waiting_samples + max(self._in_flight(), 0) * self._frame) / self._rate

    def position(self) -> float:
        """Seconds of this reply that the caller has heard."""
        return (self._played_before + self._frames_played() * self._frame) / self._rate

    def pump(self) -> bool:
        """Send what is due. True when this call put the first frame of a run on its way."""
        if self._paused:
            return False
        now = self._now()
        started = False
        if self._in_flight() <= 0:
            self._settle()
        while self._waiting_samples >= self._frame or (self._ended and self._waiting_samples):
            if self._frames_out and self._frames_out - self._frames_played() >= LEAD_FRAMES:
                break
            first = not self._frames_out
            if first:
                self._begun_at = max(now, self._free_at)
            if not self._send(self._take()):
                break
            started = started or first
        return started

    def duck(self, decibels: float) -> None:
        """Lower (negative) or restore (0) the voice from the next frame on."""
        gain = 10 ** (decibels / 20)
        if gain != self._gain:
            self._take_back()
            self._gain = gain
            if not self._paused:
                self.pump()

    def pause(self) -> float:
        """Fall silent within a frame, keeping the rest; the position reached (s)."""
        if not self._paused:
            self._take_back()
            self._paused = True
        return self.position()

    def resume(self, again_s: float = 0.0) -> None:
        """Go on where `pause` stopped, at full level; up to `again_s` seconds earlier when a word begins there."""
        self._gain = self._gain_before = 1.0
        self._paused = False
        self._go_back(again_s)
        self.pump()

    def stop(self) -> float:
        """Fall silent within a frame and drop the rest; the position reached (s)."""
        self._take_back()
        self._waiting.clear()
        self._waiting_samples = 0
        self._sent.clear()
        return self.position()

    def _in_flight(self) -> int:
        """Frames sent and not yet played."""
        return self._frames_out - self._frames_played()

    def _frames_played(self) -> int:
        if not self._frames_out:
            return 0
        return min(self._frames_out, max(0, self._frames_elapsed()))

    def _frames_elapsed(self) -> int:
        return math.floor((self._now() - self._begun_at) / FRAME_S + 1e-6)

    def _frames_begun(self) -> int:
        """The frames that a flush can no longer call back: what was sent in this very moment still can be."""
        return self._frames_elapsed() + 1 if self._now() - self._begun_at > _TRAVEL_S else 0

    def _settle(self) -> None:
        """The run has been heard to its end: the next frame begins a new one."""
        if not self._frames_out:
            return
        self._played_before += self._frames_out * self._frame
        self._free_at = self._begun_at + self._frames_out * FRAME_S
        self._frames_out = 0

    def _take_back(self) -> None:
        """Flush what Asterisk holds and put it back in front of what waits; the frame being played cannot be called back."""
        begun = min(self._frames_out, self._frames_begun())
        unplayed = self._frames_out - begun
        if unplayed > 0:
            self._free_at = self._begun_at + begun * FRAME_S
            self._stream.flush()
            if self._track:
                self._track.agent_cut(self._free_at)
            for _ in range(min(unplayed, len(self._sent))):
                frame = self._sent.pop()
                self._waiting.appendleft(frame)
                self._waiting_samples += len(frame)
            self._played_before += begun * self._frame
            self._frames_out = 0
        else:
            self._settle()

    def _go_back(self, most_s: float) -> None:
        """Put what was heard since the beginning of the cut word in front of what waits."""
        frames = min(len(self._sent), int(most_s / FRAME_S), self._played_before // self._frame)
        if frames <= 0:
            return
        again = word_cut(np.concatenate([self._sent.pop() for _ in range(frames)][::-1]), self._rate)
        if len(again):
            self._waiting.appendleft(again)
            self._waiting_samples += len(again)
            self._played_before -= len(again)

    def _take(self) -> Pcm:
        """The next frame's samples, cut from what waits; padded with silence at the very end."""
        parts: list[Pcm] = []
        missing = self._frame
        while missing and self._waiting:
            part = self._waiting.popleft()
            if len(part) > missing:
                self._waiting.appendleft(part[missing:])
                part = part[:missing]
            parts.append(part)
            missing -= len(part)
        self._waiting_samples -= self._frame - missing
        if missing:
            parts.append(np.zeros(missing, dtype=np.int16))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _send(self, frame: Pcm) -> bool:
        loud = self._levelled(frame)
        if not self._stream.send(self._coder.encode(loud)):
            self.refused_frames += 1
            self._waiting.appendleft(frame)
            self._waiting_samples += len(frame)
            return False
        if self._track:
            self._track.agent(loud, self._begun_at + self._frames_out * FRAME_S)
        self._sent.append(frame)
        self._frames_out += 1
        self._gain_before = self._gain
        return True

    def _levelled(self, frame: Pcm) -> Pcm:
        if self._gain == self._gain_before == 1.0:
            return frame
        return (frame * np.linspace(self._gain_before, self._gain, len(frame))).astype(np.int16)


def word_cut(heard: Pcm, rate: int) -> Pcm:
    """The end of `heard`, from where the word begins in the middle of which it ends; empty when it ends between words, or no
    beginning is in it. `rate` in Hz."""
    size = round(_BLOCK_S * rate)
    count = len(heard) // size
    if count <= _GAP_BLOCKS:
        return heard[:0]
    tail = heard[len(heard) - count * size :]
    power = np.mean(tail.astype(np.float64).reshape(count, size) ** 2, axis=1)
    quiet = power <= max(float(power.max()) * 10 ** (_GAP_DB / 10), 1.0)
    runs = np.convolve(quiet, np.ones(_GAP_BLOCKS), "valid") == _GAP_BLOCKS
    if not runs.any():
        return heard[:0]
    begins = int(np.flatnonzero(runs)[-1]) + _GAP_BLOCKS
    return tail[begins * size :] if begins < count else heard[:0]
