"""How likely an answer to an open question is over at a pause at which its words may stand: its length and its words.

At a natural gap inside a turn words and melody both sound finished. What tells most then is how much has been said: "My
suitcase." is the beginning of something. The melody of gaps and of ends is alike, so it is not weighed here. The weights were fitted by `python -m bench.turn_training` on rendered callers
with words and voices of their own, none of them in bench/speech.
"""

from __future__ import annotations

import math
import re

WEIGHTS = {
    "bias": -1.15,
    "seconds": 2.1,
    "request": 0.47,
    "comma": -0.63,
    "last words": 0.33,
}
"""Log odds for each feature."""

_MOST_S = 5.0
"""Longer is no more finished (s)."""
_REQUEST = re.compile(
    r"\b(can|could|would|will|may) (you|i|we|somebody|someone)\b|\b(i'd|we'd|i would|we would) (like|love|prefer|rather)\b|"
    r"\b(i|we) (just |also |really )?(want|need|wanted)\b|\bplease\b|\b(give|tell|send|show|put|get|help|transfer|connect) me\b|"
    r"\blet me (speak|talk)\b|\b(what|what's|how|where|where's|when|which|who|why)\b|\b(is|are) there\b|"
    r"^(well |hi |hello |okay |so |and )*(is|are|do|does|did|will|was) |\b(looking|trying|hoping|calling) (for|to|about)\b|"
    r"\bi have to\b|\b(change|cancel|move|check|book|add|remove|switch|update|stop|block|extend|leave)\b"
)
"""Something is asked or wanted; what only tells what happened often goes on to it."""
_LAST = re.compile(
    r"\b(please|thanks|thank you|bye|goodbye|today|tonight|tomorrow|possible|morning|afternoon|evening|yesterday|week|month|"
    r"year|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|"
    r"september|october|november|december|instead|now|again|\d+(st|nd|rd|th))\W*$"
)
"""Sentences like to end in these."""


def features(text: str, spoken_s: float) -> dict[str, float]:
    """What is weighed: the recognised `text`, and seconds spoken."""
    low = text.lower().rstrip()
    return {
        "bias": 1.0,
        "seconds": math.log(min(max(spoken_s, 0.1), _MOST_S)),
        "request": float(bool(_REQUEST.search(re.sub(r"[^a-z0-9' ]", "", low)))),
        "comma": float(low.endswith(",")),
        "last words": float(bool(_LAST.search(low))),
    }


def log_odds(text: str, spoken_s: float) -> float:
    """Log odds that the caller has finished, given that the words may stand; some 20 µs."""
    return sum(WEIGHTS[name] * value for name, value in features(text, spoken_s).items())
