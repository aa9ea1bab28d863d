"""Wiring: the sentiment "sentiment"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.sentiment import Sentiment
from ccaas_sentiment.model import WordsAndVoice
from ccaas_sentiment.settings import SentimentSettings


@hookimpl
def ccaas_register_sentiment(register: Register[Sentiment]) -> None:
    register("sentiment", WordsAndVoice, SentimentSettings)
