"""What has answered: a call is listened to from its answer on, by itself at first, then beside whatever else uses its audio."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from ccaas.dialler.dispositions import Disposition
from ccaas.dialler.settings import AnswerLimits, AnswerWords
from ccaas.errors import SpeechError
from ccaas.media.answering.asking import LEAD_FRAMES, Ask, Asking
from ccaas.media.answering.limits import EAGER, Limits
from ccaas.media.answering.words import ENGLISH, NONE, Phrases
from ccaas.media.codec import coder
from ccaas.media.resample import LiveResampler
from ccaas.ports.answering import AnsweredBy, AnsweringDetector, GreetingOver, Verdict
from ccaas.ports.media import FRAME_MS, Codec, MediaStream, Pcm
from ccaas.ports.speech import Recognizer, RecognizerStream

_log = structlog.get_logger(__name__)

LONGEST_S = 8.0
"""Nobody is kept waiting longer: what has not been told by then is taken for a person."""

NO_PERSON: Mapping[AnsweredBy, Disposition] = {
    AnsweredBy.MACHINE: Disposition.MACHINE,
    AnsweredBy.FAX: Disposition.FAX,
    AnsweredBy.TONES: Disposition.INVALID,
    AnsweredBy.SILENCE: Disposition.SILENCE,
}

News = Verdict | GreetingOver | None
"""None: nothing more will be told, or the audio was lost."""


def limits_for(settings: AnswerLimits, *, eager: bool) -> Limits:
    """`eager`: the AI has the call, and who is taken for a person is listened to further, so that a short pause is enough.

    A person of ours hears for themselves who does not listen to them: only beeps and words take a call from them.
    """
    (most, pause_s), *longer = EAGER if eager else Limits().pauses
    least_s = pause_s if settings.pause_s is None else settings.pause_s
    pauses = (most, least_s), *((most, max(usual_s, least_s)) for most, usual_s in longer)
    return Limits(
        nobody_s=settings.nobody_s,
        pauses=pauses,
        machine_s=settings.machine_s,
        doubt_s=settings.doubt_s,
        over_s=settings.over_s,
        resumed_s=Limits().resumed_s if eager else math.inf,
    )


def phrases_for(words: AnswerWords | None, language: str) -> Phrases:
    """The words of a language: those of the YAML, and for English those that are here."""
    own = (
        NONE
        if words is None
        else Phrases(
            **{**dict(words), "machine": (*words.machine, *words.sure, *words.full), "sure": (*words.sure, *words.full)}
        )
    )
    return ENGLISH.joined(own) if language == "en" else own


class Hearing:
    """One answered call, listened to over its stream. `beside` is the stream for who speaks meanwhile."""

    def __init__(
        self, stream: MediaStream, detector: Callable[[int], AnsweringDetector], recognizer: Recognizer | None
    ) -> None:
        """Args:
        detector: makes one for audio of this rate (Hz).
        recognizer: understands what is said; None: timing and tones alone tell.
        """
        self._stream = stream
        self._make = detector
        self._decoder = coder(stream.codec)
        self._detector = detector(stream.codec.sample_rate)
        self._words = Words(recognizer, stream.codec.sample_rate) if recognizer is not None else None
        self._news: asyncio.Queue[News] = asyncio.Queue()
        self._open = True
        self._told_all = False
        self.lost = False
        """The stream has ended by itself."""
        self.beside = Beside(stream, self._heard, self._lost)

    async def next(self) -> News:
        """What is told next."""
        return None if self.lost and self._news.empty() else await self._news.get()

    def anew(self) -> None:
        """Judge as if it was answered now."""
        self._detector = self._make(self._stream.codec.sample_rate)
        self._news, self._told_all = asyncio.Queue(), False
        if self._words is not None:
            self._words.anew()

    def over(self, stream: MediaStream) -> None:
        """Go on over another stream of the same call."""
        self._stream, self._decoder, self.lost = stream, coder(stream.codec), False
        news, self._news = self._news, asyncio.Queue()
        while not news.empty():
            if (one := news.get_nowait()) is not None:
                self._news.put_nowait(one)
        self._told_all = False
        self.beside = Beside(stream, self._heard, self._lost)

    def alone(self) -> None:
        """Who spoke beside has stopped."""
        self.beside.listen(lambda _: None, lambda: None)

    def close(self) -> None:
        """Listen no longer; who speaks beside goes on."""
        self._open = False
        if self._words is not None:
            self._words.close()

    def _heard(self, coded: bytes) -> None:
        if not self._open:
            return
        pcm, detector = self._decoder.decode(coded), self._detector
        if detector.over:
            if not self._told_all:
                self._told_all = True
                self._news.put_nowait(None)
            return
        self._tell(detector.push(pcm))
        if self._words is not None:
            self._words.push(pcm, detector.voice, lambda text: self._understood(detector, text))

    def _understood(self, detector: AnsweringDetector, text: str) -> None:
        if self._open and detector is self._detector:
            self._tell(detector.hear(text))

    def _tell(self, news: News) -> None:
        if isinstance(news, Verdict):
            _log.info("what has answered", by=news.by.value, why=news.why, at_s=round(news.at_s, 2))
        if news is not None:
            self._news.put_nowait(news)

    def _lost(self) -> None:
        self.lost = True
        self._news.put_nowait(None)


class Beside:
    """Implements `MediaStream` around another, whose audio is heard by somebody else too."""

    def __init__(self, stream: MediaStream, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        self._stream = stream
        self._heard = heard
        self._lost = lost
        self._gone = False
        self._on_frame: Callable[[bytes], None] = lambda _: None
        self._on_lost: Callable[[], None] = lambda: None
        stream.listen(self._frame, self._ended)

    @property
    def codec(self) -> Codec:
        """See the port."""
        return self._stream.codec

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        """See the port."""
        self._on_frame, self._on_lost = on_frame, on_lost
        if self._gone:
            on_lost()

    def send(self, coded: bytes) -> bool:
        """See the port."""
        return self._stream.send(coded)

    def flush(self) -> None:
        """See the port."""
        self._stream.flush()

    async def close(self) -> None:
        """See the port."""
        await self._stream.close()

    def _frame(self, coded: bytes) -> None:
        self._heard(coded)
        self._on_frame(coded)

    def _ended(self) -> None:
        self._gone = True
        self._lost()
        self._on_lost()


class Words:
    """What the recogniser makes of the far end, asked when `Asking` says so, one question at a time."""

    def __init__(self, recognizer: Recognizer, rate: int) -> None:
        self._recognizer = recognizer
        self._rate = rate
        self._task: asyncio.Task[None] | None = None
        self._stream: RecognizerStream
        self._begin()

    def _begin(self) -> None:
        self._asking = Asking()
        self._wide = LiveResampler(self._rate, self._recognizer.capabilities.sample_rate)
        self._stream = self._recognizer.open()
        self._before = self._text = ""
        self._again = self._parts = False
        self._lead: deque[Pcm] = deque(maxlen=LEAD_FRAMES)

    def push(self, pcm: Pcm, voice: bool, tell: Callable[[str], None]) -> None:
        """The next frame, and whether somebody speaks in it; `tell` is told what was understood, whenever that is."""
        self._lead.append(self._wide.push(pcm))
        ask = self._asking.step(FRAME_MS / 1000, voice=voice)
        while self._lead and self._asking.spoken:
            self._stream.push(self._lead.popleft())
        match ask:
            case Ask.SO_FAR if self._task is None:
                self._task = asyncio.create_task(self._ask(tell), name="who has answered")
            case Ask.SO_FAR:
                self._again = True
            case Ask.ANEW if self._task is None:
                self._part()
            case Ask.ANEW:
                self._parts = True

    def anew(self) -> None:
        """Forget what was said."""
        self.close()
        self._begin()

    def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._stream.close()

    def _part(self) -> None:
        self._stream.close()
        self._stream, self._before, self._parts = self._recognizer.open(), self._text, False

    async def _ask(self, tell: Callable[[str], None]) -> None:
        try:
            while True:
                self._again = False
                with suppress(SpeechError):
                    self._text = f"{self._before} {(await self._said()).strip()}".strip()
                    tell(self._text)
                if not self._again:
                    break
            if self._parts:
                self._part()
        finally:
            self._task = None

    async def _said(self) -> str:
        if self._recognizer.capabilities.interim:
            return (await self._stream.interim()).text
        return (await self._stream.final()).text
