"""How one call's caller feels, and when a person is brought in because of it: judged beside the turn, never in its way.

A score is asked for when a pause begins (`ahead`, `foresee`), so that it is there when the turn is taken; when it is late,
the answer is already running and is stopped. What the score then means is decided here, what it does in the conversation is a row
of its state machine (`Escalated`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from prometheus_client import Counter

from ccaas.conversation.answer import Outcome
from ccaas.conversation.settings import EscalationSettings
from ccaas.errors import SpeechError
from ccaas.ports.media import Pcm
from ccaas.ports.reasoning import Draft, Ending, Reply, Topic
from ccaas.ports.sentiment import Handover, Mood, SentimentStream, Signal, Why

_log = structlog.get_logger(__name__)

ESCALATIONS = Counter(
    "ccaas_escalations_total", "Callers who should go to a person, and what was decided", ["why", "result"]
)

_LONG_S = 4.0
"""Within turns longer than this the mood is looked at before they end (s)."""
_LOOK_EVERY_S = 2.0
_WORDS_HEARD = 4
"""With so many words of it the line has been said, if the caller speaks over the rest."""

Ask = Callable[[Signal], Awaitable[Handover | None]]
"""What the plug-ins decide."""


def reason(mood: Mood, settings: EscalationSettings) -> Why | None:
    """Why this mood calls for a person. The voice alone is no reason, whatever a model makes of it."""
    if mood.score >= settings.at and mood.words >= settings.words_at:
        return Why.UPSET
    return Why.WISH if mood.wants_human else None


class Escalation:
    """One call's, over all its media streams. Without a stream of feelings it does nothing."""

    def __init__(
        self,
        stream: SentimentStream | None = None,
        settings: EscalationSettings | None = None,
        ask: Ask | None = None,
        known: Callable[[str], bool] = lambda _: True,
        locale: str = "en-US",
    ) -> None:
        """`settings`: None when feelings are only noted. `known`: whether the YAML has a destination of that name."""
        self._stream = stream
        self._settings = settings
        self._ask = ask
        self._known = known
        self._locale = locale
        self._foreseen: tuple[str, Mood] | None = None
        self._foreseeing: tuple[str, asyncio.Task[Any] | None] = ("", None)
        self._weighed = ""
        """The newest turn that was decided on."""
        self._weighing = asyncio.Lock()
        self._looked_at = 0.0
        self._handovers = 0
        self._signal: Signal | None = None
        self._destination = ""
        self._why = ""
        self._topic = ""
        self._begun = False
        """The compassionate line has been heard, or some of it: it is not said again."""
        self.mood: Mood | None = None
        """The newest, of a turn or within one."""
        self.raised = False
        """A person is to be brought in as soon as nothing stands against it."""
        self.last_words: asyncio.Task[None] | None = None
        """What does it."""

    @property
    def handing(self) -> bool:
        """It is being done. A task that was cancelled does nothing, even before its first step."""
        return self.last_words is not None and not self.last_words.done()

    @property
    def waits(self) -> bool:
        """A person is to be brought in, and nothing has been done about it."""
        return self.raised and not self.handing

    def push(self, pcm: Pcm) -> None:
        """Voice of the caller at 16 kHz."""
        if self._stream is not None:
            self._stream.push(pcm)

    def forget(self) -> None:
        """What was heard was nothing."""
        if self._stream is not None:
            self._stream.forget()

    async def ahead(self) -> None:
        """A turn may be over, and its words are not known: listen to how it was said."""
        if self._stream is not None:
            await self._judged(self._stream.glance(""))

    async def foresee(self, text: str) -> None:
        """A turn may be over: be ready to say how it felt. Run as a task."""
        self._foreseeing = text, asyncio.current_task()
        mood = await self._judged(self._stream.glance(text)) if self._stream is not None else None
        if mood is not None:
            self._foreseen, self.mood = (text, mood), mood

    async def look(self, text: str, seconds: float) -> None:
        """Within a turn that is `seconds` long by now, and of which `text` is known."""
        if text and seconds >= _LONG_S and abs(seconds - self._looked_at) >= _LOOK_EVERY_S:
            self._looked_at = seconds
            await self.foresee(text)

    async def turn(self, text: str, at: float) -> Mood | None:
        """A turn was taken; how it felt, None when nothing judges it or nothing was said."""
        self._looked_at = 0.0
        mood = await self._judged(self._stream.turn(text, at)) if self._stream is not None and text else None
        if mood is not None:
            self.mood = mood
            _log.info("mood", score=round(mood.score, 2), words=round(mood.words, 2), prosody=mood.prosody)
        return mood

    async def due(self, draft: Draft, topic: Topic | None) -> bool:
        """Whether the turn of `draft`, which is being taken, goes to a person instead of being answered. A score that is not
        there, but about to be, is waited for a moment."""
        text, judging = self._foreseeing
        if judging is not None and not judging.done() and text == draft.turn.text and self._settings is not None:
            await asyncio.wait({judging}, timeout=self._settings.grace_ms / 1000)
        foreseen = self._foreseen
        if self.raised or foreseen is None or foreseen[0] != draft.turn.text:
            return self.raised
        return await self.weigh(draft, foreseen[1], topic)

    async def weigh(self, draft: Draft, mood: Mood, topic: Topic | None) -> bool:
        """Decide on a turn that felt like `mood`; `topic` is what the conversation is about. True: a person is to be brought
        in."""
        if self._settings is None or not self._stream:
            return False
        async with self._weighing:
            why = reason(mood, self._settings)
            granted = draft.reply is not None and draft.reply.ending is Ending.TRANSFER
            if self.raised or why is None or draft.turn.id == self._weighed or (why is Why.WISH and granted):
                return self.raised
            self._weighed = draft.turn.id
            calm = why is Why.WISH and self._settings.human_destination
            destination = self._settings.human_destination if calm else self._settings.destination
            signal = Signal(why, draft.turn.id, draft.text_to_keep, draft.intent, mood, destination)
            self._destination = await self._decided(signal)
            self._signal, self.raised = signal, bool(self._destination)
            self._topic = topic.goal if topic is not None else ""
            return self.raised

    async def _decided(self, signal: Signal) -> str:
        """Where to; empty: nowhere."""
        assert self._settings is not None  # only asked with them
        if self._handovers >= self._settings.most:
            self._tell(signal, "too often")
            return ""
        chosen = await self._ask(signal) if self._ask is not None else None
        if chosen is None or (chosen.destination and self._known(chosen.destination)):
            self._tell(signal, "handed over")
            return chosen.destination if chosen is not None else signal.destination
        self._tell(signal, "unknown destination" if chosen.destination else "declined")
        return signal.destination if chosen.destination else ""

    @staticmethod
    def _tell(signal: Signal, result: str) -> None:
        ESCALATIONS.labels(signal.why.value, result).inc()
        _log.info(
            "escalation", why=signal.why.value, turn=signal.turn_id, score=round(signal.mood.score, 2), result=result
        )

    @property
    def why(self) -> str:
        """Why the caller went to a person when they last did: "upset", "wish", or empty when it was not for a feeling."""
        return self._why

    @property
    def destination(self) -> str:
        """Where the caller goes."""
        return self._destination

    async def replies(self) -> AsyncIterator[Reply]:
        """The line, once, which the caller may interrupt; then the transfer."""
        if self._signal is not None and self._settings is not None and not self._begun:
            intents = tuple(name for name in (self._signal.intent, self._topic) if name)
            line = self._settings.line(self._signal.why.value, intents, self._locale)
            if line:
                yield Reply(line)
        yield Reply("", ending=Ending.TRANSFER, destination=self._destination)

    def cut(self, heard: str) -> None:
        """The agent was stopped, and `heard` of what it was saying was heard: of the line, if it was that."""
        self._begun = self._begun or (self.handing and len(heard.split()) >= _WORDS_HEARD)

    def ended(self, outcome: Outcome) -> None:
        """The conversation is over. A caller who comes back from a transfer begins anew; one whose audio was lost does not."""
        if outcome.ending is not None:
            self._why = self._signal.why.value if self._signal is not None and self.raised else ""
            self._handovers += self.raised
            self.raised = self._begun = False
            self._signal = self._foreseen = None
            self._weighed = ""

    def close(self) -> None:
        """The call is over."""
        if self._stream is not None:
            self._stream.close()

    @staticmethod
    async def _judged(mood: Awaitable[Mood]) -> Mood | None:
        try:
            return await mood
        except SpeechError as error:
            _log.warning("mood not judged", error=str(error))
            return None
