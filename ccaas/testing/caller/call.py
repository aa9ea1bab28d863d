"""One call of the SIP caller, as a script sees it. Times are monotonic seconds."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ccaas.media.codec import coder
from ccaas.ports.media import Codec, Pcm
from ccaas.testing.caller import wire
from ccaas.testing.caller.ears import Ears, Heard
from ccaas.testing.caller.timeline import in_order, lay_out

T = TypeVar("T")

CODECS = {"PCMU": Codec.ULAW, "PCMA": Codec.ALAW, "G722": Codec.G722}


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended."""

    status: int
    """Last SIP status: 200 when it had been answered."""
    reason: str
    """The status's phrase."""
    cause: int
    """Q.850 cause that the far end gave; 0 when none."""
    by_us: bool
    at: float


class CallFailed(Exception):
    """The call ended where it should have been answered; `end` says how."""

    def __init__(self, end: CallEnd) -> None:
        super().__init__(f"the call was not answered: {end.status} {end.reason} (Q.850 cause {end.cause})")
        self.end = end


@dataclass(slots=True)
class Utterance:
    """Something that the caller says or keys."""

    number: int
    duration: float
    """Seconds of audio."""
    started: asyncio.Future[float]
    """Instant at which its first sample was sent."""
    finished: asyncio.Future[float]
    """Instant at which its last sample had been sent; `whole` tells whether it got to its own end."""
    sequence: int = -1
    """RTP sequence number of its first packet."""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A DTMF digit from the far end (RFC 4733)."""

    digit: str
    at: float


@dataclass(frozen=True, slots=True)
class Stereo:
    """Both directions of a call on one line."""

    audio: NDArray[np.int16]
    """Shape [n, 2]: left what the caller sent, right what it heard."""
    sample_rate: int
    origin: float
    """Monotonic second of sample 0."""
    starts: dict[int, int]
    """Sample at which each utterance begins on the left, by its number."""
    sent_jitter_s: float
    """How far a sent packet's instant lies from its place, at most (s)."""
    heard_jitter_s: float
    """The same for received packets."""
    stalls: int
    """Received packets that came more than a frame late in mid-flow."""

    def index(self, at: float) -> int:
        """Sample that stands at monotonic second `at`."""
        return round((at - self.origin) * self.sample_rate)

    def save(self, path: Path) -> None:
        """Write a 16-bit stereo WAV file."""
        soundfile.write(path, self.audio, self.sample_rate, subtype="PCM_16")


