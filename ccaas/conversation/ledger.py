"""What each turn took, stage by stage, kept for the call's record and shown to Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from prometheus_client import Counter, Histogram

from ccaas.conversation.events import TurnRecord, TurnTimes
from ccaas.ports.reasoning import Draft
from ccaas.ports.sentiment import Mood

_BUCKETS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)

REPLY_SECONDS = Histogram(
    "ccaas_turn_reply_seconds", "End of the caller's speech to the first audio sent", buckets=_BUCKETS
)
STAGE_SECONDS = Histogram(
    "ccaas_turn_stage_seconds", "From the end of the caller's speech to each stage", ["stage"], buckets=_BUCKETS
)
TURNS = Counter("ccaas_turns_total", "Turns taken, by what became of them", ["outcome"])

SENTIMENT = Histogram(
    "ccaas_sentiment_score",
    "How upset callers seemed, turn by turn: -1 (pleased) to 1 (furious)",
    buckets=(-0.6, -0.3, -0.1, 0.1, 0.3, 0.45, 0.6, 0.8, 1.0),
)

Publish = Callable[[TurnRecord], None]


class Ledger:
    """Turns of one call. `publish` gets a record when the turn is taken, and again as more of it is known."""

    def __init__(self, publish: Publish, turns: int) -> None:
        """`turns`: how many the call had before, on another stream or under another controller."""
        self._publish = publish
        self._open: TurnRecord | None = None
        self.turns = turns
        """Turns taken so far."""

    def took(self, draft: Draft, times: TurnTimes, speculations: int, channel: str = "") -> None:
        """A turn was committed; `channel` is given when it came as a text."""
        self.close()
        self.turns += 1
        self._open = TurnRecord(
            turn_id=draft.turn.id,
            caller_text=draft.text_to_keep,
            keys=draft.keys_to_keep,
            intent=draft.intent,
            slots=dict(draft.slots),
            times=times,
            speculations=speculations,
            confidence=draft.turn.confidence,
            channel=channel,
            private=draft.private,
        )
        self._publish(self._open)

    def said(self, text: str, at: float | None) -> None:
        """The agent began to say `text`; `at` is when its first frame was sent."""
        if self._open is None:
            self._open = TurnRecord(turn_id=f"agent-{self.turns}", caller_text="", keys="", intent="")
        times = self._open.times
        if times.first_audio is None and at is not None:
            times = replace(times, first_audio=at)
            if times.speech_end is not None and not self._open.agent_text:
                REPLY_SECONDS.observe(max(at - times.speech_end, 0.0))
                for stage in ("speculated", "recognized", "drafted", "committed"):
                    moment = getattr(times, stage)
                    if moment is not None:
                        STAGE_SECONDS.labels(stage).observe(max(moment - times.speech_end, 0.0))
        self._open = replace(self._open, agent_text=f"{self._open.agent_text} {text}".strip(), times=times)
        self._publish(self._open)

    def heard(self, text: str, interrupted_at: float | None = None) -> None:
        """The caller heard `text` of what was being said."""
        if self._open is None:
            return
        times = self._open.times if interrupted_at is None else replace(self._open.times, interrupted=interrupted_at)
        self._open = replace(self._open, heard_text=f"{self._open.heard_text} {text}".strip(), times=times)

    def felt(self, turn_id: str, mood: Mood) -> None:
        """How the caller felt in a turn. One that is over already keeps the record that it has."""
        SENTIMENT.observe(mood.score)
        if self._open is not None and self._open.turn_id == turn_id:
            self._open = replace(self._open, sentiment=round(mood.score, 3), mood=mood)
            self._publish(self._open)

    def escalated(self, destination: str) -> None:
        """The caller goes to a person."""
        if self._open is None:
            self._open = TurnRecord(turn_id=f"agent-{self.turns}", caller_text="", keys="", intent="")
        self._open = replace(self._open, escalated=destination)

    def retaken(self) -> None:
        """The open turn was taken too early."""
        if self._open is not None:
            self._open = replace(self._open, retaken=True)

    def close(self) -> None:
        """The open turn's reply is over."""
        if self._open is None:
            return
        outcome = "retaken" if self._open.retaken else "interrupted" if self._open.times.interrupted else "answered"
        TURNS.labels(outcome).inc()
        self._publish(replace(self._open, over=True))
        self._open = None
