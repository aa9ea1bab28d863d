"""Names of people in a sentence."""

from __future__ import annotations

import re

from ccaas.spoken.dates import WEEKDAYS
from ccaas.spoken.numbers import UNITS, Word, words
from ccaas_flows.understanding.mention import Mention

NOT_NAMES = frozenset(
    [
        "i",
        "i'm",
        "i'd",
        "i'll",
        "the",
        "a",
        "an",
        "my",
        "your",
        "is",
        "it's",
        "yes",
        "no",
        "okay",
        "hello",
        "hi",
        "please",
        "thanks",
        "thank",
        "mr",
        "mrs",
        "ms",
        "dr",
        "on",
        "in",
        "for",
        "to",
        "from",
        "at",
        "and",
        "or",
        "but",
        "leaving",
        "with",
        "flying",
        "that",
        "this",
        "under",
        "of",
        "going",
        "traveling",
        "travelling",
        "departing",
        "returning",
        "can",
        "could",
        "would",
        "not",
        "what",
        "when",
        "where",
        "who",
        "why",
        "how",
        "do",
        "does",
        "sorry",
        "booked",
        "reservation",
        "booking",
        "name",
        "as",
    ]
) | {*WEEKDAYS, "today", "tomorrow", "tonight"}
_NAME_CUES = (
    r"(?:(?:my|the|his|her|last|first|full|passenger|whose|booking|reservation)(?:'s)? )?(?:sur|last |first |full )?name(?:'s| is| was| should be|,| would be)(?: under)?|under(?: the)?(?: last)?(?: name)?(?: of)?|"
    r"booked (?:for|as|by)|this is|my name is|(?:reservation|booking|ticket|passenger|itinerary)(?: is| was)? (?:for|belongs to)|in the name(?: of)?|"
    r"(?:it's|it is) for|calling for|on behalf of|registered to|i am called|name of"
)  # fmt: skip


def find_names(text: str) -> tuple[Mention, ...]:
    """A person's name behind a cue ("the name is", "under"), in title case."""
    found = []
    for cue in re.finditer(rf"\b(?:{_NAME_CUES})\s+", text, re.IGNORECASE):
        name = _name_at(text, cue.end())
        if name:
            found.append(name)
    return tuple(found[-1:])


def _name_at(text: str, offset: int) -> Mention | None:
    taken: list[Word] = []
    for word in words(text[offset:]):
        lower = word.text
        if lower in {"uh", "um", "er"} and not taken:
            continue
        if taken and word.after_mark:
            break
        if (
            lower in NOT_NAMES
            or not word.raw[0].isalpha()
            or (taken and word.raw[0].islower() and taken[0].raw[0].isupper())
        ):
            if lower in {"mr", "mrs", "ms", "dr"} and not taken:
                continue
            break
        taken.append(word)
        if len(taken) == 3:
            break
    if not taken or (taken[0].raw[0].islower() and len(taken) != 2):
        return None
    if len(taken) == 1 and len(taken[0].raw) < 3:
        return None
    name = " ".join(w.raw[0].upper() + w.raw[1:] for w in taken)
    return Mention(name.removesuffix("'s"), offset + taken[0].start, offset + taken[-1].end)


def bare_name(text: str) -> str:
    """The name when the words are nothing else ("Jennifer Walsh", "it's Jennifer Walsh"); empty otherwise."""
    stripped = re.sub(
        r"^(?:(?:it's|it is|this is|my name is|my name's|the name is|name is|i'm|i am|yes|yeah|sure|okay|um|uh|that's|under|hi|hello|well|so)[\s,]+)*",
        "", text.strip(), flags=re.IGNORECASE,
    )  # fmt: skip
    ws = words(stripped)
    if not 1 <= len(ws) <= 4 or any(w.text in NOT_NAMES or not w.raw[0].isalpha() or w.text in UNITS for w in ws):
        return ""
    return " ".join(w.raw[0].upper() + w.raw[1:] for w in ws)
