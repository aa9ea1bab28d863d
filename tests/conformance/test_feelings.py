"""Everything that judges feelings does what the port says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from ccaas_sentiment.model import WordsAndVoice
from ccaas_sentiment.settings import SentimentSettings

from bench.moods import changed, voice
from ccaas.ports.site import Site
from ccaas.testing.conformance.sentiment import Feelings, SentimentConformance
from ccaas.testing.fakes.sentiment import FakeSentiment

ROOT = Path(__file__).parents[2]
CALM = ("I'd like to change my flight to Friday.", "The bag that I am missing is a blue one.", "It was booked in May.")
UPSET = ("This is outrageous, you lost my bag again!", "That is totally unacceptable!")
WISHES = ("Let me speak to a human, please.", "Can I talk to a real person?")


class TestWordsAndVoice(SentimentConformance):
    @pytest_asyncio.fixture
    async def feelings(self, tmp_path: Path) -> AsyncIterator[Feelings]:
        site = Site(ROOT, tmp_path, ROOT / ".cache/models", ROOT / ".cache")
        sentiment = WordsAndVoice(SentimentSettings(), site)
        await sentiment.start()
        calm = [(text, voice(text)) for text in CALM]
        upset = [(text, changed(text)) for text in UPSET]
        yield Feelings(sentiment, calm, upset, WISHES)
        await sentiment.close()


class TestFakeSentiment(SentimentConformance):
    @pytest.fixture
    def feelings(self) -> Feelings:
        some = np.ones(16_000, np.int16)
        return Feelings(
            FakeSentiment(), [(text, some) for text in CALM], [(text, some) for text in UPSET], ("A human now",)
        )
