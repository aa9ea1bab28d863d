"""One call's part of the one brain: what is known before its first sentence, and what it adds to the timeline.

Asking begins when the call is offered, beside everything else that a call needs before it is answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ccaas.acquaintance import Known
from ccaas.brain import Brain
from ccaas.chapter import Chapter, Moment, Rows
from ccaas.chronicle import ToldAudit
from ccaas.conversation.events import TurnRecord
from ccaas.journal.entries import Snapshot, Turn
from ccaas.media.clock import Clock
from ccaas.ports.journey import Contact, Customer, Json
from ccaas.ports.reasoning import Topic
from ccaas.presence import Listener
from ccaas.telephony.events import EndReason


@dataclass(frozen=True, slots=True)
class Track:
    """The recording of a stretch of a call."""

    file: str
    """Below the state folder."""
    started_at: float
    """Monotonic seconds of its first sample."""

    def link(self, at: float | None) -> str:
        """Where the monotonic moment can be heard; empty when it is not known."""
        return "" if at is None else f"{self.file}#t={max(at - self.started_at, 0.0):.1f}"


class CallMemory:
    """Made inside the event loop, when the call is."""

    def __init__(
        self,
        brain: Brain,
        clock: Clock,
        contact: Contact,
        customer: Customer | None,
        entry: str,
        reasoner: str,
        *,
        outgoing: bool = False,
        kept: str = "",
        before: tuple[TurnRecord, ...] = (),
    ) -> None:
        """`contact.address` is the far end's. `kept` and `before`: thread and turns of an earlier controller."""
        self._brain = brain
        self._clock = clock
        self._contact = contact
        self._entry = entry
        self._reasoner = reasoner
        self._outgoing = outgoing
        self._kept = kept
        self._before = before
        self._chapter: Chapter | None = None
        self._about: tuple[Topic | None, Json] | None = None
        """What the newest commit was about, until its turn is over."""
        self._turn_id = ""
        self._needed = asyncio.Event()
        identity = brain.spell("voice", contact.address)
        self._meeting = asyncio.create_task(
            brain.acquaintance.meet(contact, customer, identity, needed=self._needed),
            name=f"{contact.call_id} acquaintance",
        )

    @property
    def audit(self) -> ToldAudit:
        """Where the call's tools keep their runs."""
        return ToldAudit(self._brain.chronicle, lambda: self._chapter, lambda: self._wall)

    async def begin(self, listener: Listener | None = None) -> Known:
        """What is known; from now on texts of the customer reach `listener`. Asked again, it is the same."""
        self._needed.set()
        known = await asyncio.shield(self._meeting)
        if self._chapter is None:
            threads = known.context.threads if known.context is not None else ()
            self._chapter = Chapter(self._contact.call_id, "voice", self._reasoner, known.whose, threads, self._kept)
            self._post(self._contacted(self._chapter))
        if listener is not None:
            self._brain.presence.enter(self._contact.call_id, known.whose, listener)
        return known

    def turn(self, record: TurnRecord, track: Track | None) -> None:
        """Journal a turn; what was said in it is told when it is over. Never waits."""
        told: Rows = ()
        self._turn_id = record.turn_id
        if record.over and self._chapter is not None:
            told = (*self._flush(record), *self._said(self._chapter, record, track))
        self._brain.chronicle.post(Turn(self._contact.call_id, record), *told)

    def overheard(self, name: str, source: str, text: str, at: float, track: Track | None) -> None:
        """Something was said while the customer talked with a person; `at`: monotonic seconds. Never waits."""
        if self._chapter is not None:
            self._post(self._chapter.overheard(name, source, text, self._moment(at, track)))

    def save(self, snapshot: Json, topic: Topic | None) -> None:
        """Journal the dialogue's state after a commit."""
        self._about = (topic, snapshot)
        thread = self._chapter.thread if self._chapter is not None else ""
        self._brain.chronicle.post(Snapshot(self._contact.call_id, snapshot, thread))

    def leave(self) -> None:
        """The call goes on without this controller."""
        self._brain.presence.leave(self._contact.call_id)
        self._meeting.cancel()

    async def end(self, reason: EndReason) -> None:
        """The call is over."""
        self._brain.presence.leave(self._contact.call_id)
        if self._meeting.cancelled():
            return
        await self.begin()
        assert self._chapter is not None  # it was begun
        told = self._flush(None)
        told += self._chapter.noted("ended", "The call ended.", self._wall, {"reason": reason.value})
        self._post(told)

    def _contacted(self, chapter: Chapter) -> Rows:
        data = {"entry": self._entry, "dialled": self._contact.dialled}
        source, text = ("agent", "We called.") if self._outgoing else ("customer", "Called.")
        told = chapter.contacted(text, source, self._wall, data)
        for record in self._before:
            if not record.over:  # the controller died before its reply had ended
                told += self._said(chapter, record, None)
        return told

    def _flush(self, record: TurnRecord | None) -> Rows:
        """Tell the thread of the newest commit, unless its turn was taken back."""
        about, self._about = self._about, None
        if about is None or self._chapter is None or (record is not None and record.retaken):
            return ()
        topic, snapshot = about
        before = self._chapter.thread
        told = self._chapter.about(topic, snapshot, self._turn_id, self._wall)
        if self._chapter.thread != before:
            self._brain.chronicle.post(Snapshot(self._contact.call_id, snapshot, self._chapter.thread))
        return told

    def _said(self, chapter: Chapter, record: TurnRecord, track: Track | None) -> Rows:
        times = record.times
        spoken = times.speech_start if times.speech_start is not None else times.committed
        caller = self._moment(spoken, None if record.channel else track)
        return chapter.said(record, caller, self._moment(times.first_audio, track))

    def _moment(self, at: float | None, track: Track | None) -> Moment:
        """A monotonic moment of this controller's, on the timeline. Without a track it may be another controller's."""
        ago = self._clock.now() - at if at is not None else 0.0
        known = 0.0 <= ago < 86_400 and not (track is None and self._before)
        return Moment(self._wall - (ago if known else 0.0), track.link(at) if track is not None else "")

    @property
    def _wall(self) -> float:
        return self._clock.wall().timestamp()

    def _post(self, rows: Rows) -> None:
        if rows:
            self._brain.chronicle.post(*rows)
