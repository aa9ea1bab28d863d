"""Words that only machines, or only people, greet with. English; other languages bring their own lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

MACHINE_PHRASES: tuple[str, ...] = (
    "leave a message",
    "leave me a message",
    "leave us a message",
    "leave your message",
    "leave your name",
    "leave a name",
    "your name and number",
    "a brief message",
    "a short message",
    "record your message",
    "after the tone",
    "at the tone",
    "after the beep",
    "at the beep",
    "the beep",
    "not available",
    "unavailable",
    "can't come to the phone",
    "cannot come to the phone",
    "can't take your call",
    "cannot take your call",
    "unable to take your call",
    "can't get to the phone",
    "can't answer",
    "cannot answer",
    "missed your call",
    "you've reached",
    "you have reached",
    "reached the voice",
    "voicemail",
    "voice mail",
    "voice mailbox",
    "mailbox",
    "answering machine",
    "been forwarded",
    "automated voice",
    "person you are calling",
    "number you have dialed",
    "party you are trying",
    "your call is important",
    "call you back",
    "get back to you",
    "return your call",
    "away from my desk",
    "away from the phone",
    "office is closed",
    "office is currently closed",
    "we are closed",
    "not at home",
    "not in right now",
    "please hang up",
    "record at the",
)
HUMAN_PHRASES: tuple[str, ...] = (
    "how can i help",
    "how may i help",
    "can i help you",
    "what can i do for you",
    "how may i direct",
    "who is this",
    "who's this",
    "who is calling",
    "who's calling",
    "speaking",
    "yes hello",
    "are you there",
    "hello hello",
    "anybody there",
    "is anyone there",
)


def holds(text: str, phrases: Sequence[str]) -> str:
    """The first of `phrases` in `text`, whole words, whatever the punctuation and case; "" where there is none."""
    plain = f" {_plain(text)} "
    return next((phrase for phrase in phrases if f" {_plain(phrase)} " in plain), "")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]+", " ", text.lower().replace("\u2019", "'")).split())
