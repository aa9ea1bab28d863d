"""Feelings without a model: who shouts is upset."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ccaas.errors import SpeechError
from ccaas.ports.media import Pcm
from ccaas.ports.sentiment import Mood

CALM = Mood(0.0, 0.0, 0.0, 0.0, wants_human=False)


class FakeSentiment:
    """`Sentiment` that knows how each text feels (`moods`); others that end in "!" are upset, those with "human" want one."""

    def __init__(self, moods: dict[str, Mood] | None = None) -> None:
        self.moods = moods or {}
        self.slow_s = 0.0
        """How long a judgement takes."""
        self.failing = False
        self.streams: list[FakeFeelings] = []

    async def start(self) -> None: ...

    def open(self) -> FakeFeelings:
        self.streams.append(FakeFeelings(self))
        return self.streams[-1]

    async def close(self) -> None: ...

    def mood(self, text: str) -> Mood:
        """How `text` feels."""
        if (known := self.moods.get(text)) is not None:
            return known
        upset = 0.8 if text.endswith("!") else 0.0
        return Mood(upset, upset, 0.0, 0.0, wants_human="human" in text)


class FakeFeelings:
    """`SentimentStream` of the above."""

    def __init__(self, owner: FakeSentiment) -> None:
        self._owner = owner
        self.pushed = 0
        """Samples since the last turn."""
        self.turns: list[tuple[str, int]] = []
        """Each turn with the samples that were pushed for it."""
        self.glances: list[str] = []
        self.closed = False
        self._before: float | None = None

    def push(self, pcm: Pcm) -> None:
        self.pushed += pcm.size

    def forget(self) -> None:
        self.pushed = 0

    async def glance(self, text: str) -> Mood:
        self.glances.append(text)
        return await self._judged(text)

    async def turn(self, text: str, at: float) -> Mood:
        self.turns.append((text, self.pushed))
        mood = await self._judged(text)
        self.pushed = 0
        self._before, before = mood.score, self._before
        return replace(mood, trend=0.0 if before is None else mood.score - before)

    def close(self) -> None:
        self.closed = True

    async def _judged(self, text: str) -> Mood:
        await asyncio.sleep(self._owner.slow_s)
        if self._owner.failing:
            raise SpeechError("the mood was to fail")
        mood = self._owner.mood(text)
        return mood if self.pushed else replace(mood, prosody=None)
