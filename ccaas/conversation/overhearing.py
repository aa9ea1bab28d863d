"""One side of a talk between people, written down: voice detection and recognition, and nobody who answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from ccaas.conversation.ear import Ear, Utterance
from ccaas.conversation.parts import Parts
from ccaas.errors import SpeechError
from ccaas.media.recording import Recording
from ccaas.ports.media import MediaStream, Pcm

_log = structlog.get_logger(__name__)

_GAP_S = 0.3
"""A pause this long ends a line."""
_DRAFT_S = 0.06
"""After a pause this long recognition begins, in case the line has ended: its words are there when that is known."""
_LONGEST_S = 15.0
"""A line is cut after this, whatever is said."""
_LOOK_S = 0.05
_JITTER_S = 0.1
"""A frame that comes within this of its time stands where it belongs."""


class Side:
    """One side's place in the recording: the customer left, whoever talks with them right."""

    def __init__(self, recording: Recording | None, now: Callable[[], float], *, customer: bool) -> None:
        self._recording = recording
        self._now = now
        self._customer = customer
        self._next_at = 0.0

    def keep(self, pcm: Pcm, seconds: float) -> None:
        """Samples that have just come, and how long they are."""
        if self._recording is None:
            return
        now = self._now()
        if self._customer:
            self._recording.caller(pcm, now)
            return
        at = self._next_at if abs(now - self._next_at) < _JITTER_S else now
        self._recording.agent(pcm, at)
        self._next_at = at + seconds


async def listen(
    stream: MediaStream,
    parts: Parts,
    keep: Callable[[Pcm, float], None],
    said: Callable[[str, float], None],
    drafted: Callable[[str], None],
    writing: asyncio.Lock,
) -> None:
    """Until the stream ends: hand all audio to `keep`, and each line to `said` with the monotonic second of its beginning.

    At each short pause in a line `drafted` gets its words so far. `writing` is held while a line is recognised.
    """
    now = parts.clock.now
    times = {"started": 0.0, "stopped": 0.0}
    lost = asyncio.Event()
    draft: asyncio.Task[str] | None = None
    drafted_at = 0.0
    """The pause that `draft` belongs to, by its beginning."""

    def started(at: float) -> None:
        times["stopped"] = 0.0
        if ear.utterance is None:
            times["started"] = at
            ear.begin_utterance()

    def stopped(at: float) -> None:
        times["stopped"] = at

    def show(done: asyncio.Task[str]) -> None:
        if not done.cancelled() and (text := done.result()):
            drafted(text)

    ear = Ear(
        stream.codec,
        parts.recognizer,
        parts.voice,
        parts.turn,
        parts.settings,
        started,
        stopped,
        lambda: None,
        parts.impressions,
    )

    def frame(coded: bytes) -> None:
        pcm = ear.decode(coded)
        keep(pcm, len(pcm) / stream.codec.sample_rate)
        ear.hear(pcm, now())

    stream.listen(frame, lost.set)
    try:
        while not lost.is_set():
            await asyncio.sleep(_LOOK_S)
            ear.lapse(now())
            stopped_at = times["stopped"]
            pause = now() - stopped_at if stopped_at else 0.0
            if draft is not None and drafted_at != stopped_at:
                draft.cancel()
                draft = None
            if ear.utterance is None:
                continue
            if pause >= _DRAFT_S and draft is None:
                draft, drafted_at = asyncio.create_task(_words(ear.utterance, writing), name="line"), stopped_at
                draft.add_done_callback(show)
            if pause >= _GAP_S or ear.utterance.seconds > _LONGEST_S:
                await _write(ear.take_utterance(), draft, times["started"], said, writing)
                draft = None
                if pause < _GAP_S:
                    times["started"] = now()
                    ear.begin_utterance()
        await _write(ear.take_utterance(), draft, times["started"], said, writing)
    finally:
        if draft is not None:
            draft.cancel()
        ear.drop_utterance()


async def _words(utterance: Utterance, writing: asyncio.Lock) -> str:
    """What was said so far; empty when that is not understood."""
    try:
        async with writing:
            return (await utterance.stream.final()).text.strip()
    except SpeechError as error:
        _log.warning("a line of a talk was not understood", error=str(error))
        return ""


async def _write(
    utterance: Utterance | None,
    draft: asyncio.Task[str] | None,
    at: float,
    said: Callable[[str, float], None],
    writing: asyncio.Lock,
) -> None:
    """Hand the line on. `draft`: its words, begun in the pause that has ended it; None where there was none."""
    if utterance is None:
        return
    try:
        text = await (_words(utterance, writing) if draft is None else draft)
    finally:
        utterance.close()
    if text:
        said(text, at)
