"""What a caller says while the answer to their last words is on its way, and what becomes of it.

It was said before the agent's next question, so it answers none: of "yes, and a bag please" only the bag is left.
"""

from __future__ import annotations

import asyncio

import structlog

from ccaas.conversation.ear import Utterance
from ccaas.errors import SpeechError
from ccaas.spoken.backchannels import is_backchannel

_log = structlog.get_logger(__name__)

_COURTESY = frozenset({"please", "thanks", "and", "so"})
"""Left alone by the words before them, they say nothing."""


async def overheard(utterance: Utterance, earlier: asyncio.Task[str] | None) -> str:
    """The words of `utterance` behind those of `earlier`; empty when nothing is to be answered."""
    try:
        transcript = await utterance.stream.final()
        text = without_consent(transcript.text)
    except SpeechError as error:
        _log.error("not recognised", error=str(error))
        text = ""
    return joined(await known(earlier), text)


async def known(aside: asyncio.Task[str] | None) -> str:
    """The words of a task of `overheard`; whoever asks may be cancelled without it."""
    if aside is None:
        return ""
    await asyncio.wait({aside})
    return aside.result()


def joined(*texts: str) -> str:
    """What was said in several stretches."""
    return " ".join(text for text in texts if text)


def without_consent(text: str) -> str:
    """`text` without the signs of listening and agreement that it begins with."""
    words = text.split()
    while words and is_backchannel(words[0]):
        words.pop(0)
    rest = " ".join(words)
    bare = {"".join(character for character in word.lower() if character.isalpha()) for word in words}
    return "" if is_backchannel(rest) or bare <= _COURTESY else rest
