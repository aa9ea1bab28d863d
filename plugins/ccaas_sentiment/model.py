"""The sentiment "sentiment": one for all conversations, and a stream for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from ccaas_flows.understanding.embedding import Embedding, MiniLm

from ccaas.errors import SpeechError
from ccaas.inference import RUNTIME_ERRORS
from ccaas.ports.media import Pcm
from ccaas.ports.sentiment import Mood
from ccaas.ports.site import Site
from ccaas_sentiment.baseline import Baseline
from ccaas_sentiment.examples import read
from ccaas_sentiment.prosody import Listening, Manner
from ccaas_sentiment.settings import SentimentSettings
from ccaas_sentiment.words import Words

T = TypeVar("T")

_WISH = 0.5
"""Probability from which a person is wanted."""
_UPSET = 0.4
"""Words from here on are not calm: they say nothing of how the caller usually speaks."""
_OLD = 0.5
"""Share of the turns before in what a turn is held against."""


class WordsAndVoice:
    """See `ccaas.ports.sentiment.Sentiment`. Models run in one thread, which all conversations share."""

    def __init__(self, settings: SentimentSettings, site: Site, embedding: Embedding | None = None) -> None:
        self._settings = settings
        self._site = site
        self._embedding = embedding
        self._thread = ThreadPoolExecutor(1, "sentiment")
        self._words: Words

    async def start(self) -> None:
        await self.run(self._load)

    def _load(self) -> None:
        own = self._site.path(self._settings.examples) if self._settings.examples else None
        examples = read(own, built_in=self._settings.built_in)
        embedding = self._embedding or MiniLm(self._site.models_dir / self._settings.model, self._site.cache_dir)
        self._words = Words(examples, embedding, self._site.cache_dir / "moods")

    def open(self) -> Feelings:
        return Feelings(self, self._words, self._settings)

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """Do it in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class Feelings:
    """See `ccaas.ports.sentiment.SentimentStream`."""

    def __init__(self, model: WordsAndVoice, words: Words, settings: SentimentSettings) -> None:
        self._model = model
        self._words = words
        self._weight = settings.prosody_weight
        self._baseline = Baseline(settings.baseline_turns)
        self._listening = Listening()
        self._new: list[Pcm] = []
        self._usual: float | None = None
        """The score of the turns before."""

    def push(self, pcm: Pcm) -> None:
        self._new.append(pcm)

    def forget(self) -> None:
        self._new, self._listening = [], Listening()

    async def glance(self, text: str) -> Mood:
        mood, _ = await self._judge(text, self._listening)
        return mood

    async def turn(self, text: str, at: float) -> Mood:
        listening, self._listening = self._listening, Listening()
        mood, manner = await self._judge(text, listening)
        if manner is not None and mood.words < _UPSET:
            self._baseline.learn(manner, mood.prosody)
        self._usual = mood.score if self._usual is None else _OLD * self._usual + (1 - _OLD) * mood.score
        return mood

    def close(self) -> None:
        self.forget()

    async def _judge(self, text: str, listening: Listening) -> tuple[Mood, Manner | None]:
        heard, self._new = self._new, []
        try:
            return await self._model.run(lambda: self._judged(text, listening, heard))
        except RUNTIME_ERRORS as error:
            raise SpeechError(f"the mood of a turn could not be judged: {error}") from error

    def _judged(self, text: str, listening: Listening, heard: list[Pcm]) -> tuple[Mood, Manner | None]:
        if heard:
            listening.add(np.concatenate(heard))
        manner = listening.manner()
        prosody = self._baseline.agitation(manner) if manner is not None else None
        reading = self._words.read(text)
        score = fused(reading.mood, prosody, self._weight)
        trend = 0.0 if self._usual is None else score - self._usual
        return Mood(score, reading.mood, prosody, trend, reading.wish >= _WISH), manner


def fused(words: float, prosody: float | None, weight: float) -> float:
    """One score. The voice moves it within what the words leave open, and by itself never further than `weight`."""
    return words + weight * (prosody or 0.0) * (1 - abs(words))