class Call:
    """A call that this caller placed or was offered."""

    def __init__(self, number: int, order: Callable[[wire.Command], None], peer: str = "", dialled: str = "") -> None:
        self.number = number
        self.peer = peer
        """URI of the far end, for a call that came in."""
        self.dialled = dialled
        """URI that the far end has called, for a call that came in."""
        self.ears = Ears()
        self.codec: Codec | None = None
        self.held = False
        """Whether the far end has put us on hold."""
        self.holding = False
        """Whether we have put the far end on hold."""
        self.progress: list[int] = []
        """Provisional SIP statuses, in order of arrival."""
        self.keys: list[Key] = []
        self.answered_at: float | None = None
        self._order = order
        loop = asyncio.get_running_loop()
        self._up: asyncio.Future[float] = loop.create_future()
        self._end: asyncio.Future[CallEnd] = loop.create_future()
        self._moved: asyncio.Future[Call] = loop.create_future()
        self._changed = asyncio.Event()
        self._numbers = itertools.count(1)
        self._utterances: dict[int, Utterance] = {}
        self._sent: list[wire.Packet] = []
        self._heard: list[wire.Packet] = []

    # -- what the script does ------------------------------------------------------------------------------------

    async def answered(self, timeout: float = 10.0) -> float:
        """Wait for the answer; its instant. Raises CallFailed when it ended instead, TimeoutError when neither came."""
        done, _ = await asyncio.wait((self._up, self._end), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._up in done:
            return self._up.result()
        if self._end in done:
            raise CallFailed(self._end.result())
        raise TimeoutError(f"the call was neither answered nor refused within {timeout:g} s")

    def start_saying(self, audio: Pcm | Path | str, sample_rate: int | None = None) -> Utterance:
        """Queue speech behind what is being said. Int16 samples at `sample_rate` (default: the call's), or a WAV file."""
        codec = self.codec or Codec.ULAW
        if isinstance(audio, (str, Path)):
            pcm, sample_rate = soundfile.read(audio, dtype="int16")
        else:
            pcm = audio
        if sample_rate and sample_rate != codec.sample_rate:
            pcm = soxr.resample(pcm, sample_rate, codec.sample_rate)
        utterance = self._utterance(len(pcm) / codec.sample_rate)
        self._order(wire.Say(self.number, utterance.number, pcm.astype(np.int16, copy=False).tobytes()))
        return utterance

    async def say(self, audio: Pcm | Path | str, sample_rate: int | None = None) -> Utterance:
        """Say something, and return when its last sample has been sent."""
        utterance = self.start_saying(audio, sample_rate)
        await utterance.finished
        return utterance

    async def press(self, digits: str, tone_ms: int = 100, gap_ms: int = 100) -> None:
        """Press keys (RFC 4733), one after the other, behind what is being said; return when they have been sent."""
        pressed = [self._utterance((tone_ms + gap_ms) / 1000) for _ in digits]
        for utterance, digit in zip(pressed, digits, strict=True):
            self._order(wire.Press(self.number, utterance.number, digit, tone_ms, gap_ms))
        for utterance in pressed:
            await utterance.finished

    def hush(self) -> None:
        """Break off what is being said, with the next frame."""
        self._order(wire.Hush(self.number))

    async def hang_up(self, timeout: float = 5.0) -> CallEnd:
        """Hang up (or cancel), and wait until the call is gone. Once gone, only says how it ended."""
        if not self._end.done():
            self._order(wire.HangUp(self.number))
        return await self.wait_ended(timeout)

    async def wait_ended(self, timeout: float = 10.0) -> CallEnd:
        """Wait for the end, whoever brings it about. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await asyncio.shield(self._end)

    def ring(self) -> None:
        """Answer an incoming call with 180 Ringing."""
        self._order(wire.Respond(self.number, 180))

    async def answer(self, timeout: float = 5.0) -> float:
        """Take an incoming call; the instant at which it was up."""
        self._order(wire.Respond(self.number, 200))
        return await self.answered(timeout)

    def refuse(self, status: int = 486) -> None:
        """Refuse an incoming call: 486 busy, 603 declined, 480 not available …"""
        self._order(wire.Respond(self.number, status))

    async def hold(self, timeout: float = 5.0) -> None:
        """Put the far end on hold by a re-INVITE; return when it has agreed."""
        self._order(wire.Hold(self.number, on=True))
        await self._until(lambda: self.holding, timeout, "the far end agreed to be held")

    async def unhold(self, timeout: float = 5.0) -> None:
        """Take the far end off hold; return when it has agreed."""
        self._order(wire.Hold(self.number, on=False))
        await self._until(lambda: not self.holding, timeout, "the far end agreed to go on")

    def echo(self, delay_ms: int) -> None:
        """Be an echo from now on: send back what arrives, this long after its arrival, and nothing else."""
        self._order(wire.Echo(self.number, delay_ms))

    # -- what the script waits for -------------------------------------------------------------------------------

    async def hear_start(self, since: float | None = None, timeout: float = 10.0) -> float:
        """When the far end began to speak, at or after `since` (default: now)."""
        return await self.ears.speech(time.monotonic() if since is None else since, timeout)

    async def hear(self, since: float | None = None, quiet_s: float = 0.7, timeout: float = 15.0) -> Heard:
        """The far end's first speech after `since` (default: now), once it has been quiet for `quiet_s`."""
        return await self.ears.utterance(time.monotonic() if since is None else since, quiet_s, timeout)

    async def heard_keys(self, count: int, timeout: float = 10.0) -> str:
        """The first `count` DTMF digits from the far end."""
        await self._until(lambda: len(self.keys) >= count, timeout, f"{count} keys were heard")
        return "".join(key.digit for key in self.keys[:count])

    async def wait_held(self, held: bool = True, timeout: float = 5.0) -> None:
        """Until the far end has put us on hold, or off."""
        await self._until(lambda: self.held is held, timeout, "the far end changed its hold")

    async def wait_ringing(self, timeout: float = 5.0) -> None:
        """Until the far end rings (or plays early media)."""
        await self._until(lambda: bool(self.progress), timeout, "it rang")

    async def moved(self, timeout: float = 10.0) -> Call:
        """The call that this one goes on as, after the far end transferred it by REFER."""
        async with asyncio.timeout(timeout):
            return await asyncio.shield(self._moved)

    @property
    def is_up(self) -> bool:
        """Answered and not ended."""
        return self._up.done() and not self._end.done()

    def stereo(self) -> Stereo:
        """Both directions so far; complete once the call has ended (what was sent is reported by the half second)."""
        codec = self.codec or Codec.ULAW
        rate = codec.sample_rate
        heard = in_order(self._heard)
        origin = min((p.at for p in (*self._sent[:1], *heard)), default=0)
        left = lay_out(self._sent, coder(codec), rate, origin)
        right = lay_out(heard, coder(codec), rate, origin)
        audio = np.zeros((max(len(left.pcm), len(right.pcm)), 2), dtype=np.int16)
        audio[: len(left.pcm), 0] = left.pcm
        audio[: len(right.pcm), 1] = right.pcm
        place = {packet.sequence: at for packet, at in zip(self._sent, left.places, strict=True)}
        starts = {u.number: place[u.sequence] for u in self._utterances.values() if u.sequence in place}
        return Stereo(audio, rate, origin / 1e9, starts, left.jitter_s, right.jitter_s, right.stalls)

    # -- what the child reports ----------------------------------------------------------------------------------

    def take(self, event: wire.Event) -> None:
        """One report of the child; for SipCaller only."""
        match event:
            case wire.Heard(packets=packets):
                self._heard.extend(packets)
                self.ears.take(packets)
                return
            case wire.Sent(packets=packets):
                self._sent.extend(packets)
                return
            case wire.Began(number=number, sequence=sequence, at=at):
                self._utterances[number].sequence = sequence
                _settle(self._utterances[number].started, at / 1e9)
            case wire.Finished(number=number, at=at, whole=whole):
                utterance = self._utterances[number]
                utterance.whole = whole
                _settle(utterance.started, at / 1e9)
                _settle(utterance.finished, at / 1e9)
            case wire.Progress(status=status):
                self.progress.append(status)
            case wire.Answered(at=at):
                self.answered_at = at / 1e9
                _settle(self._up, self.answered_at)
            case wire.Media(codec=name, held=held, holding=holding):
                self.held, self.holding = held, holding
                if self.codec is not CODECS[name]:
                    self.codec = CODECS[name]
                    self.ears.tune(self.codec)
            case wire.KeyHeard(digit=digit, at=at):
                self.keys.append(Key(digit, at / 1e9))
            case wire.Ended(status=status, reason=reason, cause=cause, by_us=by_us, at=at):
                self.ended(CallEnd(status, reason, cause, by_us, at / 1e9))
        self._changed.set()

    def ended(self, end: CallEnd) -> None:
        """The call is gone: everything that waits is released. For SipCaller only."""
        for utterance in self._utterances.values():
            _settle(utterance.started, end.at)
            _settle(utterance.finished, end.at)
        _settle(self._end, end)
        self.ears.close()
        self._changed.set()

    def move(self, call: Call) -> None:
        """This call goes on as another. For SipCaller only."""
        _settle(self._moved, call)

    def _utterance(self, duration: float) -> Utterance:
        loop = asyncio.get_running_loop()
        utterance = Utterance(next(self._numbers), duration, loop.create_future(), loop.create_future())
        self._utterances[utterance.number] = utterance
        if self._end.done():
            _settle(utterance.started, time.monotonic())
            _settle(utterance.finished, time.monotonic())
        return utterance

    async def _until(self, true: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not true():
            if self._end.done():
                raise TimeoutError(f"the call ended before {what}")
            self._changed.clear()
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                raise TimeoutError(f"{timeout:g} s passed before {what}") from None


def _settle(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)
