"""STOP, START and HELP: words that the network itself has given a meaning (CTIA, FCC 47 CFR 64.1200)."""

from __future__ import annotations

from enum import Enum


class Keyword(Enum):
    """What a message that is nothing but such a word asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_WORDS = {
    Keyword.STOP: (
        "stop",
        "stopall",
        "stop all",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
        "opt out",
    ),
    Keyword.START: ("start", "unstop", "subscribe", "optin", "opt in"),
    Keyword.HELP: ("help", "info"),
}
_BY_WORD = {word: keyword for keyword, words in _WORDS.items() for word in words}


def keyword_of(text: str) -> Keyword | None:
    """The keyword that the whole message is, however it is written; None for everything else."""
    words = "".join(character if character.isalnum() else " " for character in text[:40].casefold()).split()
    return _BY_WORD.get(" ".join(words)) if len(text) <= 40 else None
