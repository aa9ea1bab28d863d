"""Short sounds of listening ("uh-huh", "I see"), and the wish that the agent stop talking."""

from __future__ import annotations

import re

from ccaas.spoken.numbers import words

_HUMS = frozenset(["mm", "mhm", "mmhm", "hmm", "hm", "mmm", "mhmm", "um", "uh", "huh", "uhhuh", "aha"])
_WORDS = frozenset(
    [
        "ah",
        "oh",
        "ok",
        "okay",
        "kay",
        "right",
        "yeah",
        "yep",
        "yup",
        "yes",
        "ya",
        "sure",
        "alright",
        "cool",
        "great",
        "good",
        "fine",
        "perfect",
        "gotcha",
        "true",
        "exactly",
        "absolutely",
        "indeed",
        "totally",
        "understood",
        "interesting",
        "wow",
        "really",
        "nice",
    ]
)
_PHRASES = (
    "i see", "got it", "i got it", "i understand", "i know", "all right", "of course", "makes sense", "that makes sense", "fair enough",
    "go on", "sounds good", "no problem", "that's right", "that's fine", "right on", "very well", "for sure",
    "uh huh", "mm hmm", "mm hm", "mm mm", "you bet", "okey dokey", "good to know", "thank you", "thanks",
)  # fmt: skip
_HUM = re.compile(r"m+h*m*|h+m+|u+h+|a+h+a*|h")
"""Hums as recognisers write them, in pieces or whole: "mm-h", "mhm", "uh"."""
_STOPPING = re.compile(
    r"\b(wait|stop|hold on|hang on|hold up|shut up|be quiet|quiet|excuse me|pardon|sorry|no|not|never ?mind|enough|cancel|"
    r"one (second|moment|minute|sec)|just a (second|moment|minute|sec)|a (second|minute|moment)|let me|listen|actually|but|"
    r"i (heard|said|asked|meant|already)|that's (wrong|not)|slow down|go back|repeat|again|what|how|why|when|who|where|which|can you|"
    r"could you|i (need|want)|agent|operator|human|person|representative)\b"
)


def is_backchannel(text: str) -> bool:
    """Whether `text` only shows that the caller is listening; empty text is not one."""
    rest = _beside_phrases(text)
    return bool(words(text)) and len(rest) <= 4 and all(word in _WORDS or _hummed(word) for word in rest)


def opens_turns(text: str) -> bool:
    """Whether `text` shows that the caller is listening in words that sentences begin with as well: "okay", "yeah", "right"."""
    return is_backchannel(text) and not all(map(_hummed, _beside_phrases(text)))


def wants_stop(text: str) -> bool:
    """Whether somebody who says `text` over the agent wants it to stop and listen."""
    plain = " ".join(w.text for w in words(text))
    return bool(_STOPPING.search(plain)) and not is_backchannel(text)


def _beside_phrases(text: str) -> list[str]:
    plain = " ".join(w.text for w in words(text))
    for phrase in _PHRASES:
        plain = re.sub(rf"\b{re.escape(phrase)}\b", " ", plain)
    return plain.split()


def _hummed(word: str) -> bool:
    return word in _HUMS or bool(_HUM.fullmatch(word))
