"""Words that only machines, or only people, greet with. English here; the YAML brings other languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MACHINE: tuple[str, ...] = (
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
    "you know what to do",
)
_SURE = (
    "leave a message",
    "leave me a message",
    "leave us a message",
    "leave your message",
    "leave your name",
    "leave a name",
    "record your message",
    "after the tone",
    "at the tone",
    "after the beep",
    "at the beep",
    "you've reached",
    "you have reached",
    "reached the voice",
    "voice mailbox",
    "been forwarded",
    "automated voice",
    "person you are calling",
    "number you have dialed",
    "party you are trying",
    "your call is important",
    "can't come to the phone",
    "cannot come to the phone",
    "can't take your call",
    "cannot take your call",
    "unable to take your call",
    "office is closed",
    "office is currently closed",
    "record at the",
    "you know what to do",
)
_FULL = (
    "mailbox is full",
    "cannot accept any messages",
    "can't accept any messages",
    "cannot accept messages",
    "not accepting messages",
    "not been set up",
    "has not been initialized",
)
_HUMAN: tuple[str, ...] = (
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
_OFFERS = (
    "want to leave",
    "like to leave",
    "care to leave",
    "can i take a message",
    "could i take a message",
    "shall i take a message",
    "can you leave",
    "could you leave",
    "tell her",
    "tell him",
    "he is not available",
    "she is not available",
    "he's not available",
    "she's not available",
    "i'm not available",
)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one language. Whole words, whatever the case and the marks."""

    machine: tuple[str, ...]
    """Only machines greet so."""
    sure: tuple[str, ...]
    """Those of them that no person says later in a talk either."""
    full: tuple[str, ...]
    """A machine that takes no message."""
    human: tuple[str, ...]
    """With these a person asks for an answer."""
    offers: tuple[str, ...]
    """People say these, and they would hold some of `sure`: "would you like to leave a message"."""

    def joined(self, other: Phrases) -> Phrases:
        """With those of another."""
        return Phrases(
            (*self.machine, *other.machine),
            (*self.sure, *other.sure),
            (*self.full, *other.full),
            (*self.human, *other.human),
            (*self.offers, *other.offers),
        )


ENGLISH = Phrases((*_MACHINE, *_FULL), (*_SURE, *_FULL), _FULL, _HUMAN, _OFFERS)
NONE = Phrases((), (), (), (), ())


def holds(text: str, phrases: Sequence[str]) -> str:
    """The first of `phrases` in `text`, whole words, whatever the punctuation and case; "" where there is none."""
    plain = f" {_plain(text)} "
    return next((phrase for phrase in phrases if f" {_plain(phrase)} " in plain), "")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]+", " ", text.lower().replace("\u2019", "'")).split())
